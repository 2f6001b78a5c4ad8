// Frames of zstd in which nothing is compressed (RFC 8878, 3.1.1): what writers make of small pages and of noise.

const MAGIC: u32 = 0xfd2fb528
const MAX_BLOCK_BYTES: usize = 128 * 1024

/**
 * Find the content of a frame that is one raw block and has no checksum. Up to 16 bytes behind `end` may be read.
 * @returns where its `length` bytes begin, 0 where the frame is another one or not sound
 */
export function storedContent(from: usize, end: usize, length: usize): usize {
  if (end - from < 8 || length > MAX_BLOCK_BYTES || load<u32>(from) !== MAGIC) return 0
  const flags = <u32>load<u8>(from + 4)
  // a reserved bit, a checksum behind the block, a dictionary
  if ((flags & 0b1111) !== 0) return 0
  const isSingleSegment = (flags & 32) !== 0
  const sizeFlag = flags >> 6
  let at = from + (isSingleSegment ? 5 : 6)
  let declared = <u64>length
  if (sizeFlag === 0 && isSingleSegment) declared = <u64>load<u8>(at++)
  else if (sizeFlag === 1) declared = <u64>load<u16>(at) + 256
  else if (sizeFlag === 2) declared = <u64>load<u32>(at)
  else if (sizeFlag === 3) declared = load<u64>(at)
  if (sizeFlag > 0) at += (<usize>1) << sizeFlag
  const header = load<u32>(at) & 0xffffff
  at += 3
  // the last block, and raw
  if ((header & 0b111) !== 1 || declared !== <u64>length || <usize>(header >> 3) !== length) return 0
  return at <= end && end - at === length ? at : 0
}
