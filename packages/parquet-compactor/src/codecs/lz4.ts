import { corrupt } from '../format/page-header.ts'

/**
 * Decode blocks behind the lengths that Hadoop puts before them, or one bare block, as the codec LZ4 has both.
 * @throws ParquetError `corrupt_data`
 */
export function decodeLz4(bytes: Uint8Array, length: number): Uint8Array {
  return decodeHadoopBlocks(bytes, length) ?? decodeLz4Block(bytes, length)
}

/** @returns undefined if the lengths do not fit, so that it must be a bare block */
function decodeHadoopBlocks(bytes: Uint8Array, length: number): Uint8Array | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const blocks: { from: number; to: number; length: number }[] = []
  let total = 0
  for (let at = 0; at < bytes.length; ) {
    if (at + 8 > bytes.length) return undefined
    const block = { from: at + 8, to: at + 8 + view.getUint32(at + 4), length: view.getUint32(at) }
    total += block.length
    at = block.to
    if (at > bytes.length || total > length) return undefined
    blocks.push(block)
  }
  if (total !== length) return undefined
  const page = new Uint8Array(length)
  let done = 0
  for (const { from, to, length } of blocks) {
    page.set(decodeLz4Block(bytes.subarray(from, to), length), done)
    done += length
  }
  return page
}

/**
 * Decode one block (lz4_Block_format.md), which must hold exactly `length` bytes.
 * @throws ParquetError `corrupt_data`
 */
export function decodeLz4Block(bytes: Uint8Array, length: number): Uint8Array {
  const page = new Uint8Array(length)
  let at = 0
  let done = 0
  /** a length of 15 goes on in bytes until one is not 255 */
  const extended = (count: number): number => {
    if (count < 15) return count
    let sum = count
    for (let byte = 255; byte === 255; sum += byte) {
      if (at >= bytes.length) corrupt('lz4 block ends early')
      byte = bytes[at++]!
    }
    return sum
  }
  while (at < bytes.length) {
    const token = bytes[at++]!
    const literals = extended(token >> 4)
    if (at + literals > bytes.length) corrupt('lz4 block ends early')
    if (done + literals > length) corrupt(`lz4 block of more than ${length} bytes`)
    page.set(bytes.subarray(at, at + literals), done)
    at += literals
    done += literals
    if (at === bytes.length) break
    if (at + 2 > bytes.length) corrupt('lz4 block ends early')
    const offset = bytes[at]! | (bytes[at + 1]! << 8)
    at += 2
    if (offset === 0 || offset > done) corrupt(`lz4 offset of ${offset} after ${done} bytes`)
    const end = done + extended(token & 15) + 4
    if (end > length) corrupt(`lz4 block of more than ${length} bytes`)
    if (offset >= end - done) page.copyWithin(done, done - offset, end - offset)
    // source and target of the copy overlap
    else for (let i = done; i < end; i++) page[i] = page[i - offset]!
    done = end
  }
  if (done !== length) corrupt(`lz4 block of ${done} bytes where ${length} are declared`)
  return page
}
