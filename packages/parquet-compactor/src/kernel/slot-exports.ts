/** Exports of kernel/slots.ts, kernel/gather.ts, kernel/gathered-pages.ts and kernel/bounds.ts. */
export interface SlotExports {
  beginSlots(arenaBytes: number, columns: number, rows: number, mostPicks: number): number
  isArenaFull(): number
  arenaUsed(): number
  pickedRows(): number
  pickedSlots(): number
  beginPicks(count: number): void
  beginSlotColumn(
    number: number,
    width: number,
    isBoolean: number,
    maxDefinition: number,
    mostPageBytes: number,
  ): number
  endSlotColumn(): number
  putDecoded(at: number, count: number, hasLevels: number, present: number, bytes: number): number
  longestText(number: number): number
  largestInput(number: number): number
  holdsIndices(number: number): number
  writeSlots(number: number, from: number, rows: number): number
  findPageBounds(order: number, areIndices: number): number
  hasCheckedBounds(): number
  lowBoundAt(): number
  lowBoundBytes(): number
  highBoundAt(): number
  highBoundBytes(): number
  pageNans(): number
  pageValuesAt(): number
  pageValueBytes(): number
  pageDefinitionAt(): number
  pageTextBytes(areIndices: number): number
}
