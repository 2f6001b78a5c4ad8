import { describe, expect, test } from 'vitest'
import { PAGE } from '../src/format/format.ts'
import { readPageHeader } from '../src/format/page-header.ts'
import { type MergeOptions, type MergeReport, memorySink, memorySource, mergeParquet } from '../src/index.ts'
import {
  countWithArrow,
  metadataOf,
  query,
  readWithDuckDB,
  readWithHyparquet,
  store,
  writeWithDuckDB,
} from './engines.ts'
import { chunksOf, editFooter, editFooterBytes, editPages, editStatistics } from './support/edit-file.ts'
import { fieldsOf, i32, i64, list, numberOf, struct, type ThriftStruct, valuesOf } from './support/thrift-tree.ts'
import { inVersionTwo } from './support/version-two.ts'

async function merge(
  files: Uint8Array[],
  options: MergeOptions = {},
): Promise<{ output: Uint8Array; report: MergeReport }> {
  const sink = memorySink()
  const report = await mergeParquet(
    files.map((file, i) => memorySource(`file ${i}`, file)),
    sink,
    options,
  )
  return { output: sink.bytes(), report }
}

const WAYS: [string, MergeOptions][] = [
  ['joined', {}],
  ['passed', { minPageBytes: 0 }],
  ['checked', { minPageBytes: 0, pages: 'check' }],
  ['copied', { minPageBytes: 0, targetRowGroupBytes: 1 }],
  ['rewritten', { pages: 'rewrite' }],
  ['written in another codec', { codec: 'gzip' }],
]

/** Merge in each way, and hold DuckDB to what it reads in the inputs. */
async function expectMerged(files: Uint8Array[], more: [string, MergeOptions][] = []) {
  const expected = await readWithDuckDB(files)
  const text = (rows: unknown[]) => rows.map((row) => JSON.stringify(row))
  for (const [way, options] of [...WAYS, ...more]) {
    const { output } = await merge(files, options)
    const rows = text(await readWithDuckDB([output]))
    if (options.sortBy) expect(rows.sort(), way).toEqual(text(expected).sort())
    else expect(rows, way).toEqual(text(expected))
    expect(countWithArrow(output), way).toBe(expected.length)
    expect((await readWithHyparquet(output)).length, way).toBe(expected.length)
  }
}

describe('fields that parquet.thrift does not have are passed over', () => {
  const EXTENSION = Uint8Array.of(0x08, 0xff, 0xff, 0x01, 3, 7, 8, 9)
  const withExtension = (thrift: Uint8Array) => Buffer.concat([thrift.subarray(0, -1), EXTENSION, Uint8Array.of(0)])
  const ODD: [string, ThriftStruct extends Map<number, infer V> ? V : never][] = [
    ['a negative id', i32(5)],
    ['a struct', struct({ 3: i32(1), [-9]: list([i64(1), i64(2)]) })],
    ['a list of structs', list([struct({ 1: i32(4) }), struct({})])],
  ]

  test('the extension that BinaryProtocolExtensions.md describes, at the end of FileMetaData', async () => {
    const file = editFooterBytes(await writeWithDuckDB('select i from range(3) t(i)'), withExtension)
    await expectMerged([file, file])
  })

  test.each(ODD)('%s in each struct of a footer', async (_, value) => {
    const file = editFooter(await writeWithDuckDB('select i, [i] as l from range(3) t(i)'), (footer) => {
      for (const id of [-16_384, -1, 0, 99, 32_767]) {
        footer.set(id, value)
        for (const group of valuesOf(footer.get(4))) fieldsOf(group).set(id, value)
        for (const chunk of chunksOf(footer)) {
          chunk.set(id, value)
          fieldsOf(chunk.get(12)).set(id, value)
        }
      }
    })
    await expectMerged([file, file])
  })

  test('the same in page headers', async () => {
    for (const layout of ['parquet_version v1', 'parquet_version v2']) {
      const file = editPages(
        await writeWithDuckDB("select i, 's' || i % 2 as s from range(9) t(i)", layout),
        (page) => {
          page.header.set(-16_384, struct({ 1: i32(1) })).set(32_767, i64(1))
          return page
        },
      )
      expect(readPageHeader(file, 4).values).toBeGreaterThan(0)
      await expectMerged([file, file], [['sorted', { sortBy: [{ column: 'i' }] }]])
    }
  })

  test('with a UUID, a type that is younger than the other ones', async () => {
    const uuid = Uint8Array.of(0x0d, 0x80, 0x10, ...new Uint8Array(16))
    const file = editFooterBytes(await writeWithDuckDB('select 1 as i'), (thrift) =>
      Buffer.concat([thrift.subarray(0, -1), uuid, Uint8Array.of(0)]),
    )
    expect((await merge([file])).report.rowsOut).toBe(1)
  })

  test('a field that ends behind the footer is refused', async () => {
    const file = editFooterBytes(await writeWithDuckDB('select 1 as i'), (thrift) =>
      Buffer.concat([thrift.subarray(0, -1), Uint8Array.of(0x08, 0xff, 0xff, 0x01, 100, 0)]),
    )
    await expect(merge([file])).rejects.toMatchObject({ code: 'bad_footer' })
  })
})

describe('a row group without rows', () => {
  /** as `pq.write_table` of pyarrow writes an empty table: there is a dictionary page, and nothing behind it */
  const likeArrow = (chunk: ThriftStruct) => {
    chunk.set(5, i64(0)).set(9, i64(0)).set(11, i64(4)).set(7, i64(14))
    chunk.delete(12)
  }
  const emptied = (file: Uint8Array) =>
    editFooter(file, (footer) => {
      footer.set(3, i64(0))
      for (const group of valuesOf(footer.get(4))) fieldsOf(group).set(3, i64(0))
      for (const chunk of chunksOf(footer)) likeArrow(chunk)
    })

  test('adds no rows, wherever its footer says that it is', async () => {
    const full = await writeWithDuckDB("select i, 's' || i as s, [i] as l from range(3) t(i)")
    const empty = emptied(full)
    expect((await readWithDuckDB([empty])).length).toBe(0)
    for (const files of [[empty], [empty, full], [full, empty, empty, full]]) {
      await expectMerged(files, [['sorted', { sortBy: [{ column: 's' }] }]])
    }
  })

  test('beside others of its file', async () => {
    const file = editFooter(await writeWithDuckDB('select i from range(3) t(i)'), (footer) => {
      const groups = valuesOf(footer.get(4))
      const group = new Map(fieldsOf(groups[0])).set(3, i64(0))
      const chunk = new Map(fieldsOf(valuesOf(group.get(1))[0]))
      const metadata = new Map(fieldsOf(chunk.get(3)))
      likeArrow(metadata)
      chunk.set(3, { type: 'struct', fields: metadata })
      group.set(1, list([{ type: 'struct', fields: chunk }]))
      groups.unshift({ type: 'struct', fields: group })
      groups.push({ type: 'struct', fields: group })
    })
    expect(metadataOf(file).row_groups.map(({ num_rows }) => Number(num_rows))).toEqual([0, 3, 0])
    const { output } = await merge([file, file])
    expect(await query(`select i from '${store(output)}'`)).toEqual([['0'], ['1'], ['2'], ['0'], ['1'], ['2']])
  })

  test('that has values is refused', async () => {
    const file = editFooter(await writeWithDuckDB('select i from range(3) t(i)'), (footer) => {
      footer.set(3, i64(0))
      for (const group of valuesOf(footer.get(4))) fieldsOf(group).set(3, i64(0))
    })
    await expect(merge([file])).rejects.toMatchObject({ code: 'bad_footer' })
  })
})

describe('arrays of a fixed size that are null, as DuckDB writes them', () => {
  test.each([
    ['alone', 'select * from (values ([1,2,3]::int[3]), (null), ([4,5,6]::int[3])) t(a)'],
    ['between many', 'select (case when i % 3 > 0 then [i, null, i + 2] end)::bigint[3] as a, i from range(300) t(i)'],
    [
      'in arrays',
      'select (case when i % 5 > 0 then [case when i % 3 > 0 then [i, i + 1] end, [i, i]] end)::int[2][2] as a from range(60) t(i)',
    ],
    [
      'in lists',
      'select (case when i % 5 > 0 then [case when i % 3 > 0 then [i, i + 1] end, null] end)::int[2][] as a from range(60) t(i)',
    ],
    [
      'in structs',
      "select {'x': (case when i % 3 > 0 then ['a' || i, null] end)::varchar[2], 'y': i} as a from range(60) t(i)",
    ],
    ['with lists inside', 'select (case when i % 3 > 0 then [[i], []] end)::int[][2] as a from range(60) t(i)'],
    ['that are all null', 'select null::int[3] as a from range(10) t(i)'],
  ])('%s', async (_, select) => {
    for (const layout of ['parquet_version v1', 'parquet_version v2, compression zstd']) {
      const file = await writeWithDuckDB(select, layout)
      // hyparquet makes three rows of such a null, so that it reads the input wrong, but not the output
      const nulls = (await readWithDuckDB([file])).map(([array]) => array === null)
      const { output } = await merge([file], { minPageBytes: 0 })
      expect((await readWithHyparquet(output)).map(({ a }) => a === null || a === undefined)).toEqual(nulls)
      await expectMerged([file, file], select.includes(' as a, i ') ? [['sorted', { sortBy: [{ column: 'i' }] }]] : [])
    }
  })

  test('over several pages', async () => {
    const file = await writeWithDuckDB(
      'select (case when i % 2 > 0 then list_transform(range(40000), lambda x: x + i) end)::bigint[40000] as a from range(12) t(i)',
    )
    const { output } = await merge([file, file], { pages: 'rewrite' })
    const sums = (path: string) => query(`select count(*), count(a), sum(list_sum(a::bigint[])) from '${path}'`)
    const [[rows, arrays, sum]] = (await sums(store(file))) as [[string, string, string]]
    expect(await sums(store(output))).toEqual([[`${2 * Number(rows)}`, `${2 * Number(arrays)}`, `${2 * Number(sum)}`]])
  })
})

describe('num_nulls of a page of version 2 is not believed where it is too small', () => {
  const LISTS =
    "select i, case when i % 4 > 0 then [i, null][:(i % 3)::int] end as l, case when i % 3 > 0 then i end as a, case when i % 5 > 0 then 's' || i % 4 end as s, case when i % 5 > 0 then i / 7 end as d from range(40) t(i)"
  const withNulls = (file: Uint8Array, nulls: (values: number, now: number) => number) =>
    editPages(file, (page) => {
      const details = page.header.get(8)
      if (details) {
        const fields = fieldsOf(details)
        fields.set(2, i32(nulls(numberOf(fields.get(1)), numberOf(fields.get(2)))))
      }
      return page
    })

  test.each([
    ['0', () => 0],
    ['-1', () => -1],
    ['one too few', (_: number, now: number) => Math.max(0, now - 1)],
  ])('%s', async (_, nulls) => {
    const duckdb = await writeWithDuckDB(LISTS)
    const layouts = [
      ['SNAPPY', true],
      ['UNCOMPRESSED', true],
      ['UNCOMPRESSED', false],
      ['SNAPPY', false],
    ] as const
    for (const [codec, hasDictionary] of layouts) {
      const sound = inVersionTwo(duckdb, codec, hasDictionary)
      expect(readPageHeader(sound, 4 + Number(hasDictionary) * firstPageBytes(sound)).kind).toBe(PAGE.DATA_V2)
      const file = withNulls(sound, nulls)
      const expected = await readWithDuckDB([sound, sound])
      for (const [way, options] of [
        ...WAYS,
        ['sorted', { sortBy: [{ column: 'a' }] }],
        ['without duplicates', { dedupeBy: ['a', 'i'] }],
      ] as [string, MergeOptions][]) {
        const { output } = await merge([file, file], options)
        const rows = (await readWithDuckDB([output])).map((row) => JSON.stringify(row))
        const wanted = expected.map((row) => JSON.stringify(row))
        if (options.dedupeBy) expect([...rows].sort(), way).toEqual([...new Set(wanted)].sort())
        else if (options.sortBy) expect([...rows].sort(), way).toEqual([...wanted].sort())
        else expect(rows, way).toEqual(wanted)
        // what passes says the truth, so that readers which allocate by it read it, too
        expect(countWithArrow(output), way).toBe(rows.length)
        const [nulls] = await query(`select count(*) - count(a), count(*) - count(s) from '${store(output)}'`)
        expect(nulls, way).toEqual(['a', 's'].map((name) => `${nullsByFooter(output, name)}`))
      }
    }
  })

  test('and a page is refused that declares more nulls than its levels have', async () => {
    const sound = inVersionTwo(await writeWithDuckDB(LISTS))
    for (const nulls of [(values: number) => values, (_: number, now: number) => now + 1, () => 1000]) {
      const file = withNulls(sound, nulls)
      for (const [way, options] of WAYS) {
        await expect(merge([sound, file], options), way).rejects.toThrow(/corrupt_data: file 1/)
      }
    }
  })
})

function firstPageBytes(file: Uint8Array): number {
  const { headerBytes, compressedBytes } = readPageHeader(file, 4)
  return headerBytes + compressedBytes
}

function nullsByFooter(file: Uint8Array, name: string): number {
  const chunks = metadataOf(file).row_groups.flatMap(({ columns }) => columns.map(({ meta_data }) => meta_data!))
  const own = chunks.filter(({ path_in_schema }) => path_in_schema.join('.') === name)
  return own.reduce((sum, { statistics }) => sum + Number(statistics!.null_count), 0)
}

test('a schema root that has a type is a root all the same', async () => {
  const file = editFooter(await writeWithDuckDB('select i from range(3) t(i)'), (footer) => {
    const root = fieldsOf(valuesOf(footer.get(2))[0])
    root.set(1, i32(2)).set(2, i32(64))
  })
  await expectMerged([file, file, await writeWithDuckDB('select 7::bigint as i')])
})

test('a null count of a footer that is 0 though there are nulls changes no order', async () => {
  const file = editStatistics(
    await writeWithDuckDB('select case when i % 3 > 0 then i end as a, i from range(30) t(i)'),
    'a',
    (statistics) => statistics.set(3, i64(0)),
  )
  const later = await writeWithDuckDB('select i as a, i from range(100, 130) t(i)')
  for (const files of [
    [file, file],
    [later, file],
    [file, later, file],
  ]) {
    for (const [descending, nullsFirst] of [
      [false, false],
      [true, true],
      [false, true],
    ] as const) {
      const { output } = await merge(files, { sortBy: [{ column: 'a', descending, nullsFirst }] })
      const order = `a ${descending ? 'desc' : 'asc'} nulls ${nullsFirst ? 'first' : 'last'}`
      const paths = files.map((one) => `'${store(one)}'`)
      // DuckDB believes the null count, unless the values are read
      const expected = await query(
        `select a from (select case when i < 100 and i % 3 = 0 then null else i end as a from read_parquet([${paths}])) order by ${order}`,
      )
      expect(await query(`select a from '${store(output)}'`)).toEqual(expected)
    }
  }
})
