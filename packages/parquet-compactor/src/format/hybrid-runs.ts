import type { ByteBuffer } from './byte-buffer.ts'
import { corrupt } from './page-header.ts'

/** bits needed for numbers up to `max` */
export function bitWidth(max: number): number {
  return 32 - Math.clz32(max)
}

/**
 * Decode the RLE / bit-packing hybrid (parquet-format, Encodings.md, "RLE = 3") until `output` is full.
 * @param width bits of a number, 0 to 32
 */
export function decodeHybridRuns(
  bytes: Uint8Array,
  offset: number,
  end: number,
  width: number,
  output: Uint8Array | Uint32Array,
): void {
  const runBytes = (width + 7) >> 3
  const mask = width === 32 ? 0xffffffff : 2 ** width - 1
  let at = offset
  let filled = 0
  while (filled < output.length) {
    let header = 0
    for (let shift = 0; ; shift += 7) {
      if (at >= end || shift > 28) corrupt('runs end early')
      const byte = bytes[at++]!
      header += (byte & 127) * 2 ** shift
      if (byte < 128) break
    }
    const count = Math.floor(header / 2)
    // readers take such a run for the end of all, or fail
    if (count === 0) corrupt('run of no values')
    if (header % 2 === 0) {
      if (at + runBytes > end) corrupt('runs end early')
      let value = 0
      for (let i = 0; i < runBytes; i++) value += bytes[at++]! * 2 ** (8 * i)
      if (value > mask) corrupt('run of a value too wide')
      const to = Math.min(output.length, filled + count)
      output.fill(value, filled, to)
      filled = to
      continue
    }
    const wanted = Math.min(count * 8, output.length - filled)
    // a last run may be cut short: only the bytes of wanted values must be there
    const needed = Math.ceil((wanted * width) / 8)
    if (at + needed > end) corrupt('runs end early')
    unpack(bytes, at, width, output, filled, wanted)
    filled += wanted
    at = Math.min(end, at + count * width)
  }
}

/** whether the first run holds `count` numbers of a value below 256 */
export function isOneRun(bytes: Uint8Array, offset: number, end: number, count: number, value: number): boolean {
  let header = 0
  let at = offset
  for (let shift = 0; shift <= 28; shift += 7) {
    if (at >= end) return false
    const byte = bytes[at++]!
    header += (byte & 127) * 2 ** shift
    if (byte < 128) return header % 2 === 0 && header / 2 >= count && at < end && bytes[at] === value
  }
  return false
}

function unpack(
  bytes: Uint8Array,
  offset: number,
  width: number,
  output: Uint8Array | Uint32Array,
  from: number,
  count: number,
): void {
  if (width === 0) {
    output.fill(0, from, from + count)
    return
  }
  const to = from + count
  let at = offset
  if (width === 8) {
    for (let i = from; i < to; i++) output[i] = bytes[at++]!
    return
  }
  if (width <= 24) {
    const mask = (1 << width) - 1
    let held = 0
    let bits = 0
    for (let i = from; i < to; i++) {
      while (bits < width) {
        held |= bytes[at++]! << bits
        bits += 8
      }
      output[i] = held & mask
      held >>>= width
      bits -= width
    }
    return
  }
  let bit = 0
  for (let i = from; i < to; i++) {
    output[i] = bitsAt(bytes, offset, bit, width)
    bit += width
  }
}

/** up to 32 bits, least significant first, beginning at a bit behind `offset` */
export function bitsAt(bytes: Uint8Array, offset: number, bit: number, width: number): number {
  let value = 0
  let at = offset + Math.floor(bit / 8)
  let taken = 0
  let skip = bit % 8
  while (taken < width) {
    const use = Math.min(8 - skip, width - taken)
    value += ((bytes[at++]! >> skip) & ((1 << use) - 1)) * 2 ** taken
    taken += use
    skip = 0
  }
  return value
}

/** The deprecated BIT_PACKED levels of the first writers: no runs, most significant bit first. @returns bytes read */
export function decodeBitPacked(
  bytes: Uint8Array,
  offset: number,
  end: number,
  width: number,
  output: Uint8Array,
): number {
  const needed = Math.ceil((output.length * width) / 8)
  if (offset + needed > end) corrupt('bit-packed levels end early')
  for (let i = 0, bit = 0; i < output.length; i++) {
    let value = 0
    for (let b = 0; b < width; b++, bit++) value = (value << 1) | ((bytes[offset + (bit >> 3)]! >> (7 - (bit & 7))) & 1)
    output[i] = value
  }
  return needed
}

/** Numbers of a packed run at most; kernel/encode-runs.ts says why. */
const MOST_PACKED = 256

/** Encode numbers as RLE / bit-packing hybrid: runs of eight or more as RLE. */
export function encodeHybridRuns(values: Uint8Array | Uint32Array, width: number, out: ByteBuffer): void {
  const total = values.length
  let packedFrom = -1
  let at = 0
  while (at < total) {
    const value = values[at]!
    let run = 1
    while (at + run < total && values[at + run] === value) run++
    if (run >= 8) {
      if (packedFrom >= 0) packRuns(values, packedFrom, at, width, out)
      packedFrom = -1
      out.varint(run * 2)
      for (let left = width, rest = value; left > 0; left -= 8, rest = Math.floor(rest / 256)) out.push(rest % 256)
      at += run
    } else {
      if (packedFrom < 0) packedFrom = at
      at = Math.min(total, at + 8)
    }
  }
  if (packedFrom >= 0) packRuns(values, packedFrom, total, width, out)
}

function packRuns(values: Uint8Array | Uint32Array, from: number, to: number, width: number, out: ByteBuffer): void {
  for (let at = from; at < to; at += MOST_PACKED) pack(values, at, Math.min(to, at + MOST_PACKED), width, out)
}

function pack(values: Uint8Array | Uint32Array, from: number, to: number, width: number, out: ByteBuffer): void {
  const groups = Math.ceil((to - from) / 8)
  out.varint(groups * 2 + 1)
  out.reserve(groups * width + 8)
  const { bytes } = out
  let at = out.length
  const end = at + groups * width
  let held = 0
  let bits = 0
  if (width <= 24) {
    for (let i = from; i < to; i++) {
      held |= values[i]! << bits
      bits += width
      while (bits >= 8) {
        bytes[at++] = held
        held >>>= 8
        bits -= 8
      }
    }
  } else {
    for (let i = from; i < to; i++) {
      let rest = values[i]!
      let left = width
      while (left > 0) {
        const use = Math.min(left, 8 - bits)
        held |= (rest & ((1 << use) - 1)) << bits
        rest >>>= use
        left -= use
        bits += use
        if (bits === 8) {
          bytes[at++] = held
          held = 0
          bits = 0
        }
      }
    }
  }
  if (bits > 0) bytes[at++] = held
  bytes.fill(0, at, end)
  out.length = end
}
