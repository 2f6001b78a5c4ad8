import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { KeyColumn } from '../src/sort/keys/key-column.ts'
import { sortRows } from '../src/sort/rank/sort-rows.ts'

interface Key {
  words: number[][]
  nulls: boolean[] | undefined
  areNullsFirst: boolean
}

/** as a key is when it is finished: nulls have the word 0 */
function columnOf({ words, nulls, areNullsFirst }: Key): KeyColumn {
  const finished = {
    rows: words[0]!.length,
    words: words.map((own) => Uint32Array.from(own, (word, row) => (nulls?.[row] ? 0 : word))),
    nulls: nulls && Uint8Array.from(nulls, Number),
    key: { areNullsFirst },
  }
  return finished as unknown as KeyColumn
}

function compare(keys: readonly Key[], a: number, b: number): number {
  for (const { words, nulls, areNullsFirst } of keys) {
    const [left, right] = [nulls?.[a] ?? false, nulls?.[b] ?? false]
    if (left !== right) return left === areNullsFirst ? -1 : 1
    if (left) continue
    for (const own of words) if (own[a] !== own[b]) return own[a]! - own[b]!
  }
  return 0
}

/** few values, all of them, or some that only differ in a few bits anywhere */
const word = fc.oneof(
  fc.integer({ min: 0, max: 3 }),
  fc.nat(0xffffffff),
  fc.integer({ min: 0, max: 40 }).map((bit) => (0x80000000 + 2 ** (bit % 32)) >>> 0),
  fc.constantFrom(0, 0xffffffff, 0x80000000),
)

test('rows are sorted by all words of all keys, equal ones as they came, whichever rows are given', () => {
  const given = fc.integer({ min: 0, max: 300 }).chain((rows) => {
    const key = fc.record({
      words: fc.array(fc.array(word, { minLength: rows, maxLength: rows }), { minLength: 1, maxLength: 3 }),
      nulls: fc.option(fc.array(fc.boolean(), { minLength: rows, maxLength: rows }), { nil: undefined }),
      areNullsFirst: fc.boolean(),
    })
    return fc.record({
      keys: fc.array(key, { minLength: 1, maxLength: 3 }),
      order: fc.shuffledSubarray(Array.from({ length: rows }, (_, row) => row)),
    })
  })
  fc.assert(
    fc.property(given, ({ keys, order }) => {
      const sorted = sortRows(keys.map(columnOf), Uint32Array.from(order))
      expect([...sorted]).toEqual(order.toSorted((a, b) => compare(keys, a, b)))
    }),
    { numRuns: 500 },
  )
})

test.each([
  ['spread evenly', (i: number) => [Math.imul(i, 2654435761) >>> 0, Math.imul(i, 40503) >>> 0]],
  ['that differ in the last bits alone', (i: number) => [7, (i * 7919) % 1000]],
  ['of which many are equal in the first bits', (i: number) => [i % 5, Math.imul(i, 2654435761) >>> 0]],
  ['that are all equal', () => [1, 2]],
] as const)('many rows with words %s', (_name, wordsOf) => {
  // more than are told apart by two digits
  for (const rows of [10_000, 600_000]) {
    const pairs = Array.from({ length: rows }, (_, row) => wordsOf(row))
    const keys = [{ words: [0, 1].map((at) => pairs.map((pair) => pair[at]!)), nulls: undefined, areNullsFirst: false }]
    const all = Array.from(pairs, (_, row) => row)
    const sorted = sortRows(keys.map(columnOf), Uint32Array.from(all))
    const wanted = Uint32Array.from(all.sort((a, b) => compare(keys, a, b)))
    expect(Buffer.from(sorted.buffer).equals(Buffer.from(wanted.buffer))).toBe(true)
  }
})
