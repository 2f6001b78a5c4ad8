import { parquetWriteBuffer } from 'hyparquet-writer'
import pl from 'nodejs-polars'
import { describe, expect, test } from 'vitest'
import { memorySink, memorySource, mergeParquet } from '../src/index.ts'
import { query, readWithArrow, readWithDuckDB, store, writeWithDuckDB } from './engines.ts'
import {
  bytesOf,
  type ComposedFile,
  compose,
  expectOwnRanges,
  metadataOfComposed,
  placed,
  queryComposed,
  type ReadRange,
  readComposed,
} from './support/composed-file.ts'
import { inVersionTwo } from './support/version-two.ts'

const EVERY_TYPE = `i, 's' || i % 9 as repeated, md5(i::varchar) as text, i % 3 = 0 as flag, (i % 100)::utinyint as tiny,
  (18446744073709551615 - i::ubigint)::ubigint as unsigned_long, (i / 7)::float as single,
  case when i % 4 > 0 then i / 3 else 'nan'::double end as number, (i / 8)::decimal(9, 3) as small_decimal,
  (-i * 12345678901)::decimal(30, 2) as decimal, date '1960-01-01' + i::int as day,
  timestamp '1970-01-01' + to_microseconds(i * 123456789) as at, 'b\\x00'::blob || i::varchar::blob as bytes,
  case when i % 7 > 0 then 'n' || i % 20 end as sparse,
  case i % 4 when 0 then [] when 1 then null else [i, null, i + 1] end as list, [[], null, ['x' || i % 3]] as lists,
  {'a': i, 'b': case when i % 2 = 0 then 'x' end, 'c': {'d': i / 2}} as struct,
  [{'m': i % 5, 'n': null}, null] as structs, map {'k' || i % 3: i, 'z': null} as map, md5((i % 20)::varchar)::uuid as uuid`

const rowsOf = (columns: string, from: number, to: number) => `select ${columns} from range(${from}, ${to}) t(i)`

/** As the same readers read the files one by one. */
async function expectUnion(composed: ComposedFile, files: Uint8Array[]): Promise<void> {
  expect(await queryComposed(composed)).toEqual(await readUnion(files))
  await expectOwnRanges(composed)
}

const readUnion = (files: Uint8Array[]) =>
  query(`select * from read_parquet([${files.map((file) => `'${store(file)}'`)}], union_by_name = true)`)

describe('files of several writers, codecs and page versions', () => {
  test('of every type are one file for three readers', async () => {
    const codecs = ['uncompressed', 'snappy', 'gzip', 'zstd', 'brotli', 'lz4_raw']
    const files = await Promise.all(
      codecs.map((codec, at) =>
        writeWithDuckDB(
          rowsOf(EVERY_TYPE, at * 300, (at + 1) * 300),
          `compression ${codec}, parquet_version v${1 + (at % 2)}, row_group_size 2048`,
        ),
      ),
    )
    files.splice(2, 0, await writeWithDuckDB(rowsOf(EVERY_TYPE, 0, 0)))
    const sink = memorySink()
    await mergeParquet(
      files.slice(0, 3).map((bytes, i) => memorySource(`${i}`, bytes)),
      sink,
    )
    files.push(sink.bytes())
    const composed = compose(placed(files))
    await expectUnion(composed, files)
    const whole = bytesOf(composed)
    const withRows = files.filter((_, at) => at !== 2)
    expect(readWithArrow(whole).rows).toEqual(withRows.flatMap((file) => readWithArrow(file).rows))
    const alone = await Promise.all(files.map((file) => readComposed(compose([{ bytes: file, address: 0 }]))))
    expect(await readComposed(composed)).toEqual(alone.flat())
    expect(composed).toMatchObject({ rowCount: 2400, rowGroupCount: 7, columnCount: 24, nullChunkCount: 0 })
  })

  test('of DuckDB, arrow-rs, Polars and hyparquet-writer are one file', async () => {
    const columns = "i, 'x' || i % 5 as s, i / 4 as d"
    const numbers = Array.from({ length: 50 }, (_, i) => i)
    const files = [
      await writeWithDuckDB(rowsOf(columns, 0, 100), 'compression zstd'),
      inVersionTwo(await writeWithDuckDB(rowsOf(columns, 100, 200)), 'SNAPPY'),
      inVersionTwo(await writeWithDuckDB(rowsOf(columns, 200, 300)), 'ZSTD', false),
      new Uint8Array(
        pl
          .DataFrame({ i: numbers, s: numbers.map((n) => `p${n}`), d: numbers })
          .withColumns(pl.col('i').cast(pl.Int64), pl.col('d').cast(pl.Float64))
          .writeParquet({ compression: 'gzip' }),
      ),
      new Uint8Array(
        parquetWriteBuffer({
          columnData: [
            { name: 'i', data: numbers.map(BigInt), type: 'INT64', nullable: true },
            { name: 's', data: numbers.map((n) => `h${n}`), type: 'STRING' },
            { name: 'd', data: numbers, type: 'DOUBLE' },
          ],
        }),
      ),
    ]
    const composed = compose(placed(files, 7))
    await expectUnion(composed, files)
    expect(await readComposed(composed)).toHaveLength(400)
    expect((await metadataOfComposed(composed)).created_by).toMatch(/^fusou-compaction version \d+\.\d+\.\d+ \(build /)
  })
})

describe('columns that files lack', () => {
  test('are null, whatever their type, in whichever file, and in another order', async () => {
    const all = ['i', 'sparse', 'list', 'lists', 'struct', 'structs', 'map', 'decimal', 'flag']
    const write = (names: string[], from: number) =>
      writeWithDuckDB(`select ${names.join()} from (${rowsOf(EVERY_TYPE, from, from + 60)})`)
    const files = await Promise.all([
      write(['i', 'list'], 0),
      write(all, 60),
      write(all.toReversed(), 120),
      write(['flag', 'map'], 180),
      write(all.slice(3), 240),
    ])
    const composed = compose(placed(files))
    await expectUnion(composed, files)
    expect(composed.nullChunkCount).toBeGreaterThan(20)
    expect(readWithArrow(bytesOf(composed)).rows).toHaveLength(300)
    expect(await readComposed(composed)).toHaveLength(300)
    // one page for the columns of each kind: five of the files have the same number of rows
    const { bytes, footerBytes } = composed
    expect(bytes.length - footerBytes).toBeLessThan(100)
  })

  test('take a page for each number of rows, and several where a row group has many', async () => {
    const files = await Promise.all([
      writeWithDuckDB('select i::int as i, null::int as other from range(10) t(i)'),
      writeWithDuckDB('select 7::int as i from range(2500000)', 'row_group_size 2500000'),
      writeWithDuckDB('select 8::int as i from range(3)'),
    ])
    const composed = compose(placed(files))
    expect(await queryComposed(composed, 'select count(*), count(i), count(other) from TABLE')).toEqual([
      ['2500013', '2500013', '0'],
    ])
    const { row_groups: rowGroups } = await metadataOfComposed(composed)
    expect(rowGroups.map(({ columns }) => columns[1]!.meta_data!.encoding_stats?.[0]?.count)).toEqual([undefined, 3, 1])
  })

  test('may be members of a REQUIRED group, and whole groups whose members are REQUIRED', async () => {
    const write = (members: string[]) =>
      new Uint8Array(
        parquetWriteBuffer({
          columnData: [
            { name: 'g', data: [1, 2].map((n) => Object.fromEntries(members.map((name) => [name, n]))) },
            ...(members.length > 1 ? [{ name: 'o', data: [{ r: 5 }, null] }] : []),
          ],
          schema: [
            { name: 'root', num_children: members.length > 1 ? 2 : 1 },
            { name: 'g', repetition_type: 'REQUIRED', num_children: members.length },
            ...members.map((name) => ({ name, type: 'INT32', repetition_type: 'OPTIONAL' }) as const),
            ...(members.length > 1
              ? ([
                  { name: 'o', repetition_type: 'OPTIONAL', num_children: 1 },
                  { name: 'r', type: 'INT32', repetition_type: 'REQUIRED' },
                ] as const)
              : []),
          ],
        }),
      )
    const composed = compose(placed([write(['a']), write(['a', 'b'])]))
    expect(await queryComposed(composed, 'select g.a, g.b, o.r, o is null from TABLE')).toEqual([
      [1, null, null, true],
      [2, null, null, true],
      [1, 1, 5, false],
      [2, 2, null, true],
    ])
  })
})

describe('layouts', () => {
  test('far apart, in a sparse file, are read by DuckDB with pruning', async () => {
    const files = await Promise.all(
      Array.from({ length: 8 }, (_, n) => writeWithDuckDB(rowsOf('i, i % 7 as m', n * 500, (n + 1) * 500))),
    )
    // ext4 holds files of up to 2^44 bytes
    const composed = compose(placed(files, 2 ** 40, 2 ** 40), {}, 2 ** 42)
    expect(composed.byteLength).toBeGreaterThan(2 ** 43)
    await expectUnion(composed, files)
    expect(await queryComposed(composed, 'select count(*), sum(m) from TABLE where i between 700 and 1600')).toEqual(
      await query('select count(*), sum(i % 7) from range(700, 1601) t(i)'),
    )
  })

  test.each([0, 2 ** 45, 2 ** 52])('at %d, a filter reads no row group that its bounds exclude', async (first) => {
    const files = await Promise.all([0, 1000, 2000].map((from) => writeWithDuckDB(rowsOf('i', from, from + 1000))))
    const composed = compose(placed(files, 1000, first))
    const ranges: ReadRange[] = []
    const rows = await readComposed(composed, { i: { $gte: 1500n, $lt: 1510n } }, ranges)
    expect(rows.map(({ i }) => i)).toEqual(Array.from({ length: 10 }, (_, n) => BigInt(1500 + n)))
    const data = ranges.filter(({ end }) => end <= composed.tailAddress)
    const [, second, third] = composed.files
    expect(data.length).toBeGreaterThan(0)
    for (const { start, end } of data) {
      expect(start).toBeGreaterThan(second!.address)
      expect(end).toBeLessThan(third!.address)
    }
  })

  test('slices of an object, with other bytes before and between', async () => {
    const files = await Promise.all([0, 40].map((from) => writeWithDuckDB(rowsOf('i', from, from + 40))))
    const [first, second] = files as [Uint8Array, Uint8Array]
    const object = Buffer.concat([Buffer.alloc(333, 1), first, Buffer.alloc(17, 2), second, Buffer.alloc(5)])
    const slices = [333, 333 + first.length + 17].map((address, at) => {
      const { length } = files[at]!
      return { bytes: new Uint8Array(object.subarray(address, address + length)), address: 2 ** 33 + address }
    })
    const composed = compose(slices, {}, 50)
    await expectUnion(composed, files)
  })

  test('chunks that share a page fill no more than the span that they lie in, which DuckDB checks when it reads ahead', async () => {
    const many = Array.from({ length: 40 }, (_, c) => `i as c${c}`).join()
    const files = [await writeWithDuckDB(rowsOf(many, 0, 3)), await writeWithDuckDB(rowsOf('i as c0', 0, 3))]
    // as over HTTP
    await query('set prefetch_all_parquet_files = true')
    for (const gap of [0, 1, 2 ** 30]) await expectUnion(compose(placed(files, gap)), files)
    await query('reset prefetch_all_parquet_files')
  })

  test('the middle of each row group, as parquet-java takes it, lies in the file', async () => {
    const files = [
      await writeWithDuckDB(rowsOf('1 as first, md5(i::varchar) as text', 0, 5)),
      await writeWithDuckDB(rowsOf('md5(i::varchar) as text', 0, 20_000), 'compression uncompressed'),
    ]
    const composed = compose(placed(files))
    const { row_groups: rowGroups } = await metadataOfComposed(composed)
    for (const { columns, total_compressed_size: bytes } of rowGroups) {
      const { data_page_offset: data, dictionary_page_offset: dictionary = data } = columns[0]!.meta_data!
      expect(Number(dictionary) + Number(bytes) / 2).toBeLessThan(composed.byteLength)
    }
    await expectUnion(composed, files)
  })
})

describe('files without rows', () => {
  test('add their schema alone', async () => {
    const files = await Promise.all([
      writeWithDuckDB(rowsOf("i, 'x' as s", 0, 0)),
      writeWithDuckDB(rowsOf('i', 0, 20)),
      writeWithDuckDB(rowsOf('i, [i] as l', 0, 0)),
    ])
    const composed = compose(placed(files))
    expect(composed).toMatchObject({ rowCount: 20, rowGroupCount: 1, columnCount: 3 })
    expect(await queryComposed(composed, 'select count(i), count(s), count(l) from TABLE')).toEqual([['20', '0', '0']])
  })

  test('alone are a file of no rows', async () => {
    const files = [await writeWithDuckDB(rowsOf('i', 0, 0)), await writeWithDuckDB(rowsOf("i, 'x' as s", 0, 0))]
    const composed = compose(placed(files))
    expect(composed).toMatchObject({ rowCount: 0, rowGroupCount: 0, columnCount: 2 })
    expect(await queryComposed(composed)).toEqual([])
    expect(await queryComposed(composed, 'describe select * from TABLE')).toHaveLength(2)
    expect(await readComposed(composed)).toEqual([])
  })
})

test('a composed file is merged like its files', async () => {
  const files = await Promise.all([
    writeWithDuckDB(rowsOf("i, [i, null] as l, 'x' || i % 3 as s", 0, 500)),
    writeWithDuckDB(rowsOf('i', 500, 900)),
  ])
  const sink = memorySink()
  const report = await mergeParquet([memorySource('composed', bytesOf(compose(placed(files))))], sink)
  expect(report.rowsOut).toBe(900)
  expect(await readWithDuckDB([sink.bytes()])).toEqual(await readUnion(files))
})

test('bloom filters are found at their new places', async () => {
  const write = (from: number) =>
    new Uint8Array(
      parquetWriteBuffer({
        rowGroupSize: 2000,
        columnData: [
          { name: 's', data: Array.from({ length: 2000 }, (_, i) => `key-${from + i * 7}`), bloomFilter: true },
        ],
      }),
    )
  const files = [write(0), write(1)]
  const composed = compose(placed(files, 100, 2 ** 41))
  await expectOwnRanges(composed)
  const { row_groups: rowGroups } = await metadataOfComposed(composed)
  const filtersPlaced = rowGroups.map(({ columns }) => Number(columns[0]!.meta_data!.bloom_filter_offset) > 2 ** 41)
  expect(filtersPlaced).toEqual([true, true])
  const probe = (key: string) =>
    queryComposed(composed, `select bloom_filter_excludes from parquet_bloom_probe(TABLE, 's', '${key}')`)
  expect(await probe('key-7')).toEqual([[false], [true]])
  expect(await probe('key-8')).toEqual([[true], [false]])
})
