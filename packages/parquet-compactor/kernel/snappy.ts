// The raw snappy format (google/snappy, format_description.txt).

/** Blocks are compressed on their own, so that every offset fits two bytes. */
const BLOCK_BYTES: usize = 65536
const HASH_BITS: u32 = 14
export const SNAPPY_TABLE_BYTES: usize = 2 << HASH_BITS
/** a match is looked for only where four bytes can be read and a literal may follow */
const MARGIN_BYTES: usize = 15

/** @returns how many bytes `snappyCompress` may write */
export function snappyBound(length: usize): usize {
  return 32 + length + length / 6
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
      if (size <= 16) v128.store(out, v128.load(at))
      else memory.copy(out, at, size)
      at += size
      out += size
      continue
    }
    let offset: usize
    if ((tag & 3) === 1) {
      if (at >= end) return false
      size = ((tag >> 2) & 7) + 4
      offset = ((tag >> 5) << 8) | <usize>load<u8>(at)
      at++
    } else if ((tag & 3) === 2) {
      if (end - at < 2) return false
      size = (tag >> 2) + 1
      offset = <usize>load<u16>(at)
      at += 2
    } else {
      if (end - at < 4) return false
      size = (tag >> 2) + 1
      offset = <usize>load<u32>(at)
      at += 4
    }
    if (offset === 0 || offset > out - to || size > outEnd - out) return false
    const source = out - offset
    if (offset >= 16) {
      // at most 64 bytes; each piece of 16 is behind what it reads
      v128.store(out, v128.load(source))
      if (size > 16) {
        v128.store(out + 16, v128.load(source + 16))
        if (size > 32) {
          v128.store(out + 32, v128.load(source + 32))
          if (size > 48) v128.store(out + 48, v128.load(source + 48))
        }
      }
    } else if (offset >= 8) {
      for (let i: usize = 0; i < size; i += 8) store<u64>(out + i, load<u64>(source + i))
    } else {
      for (let i: usize = 0; i < size; i++) store<u8>(out + i, load<u8>(source + i))
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
