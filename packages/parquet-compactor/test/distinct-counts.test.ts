import { expect, test } from 'vitest'
import { type MergeOptions, memorySink, memorySource, mergeParquet } from '../src/index.ts'
import { metadataOf, writeWithDuckDB } from './engines.ts'

const distinctOf = (file: Uint8Array) =>
  metadataOf(file).row_groups.map(({ columns }) => columns[0]!.meta_data!.statistics?.distinct_count)

async function merge(inputs: Uint8Array[], options: MergeOptions): Promise<Uint8Array> {
  const sink = memorySink()
  const sources = inputs.map((bytes, i) => memorySource(`${i}`, bytes))
  await mergeParquet(sources, sink, options)
  return sink.bytes()
}

test.each([
  ['pages that pass as they are', { minPageBytes: 0 }],
  ['pages that are joined', { minPageBytes: 2 ** 24 }],
  ['pages that are checked', { pages: 'check' }],
  ['pages that are rewritten', { pages: 'rewrite' }],
  ['rows that are sorted', { sortBy: [{ column: 'v' }] }],
] as [string, MergeOptions][])('the distinct values of one chunk are not those of several: %s', async (_, options) => {
  const [first, second] = await Promise.all(
    [0, 5].map((from) => writeWithDuckDB(`select 'v' || (i % 10 + ${from}) as v from range(1000) t(i)`)),
  )
  expect([distinctOf(first!), distinctOf(second!)]).toEqual([[10n], [10n]])
  // 15 of them; a merge that does not count says nothing
  for (const count of distinctOf(await merge([first!, second!], options))) expect([undefined, 15n]).toContain(count)
})

test('the distinct values of a chunk that stays alone are its own', async () => {
  const file = await writeWithDuckDB("select 'v' || (i % 10) as v from range(1000) t(i)")
  expect(distinctOf(await merge([file], {}))).toEqual([10n])
})
