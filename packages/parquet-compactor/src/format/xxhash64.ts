/**
 * xxHash64 with seed 0, as bloom filters of Parquet use it (BloomFilter.md). In halves of 32 bits, since BigInt is some
 * twenty times slower; the WASM builds on npm compile themselves while running, which workerd does not allow in a request.
 */

const P1_HIGH = 0x9e3779b1
const P1_LOW = 0x85ebca87
const P2_HIGH = 0xc2b2ae3d
const P2_LOW = 0x27d4eb4f
const P3_HIGH = 0x165667b1
const P3_LOW = 0x9e3779f9
const P4_HIGH = 0x85ebca77
const P4_LOW = 0xc2b2ae63
const P5_HIGH = 0x27d4eb2f
const P5_LOW = 0x165667c5

// the number in hand, to return two halves without an object
let high = 0
let low = 0

function set(h: number, l: number): void {
  high = h | 0
  low = l | 0
}

function add(h: number, l: number): void {
  const sum = (low >>> 0) + (l >>> 0)
  high = (high + h + (sum > 0xffffffff ? 1 : 0)) | 0
  low = sum | 0
}

function xor(h: number, l: number): void {
  high ^= h
  low ^= l
}

function multiply(h: number, l: number): void {
  const [a, b] = [low & 0xffff, low >>> 16]
  const [c, d] = [l & 0xffff, l >>> 16]
  const first = b * c + ((a * c) >>> 16)
  const second = a * d + (first & 0xffff)
  const carried = b * d + (first >>> 16) + (second >>> 16)
  high = (carried + Math.imul(high, l) + Math.imul(low, h)) | 0
  low = Math.imul(low, l)
}

/** @param bits below 32 */
function rotate(bits: number): void {
  const h = (high << bits) | (low >>> (32 - bits))
  low = (low << bits) | (high >>> (32 - bits))
  high = h
}

/** xor with itself shifted right by `bits`, which are below 32 */
function shiftXor(bits: number): void {
  low ^= (low >>> bits) | (high << (32 - bits))
  high ^= high >>> bits
}

/** Mixes 8 bytes of the input into the accumulator, which is the current number. */
function round(h: number, l: number): void {
  const [accumulatorHigh, accumulatorLow] = [high, low]
  set(h, l)
  multiply(P2_HIGH, P2_LOW)
  add(accumulatorHigh, accumulatorLow)
  rotate(31)
  multiply(P1_HIGH, P1_LOW)
}

function mergeRound(h: number, l: number): void {
  const [accumulatorHigh, accumulatorLow] = [high, low]
  set(0, 0)
  round(h, l)
  xor(accumulatorHigh, accumulatorLow)
  multiply(P1_HIGH, P1_LOW)
  add(P4_HIGH, P4_LOW)
}

function int32(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
}

/** the four accumulators of inputs of 32 bytes and more: high, low, high, low, … */
const lanes = new Int32Array(8)

function hashStripes(bytes: Uint8Array, start: number, end: number): number {
  set(P1_HIGH, P1_LOW)
  add(P2_HIGH, P2_LOW)
  lanes[0] = high
  lanes[1] = low
  lanes[2] = P2_HIGH
  lanes[3] = P2_LOW
  lanes[4] = 0
  lanes[5] = 0
  // 0 minus the first prime
  lanes[6] = ~P1_HIGH
  lanes[7] = -P1_LOW
  let at = start
  for (; at + 32 <= end; at += 32) {
    for (let lane = 0; lane < 8; lane += 2) {
      set(lanes[lane]!, lanes[lane + 1]!)
      const from = at + lane * 4
      round(int32(bytes, from + 4), int32(bytes, from))
      lanes[lane] = high
      lanes[lane + 1] = low
    }
  }
  let [sumHigh, sumLow] = [0, 0]
  for (let lane = 0; lane < 4; lane++) {
    set(lanes[lane * 2]!, lanes[lane * 2 + 1]!)
    rotate([1, 7, 12, 18][lane]!)
    add(sumHigh, sumLow)
    sumHigh = high
    sumLow = low
  }
  for (let lane = 0; lane < 8; lane += 2) mergeRound(lanes[lane]!, lanes[lane + 1]!)
  return at
}

/**
 * Hash a range of bytes.
 * @param into receives the upper and the lower half
 */
export function xxhash64(bytes: Uint8Array, start: number, end: number, into: Uint32Array, index: number): void {
  let at = start
  if (end - start >= 32) at = hashStripes(bytes, start, end)
  else set(P5_HIGH, P5_LOW)
  const length = end - start
  add(Math.floor(length / 0x100000000), length)
  for (; at + 8 <= end; at += 8) {
    const [h, l] = [high, low]
    set(0, 0)
    round(int32(bytes, at + 4), int32(bytes, at))
    xor(h, l)
    rotate(27)
    multiply(P1_HIGH, P1_LOW)
    add(P4_HIGH, P4_LOW)
  }
  if (at + 4 <= end) {
    const [h, l] = [high, low]
    set(0, int32(bytes, at))
    multiply(P1_HIGH, P1_LOW)
    xor(h, l)
    rotate(23)
    multiply(P2_HIGH, P2_LOW)
    add(P3_HIGH, P3_LOW)
    at += 4
  }
  for (; at < end; at++) {
    const [h, l] = [high, low]
    set(0, bytes[at]!)
    multiply(P5_HIGH, P5_LOW)
    xor(h, l)
    rotate(11)
    multiply(P1_HIGH, P1_LOW)
  }
  // by 33 is the upper half by 1
  low ^= high >>> 1
  multiply(P2_HIGH, P2_LOW)
  shiftXor(29)
  multiply(P3_HIGH, P3_LOW)
  low ^= high
  into[index] = high
  into[index + 1] = low
}
