// The page of the output that is being filled: its values are indices while the dictionary pays, and plain from then on.

import { NONE, SNAPPY } from './codecs'
import { isBoolean, maxDefinition, valueBytes } from './column'
import * as dictionary from './dictionary'
import { bitWidth, encodeRuns } from './encode-runs'
import { unfold } from './indices'
import { gatherBits } from './levels'
import { align, chunkBase, free, releaseTo, take } from './memory'
import { SNAPPY_TABLE_BYTES, snappyBound, snappyCompress, snappyStore } from './snappy'

/** `what`: 0 plain values, 1 indices, 2 the dictionary, 3 a page of an input that was looked through. The body is compressed if the codec is snappy or none. */
export declare function onPage(what: u32, at: usize, bytes: u32, uncompressedBytes: u32, levels: u32, values: u32): void

/** levels taken over at a time */
export const BATCH_LEVELS: u32 = 4096
const MOST_ENTRIES: u32 = 262_144
/** after a page that did not shrink so many are stored without a try */
const STORED_PAGES: u32 = 15

export let codec: u32 = NONE
export let pageLevels: u32 = 0
export let pageBytes: usize = 0
export let usesDictionary: bool = false
/** values that are not null, so far */
export let valuesSeen: u32 = 0
let dictionaryRoom: usize = 0
let entryRoom: u32 = 0
let hasIndexPages: bool = false
let storePages: u32 = 0
/** whether the caller has a page that it is to compress, before it gets too many */
let isPageDue: bool = false
/** while values of the open page are rewritten: pages that end now hold values of earlier chunks */
let isUnfolding: bool = false

export let levelsAt: usize = 0
export let indicesAt: usize = 0
export let plainAt: usize = 0
let bodyAt: usize = 0
let compressedAt: usize = 0
let tableAt: usize = 0

export let openLevels: u32 = 0
export let openValues: u32 = 0
export let hasNulls: bool = false
export let plainBytes: usize = 0

/** Take what the pages of a column need. @param hasDictionary whether values may have one */
export function beginPages(
  outputCodec: u32,
  mostLevels: u32,
  mostPageBytes: u32,
  mostDictionaryBytes: u32,
  hasDictionary: bool,
): void {
  codec = outputCodec
  pageLevels = mostLevels
  pageBytes = <usize>mostPageBytes
  usesDictionary = hasDictionary
  dictionaryRoom = <usize>mostDictionaryBytes
  entryRoom = min(mostDictionaryBytes >> 2, MOST_ENTRIES)
  if (usesDictionary) {
    const at = take(dictionary.dictionaryRoom(dictionaryRoom, entryRoom))
    dictionary.beginDictionary(at, dictionaryRoom, entryRoom, valueBytes)
  }
  levelsAt = take(<usize>pageLevels)
  indicesAt = take((<usize>pageLevels) << 2)
  // room for levels before the values, a byte each and the headers of their runs
  const levelsRoom = align(<usize>pageLevels + (<usize>pageLevels >> 6) + 64)
  plainAt = take(levelsRoom + pageBytes) + levelsRoom
  const bodyRoom = max(pageBytes, (<usize>pageLevels) << 2) + levelsRoom
  bodyAt = take(bodyRoom)
  compressedAt = take(snappyBound(bodyRoom))
  tableAt = take(SNAPPY_TABLE_BYTES)
  valuesSeen = 0
  hasIndexPages = false
  storePages = 0
  isPageDue = false
  emptyPage()
}

/** There are no pages: values are looked at, or go elsewhere. @param mostPageBytes a longer value is not handled */
export function beginWithoutPages(mostPageBytes: usize): void {
  usesDictionary = false
  valuesSeen = 0
  pageBytes = mostPageBytes
}

function emptyPage(): void {
  openLevels = 0
  openValues = 0
  hasNulls = false
  plainBytes = 0
}

/** whether the caller has a page to compress; asked once a page */
export function takePageDue(): bool {
  const isDue = isPageDue
  isPageDue = false
  return isDue
}

/** whether the dictionary has room even if all of these values are new */
export function canIntern(values: u32, bytes: usize): bool {
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
  releaseTo(before)
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

/** @returns false where the open page has no room for it */
export function appendPlain(at: usize, bytes: usize): bool {
  const prefix: usize = valueBytes > 0 ? 0 : 4
  if (plainBytes + prefix + bytes > pageBytes) return false
  const to = plainAt + plainBytes
  if (prefix > 0) store<u32>(to, <u32>bytes)
  memory.copy(to + prefix, at, bytes)
  plainBytes += prefix + bytes
  return true
}

/** The same for values without lengths, which the page has room for. */
export function appendFixed(from: usize, bytes: usize): void {
  memory.copy(plainAt + plainBytes, from, bytes)
  plainBytes += bytes
}

/** End the open page. */
export function flushPage(): void {
  if (openLevels === 0) return
  let start = bodyAt
  let end = bodyAt
  if (maxDefinition > 0) {
    end += 4
    if (hasNulls) {
      end = encodeRuns<u8>(levelsAt, openLevels, bitWidth(maxDefinition), end)
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
    end = encodeRuns<u32>(indicesAt, openValues, width, end)
    hasIndexPages = true
  } else if (isBoolean) {
    // the last byte is filled up with zeros
    store<u64>(plainAt + <usize>openValues, 0)
    for (let i: u32 = 0; i < openValues; i += 8) store<u8>(end++, gatherBits(load<u64>(plainAt + i)))
  } else {
    // the levels are short: they are put before the values
    const levelBytes = end - bodyAt
    start = plainAt - levelBytes
    memory.copy(start, bodyAt, levelBytes)
    end = plainAt + plainBytes
  }
  handOver(usesDictionary ? 1 : 0, start, end - start, openLevels, openValues)
  emptyPage()
}

function handOver(what: u32, at: usize, bytes: usize, levels: u32, values: u32): void {
  if (codec !== SNAPPY) {
    isPageDue = codec !== NONE
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

/** End the last page; then comes the dictionary, if pages use one. */
export function finishColumn(): void {
  flushPage()
  if (!hasIndexPages) return
  storePages = 0
  const bytes = dictionary.plainBytes
  if (codec === SNAPPY) {
    releaseTo(chunkBase)
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
