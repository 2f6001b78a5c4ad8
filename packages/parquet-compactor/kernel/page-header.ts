// PageHeader of parquet.thrift in the compact protocol, as far as pages of flat columns need it.

export let kind: i32 = -1
export let uncompressedBytes: i32 = -1
export let compressedBytes: i32 = -1
export let hasChecksum: bool = false
export let checksum: u32 = 0
/** levels of a data page, entries of a dictionary page */
export let values: i32 = 0
export let encoding: i32 = 0
export let definitionEncoding: i32 = 3
/** version 2 only: levels stand outside the compressed part, and some writers count fewer nulls than these have, or -1 */
export let rows: i32 = 0
export let nulls: i32 = 0
export let definitionBytes: i32 = 0
export let repetitionBytes: i32 = 0
export let isCompressed: bool = true
/** first byte behind the header */
export let bodyAt: usize = 0

const DATA = 0
const INDEX = 1
const DICTIONARY = 2
const DATA_V2 = 3

/** Fields of the page's own header that were there, bit n for field n. */
let fields: u32 = 0

let at: usize = 0
let end: usize = 0
let isSound: bool = true

/** @returns whether there is a whole and sound header */
export function readHeader(from: usize, chunkEnd: usize): bool {
  at = from
  end = chunkEnd
  isSound = true
  kind = -1
  uncompressedBytes = -1
  compressedBytes = -1
  hasChecksum = false
  values = 0
  encoding = 0
  definitionEncoding = 3
  rows = 0
  nulls = 0
  definitionBytes = 0
  repetitionBytes = 0
  isCompressed = true
  fields = 0
  let details = -1
  let id = 0
  while (isSound) {
    const byte = nextByte()
    if (byte === 0) break
    const delta = byte >> 4
    id = <i32>(<i16>(delta === 0 ? zigzag() : id + delta))
    const type = byte & 15
    if (type === 5 && id === 1) kind = zigzag()
    else if (type === 5 && id === 2) uncompressedBytes = zigzag()
    else if (type === 5 && id === 3) compressedBytes = zigzag()
    else if (type === 5 && id === 4) {
      checksum = <u32>zigzag()
      hasChecksum = true
    } else if (type === 12 && (id === 5 || id === 7 || id === 8)) {
      details = id
      readDetails(id)
    } else skip(type, 0)
  }
  bodyAt = at
  const expected = kind === DATA ? 5 : kind === DICTIONARY ? 7 : kind === DATA_V2 ? 8 : -1
  if (!isSound || uncompressedBytes < 0 || compressedBytes < 0) return false
  if (kind !== INDEX && (expected < 0 || details !== expected)) return false
  // the fields that parquet.thrift requires
  const required: u32 = expected === 5 ? 0b11110 : expected === 7 ? 0b110 : expected === 8 ? 0b1111110 : 0
  if ((fields & required) !== required) return false
  if (values < 0 || nulls > values || definitionBytes < 0 || repetitionBytes !== 0) return false
  if (definitionBytes > compressedBytes || definitionBytes > uncompressedBytes) return false
  return <usize>compressedBytes <= end - at
}

function readDetails(which: i32): void {
  let id = 0
  while (isSound) {
    const byte = nextByte()
    if (byte === 0) break
    const delta = byte >> 4
    id = <i32>(<i16>(delta === 0 ? zigzag() : id + delta))
    const type = byte & 15
    if (type === 5) {
      const value = zigzag()
      if (id < 8) fields |= (<u32>1) << id
      if (id === 1) values = value
      else if (which === 8) {
        if (id === 2) nulls = value
        else if (id === 3) rows = value
        else if (id === 4) encoding = value
        else if (id === 5) definitionBytes = value
        else if (id === 6) repetitionBytes = value
      } else if (id === 2) encoding = value
      else if (which === 5 && id === 3) definitionEncoding = value
    } else if (type <= 2 && which === 8 && id === 7) isCompressed = type === 1
    else skip(type, 0)
  }
}

function nextByte(): i32 {
  if (at >= end) {
    isSound = false
    return 0
  }
  return <i32>load<u8>(at++)
}

function varint(): u64 {
  let value: u64 = 0
  for (let shift: u64 = 0; shift < 70; shift += 7) {
    const byte = <u64>nextByte()
    value |= (byte & 127) << shift
    if (byte < 128) return value
  }
  isSound = false
  return 0
}

function zigzag(): i32 {
  const value = varint()
  if (value > 0xffffffff) isSound = false
  return <i32>(value >> 1) ^ -(<i32>(value & 1))
}

function skip(type: i32, depth: i32): void {
  if (depth > 16) {
    isSound = false
  } else if (type === 1 || type === 2) {
    // the type is the value
  } else if (type === 3) {
    nextByte()
  } else if (type >= 4 && type <= 6) {
    varint()
  } else if (type === 7) {
    skipBytes(8)
  } else if (type === 8) {
    skipBytes(varint())
  } else if (type === 13) {
    skipBytes(16)
  } else if (type === 9 || type === 10) {
    const byte = nextByte()
    const element = byte & 15
    let left = byte >> 4 === 15 ? varint() : <u64>(byte >> 4)
    if (element <= 2) skipBytes(left)
    else for (; left > 0 && isSound; left--) skip(element, depth + 1)
  } else if (type === 12) {
    while (isSound) {
      const byte = nextByte()
      if (byte === 0) break
      if (byte >> 4 === 0) zigzag()
      skip(byte & 15, depth + 1)
    }
  } else {
    isSound = false
  }
}

function skipBytes(count: u64): void {
  if (count > <u64>(end - at)) isSound = false
  else at += <usize>count
}
