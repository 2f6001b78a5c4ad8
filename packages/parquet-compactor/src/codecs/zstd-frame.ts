import { corrupt } from '../format/page-header.ts'
import { ParquetError } from '../parquet-error.ts'

/** RFC 8878, 3.1.1.2.4: no block regenerates more */
const MAX_BLOCK_BYTES = 128 * 1024
const MAGIC = 0xfd2fb528

interface ZstdFrames {
  /** skippable ones count twice: content that is not one frame is never decoded in place */
  frames: number
  blocks: number
  /** bytes that a frame which says so needs to look back */
  largestWindow: number
  /** bytes that the last frame declares */
  declared: number | undefined
}

/**
 * Walk the headers of zstd frames to the end of `bytes` (RFC 8878).
 * @throws ParquetError `corrupt_data` where they end early or late, or a frame declares more than `length` bytes
 */
function walkZstdFrames(bytes: Uint8Array, length: number): ZstdFrames {
  let at = 0
  let frames = 0
  let blocks = 0
  let largestWindow = 0
  let declared: number | undefined
  const number = (size: number): number => {
    if (at + size > bytes.length) corrupt('zstd frame ends early')
    let value = 0
    for (let i = 0; i < size; i++) value += bytes[at++]! * 2 ** (8 * i)
    return value
  }
  while (at < bytes.length) {
    const magic = number(4)
    if (Math.floor(magic / 16) === 0x184d2a5) {
      // a skippable frame; its length is read first, for reading moves `at`
      const skipped = number(4)
      at += skipped
      if (at > bytes.length) corrupt('zstd frame ends early')
      frames += 2
      continue
    }
    if (magic !== MAGIC) corrupt('no zstd frame')
    frames++
    const flags = number(1)
    const single = (flags & 32) !== 0
    if (!single) {
      const window = number(1)
      const windowBytes = 2 ** (10 + (window >> 3)) * (1 + (window & 7) / 8)
      largestWindow = Math.max(largestWindow, windowBytes)
    }
    if ((flags & 3) !== 0) corrupt('zstd frame with a dictionary')
    const sizeFlag = flags >> 6
    const sizeBytes = sizeFlag === 0 ? (single ? 1 : 0) : 2 ** sizeFlag
    declared = sizeBytes === 0 ? undefined : number(sizeBytes) + (sizeBytes === 2 ? 256 : 0)
    if (declared !== undefined && declared > length) corrupt(`zstd frame of ${declared} bytes in a page of ${length}`)
    for (let last = false; !last; ) {
      const header = number(3)
      last = header % 2 === 1
      const kind = (header >> 1) & 3
      const size = header >> 3
      if (kind === 3 || size > MAX_BLOCK_BYTES) corrupt('zstd block of a wrong kind or size')
      at += kind === 1 ? 1 : size
      blocks++
    }
    if (flags & 4) at += 4
    if (at > bytes.length) corrupt('zstd frame ends early')
  }
  return { frames, blocks, largestWindow, declared }
}

/**
 * Look at frames before they are decoded.
 * @returns whether it is one whole frame of exactly `length` bytes
 * @throws ParquetError `corrupt_data`
 */
export function isOneZstdFrame(bytes: Uint8Array, length: number): boolean {
  const { frames, declared } = walkZstdFrames(bytes, length)
  return frames === 1 && declared === length
}

/**
 * The same for a decoder that allocates what a frame declares, and lets blocks expand beyond the limit of the format.
 * @returns false if the size is not declared or there are several frames
 * @throws ParquetError `corrupt_data`, `page_too_large`
 */
export function checkZstdFrame(bytes: Uint8Array, length: number): boolean {
  const { frames, blocks, largestWindow, declared } = walkZstdFrames(bytes, length)
  if (frames === 1 && declared === length) return true
  if (declared !== undefined && frames === 1) corrupt(`zstd frame of ${declared} bytes in a page of ${length}`)
  // the decoder now holds the window; beyond 8 MiB zstd itself refuses without --long (RFC 8878, 3.1.1.1.2)
  if (largestWindow > 8 * 2 ** 20) throw new ParquetError('page_too_large', `zstd window of ${largestWindow} bytes`)
  // blocks that are flushed early are small, so this bound is generous for them
  if (blocks * MAX_BLOCK_BYTES > Math.max(8 * length, 32 * 2 ** 20)) {
    throw new ParquetError('page_too_large', `${blocks} zstd blocks in a page of ${length} bytes`)
  }
  return false
}

/** @returns a frame that holds the bytes as they are, in raw blocks */
export function storeInZstdFrame(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const blocks = Math.max(1, Math.ceil(bytes.length / MAX_BLOCK_BYTES))
  const frame = new Uint8Array(9 + blocks * 3 + bytes.length)
  const view = new DataView(frame.buffer)
  view.setUint32(0, MAGIC, true)
  // a single segment, its size in 4 bytes
  frame[4] = 0b1010_0000
  view.setUint32(5, bytes.length, true)
  let at = 9
  for (let block = 0; block < blocks; block++) {
    const content = bytes.subarray(block * MAX_BLOCK_BYTES, (block + 1) * MAX_BLOCK_BYTES)
    const header = (content.length << 3) | (block === blocks - 1 ? 1 : 0)
    frame[at] = header
    view.setUint16(at + 1, header >> 8, true)
    frame.set(content, at + 3)
    at += 3 + content.length
  }
  return frame
}
