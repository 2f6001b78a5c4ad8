import { expect, test } from 'vitest'
import type { Piece } from '../src/sort/keys/value-piece.ts'
import { runsToMerge } from '../src/sort/runs/gather-by-runs.ts'
import { countReads, rowsOfParts } from '../src/sort/runs/plan-runs.ts'

/** pieces of 100 rows and as many bytes, with keys of one byte from `low` to `high` */
function piecesOf(bounds: readonly (readonly [low: number, high: number])[]) {
  return {
    pieces: bounds.map(() => ({ rows: 100, bytes: 100 }) as Piece),
    ranges: bounds.map(([low, high]) => ({ low: Uint8Array.of(low), high: Uint8Array.of(high) })),
  }
}
const reads = (bounds: readonly (readonly [number, number])[], rowsAtATime: number) => {
  const { pieces, ranges } = piecesOf(bounds)
  return countReads(pieces, ranges, rowsAtATime)
}
const many = <Value>(count: number, value: (i: number) => Value) => Array.from({ length: count }, (_, i) => value(i))

test('pieces that all overlap are read for each group of rows', () => {
  expect(
    reads(
      many(20, () => [0, 9]),
      200,
    ),
  ).toBeCloseTo(11, 1)
  expect(
    reads(
      many(20, () => [0, 9]),
      2000,
    ),
  ).toBeCloseTo(2, 1)
})

test('pieces that overlap with their neighbours are read about as often as these have groups', () => {
  expect(
    reads(
      many(100, (i) => [i, i + 1]),
      1000,
    ),
  ).toBeLessThan(1.5)
  expect(
    reads(
      many(100, (i) => [i, i + 1]),
      100,
    ),
  ).toBeLessThan(4.1)
  expect(
    reads(
      many(100, (i) => [i * 2, i * 2 + 1]),
      50,
    ),
  ).toBeCloseTo(3, 1)
})

test('a piece of few rows is not read more often than it has rows', () => {
  expect(
    reads(
      many(1000, () => [0, 9]),
      10,
    ),
  ).toBe(100)
})

test('parts of equal size make up a group', () => {
  expect([rowsOfParts(1000, 2000), rowsOfParts(1000, 600), rowsOfParts(1000, 333), rowsOfParts(16, 0.5)]).toEqual([
    1000, 500, 250, 1,
  ])
})

test('as few runs are merged as leave the wanted number, and all of them where one pass does not suffice', () => {
  const sizes = (count: number, most: number) => runsToMerge(count, most).map(({ from, to }) => to - from)
  expect(sizes(21, 20)).toEqual([2, ...many(19, () => 1)])
  expect(sizes(39, 20)).toEqual([20, ...many(19, () => 1)])
  expect(sizes(40, 20)).toEqual([20, 2, ...many(18, () => 1)])
  expect(sizes(400, 20)).toEqual(many(20, () => 20))
  expect(sizes(500, 20)).toEqual(many(25, () => 20))
  expect(sizes(5, 2)).toEqual([2, 2, 1])
  const all = runsToMerge(37, 5)
  expect(all.map(({ from }) => from)).toEqual([0, ...all.slice(0, -1).map(({ to }) => to)])
  expect(all.at(-1)!.to).toBe(37)
})
