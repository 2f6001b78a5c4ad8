import { describe, expect, test } from 'vitest'
import { randomFrom } from '../../fuzz/random.ts'
import { decodeDelta } from '../../src/format/delta.ts'

interface Layout {
  /** values of a block, and miniblocks that it is cut into */
  block: number
  miniblocks: number
}

const LAYOUTS: Layout[] = [
  { block: 128, miniblocks: 4 },
  { block: 64, miniblocks: 8 },
  { block: 8, miniblocks: 1 },
]

function varint(value: bigint): number[] {
  const bytes: number[] = []
  let rest = value
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128)
  return [...bytes, Number(rest)]
}

const zigzag = (value: bigint, bits: number) => BigInt.asUintN(bits, (value << 1n) ^ (value >> BigInt(bits - 1)))

/** Encodings.md, "DELTA_BINARY_PACKED = 5", one value at a time. */
function encodeDelta(values: bigint[], bits: number, { block, miniblocks }: Layout, cutsLast = true): Uint8Array {
  const bytes = [...varint(BigInt(block)), ...varint(BigInt(miniblocks)), ...varint(BigInt(values.length))]
  bytes.push(...varint(zigzag(values[0] ?? 0n, bits)))
  const perMiniblock = block / miniblocks
  const deltas = values.slice(1).map((value, i) => BigInt.asIntN(bits, value - values[i]!))
  for (let at = 0; at < deltas.length; at += block) {
    const here = deltas.slice(at, at + block)
    const least = here.toSorted((a, b) => (a < b ? -1 : 1))[0]!
    bytes.push(...varint(zigzag(least, bits)))
    const over = here.map((delta) => BigInt.asUintN(bits, delta - least))
    const parts = Array.from({ length: miniblocks }, (_, m) => over.slice(m * perMiniblock, (m + 1) * perMiniblock))
    const widths = parts.map((part) =>
      part.reduce((max, delta) => Math.max(max, delta.toString(2).length * +(delta > 0n)), 0),
    )
    bytes.push(...widths)
    for (const [m, part] of parts.entries()) {
      if (part.length === 0) continue
      const held = part.reduce((sum, delta, i) => sum | (delta << BigInt(i * widths[m]!)), 0n)
      const isLast = at + block >= deltas.length && (m + 1) * perMiniblock >= here.length
      const size = Math.ceil(((isLast && cutsLast ? part.length : perMiniblock) * widths[m]!) / 8)
      for (let i = 0; i < size; i++) bytes.push(Number((held >> BigInt(8 * i)) & 255n))
    }
  }
  return Uint8Array.from(bytes)
}

function decode(bytes: Uint8Array, count: number, bits: number): { values: bigint[]; end: number } {
  const around = new Uint8Array(bytes.length + 3)
  around.set(bytes, 3)
  const output = new Uint32Array((count * bits) / 32)
  const end = decodeDelta(around, 3, count, bits / 8, output)
  const values = bits === 32 ? [...new Int32Array(output.buffer)].map(BigInt) : [...new BigInt64Array(output.buffer)]
  return { values, end: end - 3 }
}

describe.each([32, 64])('integers of %i bits', (bits) => {
  const [least, greatest] = [-(2n ** BigInt(bits - 1)), 2n ** BigInt(bits - 1) - 1n]
  const random = randomFrom(bits, 3)
  const any = () =>
    BigInt.asIntN(bits, (BigInt(random(2 ** 31)) << 33n) ^ (BigInt(random(2 ** 31)) << 14n) ^ BigInt(random(2 ** 16)))
  const SHAPES: [name: string, value: (i: number) => bigint][] = [
    ['one value again and again', () => -5n],
    ['steps of one', (i) => BigInt(i)],
    ['steps down', (i) => BigInt(-3 * i)],
    ['any', any],
    ['from end to end', (i) => (i % 2 === 0 ? least : greatest)],
    ['across 2^32', (i) => BigInt.asIntN(bits, 2n ** 32n + BigInt(i % 7) * 1_000_003n - 3_000_000n)],
    ['widths that grow', (i) => BigInt.asIntN(bits, BigInt(i) ** BigInt(1 + (i % 12)))],
  ]

  test.each(SHAPES)('%s', (_, value) => {
    for (const layout of LAYOUTS) {
      for (const count of [0, 1, 2, 8, 9, 33, 128, 129, 300]) {
        const values = Array.from({ length: count }, (_, i) => value(i))
        for (const cutsLast of [true, false]) {
          const bytes = encodeDelta(values, bits, layout, cutsLast)
          expect(decode(bytes, count, bits), `${count} of ${layout.block}`).toEqual({ values, end: bytes.length })
        }
      }
    }
  })

  test('a block that ends early is refused, wherever it is cut', () => {
    const values = Array.from({ length: 40 }, any)
    const bytes = encodeDelta(values, bits, { block: 8, miniblocks: 1 })
    for (let cut = 1; cut < bytes.length; cut++) {
      expect(() => decode(bytes.subarray(0, -cut), 40, bits)).toThrow('delta block ends early')
    }
  })
})

test('values that are left in the block are passed over', () => {
  const bytes = encodeDelta([1n, 2n, 4n, 8n], 32, { block: 8, miniblocks: 1 })
  expect(decode(bytes, 2, 32).values).toEqual([1n, 2n])
})

describe('a block is refused', () => {
  const head = (block: number, miniblocks: number, count: number) =>
    Uint8Array.from([...varint(BigInt(block)), ...varint(BigInt(miniblocks)), ...varint(BigInt(count)), 0, 0, 0, 0, 0])

  test('of fewer values than its page', () => {
    expect(decode(head(8, 1, 1), 1, 32).values).toEqual([0n])
    expect(() => decode(head(8, 1, 1), 2, 32)).toThrow('delta block of 1 values, 2 expected')
    const many = Uint8Array.from([8, 1, ...varint(2n ** 32n), 0])
    expect(() => decode(many, 1, 32)).toThrow('delta block of 0 values')
  })

  test.each([
    [0, 1],
    [8, 0],
    [8, 3],
    [16, 4],
    [24, 2],
  ])('of %i values in %i miniblocks, which are no multiples of eight', (block, miniblocks) => {
    expect(() => decode(head(block, miniblocks, 1), 1, 32)).toThrow('delta block with wrong sizes')
  })

  test('whose deltas are wider than 64 bits', () => {
    const wide = (bits: number) => Uint8Array.from([8, 1, 2, 0, 0, bits, ...Array.from({ length: 65 }, () => 0)])
    expect(decode(wide(64), 2, 64).values).toEqual([0n, 0n])
    expect(() => decode(wide(65), 2, 64)).toThrow('delta wider than 64 bits')
  })

  test('whose numbers take more than ten bytes', () => {
    const long = (bytes: number) => Uint8Array.from([8, 1, 1, ...Array.from({ length: bytes - 1 }, () => 0x80), 0])
    expect(decode(long(10), 1, 64).values).toEqual([0n])
    expect(() => decode(long(11), 1, 64)).toThrow('delta block ends early')
  })
})
