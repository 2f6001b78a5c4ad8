import { decodeDelta } from '../format/delta.ts'
import { ENCODING, PHYSICAL, uint32At } from '../format/format.ts'
import { decodeHybridRuns } from '../format/hybrid-runs.ts'
import { corrupt } from '../format/page-header.ts'
import type { PageValues, ValueTable } from '../format/value-table.ts'
import { ParquetError } from '../parquet-error.ts'
import type { LeafColumn } from '../schema/schema.ts'

/**
 * Decode the values of a page.
 * @param count    values that are not null
 * @param maxBytes bound on what is allocated
 * @throws ParquetError `corrupt_data`, `page_too_large`, `unsupported_column` for an encoding that is not known
 */
export function decodeValues(
  leaf: LeafColumn,
  encoding: number,
  bytes: Uint8Array,
  count: number,
  dictionary: ValueTable | undefined,
  maxBytes: number,
): PageValues {
  if (!fits(encoding, leaf)) {
    throw new ParquetError('unsupported_column', `encoding ${encoding} of physical type ${leaf.physical}`)
  }
  if (count === 0) return { count, table: { count: 0, bytes: new Uint8Array(), ...emptyPositions(leaf) } }
  switch (encoding) {
    case ENCODING.PLAIN:
      return { count, table: decodePlain(leaf, bytes, count) }
    case ENCODING.PLAIN_DICTIONARY:
    case ENCODING.RLE_DICTIONARY: {
      if (!dictionary) corrupt('dictionary indices without a dictionary')
      const width = bytes[0] ?? corrupt('no dictionary indices')
      if (width > 32) corrupt(`dictionary indices of ${width} bits`)
      const indices = new Uint32Array(count)
      decodeHybridRuns(bytes, 1, bytes.length, width, indices)
      const { count: entries } = dictionary
      for (let i = 0; i < count; i++) if (indices[i]! >= entries) corrupt('dictionary index out of range')
      return { count, table: dictionary, indices }
    }
    case ENCODING.RLE: {
      if (bytes.length < 4) corrupt('booleans end early')
      const end = 4 + uint32At(bytes, 0)
      if (end > bytes.length) corrupt('booleans exceed their page')
      const values = new Uint8Array(count)
      decodeHybridRuns(bytes, 4, end, 1, values)
      return { count, table: { count, bytes: values } }
    }
    case ENCODING.DELTA_BINARY_PACKED: {
      const values = new Uint32Array((count * leaf.width) / 4)
      decodeDelta(bytes, 0, count, leaf.width, values)
      return { count, table: { count, bytes: new Uint8Array(values.buffer) } }
    }
    case ENCODING.DELTA_LENGTH_BYTE_ARRAY: {
      const lengths = new Uint32Array(count)
      const starts = new Uint32Array(count)
      let at = decodeDelta(bytes, 0, count, 4, lengths)
      for (let i = 0; i < count; i++) {
        starts[i] = at
        at += lengths[i]!
        if (at > bytes.length) corrupt('byte arrays exceed their page')
      }
      return { count, table: { count, bytes, starts, lengths } }
    }
    case ENCODING.DELTA_BYTE_ARRAY:
      return { count, table: decodeDeltaByteArray(leaf, bytes, count, maxBytes) }
    default: {
      const { width } = leaf
      // where the streams begin, some readers tell by the bytes and some by the values
      if (bytes.length < count * width) corrupt('streams end early')
      if (bytes.length > count * width) corrupt('streams are longer than their values')
      const values = new Uint8Array(count * width)
      for (let b = 0, at = 0; b < width; b++) for (let i = b; i < values.length; i += width) values[i] = bytes[at++]!
      return { count, table: { count, bytes: values } }
    }
  }
}

/** Whether values of the column may have the encoding (parquet-format, Encodings.md), also where all of them are null. */
function fits(encoding: number, { physical, width }: LeafColumn): boolean {
  switch (encoding) {
    case ENCODING.PLAIN:
    case ENCODING.PLAIN_DICTIONARY:
    case ENCODING.RLE_DICTIONARY:
      return true
    case ENCODING.RLE:
      return physical === PHYSICAL.BOOLEAN
    case ENCODING.DELTA_BINARY_PACKED:
      return physical === PHYSICAL.INT32 || physical === PHYSICAL.INT64
    case ENCODING.DELTA_LENGTH_BYTE_ARRAY:
      return physical === PHYSICAL.BYTE_ARRAY
    case ENCODING.DELTA_BYTE_ARRAY:
      return physical === PHYSICAL.BYTE_ARRAY || physical === PHYSICAL.FIXED_LEN_BYTE_ARRAY
    case ENCODING.BYTE_STREAM_SPLIT:
      return width > 0 && physical !== PHYSICAL.BOOLEAN && physical !== PHYSICAL.INT96
    default:
      return false
  }
}

export function decodePlain(leaf: LeafColumn, bytes: Uint8Array, count: number): ValueTable {
  if (leaf.physical === PHYSICAL.BOOLEAN) {
    if (bytes.length * 8 < count) corrupt('booleans end early')
    const values = new Uint8Array(count)
    for (let i = 0; i < count; i++) values[i] = (bytes[i >> 3]! >> (i & 7)) & 1
    return { count, bytes: values }
  }
  if (leaf.width > 0) {
    if (bytes.length < count * leaf.width) corrupt('values end early')
    return { count, bytes: bytes.subarray(0, count * leaf.width) }
  }
  // each value takes its length at least, so a count too large fails before it allocates
  if (count * 4 > bytes.length) corrupt('byte arrays exceed their page')
  const starts = new Uint32Array(count)
  const lengths = new Uint32Array(count)
  let at = 0
  for (let i = 0; i < count; i++) {
    if (at + 4 > bytes.length) corrupt('byte arrays exceed their page')
    const length = uint32At(bytes, at)
    at += 4
    starts[i] = at
    lengths[i] = length
    at += length
    if (at > bytes.length) corrupt('byte arrays exceed their page')
  }
  return { count, bytes, starts, lengths }
}

function decodeDeltaByteArray(leaf: LeafColumn, bytes: Uint8Array, count: number, maxBytes: number): ValueTable {
  const prefixes = new Uint32Array(count)
  const suffixes = new Uint32Array(count)
  const middle = decodeDelta(bytes, 0, count, 4, prefixes)
  let from = decodeDelta(bytes, middle, count, 4, suffixes)
  const starts = new Uint32Array(count)
  const lengths = new Uint32Array(count)
  let total = 0
  for (let i = 0; i < count; i++) {
    starts[i] = total
    const length = prefixes[i]! + suffixes[i]!
    lengths[i] = length
    total += length
    if (total > maxBytes) throw new ParquetError('page_too_large', `a page unfolds to more than ${maxBytes} bytes`)
    if (leaf.width > 0 && length !== leaf.width) corrupt(`a value of ${length} bytes in a column of ${leaf.width}`)
    if (prefixes[i]! > (i > 0 ? lengths[i - 1]! : 0)) corrupt('prefix longer than the value before it')
  }
  const values = new Uint8Array(total)
  for (let i = 0; i < count; i++) {
    const start = starts[i]!
    const prefix = prefixes[i]!
    const suffix = suffixes[i]!
    if (from + suffix > bytes.length) corrupt('byte arrays exceed their page')
    if (prefix > 0) values.copyWithin(start, starts[i - 1]!, starts[i - 1]! + prefix)
    values.set(bytes.subarray(from, from + suffix), start + prefix)
    from += suffix
  }
  return leaf.width > 0 ? { count, bytes: values } : { count, bytes: values, starts, lengths }
}

function emptyPositions(leaf: LeafColumn): Pick<ValueTable, 'starts' | 'lengths'> {
  return leaf.width > 0 ? {} : { starts: new Uint32Array(), lengths: new Uint32Array() }
}
