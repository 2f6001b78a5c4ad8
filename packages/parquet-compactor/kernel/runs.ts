// The RLE / bit-packing hybrid (parquet-format, Encodings.md, "RLE = 3").

/** bits needed for numbers up to `max` */
export function bitWidth(max: u32): u32 {
  return 32 - <u32>clz(max)
}

/**
 * Decode `count` indices of `width` bits, 0 to 32, to 32 bits each. Up to 16 bytes behind both ends may be touched.
 * @param entries how many there are to point at
 * @param mapping what to write for each of them; 0 for the index as it is
 * @returns whether the input was sound
 */
export function decodeIndices(
  from: usize,
  end: usize,
  width: u32,
  count: u32,
  to: usize,
  entries: u32,
  mapping: usize,
): bool {
  const runBytes: u32 = (width + 7) >> 3
  const mask: u32 = width === 32 ? 0xffffffff : ((<u32>1) << width) - 1
  let at = from
  let filled: u32 = 0
  while (filled < count) {
    let header: u64 = 0
    for (let shift: u64 = 0; ; shift += 7) {
      if (at >= end || shift > 28) return false
      const byte = <u64>load<u8>(at++)
      header |= (byte & 127) << shift
      if (byte < 128) break
    }
    const wanted = count - filled
    const out = to + ((<usize>filled) << 2)
    if ((header & 1) === 0) {
      if (end - at < <usize>runBytes) return false
      let value: u32 = 0
      for (let i: u32 = 0; i < runBytes; i++) value |= (<u32>load<u8>(at++)) << (8 * i)
      const run = <u32>min<u64>(header >> 1, <u64>wanted)
      if (value > mask || (value >= entries && run > 0)) return false
      if (mapping !== 0 && run > 0) value = load<u32>(mapping + ((<usize>value) << 2))
      const four = i32x4.splat(value)
      for (let i: usize = 0; i < (<usize>run) << 2; i += 16) v128.store(out + i, four)
      filled += run
      continue
    }
    const packed = (header >> 1) * 8
    const run = <u32>min<u64>(packed, <u64>wanted)
    // a last run may be cut short: only the bytes of wanted values must be there
    if (<u64>(end - at) < (<u64>run * <u64>width + 7) >> 3) return false
    unpack(at, width, run, mask, out)
    if (run > 0 && largest(out, run) >= entries) return false
    if (mapping !== 0) mapIndices(out, run, mapping)
    filled += run
    at += <usize>min<u64>(<u64>(end - at), (packed >> 3) * <u64>width)
  }
  return true
}

function mapIndices(from: usize, count: u32, mapping: usize): void {
  const end = from + ((<usize>count) << 2)
  for (let at = from; at < end; at += 4) store<u32>(at, load<u32>(mapping + ((<usize>load<u32>(at)) << 2)))
}

/** Up to this width a number and what stands before it in its first byte fit into 32 bits. */
const MAX_LANE_BITS: u32 = 25

function unpack(from: usize, width: u32, count: u32, mask: u32, to: usize): void {
  let i: u32 = 0
  if (width <= MAX_LANE_BITS && count >= 8) {
    // eight numbers are `width` bytes; the second four begin within a byte where the width is odd
    const half = <usize>width >> 1
    const lowBytes = laneBytes(width, 0)
    const lowFactors = laneFactors(width, 0)
    const highBytes = laneBytes(width, (4 * width) & 7)
    const highFactors = laneFactors(width, (4 * width) & 7)
    const masks = i32x4.splat(mask)
    let at = from
    let out = to
    for (; i + 8 <= count; i += 8, at += <usize>width, out += 32) {
      v128.store(out, takeLanes(v128.load(at), lowBytes, lowFactors, masks))
      v128.store(out, takeLanes(v128.load(at + half), highBytes, highFactors, masks), 16)
    }
  }
  let bit = <usize>i * <usize>width
  for (let out = to + ((<usize>i) << 2); i < count; i++, bit += <usize>width, out += 4) {
    store<u32>(out, <u32>(load<u64>(from + (bit >> 3)) >> <u64>(bit & 7)) & mask)
  }
}

/** which bytes hold each of four numbers, of which the first begins at a bit */
function laneBytes(width: u32, bit: u32): v128 {
  let bytes = i32x4.splat(0)
  bytes = i32x4.replace_lane(bytes, 0, (bit >> 3) * 0x01010101 + 0x03020100)
  bytes = i32x4.replace_lane(bytes, 1, ((bit + width) >> 3) * 0x01010101 + 0x03020100)
  bytes = i32x4.replace_lane(bytes, 2, ((bit + 2 * width) >> 3) * 0x01010101 + 0x03020100)
  return i32x4.replace_lane(bytes, 3, ((bit + 3 * width) >> 3) * 0x01010101 + 0x03020100)
}

/** There is no shift by lane: each is shifted left by a product until all begin at bit 7. */
function laneFactors(width: u32, bit: u32): v128 {
  let factors = i32x4.splat(128 >> (bit & 7))
  factors = i32x4.replace_lane(factors, 1, 128 >> ((bit + width) & 7))
  factors = i32x4.replace_lane(factors, 2, 128 >> ((bit + 2 * width) & 7))
  return i32x4.replace_lane(factors, 3, 128 >> ((bit + 3 * width) & 7))
}

function takeLanes(packed: v128, bytes: v128, factors: v128, masks: v128): v128 {
  return v128.and(i32x4.shr_u(i32x4.mul(i8x16.swizzle(packed, bytes), factors), 7), masks)
}

/** The same for levels, a byte each. */
export function decodeLevels(from: usize, end: usize, width: u32, count: u32, to: usize): bool {
  const mask: u32 = ((<u32>1) << width) - 1
  let at = from
  let filled: u32 = 0
  while (filled < count) {
    let header: u64 = 0
    for (let shift: u64 = 0; ; shift += 7) {
      if (at >= end || shift > 28) return false
      const byte = <u64>load<u8>(at++)
      header |= (byte & 127) << shift
      if (byte < 128) break
    }
    const wanted = count - filled
    const out = to + <usize>filled
    if ((header & 1) === 0) {
      if (at >= end) return false
      const value = load<u8>(at++)
      if (<u32>value > mask) return false
      const run = <u32>min<u64>(header >> 1, <u64>wanted)
      memory.fill(out, value, <usize>run)
      filled += run
      continue
    }
    const packed = (header >> 1) * 8
    const run = <u32>min<u64>(packed, <u64>wanted)
    if (<u64>(end - at) < (<u64>run * <u64>width + 7) >> 3) return false
    if (width === 1) {
      spreadBits(at, run, out)
    } else {
      let bit: usize = 0
      for (let i: u32 = 0; i < run; i++, bit += width) {
        store<u8>(out + i, <u32>(load<u16>(at + (bit >> 3)) >> <u16>(bit & 7)) & mask)
      }
    }
    filled += run
    at += <usize>min<u64>(<u64>(end - at), (packed >> 3) * <u64>width)
  }
  return true
}

/** whether the first run holds `count` numbers of `value`, which fits a byte */
export function isOneRun(from: usize, end: usize, count: u32, value: u32): bool {
  let header: u64 = 0
  let at = from
  for (let shift: u64 = 0; shift <= 28; shift += 7) {
    if (at >= end) return false
    const byte = <u64>load<u8>(at++)
    header |= (byte & 127) << shift
    if (byte < 128) return (header & 1) === 0 && header >> 1 >= <u64>count && at < end && <u32>load<u8>(at) === value
  }
  return false
}

function writeVarint(to: usize, value: u32): usize {
  let out = to
  let rest = value
  while (rest > 127) {
    store<u8>(out++, rest | 128)
    rest >>= 7
  }
  store<u8>(out++, rest)
  return out
}

/** From so many equal numbers on a run is shorter than the numbers packed. */
function shortestRun(width: u32): usize {
  const runBits = 8 * (1 + ((width + 7) >> 3))
  return max<usize>(4, <usize>((runBits + width - 1) / max<u32>(1, width)))
}

/** Encode 32-bit numbers. Up to 16 bytes behind the end may be written. @returns end of what was written */
export function encodeIndices(from: usize, count: u32, width: u32, to: usize): usize {
  const end = from + ((<usize>count) << 2)
  const runBytes: u32 = (width + 7) >> 3
  const least = shortestRun(width) << 2
  let out = to
  let at = from
  let packedFrom = from
  while (at + least <= end) {
    const four = v128.load_splat<u32>(at)
    if (!i32x4.all_true(i32x4.eq(v128.load(at), four))) {
      at += 32
      continue
    }
    const value = load<u32>(at)
    let runEnd = at + 16
    while (runEnd + 16 <= end && i32x4.all_true(i32x4.eq(v128.load(runEnd), four))) runEnd += 16
    while (runEnd < end && load<u32>(runEnd) === value) runEnd += 4
    if (runEnd - at < least) {
      at += 32
      continue
    }
    if (packedFrom < at) out = pack(packedFrom, at, width, out)
    out = writeVarint(out, (<u32>((runEnd - at) >> 2)) << 1)
    for (let i: u32 = 0; i < runBytes; i++) store<u8>(out++, value >> (8 * i))
    at = runEnd
    packedFrom = at
  }
  return packedFrom < end ? pack(packedFrom, end, width, out) : out
}

function pack(from: usize, end: usize, width: u32, to: usize): usize {
  const groups = <u32>((end - from + 31) >> 5)
  let out = writeVarint(to, (groups << 1) | 1)
  const outEnd = out + <usize>groups * <usize>width
  const wide = <u64>width
  let at = from
  if (width <= 16) {
    for (; at + 32 <= end; at += 32, out += <usize>width) {
      const low = packFour(at, wide)
      const high = packFour(at + 16, wide)
      if (width === 16) {
        store<u64>(out, low)
        store<u64>(out, high, 8)
        continue
      }
      store<u64>(out, low | (high << (wide * 4)))
      if (width > 8) store<u64>(out, high >> (64 - wide * 4), 8)
    }
  }
  let held: u64 = 0
  let bits: u64 = 0
  for (; at < end; at += 4) {
    held |= (<u64>load<u32>(at)) << bits
    bits += wide
    if (bits >= 32) {
      store<u32>(out, <u32>held)
      out += 4
      held >>= 32
      bits -= 32
    }
  }
  for (; bits > 0; bits = bits > 8 ? bits - 8 : 0) {
    store<u8>(out++, <u8>held)
    held >>= 8
  }
  if (out < outEnd) memory.fill(out, 0, outEnd - out)
  return outEnd
}

/** four numbers of up to 16 bits, the first lowest */
function packFour(at: usize, width: u64): u64 {
  const low = <u64>load<u32>(at) | ((<u64>load<u32>(at, 4)) << width)
  const high = <u64>load<u32>(at, 8) | ((<u64>load<u32>(at, 12)) << width)
  return low | (high << (width * 2))
}

/** Encode levels, a byte each, of 1 to 8 bits. @returns end of what was written */
export function encodeLevels(from: usize, count: u32, width: u32, to: usize): usize {
  const end = from + <usize>count
  const least = max<usize>(8, shortestRun(width))
  let out = to
  let at = from
  let packedFrom = from
  while (at + least <= end) {
    const value = load<u8>(at)
    const eight = <u64>value * 0x0101010101010101
    if (load<u64>(at) !== eight) {
      at += 8
      continue
    }
    let runEnd = at + 8
    while (runEnd + 8 <= end && load<u64>(runEnd) === eight) runEnd += 8
    while (runEnd < end && load<u8>(runEnd) === value) runEnd++
    if (runEnd - at < least) {
      at += 8
      continue
    }
    if (packedFrom < at) out = packLevels(packedFrom, at, width, out)
    out = writeVarint(out, (<u32>(runEnd - at)) << 1)
    store<u8>(out++, value)
    at = runEnd
    packedFrom = at
  }
  return packedFrom < end ? packLevels(packedFrom, end, width, out) : out
}

function packLevels(from: usize, end: usize, width: u32, to: usize): usize {
  const groups = <u32>((end - from + 7) >> 3)
  let out = writeVarint(to, (groups << 1) | 1)
  const outEnd = out + <usize>groups * <usize>width
  const wide = <u64>width
  let held: u64 = 0
  let bits: u64 = 0
  for (let at = from; at < end; at++) {
    held |= (<u64>load<u8>(at)) << bits
    bits += wide
    if (bits >= 32) {
      store<u32>(out, <u32>held)
      out += 4
      held >>= 32
      bits -= 32
    }
  }
  for (; bits > 0; bits = bits > 8 ? bits - 8 : 0) {
    store<u8>(out++, <u8>held)
    held >>= 8
  }
  if (out < outEnd) memory.fill(out, 0, outEnd - out)
  return outEnd
}

/** how many of `count` levels are `level` */
export function countLevels(from: usize, count: u32, level: u32): u32 {
  let total: u32 = 0
  const wanted = i8x16.splat(<u8>level)
  let i: u32 = 0
  for (; i + 16 <= count; i += 16) {
    total += popcnt(i8x16.bitmask(i8x16.eq(v128.load(from + i), wanted)))
  }
  for (; i < count; i++) if (<u32>load<u8>(from + i) === level) total++
  return total
}

/** whether no level is above `most` */
export function areLevelsWithin(from: usize, count: u32, most: u32): bool {
  for (let i: u32 = 0; i < count; i++) if (<u32>load<u8>(from + i) > most) return false
  return true
}

/** the largest of 32-bit numbers */
function largest(from: usize, count: u32): u32 {
  let at = from
  const end = from + ((<usize>count) << 2)
  let four = i32x4.splat(0)
  for (; at + 16 <= end; at += 16) four = i32x4.max_u(four, v128.load(at))
  let most = max<u32>(
    max<u32>(i32x4.extract_lane(four, 0), i32x4.extract_lane(four, 1)),
    max<u32>(i32x4.extract_lane(four, 2), i32x4.extract_lane(four, 3)),
  )
  for (; at < end; at += 4) most = max<u32>(most, load<u32>(at))
  return most
}

/** Give each of `count` bits a byte. Up to 7 bytes behind the last may be written. */
export function spreadBits(from: usize, count: u32, to: usize): void {
  for (let i: usize = 0; i < <usize>count; i += 8) {
    const spread = (<u64>load<u8>(from + (i >> 3)) * 0x0101010101010101) & 0x8040201008040201
    store<u64>(to + i, ((spread + 0x7f7f7f7f7f7f7f7f) >> 7) & 0x0101010101010101)
  }
}

/** The other way about: eight bytes of 0 or 1 to a byte, the first lowest. */
export function gatherBits(eight: u64): u32 {
  return <u32>((eight * 0x0102040810204080) >> 56)
}
