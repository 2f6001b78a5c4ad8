import type { ByteBuffer } from '../../format/byte-buffer.ts'
import { corrupt } from '../../format/page-header.ts'
import type { ValueTable } from '../../format/value-table.ts'
import type { SortKey } from './key-order.ts'

/** NaN comes behind every number */
const NOT_A_NUMBER = 0xffffffff

/**
 * Turn values `from` to `to` of a page, but for byte arrays, into unsigned words of 32 bits that are in the order of the values.
 * @param words most significant first; value `i` becomes number `i` + `shift`
 */
export function putWords(
  { kind, leaf: { width } }: SortKey,
  table: ValueTable,
  indices: Uint32Array | undefined,
  from: number,
  to: number,
  words: readonly Uint32Array[],
  shift: number,
): void {
  const { bytes } = table
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const [high, low, lowest] = words as [Uint32Array, Uint32Array, Uint32Array]
  const at = (i: number): number => (indices ? indices[i]! : i)
  switch (kind) {
    case 'boolean':
      for (let i = from; i < to; i++) high[i + shift] = bytes[at(i)]!
      return
    case 'int32':
      for (let i = from; i < to; i++) high[i + shift] = view.getInt32(at(i) * 4, true) ^ 0x80000000
      return
    case 'uint32':
      for (let i = from; i < to; i++) high[i + shift] = view.getUint32(at(i) * 4, true)
      return
    case 'int64':
    case 'uint64': {
      const flip = kind === 'int64' ? 0x80000000 : 0
      for (let i = from; i < to; i++) {
        const start = at(i) * 8
        high[i + shift] = view.getUint32(start + 4, true) ^ flip
        low[i + shift] = view.getUint32(start, true)
      }
      return
    }
    case 'float16':
      for (let i = from; i < to; i++) high[i + shift] = orderedFloat(view.getUint16(at(i) * 2, true) << 16, 0x7c00)
      return
    case 'float':
      for (let i = from; i < to; i++) high[i + shift] = orderedFloat(view.getUint32(at(i) * 4, true), 0x7f80)
      return
    case 'double':
      for (let i = from; i < to; i++) {
        const start = at(i) * 8
        const upper = view.getUint32(start + 4, true)
        const lower = view.getUint32(start, true)
        const isZero = lower === 0 && (upper & 0x7fffffff) === 0
        const magnitude = upper & 0x7fffffff
        const isNumber = magnitude < 0x7ff00000 || (magnitude === 0x7ff00000 && lower === 0)
        const isNegative = upper >= 0x80000000 && !isZero
        high[i + shift] = isNumber ? (isNegative ? ~upper : upper | 0x80000000) : NOT_A_NUMBER
        low[i + shift] = isNumber ? (isNegative ? ~lower : lower) : NOT_A_NUMBER
      }
      return
    case 'int96':
      for (let i = from; i < to; i++) {
        const start = at(i) * width
        high[i + shift] = view.getUint32(start + 8, true) ^ 0x80000000
        low[i + shift] = view.getUint32(start + 4, true)
        lowest[i + shift] = view.getUint32(start, true)
      }
  }
}

/** @param bits in the upper part of the word @param infinity upper half of the bits of infinity */
function orderedFloat(bits: number, infinity: number): number {
  const magnitude = bits & 0x7fffffff
  if (magnitude > infinity * 65536) return NOT_A_NUMBER
  if (magnitude === 0) return 0x80000000
  return bits < 0 || bits >= 0x80000000 ? ~bits : bits | 0x80000000
}

/** Length and sign first, without the bytes that only repeat the sign: then unsigned bytes are in order. */
export function appendDecimal(bytes: Uint8Array, start: number, length: number, out: ByteBuffer): void {
  const sign = length > 0 && bytes[start]! >= 128 ? 255 : 0
  let from = start
  const end = start + length
  while (from < end - 1 && bytes[from] === sign && bytes[from + 1]! >> 7 === sign >> 7) from++
  if (end - from > 127) corrupt(`a decimal of ${length} bytes`)
  out.push(sign === 0 ? 128 + end - from : 128 - (end - from))
  out.append(bytes, from, end)
}
