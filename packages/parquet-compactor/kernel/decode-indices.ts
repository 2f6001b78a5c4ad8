// Indices in the RLE / bit-packing hybrid (parquet-format, Encodings.md, "RLE = 3").

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
    // readers take a run of no values for the end of all, or fail
    if (header >> 1 === 0) return false
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
