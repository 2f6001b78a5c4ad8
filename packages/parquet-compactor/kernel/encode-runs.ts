// The RLE / bit-packing hybrid (parquet-format, Encodings.md, "RLE = 3"): indices of 32 bits, and levels of 8, become one.

/** bits needed for numbers up to `max` */
export function bitWidth(max: u32): u32 {
  return 32 - <u32>clz(max)
}

/**
 * Numbers of a run that is packed at most. Readers unpack 32 at a time from where a run begins: in one that is cut somewhere by
 * the batches that a reader wants, DuckDB goes on number by number to its end, which took half as long again.
 */
const MOST_PACKED: usize = 256

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

/**
 * Encode numbers of `T`, u32 or u8. Up to 16 bytes behind the end may be written.
 * @param width bits of each
 * @returns end of what was written
 */
export function encodeRuns<T>(from: usize, count: u32, width: u32, to: usize): usize {
  const end = from + <usize>count * sizeof<T>()
  const runBytes: u32 = (width + 7) >> 3
  const least = max<usize>(probeBytes<T>(), shortestRun(width) * sizeof<T>())
  let out = to
  let at = from
  let packedFrom = from
  while (at + least <= end) {
    const value = load<T>(at)
    if (!isProbeOf<T>(at, value)) {
      at += 8 * sizeof<T>()
      continue
    }
    let runEnd = at + probeBytes<T>()
    while (runEnd + probeBytes<T>() <= end && isProbeOf<T>(runEnd, value)) runEnd += probeBytes<T>()
    while (runEnd < end && load<T>(runEnd) === value) runEnd += sizeof<T>()
    if (runEnd - at < least) {
      at += 8 * sizeof<T>()
      continue
    }
    out = packRuns<T>(packedFrom, at, width, out)
    out = writeVarint(out, (<u32>((runEnd - at) / sizeof<T>())) << 1)
    for (let i: u32 = 0; i < runBytes; i++) store<u8>(out++, <u32>value >> (8 * i))
    at = runEnd
    packedFrom = at
  }
  return packRuns<T>(packedFrom, end, width, out)
}

/** Bytes compared to see whether a run begins: four indices or eight levels. */
function probeBytes<T>(): usize {
  return sizeof<T>() === 4 ? 16 : 8
}

/** whether all numbers that are probed at a place are `value` */
function isProbeOf<T>(at: usize, value: T): bool {
  if (sizeof<T>() === 4) return i32x4.all_true(i32x4.eq(v128.load(at), i32x4.splat(<i32>value)))
  return load<u64>(at) === <u64>value * 0x0101010101010101
}

/** Pack numbers as runs. @returns end of what was written */
function packRuns<T>(from: usize, end: usize, width: u32, to: usize): usize {
  const most = MOST_PACKED * sizeof<T>()
  let out = to
  for (let at = from; at < end; at += most) out = pack<T>(at, min(end, at + most), width, out)
  return out
}

function pack<T>(from: usize, end: usize, width: u32, to: usize): usize {
  const groups = <u32>((end - from + 8 * sizeof<T>() - 1) / (8 * sizeof<T>()))
  let out = writeVarint(to, (groups << 1) | 1)
  const outEnd = out + <usize>groups * <usize>width
  const wide = <u64>width
  let at = from
  if (width <= 16) {
    for (; at + 8 * sizeof<T>() <= end; at += 8 * sizeof<T>(), out += <usize>width) {
      const low = packFour<T>(at, wide)
      const high = packFour<T>(at + 4 * sizeof<T>(), wide)
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
  for (; at < end; at += sizeof<T>()) {
    held |= (<u64>load<T>(at)) << bits
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
function packFour<T>(at: usize, width: u64): u64 {
  const low = <u64>load<T>(at) | ((<u64>load<T>(at, sizeof<T>())) << width)
  const high = <u64>load<T>(at, 2 * sizeof<T>()) | ((<u64>load<T>(at, 3 * sizeof<T>())) << width)
  return low | (high << (width * 2))
}
