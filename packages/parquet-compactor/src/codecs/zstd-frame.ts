import { corrupt } from '../format/page-header.ts'
import { ParquetError } from '../parquet-error.ts'

/** RFC 8878, 3.1.1.2.4: no block regenerates more */
const MAX_BLOCK_BYTES = 128 * 1024

/**
 * Walk the headers of zstd frames before they are decoded: the decoder allocates what a frame declares, and lets blocks
 * expand beyond the limit of the format (RFC 8878).
 * @returns true if it is one frame that declares exactly `length` bytes and so can be decoded in place; false if the
 *          size is not declared or there are several frames
 * @throws ParquetError `corrupt_data`, `page_too_large`
 */
export function checkZstdFrame(bytes: Uint8Array, length: number): boolean {
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
      // a skippable frame
      at += number(4)
      frames += 2
      continue
    }
    if (magic !== 0xfd2fb528) corrupt('no zstd frame')
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
