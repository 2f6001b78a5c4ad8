import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { describe, expect, test } from 'vitest'
import { hasSoundBounds } from '../src/footer/written-by.ts'
import { PHYSICAL } from '../src/format/format.ts'
import { type MergeOptions, memorySink, memorySource, mergeParquet } from '../src/index.ts'
import { LIBRARY_VERSION } from '../src/write/created-by.ts'
import { metadataOf, readWithHyparquet, writeWithDuckDB } from './engines.ts'
import { handmade } from './handmade.ts'
import { chunksOf, editFooter } from './support/edit-file.ts'
import { binary, i32, list, struct, valuesOf } from './support/thrift-tree.ts'

async function merge(files: Uint8Array[], options: MergeOptions = {}) {
  const sink = memorySink()
  const report = await mergeParquet(
    files.map((file, i) => memorySource(`file ${i}`, file)),
    sink,
    options,
  )
  return { output: sink.bytes(), report }
}

test('created_by has the form that parquet-java reads, with the version of the package', async () => {
  const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../package.json'), 'utf8')) as {
    version: string
  }
  expect(LIBRARY_VERSION).toBe(version)
  const { output } = await merge([await writeWithDuckDB('select 1 as i')])
  // VersionParser.FORMAT of parquet-java
  const format = /^(?<application>.*?)\s+version\s*(?:(?<semver>[^()]*?)\s*)?(?:\(\s*build\s*(?<build>[^)]*?)\s*\))$/
  const found = format.exec(metadataOf(output).created_by!)?.groups
  expect(found).toMatchObject({ application: 'fusou-compaction', semver: version })
  expect(found!.build).toMatch(/^[0-9a-f]{16}$/)
})

describe('bounds of writers that are known to get them wrong', () => {
  const SELECT = `select 's' || i as s, i::ubigint as u, i::uinteger as w, -i as n, i / 7 as d, date '2000-01-01' + i::int as day from range(3000) t(i)`
  /** a file that says that its bounds are in the order of the types, and who wrote it */
  const writtenBy = (file: Uint8Array, createdBy: string | undefined) =>
    editFooter(file, (footer) => {
      if (createdBy === undefined) footer.delete(6)
      else footer.set(6, binary(createdBy))
      const typeOrder = struct({ 1: struct({}) })
      footer.set(7, list(chunksOf(footer).map(() => typeOrder)))
    })
  const CASES: [createdBy: string | undefined, areCarried: boolean][] = [
    [undefined, false],
    ['', false],
    ['parquet-mr', false],
    ['parquet-mr (build abc)', false],
    ['parquet-mr version 1.6.0', false],
    ['parquet-mr version 1.9.9 (build 38262e2c80015d0935dad20f8e18f2d6f9fbd03c)', false],
    ['parquet-mr version 1.10.0 (build 031a6654009e3b82020012a18434c582bd74c73a)', true],
    ['parquet-mr version 1.10', true],
    ['parquet-mr version 1.10.1-SNAPSHOT', true],
    ['parquet-mr version 2.0.0', true],
    ['parquet-cpp version 1.2.9', false],
    ['parquet-cpp version 1.3.0', true],
    ['parquet-cpp-arrow version 12.0.1', true],
    ['impala version 3.2.0 (build abc)', true],
    ['DuckDB version v1.5.6 (build abc)', true],
    ['Polars', true],
    ['fusou-compaction', true],
  ]

  test.each(CASES)('%s: those of byte arrays and unsigned numbers are carried: %s', async (createdBy, areCarried) => {
    const file = writtenBy(await writeWithDuckDB(SELECT, 'dictionary_size_limit 1'), createdBy)
    for (const files of [[file], [file, file]]) {
      const { output, report } = await merge(files, { minPageBytes: 0 })
      expect(report.columnChunks.spliced).toBe(files.length * 6)
      for (const { columns } of metadataOf(output).row_groups) {
        const bounded = columns.filter(({ meta_data }) => meta_data!.statistics?.min_value !== undefined)
        const names = bounded.map(({ meta_data }) => meta_data!.path_in_schema[0])
        expect(names).toEqual(areCarried ? ['s', 'u', 'w', 'n', 'd', 'day'] : ['n', 'd', 'day'])
        const indexed = columns.filter(({ column_index_offset }) => column_index_offset)
        expect(indexed.length).toBe(names.length)
      }
      // values that are looked at have bounds of their own
      for (const options of [{ pages: 'check', minPageBytes: 0 }, { pages: 'rewrite' }] as MergeOptions[]) {
        const { columns } = metadataOf((await merge(files, options)).output).row_groups[0]!
        expect(columns.map(({ meta_data }) => meta_data!.statistics!.min_value === undefined)).toEqual(
          columns.map(() => false),
        )
      }
    }
  })
})

describe('pages that go on with the last value of the page before (PARQUET-246)', () => {
  const withWriter = (file: Uint8Array, createdBy: string) =>
    editFooter(file, (footer) => {
      footer.set(6, binary(createdBy))
    })

  test.each([
    ['parquet-mr version 1.8.0 (build abc)', false],
    ['parquet-mr version 1.5.0', false],
    ['parquet-mr', false],
    ['parquet-mr version 1.8.1 (build abc)', true],
    ['parquet-mr version 1.12.3', true],
    ['parquet-rs version 57.0.0', true],
  ])('do not pass where the writer may have made such: %s', async (createdBy, pass) => {
    const data = Array.from({ length: 3000 }, (_, i) => `a long text ${i * i} and more`)
    const columnData = [{ name: 'v', data, type: 'STRING', encoding: 'DELTA_BYTE_ARRAY' }] as Parameters<
      typeof parquetWriteBuffer
    >[0]['columnData']
    const file = withWriter(
      new Uint8Array(parquetWriteBuffer({ columnData, pageSize: 8192, rowGroupSize: 3000 })),
      createdBy,
    )
    const { output, report } = await merge([file, file], { minPageBytes: 0 })
    expect(report.columnChunks).toMatchObject(pass ? { spliced: 2, rewritten: 0 } : { spliced: 0, rewritten: 2 })
    expect(await readWithHyparquet(output)).toEqual([
      ...(await readWithHyparquet(file)),
      ...(await readWithHyparquet(file)),
    ])
  })

  test('are refused', async () => {
    const page = (prefix: number, suffix: string) => {
      const numbers = (value: number) => [0x80, 1, 4, 1, value * 2]
      const body = Uint8Array.of(...numbers(prefix), ...numbers(suffix.length), ...Buffer.from(suffix))
      return { values: 1, encoding: 7, body }
    }
    const make = (second: ReturnType<typeof page>) =>
      editFooter(handmade({ rows: 2, physical: PHYSICAL.BYTE_ARRAY, pages: [page(0, 'abc'), second] }), (footer) => {
        footer.set(6, binary('parquet-mr version 1.7.0'))
        for (const chunk of chunksOf(footer)) {
          expect(valuesOf(chunk.get(2))).toHaveLength(1)
          chunk.set(2, list([i32(7)]))
        }
      })
    await expect(merge([make(page(2, 'x'))], { minPageBytes: 0 })).rejects.toThrow(
      /corrupt_data: file 0: column v.*prefix/,
    )
    const { output } = await merge([make(page(0, 'x'))], { minPageBytes: 0 })
    const texts = (await readWithHyparquet(output)).map(({ v }) => Buffer.from(v as Uint8Array).toString())
    expect(texts).toEqual(['abc', 'x'])
  })
})

test('a name of a million spaces is read no further than its head', () => {
  // where a version might begin was looked for at each of them, up to its end
  expect(hasSoundBounds(`${' '.repeat(2 ** 20)}x`)).toBe(false)
  expect(hasSoundBounds(`parquet-mr version 1.9.0 (build ${' '.repeat(2 ** 20)})`)).toBe(false)
})
