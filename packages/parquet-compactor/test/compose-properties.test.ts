/** Files of random columns, orders, codecs and layouts, composed: DuckDB reads the union. And footers that are damaged. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkComposed } from '../fuzz/check-composed.ts'
import { mutate, readSeed } from '../fuzz/mutate.ts'
import { randomFrom } from '../fuzz/random.ts'
import { corpusCases } from './corpus/cases.ts'
import { query, readWithArrow, store, writeWithDuckDB } from './engines.ts'
import { bytesOf, compose, expectOwnRanges, placed, queryComposed, readComposed } from './support/composed-file.ts'
import { inVersionTwo } from './support/version-two.ts'

/** `npm run test:long` takes more. */
const RUNS = process.env.FUSOU_TESTS === 'long' ? 300 : 40

/** Columns that files may have; all of them name the number of the row. */
const COLUMNS: Record<string, string> = {
  i: 'i',
  small: '(i % 100)::tinyint',
  text: "'t' || i % 7",
  sparse: 'case when i % 3 > 0 then i * 2 end',
  real: 'case when i % 5 > 0 then i / 3 end',
  flag: 'i % 2 = 0',
  decimal: '(i / 8)::decimal(20, 3)',
  list: 'case i % 4 when 0 then [] when 1 then null else [i, null] end',
  lists: "[[], null, ['x' || i % 3]]",
  struct: "case when i % 6 > 0 then {'a': i, 'b': {'c': 'c' || i % 2}} end",
  structs: "[{'m': i % 5, 'n': [i]}, null]",
}
const names = Object.keys(COLUMNS)

const layout = fc.record({
  files: fc.array(
    fc.record({
      columns: fc.shuffledSubarray(names, { minLength: 1 }),
      rows: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 70 })),
      codec: fc.constantFrom('uncompressed', 'snappy', 'zstd', 'gzip'),
      version: fc.constantFrom('v1', 'v2'),
      rowGroup: fc.constantFrom(2048, 30),
    }),
    { minLength: 1, maxLength: 5 },
  ),
  gap: fc.constantFrom(0, 1, 4096, 2 ** 33),
  first: fc.constantFrom(0, 1000, 2 ** 40),
  tailGap: fc.constantFrom(0, 3, 2 ** 35),
})

test('whatever columns files have, in whatever order and place, the composed file is their union', {
  timeout: 120_000,
}, async () => {
  // as over HTTP, where DuckDB checks more
  await query('set prefetch_all_parquet_files = true')
  await fc.assert(
    fc.asyncProperty(layout, async ({ files, gap, first, tailGap }) => {
      const written = await Promise.all(
        files.map(({ columns, rows, codec, version, rowGroup }, at) => {
          const list = columns.map((name) => `${COLUMNS[name]} as ${name}`).join()
          const options = `compression ${codec}, parquet_version ${version}, row_group_size ${rowGroup}`
          return writeWithDuckDB(`select ${list} from range(${at * 100}, ${at * 100 + rows}) t(i)`, options)
        }),
      )
      const composed = compose(placed(written, gap, first), {}, tailGap)
      await expectOwnRanges(composed)
      const list = written.map((file) => `'${store(file)}'`)
      const union = await query(`select * from read_parquet([${list}], union_by_name = true)`)
      expect(await queryComposed(composed)).toEqual(union)
      expect(composed.rowCount).toBe(union.length)
      expect(await readComposed(composed)).toHaveLength(union.length)
      const filter = 'where i > 120 or text = $$t3$$'
      if (['i', 'text'].every((name) => files.some(({ columns }) => columns.includes(name)))) {
        expect(await queryComposed(composed, `select * from TABLE ${filter}`)).toEqual(
          await query(`select * from read_parquet([${list}], union_by_name = true) ${filter}`),
        )
      }
    }),
    { numRuns: RUNS },
  )
})

test('a damaged footer is refused or leads to no byte outside of its file, and harms no other file', {
  timeout: 120_000,
}, async () => {
  const columns = names.map((name) => `${COLUMNS[name]} as ${name}`).join()
  const sound = new Uint8Array(await writeWithDuckDB(`select ${columns} from range(40) t(i)`))
  const seeds = [
    readSeed('duckdb', sound),
    readSeed(
      'arrow',
      inVersionTwo(await writeWithDuckDB(`select i, text, list from (select ${columns} from range(60) t(i))`)),
    ),
  ]
  let taken = 0
  for (let run = 0; run < RUNS * 15; run++) {
    const { bytes: mutated } = mutate(seeds[run % 2]!, seeds, randomFrom(7, run))
    if (checkComposed(mutated, sound)) taken++
  }
  expect(taken).toBeGreaterThan(RUNS / 2)
  expect(taken).toBeLessThan(RUNS * 14)
})

const isWhole = process.env.FUSOU_CORPUS === 'whole'
const cases = corpusCases().flatMap((own, writer) => (isWhole ? own : [own[(writer * 7) % own.length]!]))

test.each(cases.map((own) => [`${own.writer}, ${own.settings}`, own] as const))('files of %s', async (_, { write }) => {
  const files = await write()
  const composed = compose(placed(files))
  await expectOwnRanges(composed)
  const withRows = files.filter((file) => compose(placed([file])).rowCount > 0)
  expect(readWithArrow(bytesOf(composed)).rows).toEqual(withRows.flatMap((file) => readWithArrow(file).rows))
  expect(await queryComposed(composed)).toEqual(
    await query(`select * from read_parquet([${files.map((file) => `'${store(file)}'`)}])`),
  )
})
