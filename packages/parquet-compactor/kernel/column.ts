// Joins the chunks of one flat column: small pages become large ones, under one dictionary where values repeat.
// Memory, from `base`: dictionary, open page, body, compressed body, then what the chunk in hand needs.
// Whatever is odd about a chunk is not handled here: the functions say so, and the caller reads the chunk in its own way.

import * as dictionary from './dictionary'
import { NO_INDEX } from './dictionary'
import * as gather from './gather'
import * as header from './page-header'
import {
  areLevelsWithin,
  bitWidth,
  countLevels,
  decodeIndices,
  decodeLevels,
  encodeIndices,
  encodeLevels,
  gatherBits,
  isOneRun,
  largest,
  spreadBits,
} from './runs'
import { beginInput } from './slots'
import { SNAPPY_TABLE_BYTES, snappyBound, snappyCompress, snappyDecompress, snappyStore } from './snappy'

/** `what`: 0 plain values, 1 indices, 2 the dictionary. The body is compressed if the codec is snappy or none. */
export declare function onPage(what: u32, at: usize, bytes: u32, uncompressedBytes: u32, levels: u32, values: u32): void

const PLAIN = 0
const PLAIN_DICTIONARY = 2
const RLE = 3
const RLE_DICTIONARY = 8

const INDEX = 1
const DICTIONARY = 2
const DATA_V2 = 3

const NONE: u32 = 0
const SNAPPY: u32 = 1

/** After so many values a dictionary is given up if nearly all of them were distinct. */
const EARLY_VALUES: u32 = 8192
const EARLY_PERCENT: u64 = 98
const MOST_ENTRIES: u32 = 262_144
/** levels taken over at a time */
const BATCH_LEVELS: u32 = 4096
/** values or bytes may be touched so far behind their end */
const SLACK: usize = 32
/** after a page that did not shrink so many are stored without a try */
const STORED_PAGES: u32 = 15

// of the column
export let valueBytes: usize = 0
let isBoolean: bool = false
export let maxDefinition: u32 = 0
let codec: u32 = NONE
export let pageLevels: u32 = 0
let pageBytes: usize = 0
let dictionaryRoom: usize = 0
let entryRoom: u32 = 0
export let usesDictionary: bool = false
/** values that are not null, so far */
export let valuesSeen: u32 = 0
let hasIndexPages: bool = false
let storePages: u32 = 0
/** while values of the open page are written anew: pages that end now hold values of earlier chunks */
let isUnfolding: bool = false
/** whether pages are only looked through */
let isChecking: bool = false
/** whether values of pages go into the slots of kernel/gather.ts */
let isGathering: bool = false

// regions
export let levelsAt: usize = 0
export let indicesAt: usize = 0
export let plainAt: usize = 0
let bodyAt: usize = 0
let compressedAt: usize = 0
let tableAt: usize = 0
let chunkBase: usize = 0
/** behind the bytes of the row group, which stay over its columns */
let groupEnd: usize = align(__heap_base)
let listAt: usize = 0

// the open page
export let openLevels: u32 = 0
export let openValues: u32 = 0
export let hasNulls: bool = false
export let plainBytes: usize = 0

// the chunk in hand
let currentMember: u32 = 0
let stoppedFor: u32 = 0
let chunkStart: usize = 0
let chunkAt: usize = 0
let pageStart: usize = 0
let chunkEnd: usize = 0
let levelsLeft: i64 = 0
let hasInput: bool = false
export let inputCount: u32 = 0
/** the dictionary of the chunk: values, and for byte arrays where each begins */
export let inputAt: usize = 0
let inputStartsAt: usize = 0
/** our index for each of its entries; 0 where values are written plain */
let mappingAt: usize = 0
/** what the dictionary of the chunk takes, with all that belongs to it */
let inputHeld: usize = 0
/** memory of the chunk that is taken, and of the page */
let chunkFree: usize = 0
export let free: usize = 0

export function align(bytes: usize): usize {
  return (bytes + 15) & ~15
}

function ensure(end: usize): void {
  const pages = <i32>((<u64>end + 65535) >> 16) - memory.size()
  if (pages > 0 && memory.grow(pages) < 0) unreachable()
}

export function take(bytes: usize): usize {
  const at = free
  free = align(at + bytes + SLACK)
  ensure(free)
  return at
}

/** Give back what was taken since `free` was `at`. */
export function releaseTo(at: usize): void {
  free = at
}

/**
 * @param width      bytes of a value; 0 for byte arrays; 1 with `boolean`
 * @param outputCodec 0 for none, 1 for snappy, else pages are handed over uncompressed
 * @returns where the bytes of a chunk are to be put
 */
export function beginColumn(
  width: u32,
  boolean: bool,
  maxDefinitionLevel: u32,
  outputCodec: u32,
  mostLevels: u32,
  mostPageBytes: u32,
  mostDictionaryBytes: u32,
): usize {
  valueBytes = <usize>width
  isBoolean = boolean
  maxDefinition = maxDefinitionLevel
  codec = outputCodec
  pageLevels = mostLevels
  pageBytes = <usize>mostPageBytes
  usesDictionary = !boolean
  dictionaryRoom = <usize>mostDictionaryBytes
  entryRoom = min(mostDictionaryBytes >> 2, MOST_ENTRIES)
  isChecking = false
  isGathering = false
  free = groupEnd
  if (usesDictionary) {
    const at = take(dictionary.dictionaryRoom(dictionaryRoom, entryRoom))
    dictionary.beginDictionary(at, dictionaryRoom, entryRoom, valueBytes)
  }
  levelsAt = take(<usize>pageLevels)
  indicesAt = take((<usize>pageLevels) << 2)
  plainAt = take(pageBytes)
  const bodyRoom = max(pageBytes, (<usize>pageLevels) << 2) + <usize>pageLevels + 64
  bodyAt = take(bodyRoom)
  compressedAt = take(snappyBound(bodyRoom))
  tableAt = take(SNAPPY_TABLE_BYTES)
  chunkBase = free
  chunkFree = free
  valuesSeen = 0
  hasIndexPages = false
  storePages = 0
  openLevels = 0
  openValues = 0
  hasNulls = false
  plainBytes = 0
  return chunkBase
}

/**
 * Make room for small members of a row group, which stay while its columns are written, and for a list of their chunks.
 * @returns where they are to be put
 */
export function beginGroup(bytes: u32, members: u32): usize {
  free = align(__heap_base)
  const at = take(<usize>bytes)
  listAt = take((<usize>members) << 4)
  groupEnd = free
  return at
}

/** Where four numbers a chunk are to be put: where it is, its bytes, levels and codec. */
export function chunkList(): usize {
  return listAt
}

/**
 * Take over chunks of the list.
 * @param pauseAt values after which to stop for a look at the dictionary
 * @returns the first one that is not done: `stoppedFor` tells why
 */
export function takeList(from: u32, count: u32, maxPageBytes: u32, pauseAt: u32): u32 {
  stoppedFor = 0
  for (let i = from; i < count; i++) {
    const entry = listAt + ((<usize>i) << 4)
    currentMember = i
    const inputCodec = load<u32>(entry, 12)
    chunkAt = <usize>load<u32>(entry)
    chunkStart = chunkAt
    chunkEnd = chunkAt + <usize>load<u32>(entry, 4)
    chunkFree = chunkBase
    free = chunkBase
    levelsLeft = <i64>load<u32>(entry, 8)
    hasInput = false
    mappingAt = 0
    stoppedFor = inputCodec > SNAPPY ? 1 : takePages(inputCodec, maxPageBytes)
    if (stoppedFor !== 0) return i
    if (valuesSeen >= pauseAt) return i + 1
  }
  return count
}

/** 0 for nothing, 1 for a page that the caller is to unpack or check, 2 where it cannot be done here */
export function whyStopped(): u32 {
  return stoppedFor
}

/** the one of the list whose pages are taken over */
export function memberInHand(): u32 {
  return currentMember
}

/** Begin to look chunks of a column through: what is taken over from here on is not kept. @returns as `beginColumn` */
export function beginCheck(width: u32, boolean: bool, maxDefinitionLevel: u32): usize {
  valueBytes = <usize>width
  isBoolean = boolean
  maxDefinition = maxDefinitionLevel
  usesDictionary = false
  isChecking = true
  isGathering = false
  valuesSeen = 0
  chunkBase = groupEnd
  chunkFree = groupEnd
  free = groupEnd
  return chunkBase
}

/** The same for a column whose values go into slots: see kernel/slots.ts. */
export function beginGathering(width: u32, boolean: bool, maxDefinitionLevel: u32, mostPageBytes: u32): usize {
  beginCheck(width, boolean, maxDefinitionLevel)
  isChecking = false
  isGathering = true
  pageBytes = <usize>mostPageBytes
  return chunkBase
}

/** Make room for a chunk of so many bytes. @returns where to put them */
export function makeRoom(bytes: u32): usize {
  ensure(align(chunkBase + <usize>bytes + SLACK))
  return chunkBase
}

/** Take over a chunk that has been put in its place. @returns as `takePages` */
export function takeChunk(bytes: u32, levels: f64, inputCodec: u32, maxPageBytes: u32): u32 {
  openChunk(bytes, levels)
  return takePages(inputCodec, maxPageBytes)
}

/** Begin with a chunk that has been put in its place. */
export function openChunk(bytes: u32, levels: f64): void {
  chunkAt = chunkBase
  chunkStart = chunkBase
  chunkEnd = chunkBase + <usize>bytes
  chunkFree = align(chunkEnd + SLACK)
  free = chunkFree
  levelsLeft = <i64>levels
  hasInput = false
  mappingAt = 0
}

export function hasMore(): bool {
  return levelsLeft > 0
}

/** Read the header of the next page. @returns whether it is sound and within the bound */
export function nextPage(maxPageBytes: u32): bool {
  pageStart = chunkAt
  if (chunkAt >= chunkEnd || !header.readHeader(chunkAt, chunkEnd)) return false
  chunkAt = header.bodyAt + <usize>header.compressedBytes
  // unpacked, and 5 bytes a level or 8 an entry, beside the dictionary: all that is taken for the page
  const each: u64 = header.kind === DICTIONARY ? 8 : 5
  const held: u64 = hasInput ? <u64>inputHeld : 0
  return held + <u64>header.uncompressedBytes + <u64>header.values * each <= <u64>maxPageBytes
}

/** where the page begins, from the start of the chunk */
export function pagePosition(): u32 {
  return <u32>(pageStart - chunkStart)
}

/** all of the page but its header */
export function pageAt(): usize {
  return header.bodyAt
}

export function pageSize(): u32 {
  return header.compressedBytes
}

export function pageChecksum(): u32 {
  return header.checksum
}

/** bytes of the page that its codec has compressed */
export function packedAt(): usize {
  return header.bodyAt + <usize>header.definitionBytes
}

export function packedBytes(): u32 {
  return header.compressedBytes - header.definitionBytes
}

export function unpackedBytes(): u32 {
  return header.uncompressedBytes - header.definitionBytes
}

export function isPacked(): bool {
  return header.isCompressed
}

export function hasChecksum(): bool {
  return header.hasChecksum
}

/** @returns where the page is to be put once it is unpacked */
export function makePageRoom(): usize {
  free = chunkFree
  return take(<usize>unpackedBytes())
}

/**
 * Take over all pages of the chunk in hand.
 * @param inputCodec 0 for none, 1 for snappy
 * @returns 0 when done, 1 before a page whose checksum the caller is to compare, 2 where this cannot be done here
 */
function takePages(inputCodec: u32, maxPageBytes: u32): u32 {
  while (levelsLeft > 0) {
    const before = chunkAt
    if (!nextPage(maxPageBytes)) return 2
    if (header.kind === INDEX) continue
    if (header.hasChecksum) {
      chunkAt = before
      return 1
    }
    let at = packedAt()
    if (inputCodec === SNAPPY && header.isCompressed && unpackedBytes() > 0) {
      const to = makePageRoom()
      if (!snappyDecompress(at, at + <usize>packedBytes(), to, <usize>unpackedBytes())) return 2
      at = to
    } else if (packedBytes() !== unpackedBytes()) return 2
    else free = chunkFree
    if (!takePage(at)) return 2
  }
  return 0
}

/** Take over the page in hand. @param at its values, unpacked */
export function takePage(at: usize): bool {
  const end = at + <usize>unpackedBytes()
  if (header.kind === INDEX) return true
  // no page of ours has room for a single one
  if (valueBytes > pageBytes) return false
  if (header.kind === DICTIONARY) return takeDictionary(at, end)
  if (header.values === 0) return true
  levelsLeft -= header.values
  if (levelsLeft < 0) return false
  const count = <u32>header.values
  let from = at
  let definition: usize = 0
  let present = count
  if (header.kind === DATA_V2) {
    if (header.rows !== header.values) return false
    if (maxDefinition > 0) {
      const levelsEnd = header.bodyAt + <usize>header.definitionBytes
      if (!isOneRun(header.bodyAt, levelsEnd, count, maxDefinition)) {
        definition = take(<usize>count)
        if (!decodeLevels(header.bodyAt, levelsEnd, bitWidth(maxDefinition), count, definition)) return false
      }
    }
  } else if (maxDefinition > 0) {
    if (header.definitionEncoding !== RLE || end - from < 4) return false
    const levelBytes = <usize>load<u32>(from)
    if (levelBytes > end - from - 4) return false
    const levelsEnd = from + 4 + levelBytes
    if (!isOneRun(from + 4, levelsEnd, count, maxDefinition)) {
      definition = take(<usize>count)
      if (!decodeLevels(from + 4, levelsEnd, bitWidth(maxDefinition), count, definition)) return false
    }
    from = levelsEnd
  }
  if (definition !== 0) {
    if (!areLevelsWithin(definition, count, maxDefinition)) return false
    present = countLevels(definition, count, maxDefinition)
    if (present === count) definition = 0
  }
  if (header.kind === DATA_V2 && <u32>header.nulls !== count - present) return false
  if (header.encoding === PLAIN_DICTIONARY || header.encoding === RLE_DICTIONARY) {
    return takeIndices(from, end, count, definition, present)
  }
  if (isBoolean) {
    const bytes = take(<usize>present)
    if (header.encoding === PLAIN) {
      if (end - from < <usize>((present + 7) >> 3)) return false
      spreadBits(from, present, bytes)
    } else if (header.encoding === RLE) {
      if (present > 0) {
        if (end - from < 4) return false
        const runBytes = <usize>load<u32>(from)
        if (runBytes > end - from - 4 || !decodeLevels(from + 4, from + 4 + runBytes, 1, present, bytes)) return false
      }
    } else return false
    if (isGathering) return gather.putFixed(bytes, count, definition)
    if (!isChecking) takeFixed(bytes, count, definition)
    return true
  }
  if (header.encoding !== PLAIN) return false
  if (valueBytes === 0) return takeByteArrays(from, end, count, definition, present)
  if ((end - from) / valueBytes < <usize>present) return false
  if (isGathering) return gather.putFixed(from, count, definition)
  if (!isChecking) takeFixed(from, count, definition)
  return true
}

function takeDictionary(at: usize, end: usize): bool {
  if (hasInput || isBoolean || header.values < 0) return false
  if (header.encoding !== PLAIN && header.encoding !== PLAIN_DICTIONARY) return false
  hasInput = true
  inputCount = <u32>header.values
  inputAt = at
  if (valueBytes === 0) {
    // each value takes its length at least
    if ((end - at) >> 2 < <usize>inputCount) return false
    inputStartsAt = take((<usize>inputCount) << 2)
    let from = at
    for (let i: u32 = 0; i < inputCount; i++) {
      if (end - from < 4) return false
      const length = <usize>load<u32>(from)
      from += 4
      if (length > end - from || isTooLong(length)) return false
      store<u32>(inputStartsAt + ((<usize>i) << 2), <u32>(from - at))
      from += length
    }
  } else if ((end - at) / valueBytes < <usize>inputCount) return false
  if (usesDictionary) mapInput(end - at)
  if (isGathering) beginInput(end - at)
  inputHeld = free - chunkFree
  chunkFree = free
  return true
}

/** whether a page of ours has no room for a byte array, which then must not get into the dictionary either */
function isTooLong(length: usize): bool {
  return length > pageBytes - 4
}

function mapInput(bytes: usize): void {
  if (!canIntern(inputCount, bytes)) {
    usePlain()
    return
  }
  const mapping = take((<usize>inputCount) << 2)
  for (let i: u32 = 0; i < inputCount; i++) {
    const at = inputEntryAt(i)
    const index =
      valueBytes === 8
        ? dictionary.intern8(load<u64>(at))
        : valueBytes === 4
          ? dictionary.intern4(load<u32>(at))
          : dictionary.internBytes(at, inputEntryBytes(i))
    if (index === NO_INDEX) {
      usePlain()
      return
    }
    store<u32>(mapping + ((<usize>i) << 2), index)
  }
  mappingAt = mapping
}

export function inputEntryAt(index: u32): usize {
  if (valueBytes > 0) return inputAt + <usize>index * valueBytes
  return inputAt + <usize>load<u32>(inputStartsAt + ((<usize>index) << 2))
}

export function inputEntryBytes(index: u32): usize {
  return valueBytes > 0 ? valueBytes : <usize>load<u32>(inputEntryAt(index) - 4)
}

/** whether the dictionary has room even if all of these values are new */
function canIntern(values: u32, bytes: usize): bool {
  return values <= entryRoom - dictionary.count && bytes <= dictionaryRoom - dictionary.plainBytes
}

/** From here on values are written plain. */
export function usePlain(): void {
  if (!usesDictionary) return
  usesDictionary = false
  if (openLevels === 0) return
  if (hasIndexPages) {
    usesDictionary = true
    flushPage()
    usesDictionary = false
    return
  }
  // the open page is the first: it is written plain, too, and there is no dictionary
  isUnfolding = true
  const count = openLevels
  const before = free
  const indices = take((<usize>openValues) << 2)
  memory.copy(indices, indicesAt, (<usize>openValues) << 2)
  let definition: usize = 0
  if (hasNulls) {
    definition = take(<usize>count)
    memory.copy(definition, levelsAt, <usize>count)
  }
  valuesSeen -= openValues
  openLevels = 0
  openValues = 0
  hasNulls = false
  unfold(indices, count, definition, true)
  isUnfolding = false
  free = before
}

function takeIndices(from: usize, end: usize, count: u32, definition: usize, present: u32): bool {
  if (!hasInput) return false
  const indices = take((<usize>present) << 2)
  if (present > 0) {
    if (from >= end) return false
    const width = <u32>load<u8>(from)
    if (width > 32 || !decodeIndices(from + 1, end, width, present, indices)) return false
    if (largest(indices, present) >= inputCount) return false
  }
  if (isChecking) return true
  if (isGathering) return gather.putIndices(indices, count, definition)
  if (!usesDictionary || mappingAt === 0) return unfold(indices, count, definition, false)
  let value = indices
  for (let level: u32 = 0; level < count; ) {
    const levels = min(count - level, pageLevels - openLevels)
    const values = definition === 0 ? levels : countLevels(definition + level, levels, maxDefinition)
    let to = indicesAt + ((<usize>openValues) << 2)
    for (const valueEnd = value + ((<usize>values) << 2); value < valueEnd; value += 4, to += 4) {
      store<u32>(to, load<u32>(mappingAt + ((<usize>load<u32>(value)) << 2)))
    }
    addLevels(definition === 0 ? 0 : definition + level, levels, values)
    level += levels
  }
  return true
}

/** Write the values that indices stand for. @param isOwn whether they are indices of our own dictionary */
function unfold(indices: usize, count: u32, definition: usize, isOwn: bool): bool {
  let value = indices
  for (let level: u32 = 0; level < count; ) {
    const most = min(min(count - level, pageLevels - openLevels), BATCH_LEVELS)
    let levels: u32 = 0
    let values: u32 = 0
    for (; levels < most; levels++) {
      if (definition !== 0 && <u32>load<u8>(definition + level + levels) !== maxDefinition) continue
      const index = load<u32>(value)
      const at = isOwn ? dictionary.entryAt(index) : inputEntryAt(index)
      const bytes = isOwn ? dictionary.entryBytes(index) : inputEntryBytes(index)
      if (!appendPlain(at, bytes)) break
      value += 4
      values++
    }
    if (levels === 0) {
      if (openLevels === 0) return false
      flushPage()
      continue
    }
    addLevels(definition === 0 ? 0 : definition + level, levels, values)
    level += levels
  }
  return true
}

/** @returns false where the open page has no room for it */
function appendPlain(at: usize, bytes: usize): bool {
  const prefix: usize = valueBytes > 0 ? 0 : 4
  if (plainBytes + prefix + bytes > pageBytes) return false
  const to = plainAt + plainBytes
  if (prefix > 0) store<u32>(to, <u32>bytes)
  memory.copy(to + prefix, at, bytes)
  plainBytes += prefix + bytes
  return true
}

/** whether values that come without a dictionary turn out to be nearly all distinct */
function isHopeless(): bool {
  return valuesSeen >= EARLY_VALUES && <u64>dictionary.count * 100 > <u64>valuesSeen * EARLY_PERCENT
}

export function takeFixed(values: usize, count: u32, definition: usize): void {
  let from = values
  for (let level: u32 = 0; level < count; ) {
    let levels = min(count - level, pageLevels - openLevels)
    if (usesDictionary && isHopeless()) {
      usePlain()
      continue
    }
    if (usesDictionary) {
      levels = min(levels, BATCH_LEVELS)
      const present = definition === 0 ? levels : countLevels(definition + level, levels, maxDefinition)
      if (!internFixed(from, present)) {
        usePlain()
        continue
      }
      from += <usize>present * valueBytes
      addLevels(definition === 0 ? 0 : definition + level, levels, present)
    } else {
      levels = min(levels, <u32>((pageBytes - plainBytes) / valueBytes))
      if (levels === 0) {
        flushPage()
        continue
      }
      const present = definition === 0 ? levels : countLevels(definition + level, levels, maxDefinition)
      const bytes = <usize>present * valueBytes
      memory.copy(plainAt + plainBytes, from, bytes)
      plainBytes += bytes
      from += bytes
      addLevels(definition === 0 ? 0 : definition + level, levels, present)
    }
    level += levels
  }
}

/** @returns false, and nothing has changed, where the dictionary may not hold them */
function internFixed(values: usize, present: u32): bool {
  if (!canIntern(present, <usize>present * valueBytes)) return false
  let to = indicesAt + ((<usize>openValues) << 2)
  let from = values
  const end = values + <usize>present * valueBytes
  let isFound = true
  if (valueBytes === 8) {
    for (; from < end; from += 8, to += 4) {
      const index = dictionary.intern8(load<u64>(from))
      store<u32>(to, index)
      if (index === NO_INDEX) isFound = false
    }
  } else if (valueBytes === 4) {
    for (; from < end; from += 4, to += 4) {
      const index = dictionary.intern4(load<u32>(from))
      store<u32>(to, index)
      if (index === NO_INDEX) isFound = false
    }
  } else {
    for (; from < end; from += valueBytes, to += 4) {
      const index = dictionary.internBytes(from, valueBytes)
      store<u32>(to, index)
      if (index === NO_INDEX) isFound = false
    }
  }
  return isFound
}

export function takeByteArrays(values: usize, end: usize, count: u32, definition: usize, present: u32): bool {
  if ((end - values) >> 2 < <usize>present) return false
  let from = values
  if (isGathering) return gather.putByteArrays(from, end, count, definition, present)
  if (isChecking) {
    for (let i: u32 = 0; i < present; i++) {
      if (end - from < 4) return false
      const length = <usize>load<u32>(from)
      if (length > end - from - 4) return false
      from += 4 + length
    }
    return true
  }
  for (let level: u32 = 0; level < count; ) {
    const most = min(min(count - level, pageLevels - openLevels), BATCH_LEVELS)
    if (usesDictionary && isHopeless()) {
      usePlain()
      continue
    }
    if (usesDictionary) {
      const inBatch = definition === 0 ? most : countLevels(definition + level, most, maxDefinition)
      const start = from
      let to = indicesAt + ((<usize>openValues) << 2)
      let isFound = true
      for (let i: u32 = 0; i < inBatch; i++, to += 4) {
        if (end - from < 4) return false
        const length = <usize>load<u32>(from)
        if (length > end - from - 4 || isTooLong(length)) return false
        const index = dictionary.internBytes(from + 4, length)
        if (index === NO_INDEX) {
          isFound = false
          break
        }
        store<u32>(to, index)
        from += 4 + length
      }
      if (!isFound) {
        from = start
        usePlain()
        continue
      }
      addLevels(definition === 0 ? 0 : definition + level, most, inBatch)
      level += most
      continue
    }
    let levels: u32 = 0
    let taken: u32 = 0
    for (; levels < most; levels++) {
      if (definition !== 0 && <u32>load<u8>(definition + level + levels) !== maxDefinition) continue
      if (end - from < 4) return false
      const length = <usize>load<u32>(from)
      if (length > end - from - 4) return false
      if (!appendPlain(from + 4, length)) break
      from += 4 + length
      taken++
    }
    if (levels === 0) {
      if (openLevels === 0) return false
      flushPage()
      continue
    }
    addLevels(definition === 0 ? 0 : definition + level, levels, taken)
    level += levels
  }
  return true
}

/** Count values that are in the open page, and keep their levels. @param definition 0 where nothing is null */
export function addLevels(definition: usize, levels: u32, values: u32): void {
  if (definition !== 0 && values < levels) {
    if (!hasNulls) {
      hasNulls = true
      memory.fill(levelsAt, <u8>maxDefinition, <usize>openLevels)
    }
    memory.copy(levelsAt + <usize>openLevels, definition, <usize>levels)
  } else if (hasNulls) {
    memory.fill(levelsAt + <usize>openLevels, <u8>maxDefinition, <usize>levels)
  }
  openLevels += levels
  openValues += values
  valuesSeen += values
  if (openLevels === pageLevels) flushPage()
}

/** End the open page. */
function flushPage(): void {
  if (openLevels === 0) return
  let end = bodyAt
  if (maxDefinition > 0) {
    end += 4
    if (hasNulls) {
      end = encodeLevels(levelsAt, openLevels, bitWidth(maxDefinition), end)
    } else {
      let rest = openLevels << 1
      for (; rest > 127; rest >>= 7) store<u8>(end++, rest | 128)
      store<u8>(end++, rest)
      store<u8>(end++, maxDefinition)
    }
    store<u32>(bodyAt, <u32>(end - bodyAt - 4))
  }
  if (usesDictionary) {
    const width = bitWidth(max<i32>(1, <i32>dictionary.count - 1))
    store<u8>(end++, width)
    end = encodeIndices(indicesAt, openValues, width, end)
    hasIndexPages = true
  } else if (isBoolean) {
    // the last byte is filled up with zeros
    store<u64>(plainAt + <usize>openValues, 0)
    for (let i: u32 = 0; i < openValues; i += 8) store<u8>(end++, gatherBits(load<u64>(plainAt + i)))
  } else {
    memory.copy(end, plainAt, plainBytes)
    end += plainBytes
  }
  handOver(usesDictionary ? 1 : 0, bodyAt, end - bodyAt, openLevels, openValues)
  openLevels = 0
  openValues = 0
  hasNulls = false
  plainBytes = 0
}

function handOver(what: u32, at: usize, bytes: usize, levels: u32, values: u32): void {
  if (codec !== SNAPPY) {
    onPage(what, at, <u32>bytes, <u32>bytes, levels, values)
    return
  }
  let end: usize
  if (storePages > 0) {
    storePages--
    end = snappyStore(at, bytes, compressedAt)
  } else {
    end = snappyCompress(at, bytes, compressedAt, tableAt)
    if (end - compressedAt > bytes - bytes / 32) storePages = STORED_PAGES
  }
  onPage(what, compressedAt, <u32>(end - compressedAt), <u32>bytes, levels, values)
}

/** End the last page; then comes the dictionary, if pages use one. @returns false if it must be compressed by the caller */
export function finishColumn(): void {
  flushPage()
  if (!hasIndexPages) return
  storePages = 0
  const bytes = dictionary.plainBytes
  if (codec === SNAPPY) {
    free = chunkBase
    compressedAt = take(snappyBound(bytes))
  }
  handOver(2, dictionary.plainAt, bytes, 0, dictionary.count)
}

export function isDictionaryUsed(): bool {
  return usesDictionary
}

export function countValues(): u32 {
  return valuesSeen
}

export function isWrittenAnew(): bool {
  return isUnfolding
}

export function distinctValues(): u32 {
  return dictionary.count
}

export function dictionaryAt(): usize {
  return dictionary.plainAt
}

export function dictionaryBytes(): u32 {
  return <u32>dictionary.plainBytes
}
