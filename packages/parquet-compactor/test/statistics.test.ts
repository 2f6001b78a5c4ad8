import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BoundOrder } from '../src/footer/bound-order.ts'
import { BoundsMerge } from '../src/footer/merge-bounds.ts'
import { Statistics } from '../src/footer/statistics.ts'
import { PHYSICAL } from '../src/format/format.ts'
import { type MergeOptions, memorySink, memorySource, mergeParquet } from '../src/index.ts'
import { loadFooter } from '../src/read/inspect.ts'
import type { LeafColumn } from '../src/schema/schema.ts'
import { metadataOf, query, store, writeWithDuckDB } from './engines.ts'

function leafOf(physical: number, width: number, isUnsigned = false): LeafColumn {
  return {
    name: 'v',
    path: [],
    encodedPath: new Uint8Array(),
    physical,
    width,
    maxDefinition: 0,
    maxRepetition: 0,
    repeatedFrom: [],
    convertedType: undefined,
    logicalType: undefined,
    isUnsigned,
  }
}

/** Numbers around each place where a half, a sign or a byte ends. */
const EDGES = [
  0n,
  1n,
  2n ** 7n,
  2n ** 31n,
  2n ** 32n,
  2n ** 33n,
  2n ** 52n,
  2n ** 53n,
  2n ** 62n,
  2n ** 63n,
  2n ** 64n,
].flatMap((edge) => [edge - 1n, edge, edge + 1n, -edge - 1n, -edge, 3n * edge])
const inRange = (isUnsigned: boolean) =>
  EDGES.filter((n) => (isUnsigned ? n >= 0n && n < 2n ** 64n : n >= -(2n ** 63n) && n < 2n ** 63n))

function encode(values: readonly bigint[]): Uint8Array {
  return new Uint8Array(BigUint64Array.from(values, (value) => BigInt.asUintN(64, value)).buffer)
}

const decode = (bytes: Uint8Array, isUnsigned: boolean) => {
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  return isUnsigned ? view.getBigUint64(0, true) : view.getBigInt64(0, true)
}

const leastOf = (values: readonly bigint[]) => [...values].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))[0]!
const greatestOf = (values: readonly bigint[]) => -leastOf(values.map((value) => -value))

describe.each([
  ['signed', false],
  ['unsigned', true],
])('64-bit integers, %s', (_, isUnsigned) => {
  const leaf = leafOf(PHYSICAL.INT64, 8, isUnsigned)
  const order = BoundOrder.of(leaf)!
  const edges = inRange(isUnsigned)

  test('are compared by both halves', () => {
    expect(edges.length).toBeGreaterThan(30)
    for (const a of edges) {
      for (const b of edges) {
        const sign = (n: number) => (n < 0 ? -1 : n > 0 ? 1 : 0)
        expect(sign(order.compare(encode([a]), encode([b]))), `${a} ${b}`).toBe(a < b ? -1 : a > b ? 1 : 0)
        const usable = order.usable(encode([a]), encode([b]), true)
        expect(usable !== undefined, `${a} to ${b}`).toBe(a <= b)
      }
    }
  })

  test('have the bounds of all values, in whichever order these come', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...edges), { minLength: 1, maxLength: 6 }), fc.nat(6), (values, cut) => {
        const parts = [values.slice(0, cut), values.slice(cut)].map((part) => {
          const own = new Statistics(leaf)
          own.add({ count: part.length, bytes: encode(part) }, 0, part.length)
          return own
        })
        const all = new Statistics(leaf)
        for (const part of parts) all.include(part)
        const { min, max } = all.bounds()!
        expect([decode(min, isUnsigned), decode(max, isUnsigned)]).toEqual([leastOf(values), greatestOf(values)])
      }),
      { numRuns: 500 },
    )
  })

  const type = isUnsigned ? 'ubigint' : 'bigint'
  const files = (pairs: readonly (readonly bigint[])[]) =>
    Promise.all(
      pairs.map((values) =>
        writeWithDuckDB(`select unnest([${values.map((n) => `${n}::hugeint`)}])::${type} as v, 1::int as one`),
      ),
    )
  const WAYS: MergeOptions[] = [
    {},
    { minPageBytes: 0 },
    { pages: 'check', minPageBytes: 0 },
    { pages: 'rewrite' },
    { sortBy: [{ column: 'v' }] },
    { sortBy: [{ column: 'v', descending: true }] },
    { dedupeBy: ['one', 'v'] },
  ]

  test('have right bounds in the output, and filters find them, whether files ascend or descend', async () => {
    const some = edges.filter((_, i) => i % 3 === 0)
    const pairs = some.map((n, i) => [n, some[(i * 7 + 3) % some.length]!])
    for (const values of [pairs, [...pairs].reverse(), pairs.slice(2, 4), [[2n ** 32n + 1n], [2n ** 33n], [5n]]]) {
      const inputs = await files(values)
      for (const options of WAYS) {
        const sink = memorySink()
        await mergeParquet(
          inputs.map((file, i) => memorySource(`${i}`, file)),
          sink,
          options,
        )
        const { columns } = metadataOf(sink.bytes()).row_groups[0]!
        const { min_value, max_value } = columns[0]!.meta_data!.statistics!
        const what = JSON.stringify(options)
        expect([min_value, max_value], what).toEqual([leastOf(values.flat()), greatestOf(values.flat())])
        const path = store(sink.bytes())
        for (const value of [values[0]![0]!, values.at(-1)!.at(-1)!]) {
          const [[found]] = (await query(`select count(*) from '${path}' where v = (${value})::${type}`)) as [[string]]
          expect(Number(found), `${what} ${value}`).toBeGreaterThan(0)
        }
      }
    }
  })

  test('of chunks are joined alike by both ways to join them', async () => {
    const random = edges.map((n, i) => [n, edges[(i * 11 + 5) % edges.length]!])
    const footers = await Promise.all(
      (await files(random)).map(async (file) => (await loadFooter(memorySource('f', file))).footer),
    )
    const [added, included] = [
      new BoundsMerge(footers[0]!.footer.schema.leaves[0]!),
      new BoundsMerge(footers[0]!.footer.schema.leaves[0]!),
    ]
    for (const { footer } of footers) {
      added.add(footer, 0)
      included.include(footer, 0)
      expect(included.bounds()).toEqual(added.bounds())
    }
    const { min, max } = added.bounds()!
    expect([decode(min, isUnsigned), decode(max, isUnsigned)]).toEqual([
      leastOf(random.flat()),
      greatestOf(random.flat()),
    ])
  })
})
