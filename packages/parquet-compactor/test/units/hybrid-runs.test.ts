import { describe, expect, test } from 'vitest'
import { randomFrom } from '../../fuzz/random.ts'
import { ByteBuffer } from '../../src/format/byte-buffer.ts'
import { bitsAt, decodeBitPacked, decodeHybridRuns, encodeHybridRuns, isOneRun } from '../../src/format/hybrid-runs.ts'

const WIDTHS = [1, 2, 3, 5, 7, 8, 9, 12, 16, 17, 23, 24, 25, 31, 32]
const largest = (width: number) => 2 ** width - 1

function encode(values: Uint32Array, width: number): Uint8Array {
  const out = new ByteBuffer(1)
  encodeHybridRuns(values, width, out)
  return out.take()
}

/** Decoded from the middle of a buffer whose other bytes are all ones. */
function decode(bytes: Uint8Array, width: number, count: number): Uint32Array {
  const around = new Uint8Array(bytes.length + 6).fill(255)
  around.set(bytes, 3)
  const values = new Uint32Array(count).fill(123)
  decodeHybridRuns(around, 3, 3 + bytes.length, width, values)
  return values
}

describe.each(WIDTHS)('numbers of %i bits', (width) => {
  const random = randomFrom(width, 7)
  const any = () => (width === 32 ? (random(2 ** 31) * 2 + random(2)) >>> 0 : random(2 ** Math.min(width, 31)))

  test.each([1, 7, 8, 9, 15, 16, 255, 256, 257, 600])('%i that differ', (count) => {
    const values = Uint32Array.from({ length: count }, (_, i) => (i % 5 === 0 ? largest(width) : any()))
    expect(decode(encode(values, width), width, count)).toEqual(values)
  })

  test('runs before, between and behind others, of seven, eight and more', () => {
    const values = [7, 8, 9, 100].flatMap((run) => [
      ...Array.from({ length: 3 }, any),
      ...Array.from({ length: run }, () => largest(width)),
      ...Array.from({ length: run }, () => 0),
    ])
    const all = Uint32Array.from(values)
    expect(decode(encode(all, width), width, all.length)).toEqual(all)
  })

  test('a run is a count and one value', () => {
    const bytes = encode(new Uint32Array(300).fill(largest(width)), width)
    expect(bytes).toHaveLength(2 + Math.ceil(width / 8))
    expect([bytes[0], bytes[1]]).toEqual([0xd8, 0x04])
  })

  test('fewer bytes than the numbers need are refused, bytes of a last run that nobody needs may lack', () => {
    const values = Uint32Array.from({ length: 16 }, (_, i) => (i % 2 === 0 ? 0 : largest(width)))
    const bytes = encode(values, width)
    expect(bytes).toHaveLength(1 + 2 * width)
    expect(() => decode(bytes.subarray(0, -1), width, 16)).toThrow('runs end early')
    const wanted = 9
    const needed = 1 + Math.ceil((wanted * width) / 8)
    expect(decode(bytes.subarray(0, needed), width, wanted)).toEqual(values.subarray(0, wanted))
    expect(() => decode(bytes.subarray(0, needed - 1), width, wanted)).toThrow('runs end early')
  })

  test('a run whose value is cut off is refused', () => {
    const bytes = encode(new Uint32Array(8).fill(largest(width)), width)
    expect(() => decode(bytes.subarray(0, -1), width, 8)).toThrow('runs end early')
  })

  test('bits are read from any place', () => {
    const bytes = Uint8Array.from({ length: 12 }, (_, i) => i * 37 + 11)
    const whole = bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n)
    for (let bit = 0; bit < 40; bit++) {
      expect(bitsAt(bytes, 0, bit, width)).toBe(Number((whole >> BigInt(bit)) & BigInt(largest(width))))
      expect(bitsAt(bytes, 1, bit, width)).toBe(Number((whole >> BigInt(bit + 8)) & BigInt(largest(width))))
    }
  })
})

describe('runs', () => {
  test('of no bits are all zero, and take a header alone', () => {
    expect(decode(Uint8Array.of(20), 0, 10)).toEqual(new Uint32Array(10))
    expect(decode(Uint8Array.of(5), 0, 16)).toEqual(new Uint32Array(16))
  })

  test('go on behind one another until all is full, and no further', () => {
    expect([...decode(Uint8Array.of(4, 7, 6, 9, 200), 4, 5)]).toEqual([7, 7, 9, 9, 9])
    expect([...decode(Uint8Array.of(40, 7), 4, 3)]).toEqual([7, 7, 7])
    // eight packed numbers of which three are wanted, then nothing is read
    expect([...decode(Uint8Array.of(3, 0x21, 0x43, 0x65, 0x87), 4, 3)]).toEqual([1, 2, 3])
    expect([...decode(Uint8Array.of(3, 0x21, 0x43, 0x65, 0x87, 4, 9), 4, 10)]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 9])
  })

  test('of a value wider than its bits are refused', () => {
    expect([...decode(Uint8Array.of(4, 15), 4, 2)]).toEqual([15, 15])
    expect(() => decode(Uint8Array.of(4, 16), 4, 2)).toThrow('run of a value too wide')
    expect([...decode(Uint8Array.of(4, 0xff, 0x01), 9, 2)]).toEqual([511, 511])
    expect(() => decode(Uint8Array.of(4, 0x00, 0x02), 9, 2)).toThrow('run of a value too wide')
  })

  test('hold at least one value each', () => {
    for (const header of [0, 1]) {
      expect(() => decode(Uint8Array.of(header, 1, 4, 1), 1, 2)).toThrow('run of no values')
      expect([...decode(Uint8Array.of(4, 1, header), 1, 2)]).toEqual([1, 1])
    }
  })

  test('have headers of five bytes at the most', () => {
    expect([...decode(Uint8Array.of(0x84, 0x80, 0x80, 0x80, 0x00, 1), 1, 2)]).toEqual([1, 1])
    expect(() => decode(Uint8Array.of(0x84, 0x80, 0x80, 0x80, 0x80, 0x00, 1), 1, 2)).toThrow('runs end early')
    expect(() => decode(Uint8Array.of(0x84), 1, 2)).toThrow('runs end early')
    expect([...decode(Uint8Array.of(0xfe, 0xff, 0xff, 0xff, 0x0f, 1), 1, 3)]).toEqual([1, 1, 1])
  })

  test('no run of eight is packed with others, and a run of seven is', () => {
    const packed = encode(Uint32Array.of(1, 0, 1, 1, 1, 1, 1, 1), 1)
    expect([...packed]).toEqual([3, 0b11111101])
    expect([...encode(new Uint32Array(8).fill(1), 1)]).toEqual([16, 1])
  })

  test('that are packed hold 256 numbers at the most', () => {
    const values = Uint32Array.from({ length: 264 }, (_, i) => i % 2)
    const bytes = encode(values, 1)
    // 32 groups of eight behind one header, and one group behind another
    expect([bytes.length, bytes[0], bytes[33], bytes[34]]).toEqual([35, 65, 3, 0xaa])
    expect(decode(bytes, 1, 264)).toEqual(values)
  })
})

describe('whether all levels are one run', () => {
  const one =
    (...bytes: number[]) =>
    (count: number, value: number) =>
      isOneRun(Uint8Array.of(255, ...bytes, 255), 1, 1 + bytes.length, count, value)

  test('of as many or more of the value', () => {
    expect([one(10, 1)(4, 1), one(10, 1)(5, 1), one(10, 1)(6, 1), one(10, 1)(5, 0)]).toEqual([true, true, false, false])
    expect([one(0x90, 0x03, 1)(200, 1), one(0x90, 0x03, 1)(201, 1)]).toEqual([true, false])
  })

  test('and not packed, cut off or endless', () => {
    expect([one(3, 255)(1, 255), one(10)(5, 255), one(0x90)(1, 0), one()(1, 0)]).toEqual([false, false, false, false])
    const endless = one(0x8a, 0x80, 0x80, 0x80, 0x80, 0x00, 1)
    expect([one(0x8a, 0x80, 0x80, 0x80, 0x00, 1)(5, 1), endless(5, 1)]).toEqual([true, false])
  })
})

test('bit-packed levels of the first writers have their most significant bit first', () => {
  // 0 to 7 in three bits each, as Encodings.md gives them
  const bytes = Uint8Array.of(255, 0b00000101, 0b00111001, 0b01110111, 255)
  const levels = new Uint8Array(8)
  expect(decodeBitPacked(bytes, 1, 4, 3, levels)).toBe(3)
  expect([...levels]).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
  expect(() => decodeBitPacked(bytes, 1, 3, 3, levels)).toThrow('bit-packed levels end early')
  const five = new Uint8Array(5)
  expect(decodeBitPacked(bytes, 1, 3, 3, five)).toBe(2)
  expect([...five]).toEqual([0, 1, 2, 3, 4])
  const one = new Uint8Array(3)
  expect(decodeBitPacked(Uint8Array.of(0b10100000), 0, 1, 1, one)).toBe(1)
  expect([...one]).toEqual([1, 0, 1])
})
