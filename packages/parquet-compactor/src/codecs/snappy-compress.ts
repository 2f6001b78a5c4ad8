import type { ByteBuffer } from '../format/byte-buffer.ts'

/** Blocks are compressed on their own, so that every offset fits two bytes. */
const BLOCK_BYTES = 65_536
const HASH_BITS = 14
/** where four bytes were seen last; one for all, as no call waits while it compresses */
const table = new Uint16Array(1 << HASH_BITS)
/** a match is looked for only where four bytes can be read and a literal may follow */
const MARGIN_BYTES = 15

/**
 * Compress in the raw snappy format (google/snappy, format_description.txt).
 * @param out is overwritten
 * @returns a view of `out`
 */
export function snappyCompress(input: Uint8Array, out: ByteBuffer): Uint8Array {
  out.clear()
  // the bound of the reference implementation
  out.reserve(32 + input.length + Math.ceil(input.length / 6))
  out.varint(input.length)
  for (let start = 0; start < input.length; start += BLOCK_BYTES) {
    table.fill(0)
    compressBlock(input, start, Math.min(input.length, start + BLOCK_BYTES), out)
  }
  return out.view()
}

function compressBlock(input: Uint8Array, start: number, end: number, out: ByteBuffer): void {
  const limit = end - MARGIN_BYTES
  let literal = start
  let at = start + 1
  let misses = 32
  while (at < limit) {
    const word = input[at]! | (input[at + 1]! << 8) | (input[at + 2]! << 16) | (input[at + 3]! << 24)
    const hash = Math.imul(word, 0x1e35a7bd) >>> (32 - HASH_BITS)
    const candidate = start + table[hash]!
    table[hash] = at - start
    const isMatch =
      candidate < at &&
      input[candidate] === input[at] &&
      input[candidate + 1] === input[at + 1] &&
      input[candidate + 2] === input[at + 2] &&
      input[candidate + 3] === input[at + 3]
    if (!isMatch) {
      // the longer nothing matches, the larger the steps
      at += misses++ >> 5
      continue
    }
    let length = 4
    while (at + length < end && input[candidate + length] === input[at + length]) length++
    if (literal < at) emitLiteral(input, literal, at, out)
    emitCopy(at - candidate, length, out)
    at += length
    literal = at
    misses = 32
  }
  if (literal < end) emitLiteral(input, literal, end, out)
}

function emitLiteral(input: Uint8Array, from: number, to: number, out: ByteBuffer): void {
  const length = to - from - 1
  if (length < 60) {
    out.push(length << 2)
  } else if (length < 256) {
    out.push(60 << 2)
    out.push(length)
  } else {
    out.push(61 << 2)
    out.push(length & 255)
    out.push(length >> 8)
  }
  out.append(input, from, to)
}

function emitCopy(offset: number, length: number, out: ByteBuffer): void {
  let left = length
  // a copy is 64 bytes at most; the last one keeps four or more for the short form
  while (left > 0) {
    const size = left > 67 ? 64 : left > 64 ? 60 : left
    if (size >= 4 && size < 12 && offset < 2048) {
      out.push(1 | ((size - 4) << 2) | ((offset >> 8) << 5))
      out.push(offset & 255)
    } else {
      out.push(2 | ((size - 1) << 2))
      out.push(offset & 255)
      out.push(offset >> 8)
    }
    left -= size
  }
}
