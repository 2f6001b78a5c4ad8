// Levels and booleans, a byte each, and what of the RLE / bit-packing hybrid becomes of them.

/** Decode levels, a byte each. @returns whether the input was sound */
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
    // readers take a run of no values for the end of all, or fail
    if (header >> 1 === 0) return false
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
  let i: u32 = 0
  let largest = i8x16.splat(0)
  for (; i + 16 <= count; i += 16) largest = i8x16.max_u(largest, v128.load(from + i))
  if (v128.any_true(i8x16.gt_u(largest, i8x16.splat(<u8>most)))) return false
  for (; i < count; i++) if (<u32>load<u8>(from + i) > most) return false
  return true
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
