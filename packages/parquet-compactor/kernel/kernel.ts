// Entry points for src/kernel/kernel.ts.

export { fillFilter, makeFilterRoom } from './bloom-filter'
export {
  findPageBounds,
  hasCheckedBounds,
  highBoundAt,
  highBoundBytes,
  lowBoundAt,
  lowBoundBytes,
  pageDefinitionAt,
  pageNans,
  pageTextBytes,
  pageValueBytes,
  pageValuesAt,
} from './bounds'
export {
  hasChecksum,
  isPacked,
  makePageRoom,
  makeRoom,
  nextPage,
  openChunk,
  packedAt,
  packedBytes,
  pageAt,
  pageChecksum,
  pagePosition,
  pageSize,
  takeChunk,
  takePage,
  takePages,
  takeStoredPage,
  unpackedBytes,
} from './chunk'
export { beginCheck, beginColumn } from './column'
export { putDecoded } from './gather'
export { holdsIndices, largestInput, writeSlots } from './gathered-pages'
export { beginGroup, chunkList, memberInHand, takeList, whyStopped } from './kept-chunks'
export {
  countValues,
  dictionaryAt,
  dictionaryBytes,
  distinctValues,
  finishColumn,
  isDictionaryUsed,
  isWrittenAnew,
  usePlain,
} from './open-page'
export {
  arenaUsed,
  beginPicks,
  beginSlotColumn,
  beginSlots,
  endSlotColumn,
  isArenaFull,
  longestText,
  pickedRows,
  pickedSlots,
} from './slots'
