// The chunk in hand: its pages are read one after another.

import { checkFixed } from './bounds'
import { SNAPPY, ZSTD } from './codecs'
import { isBoolean, isChecking, isGathering, maxDefinition, valueBytes } from './column'
import { bitWidth } from './encode-runs'
import { PLAIN, PLAIN_DICTIONARY, RLE, RLE_DICTIONARY } from './encodings'
import * as gather from './gather'
import { takeIndices } from './indices'
import { forgetInput, hasInput, inputHeld, takeDictionary } from './input-dictionary'
import { areLevelsWithin, countLevels, decodeLevels, isOneRun, spreadBits } from './levels'
import { align, chunkBase, ensure, releaseChunk, releasePage, SLACK, take } from './memory'
import { onPage, pageBytes, takePageDue } from './open-page'
import * as header from './page-header'
import { takeByteArrays, takeFixed } from './plain-values'
import { literalContent, snappyDecompress } from './snappy'
import { storedContent } from './zstd-stored'

const INDEX = 1
const DICTIONARY = 2
const DATA_V2 = 3

/** for `onPage`: a page of an input that was looked through */
const CHECKED: u32 = 3

let chunkStart: usize = 0
let chunkAt: usize = 0
let pageStart: usize = 0
let chunkEnd: usize = 0
let levelsLeft: i64 = 0
/** non-null values of the current page */
let valuesOfPage: u32 = 0

/** Make room for a chunk of so many bytes. @returns where to put them */
export function makeRoom(bytes: u32): usize {
  ensure(align(chunkBase + <usize>bytes + SLACK))
  return chunkBase
}

function openAt(at: usize, bytes: usize, levels: i64): void {
  chunkAt = at
  chunkStart = at
  chunkEnd = at + bytes
  levelsLeft = levels
  forgetInput()
}

/** Begin with a chunk that the kernel keeps. */
export function openKept(at: usize, bytes: usize, levels: i64): void {
  openAt(at, bytes, levels)
  releaseChunk(chunkBase)
}

/** Begin with a chunk that has been put in its place. */
export function openChunk(bytes: u32, levels: f64): void {
  openAt(chunkBase, <usize>bytes, <i64>levels)
  releaseChunk(align(chunkEnd + SLACK))
}

/** Take over a chunk that has been put in its place. @returns as `takePages` */
export function takeChunk(bytes: u32, levels: f64, inputCodec: u32, maxPageBytes: u32): u32 {
  openChunk(bytes, levels)
  return takePages(inputCodec, maxPageBytes)
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
  releasePage()
  return take(<usize>unpackedBytes())
}

/**
 * Take over all pages of the chunk in hand, or those that are left.
 * @param inputCodec 0 for none, 1 for snappy, 2 for zstd, above for others
 * @returns 0 when done, 1 before a page that the caller is to unpack or whose checksum it is to compare, 2 where this cannot
 *          be done here, 3 when the caller has a page to compress
 */
export function takePages(inputCodec: u32, maxPageBytes: u32): u32 {
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
      const end = at + <usize>packedBytes()
      const content = literalContent(at, end, <usize>unpackedBytes())
      if (content === 0) {
        const to = makePageRoom()
        if (!snappyDecompress(at, end, to, <usize>unpackedBytes())) return 2
        at = to
      } else {
        releasePage()
        at = content
      }
    } else if (inputCodec > SNAPPY && header.isCompressed) {
      at = inputCodec === ZSTD ? storedContent(at, at + <usize>packedBytes(), <usize>unpackedBytes()) : 0
      if (at === 0) {
        chunkAt = before
        return 1
      }
      releasePage()
    } else if (packedBytes() !== unpackedBytes()) return 2
    else releasePage()
    if (!takePage(at)) return 2
    if (levelsLeft > 0 && takePageDue()) return 3
  }
  return 0
}

/** Take over the page in hand, which is not compressed. */
export function takeStoredPage(): bool {
  if (packedBytes() !== unpackedBytes()) return false
  releasePage()
  return takePage(packedAt())
}

/** Take over the page in hand. @param at its values, unpacked */
export function takePage(at: usize): bool {
  valuesOfPage = 0
  if (!takeValues(at)) return false
  const isData = header.kind !== INDEX && header.kind !== DICTIONARY && header.values > 0
  if (isChecking && isData) onPage(CHECKED, 0, 0, 0, <u32>header.values, valuesOfPage)
  return true
}

function takeValues(at: usize): bool {
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
  if (header.kind === DATA_V2 && header.nulls > <i32>(count - present)) return false
  valuesOfPage = present
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
    if (isChecking) checkFixed(bytes, present)
    else takeFixed(bytes, count, definition)
    return true
  }
  if (header.encoding !== PLAIN) return false
  if (valueBytes === 0) return takeByteArrays(from, end, count, definition, present)
  if ((end - from) / valueBytes < <usize>present) return false
  if (isGathering) return gather.putFixed(from, count, definition)
  if (isChecking) checkFixed(from, present)
  else takeFixed(from, count, definition)
  return true
}
