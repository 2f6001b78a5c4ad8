// The raw snappy format (google/snappy, format_description.txt).

/** Blocks are compressed on their own, so that every offset fits two bytes. */
const BLOCK_BYTES: usize = 65536
const HASH_BITS: u32 = 14
export const SNAPPY_TABLE_BYTES: usize = 2 << HASH_BITS
/** from so many bytes on a call that copies is quicker than 16 at a time */
const LONG_BYTES: usize = 128
/** for each distance below 16, the places of the bytes that repeat at it */
const REPEATED = memory.data(256, 16)
/** for each distance, the largest multiple of it up to 16 */
const REPEATED_BYTES = memory.data<u8>([0, 16, 16, 15, 16, 15, 12, 14, 16, 9, 10, 11, 12, 13, 14, 15])
for (let distance: usize = 1; distance < 16; distance++) {
  for (let i: usize = 0; i < 16; i++) store<u8>(REPEATED + (distance << 4) + i, i % distance)
}
/** for each tag of a copy its length, and the upper bits of its distance from bit 8 */
const COPIES = memory.data(512, 16)
for (let tag: u32 = 0; tag < 256; tag++) {
  const near = (((tag >> 2) & 7) + 4) | ((tag >> 5) << 8)
  store<u16>(COPIES + ((<usize>tag) << 1), <u16>((tag & 3) === 1 ? near : (tag >> 2) + 1))
}
/** a match is looked for only where four bytes can be read and a literal may follow */
const MARGIN_BYTES: usize = 15

/** @returns how many bytes `snappyCompress` may write */
export function snappyBound(length: usize): usize {
  return 32 + length + length / 6
}

/**
 * Find the content of a page that is one literal, as writers make of noise. Up to 8 bytes behind `end` may be read.
 * @returns where its `length` bytes begin, 0 where the page is another one
 */
export function literalContent(from: usize, end: usize, length: usize): usize {
  // a length of up to five bytes, a tag, and up to four bytes with the length again
  const content = end - length
  if (length > end - from || content - from > 10) return 0
  let at = from
  let declared: usize = 0
  for (let shift: usize = 0; shift < 32 && at < content; shift += 7) {
    const byte = <usize>load<u8>(at++)
    declared |= (byte & 127) << shift
    if (byte < 128) break
  }
  if (declared !== length || at >= content) return 0
  const tag = <usize>load<u8>(at++)
  if ((tag & 3) !== 0) return 0
  let size = tag >> 2
  if (size >= 60) {
    const extra = size - 59
    size = <usize>load<u32>(at)
    if (extra < 4) size &= (1 << (<usize>8 * extra)) - 1
    at += extra
  }
  return at === content && size + 1 === length ? content : 0
}

/**
 * Decompress to exactly `length` bytes. Up to 16 bytes behind both ends may be touched.
 * @returns whether the input was sound
 */
export function snappyDecompress(from: usize, end: usize, to: usize, length: usize): bool {
  let at = from
  let declared: u64 = 0
  for (let shift: u64 = 0; ; shift += 7) {
    if (at >= end || shift > 28) return false
    const byte = <u64>load<u8>(at++)
    declared |= (byte & 127) << shift
    if (byte < 128) break
  }
  if (declared !== <u64>length) return false
  let out = to
  const outEnd = to + length
  while (at < end) {
    const tag = <usize>load<u8>(at++)
    let size: usize
    if ((tag & 3) === 0) {
      size = tag >> 2
      if (size >= 60) {
        const extra = size - 59
        if (at + extra > end) return false
        size = <usize>load<u32>(at)
        if (extra < 4) size &= (1 << (<usize>8 * extra)) - 1
        at += extra
      }
      size++
      if (size === 0 || size > end - at || size > outEnd - out) return false
      if (size < LONG_BYTES) {
        v128.store(out, v128.load(at))
        for (let i: usize = 16; i < size; i += 16) v128.store(out + i, v128.load(at + i))
      } else memory.copy(out, at, size)
      at += size
      out += size
      continue
    }
    const copy = <usize>load<u16>(COPIES + (tag << 1))
    const extra = ((<usize>1) << (tag & 3)) >> 1
    if (extra > end - at) return false
    size = copy & 127
    const offset = (copy & 0x700) + (<usize>load<u32>(at) & <usize>(((<u64>1) << ((<u64>extra) << 3)) - 1))
    at += extra
    if (offset === 0 || offset > out - to || size > outEnd - out) return false
    const source = out - offset
    if (offset >= 16) {
      // at most 64 bytes; each piece of 16 is behind what it reads
      v128.store(out, v128.load(source))
      v128.store(out + 16, v128.load(source + 16))
      if (size > 32) {
        v128.store(out + 32, v128.load(source + 32))
        v128.store(out + 48, v128.load(source + 48))
      }
    } else {
      const repeated = i8x16.swizzle(v128.load(source), v128.load(REPEATED + (offset << 4)))
      const step = <usize>load<u8>(REPEATED_BYTES + offset)
      for (let i: usize = 0; i < size; i += step) v128.store(out + i, repeated)
    }
    out += size
  }
  return out === outEnd
}

/**
 * @param table `SNAPPY_TABLE_BYTES` of room
 * @returns end of what was written
 */
export function snappyCompress(from: usize, length: usize, to: usize, table: usize): usize {
  let out = writeLength(to, length)
  const end = from + length
  for (let start = from; start < end; start += BLOCK_BYTES) {
    memory.fill(table, 0, SNAPPY_TABLE_BYTES)
    out = compressBlock(start, min(end, start + BLOCK_BYTES), out, table)
  }
  return out
}

/** The same without looking for matches. */
export function snappyStore(from: usize, length: usize, to: usize): usize {
  let out = writeLength(to, length)
  const end = from + length
  for (let start = from; start < end; start += BLOCK_BYTES) {
    out = emitLiteral(start, min(end, start + BLOCK_BYTES), out)
  }
  return out
}

function writeLength(to: usize, length: usize): usize {
  let rest = length
  let out = to
  while (rest > 127) {
    store<u8>(out++, rest | 128)
    rest >>= 7
  }
  store<u8>(out++, rest)
  return out
}

function compressBlock(start: usize, end: usize, to: usize, table: usize): usize {
  let out = to
  let literal = start
  if (end - start > MARGIN_BYTES) {
    const limit = end - MARGIN_BYTES
    let at = start + 1
    let misses: usize = 32
    while (at < limit) {
      const word = load<u32>(at)
      const slot = table + <usize>(((word * 0x1e35a7bd) >> (32 - HASH_BITS)) << 1)
      const candidate = start + <usize>load<u16>(slot)
      store<u16>(slot, <u16>(at - start))
      if (load<u32>(candidate) !== word || candidate >= at) {
        // the longer nothing matches, the larger the steps
        at += misses++ >> 5
        continue
      }
      let length: usize = 4
      while (at + length + 8 <= end) {
        const difference = load<u64>(at + length) ^ load<u64>(candidate + length)
        if (difference !== 0) {
          length += <usize>(ctz(difference) >> 3)
          break
        }
        length += 8
      }
      if (at + length + 8 > end) {
        while (at + length < end && load<u8>(at + length) === load<u8>(candidate + length)) length++
      }
      if (literal < at) out = emitLiteral(literal, at, out)
      out = emitCopy(at - candidate, length, out)
      at += length
      literal = at
      misses = 32
    }
  }
  return literal < end ? emitLiteral(literal, end, out) : out
}

function emitLiteral(from: usize, end: usize, to: usize): usize {
  let out = to
  const length = end - from - 1
  if (length < 60) {
    store<u8>(out++, length << 2)
  } else if (length < 256) {
    store<u8>(out, 60 << 2)
    store<u8>(out + 1, length)
    out += 2
  } else {
    store<u8>(out, 61 << 2)
    store<u16>(out + 1, <u16>length)
    out += 3
  }
  memory.copy(out, from, length + 1)
  return out + length + 1
}

function emitCopy(offset: usize, length: usize, to: usize): usize {
  let out = to
  let left = length
  // a copy is 64 bytes at most; the last one keeps four or more for the short form
  while (left > 0) {
    const size = left > 67 ? <usize>64 : left > 64 ? <usize>60 : left
    if (size >= 4 && size < 12 && offset < 2048) {
      store<u8>(out, 1 | ((size - 4) << 2) | ((offset >> 8) << 5))
      store<u8>(out + 1, offset)
      out += 2
    } else {
      store<u8>(out, 2 | ((size - 1) << 2))
      store<u16>(out + 1, <u16>offset)
      out += 3
    }
    left -= size
  }
  return out
}
