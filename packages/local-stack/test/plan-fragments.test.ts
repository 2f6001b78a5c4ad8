import { expect, test } from 'vitest'
import { type Partition, type PlannedUpload, planBundles, planSingleUploads } from '../src/demo/plan-fragments.ts'
import { offsetsOf } from '../src/demo/upload-all.ts'
import { SeededRandom } from '../src/support/seeded-random.ts'

function partitionsOf(rows: number[]): Partition[] {
  let firstRow = 0
  return rows.map((count, i) => {
    const partition = { datasetId: 'd', table: `t${i}`, periodTag: '0', firstRow, rows: count }
    firstRow += count
    return partition
  })
}

/** Rows covered by fragments, in order; a gap or an overlap shows. */
function coverage(uploads: PlannedUpload[]): [number, number][] {
  return uploads
    .flatMap(({ fragments }) => fragments)
    .filter(({ rows }) => rows > 0)
    .sort((a, b) => a.firstRow - b.firstRow)
    .map(({ firstRow, rows }) => [firstRow, firstRow + rows])
}

const isWhole = (ranges: [number, number][], rows: number) =>
  ranges[0]![0] === 0 && ranges.at(-1)![1] === rows && ranges.slice(1).every(([from], i) => from === ranges[i]![1])

test.each([1, 2, 3, 99])('with seed %i every row of the source lies in exactly one file', (seed) => {
  const partitions = partitionsOf([1, 2, 70_000, 50, 30_000])
  expect(isWhole(coverage(planSingleUploads(partitions, new SeededRandom(seed))), 100_053)).toBe(true)
  expect(isWhole(coverage(planBundles(partitions, 10, new SeededRandom(seed))), 100_053)).toBe(true)
})

test('a fragment never reaches over its partition', () => {
  for (const { fragments } of planSingleUploads(partitionsOf([10, 20_000, 7]), new SeededRandom(5)))
    for (const { partition, firstRow, rows } of fragments) {
      expect(firstRow).toBeGreaterThanOrEqual(partition.firstRow)
      expect(firstRow + rows).toBeLessThanOrEqual(partition.firstRow + partition.rows)
    }
})

test('some files are empty, and sizes differ', () => {
  const sizes = planSingleUploads(partitionsOf([300_000]), new SeededRandom(1)).map(
    ({ fragments }) => fragments[0]!.rows,
  )
  expect(sizes).toContain(0)
  expect(new Set(sizes).size).toBeGreaterThan(sizes.length / 2)
})

test('a bundle holds 2 to 33 tables, each at most once, some without rows', () => {
  const bundles = planBundles(partitionsOf(Array.from({ length: 33 }, () => 5000)), 20, new SeededRandom(1))
  expect(bundles).toHaveLength(20)
  for (const { fragments } of bundles) {
    expect(fragments.length).toBeGreaterThanOrEqual(2)
    expect(new Set(fragments.map(({ partition }) => partition.table)).size).toBe(fragments.length)
  }
  expect(bundles.at(-1)!.fragments).toHaveLength(33)
  expect(bundles.flatMap(({ fragments }) => fragments).some(({ rows }) => rows === 0)).toBe(true)
})

test('the same seed gives the same plan', () => {
  const plan = () => planSingleUploads(partitionsOf([90_000, 40_000]), new SeededRandom(42))
  expect(plan()).toEqual(plan())
})

test('table offsets lie end to end', () => {
  const [partition] = partitionsOf([9])
  const fragments = [100, 7, 50].map((bytes) => ({
    partition: partition!,
    firstRow: 0,
    rows: 3,
    compression: 'zstd' as const,
    rowGroupRows: 2048,
    path: '',
    bytes,
    sha256: '',
  }))
  expect(offsetsOf({ fragments }).map((offset) => [offset.start_byte, offset.byte_length])).toEqual([
    [0, 100],
    [100, 7],
    [107, 50],
  ])
})
