import { bitsAt } from './hybrid-runs.ts'
import { corrupt } from './page-header.ts'

/**
 * Decode DELTA_BINARY_PACKED (parquet-format, Encodings.md) into little-endian integers. Arithmetic wraps at 64 bits,
 * of which INT32 keeps the lower half; halves are 32-bit numbers so that no BigInt is made.
 * @param width 4 or 8 bytes a value
 * @returns the offset behind the block
 */
export function decodeDelta(
  bytes: Uint8Array,
  offset: number,
  count: number,
  width: number,
  output: Uint32Array,
): number {
  const words = width / 4
  let at = offset
  let low = 0
  let high = 0
  const varint = (): void => {
    low = 0
    high = 0
    for (let shift = 0; ; shift += 7) {
      if (at >= bytes.length || shift > 63) corrupt('delta block ends early')
      const byte = bytes[at++]!
      const part = byte & 127
      if (shift < 28) low |= part << shift
      else if (shift === 28) {
        low |= part << 28
        high |= part >> 4
      } else high |= part << (shift - 32)
      if (byte < 128) break
    }
  }
  const zigzag = (): void => {
    varint()
    const sign = -(low & 1)
    low = ((low >>> 1) | (high << 31)) ^ sign
    high = (high >>> 1) ^ sign
  }
  varint()
  const blockSize = low >>> 0
  varint()
  const miniblocks = low >>> 0
  varint()
  if (high !== 0 || low >>> 0 < count) corrupt(`delta block of ${low >>> 0} values, ${count} expected`)
  zigzag()
  if (miniblocks === 0 || blockSize === 0 || blockSize % miniblocks !== 0 || (blockSize / miniblocks) % 8 !== 0) {
    corrupt('delta block with wrong sizes')
  }
  const perMiniblock = blockSize / miniblocks
  let valueLow = low >>> 0
  let valueHigh = high >>> 0
  let done = 0
  const emit = (): void => {
    output[done * words] = valueLow
    if (words === 2) output[done * words + 1] = valueHigh
    done++
  }
  if (count > 0) emit()
  while (done < count) {
    zigzag()
    const deltaLow = low >>> 0
    const deltaHigh = high >>> 0
    const widths = at
    at += miniblocks
    if (at > bytes.length) corrupt('delta block ends early')
    for (let m = 0; m < miniblocks && done < count; m++) {
      const bits = bytes[widths + m]!
      if (bits > 64) corrupt('delta wider than 64 bits')
      const size = (perMiniblock * bits) / 8
      const here = Math.min(perMiniblock, count - done)
      // the last miniblock may be cut short
      if (at + Math.ceil((here * bits) / 8) > bytes.length) corrupt('delta block ends early')
      for (let i = 0; i < here; i++) {
        const bit = i * bits
        const addLow = bits === 0 ? 0 : bitsAt(bytes, at, bit, Math.min(bits, 32))
        const addHigh = bits > 32 ? bitsAt(bytes, at, bit + 32, bits - 32) : 0
        const sum = valueLow + deltaLow + addLow
        valueLow = sum >>> 0
        valueHigh = (valueHigh + deltaHigh + addHigh + Math.floor(sum / 2 ** 32)) >>> 0
        emit()
      }
      at += size
    }
  }
  return Math.min(at, bytes.length)
}
