import type { SlotExports } from './slot-exports.ts'

/** Functions and memory that kernel/kernel.ts exports. */
export interface KernelExports extends SlotExports {
  memory: { buffer: ArrayBuffer }
  beginColumn(
    width: number,
    isBoolean: number,
    maxDefinition: number,
    codec: number,
    pageLevels: number,
    pageBytes: number,
    dictionaryBytes: number,
  ): number
  beginGroup(bytes: number, members: number): number
  chunkList(): number
  takeList(from: number, count: number, maxPageBytes: number, pauseAt: number): number
  whyStopped(): number
  memberInHand(): number
  beginCheck(width: number, isBoolean: number, maxDefinition: number, order: number): number
  makeRoom(bytes: number): number
  takeChunk(bytes: number, levels: number, codec: number, maxPageBytes: number): number
  openChunk(bytes: number, levels: number): void
  takePages(codec: number, maxPageBytes: number): number
  nextPage(maxPageBytes: number): number
  pagePosition(): number
  pageAt(): number
  pageSize(): number
  hasChecksum(): number
  pageChecksum(): number
  packedAt(): number
  packedBytes(): number
  unpackedBytes(): number
  isPacked(): number
  makePageRoom(): number
  takePage(at: number): number
  takeStoredPage(): number
  usePlain(): void
  finishColumn(): void
  distinctValues(): number
  dictionaryAt(): number
  dictionaryBytes(): number
  isWrittenAnew(): number
  isDictionaryUsed(): number
  countValues(): number
  makeFilterRoom(bytes: number): number
  fillFilter(values: number, count: number, width: number, bitset: number, blocks: number): void
}

/** The exports that describe the page at which the kernel stopped. */
export type PageInHand = Pick<
  KernelExports,
  | 'nextPage'
  | 'pagePosition'
  | 'pageAt'
  | 'pageSize'
  | 'hasChecksum'
  | 'pageChecksum'
  | 'packedAt'
  | 'packedBytes'
  | 'unpackedBytes'
  | 'isPacked'
>
