import { tableFromArrays, tableToIPC } from 'apache-arrow'
import { type ParquetQueryFilter, parquetReadObjects, readColumnIndex } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { type ColumnSource, parquetWriteBuffer } from 'hyparquet-writer'
import { Compression, EnabledStatistics, Table, WriterPropertiesBuilder, writeParquet } from 'parquet-wasm/node'
import { describe, expect, test } from 'vitest'
import { checksum } from '../src/format/checksum.ts'
import { PHYSICAL } from '../src/format/format.ts'
import { readPageHeader } from '../src/format/page-header.ts'
import { type MergeOptions, memorySink, memorySource, mergeParquet, ParquetError } from '../src/index.ts'
import { expectFaithfulMerge, metadataOf, query, readWithHyparquet, store, writeWithDuckDB } from './engines.ts'
import { handmade } from './handmade.ts'
import { checkPageIndexes } from './page-index.ts'
import { editFooter, editPages, editStatistics } from './support/edit-file.ts'
import { binary, fieldsOf, i32, i64, valuesOf } from './support/thrift-tree.ts'

const merge = async (files: Uint8Array[], options?: MergeOptions) => {
  const sink = memorySink()
  const report = await mergeParquet(
    files.map((bytes, i) => memorySource(`file-${i}`, bytes)),
    sink,
    options,
  )
  return { report, output: sink.bytes() }
}

const write = (columnData: ColumnSource[], more: Partial<Parameters<typeof parquetWriteBuffer>[0]> = {}) =>
  new Uint8Array(parquetWriteBuffer({ columnData, ...more }))

function writeWithArrow(columns: Record<string, ArrayLike<unknown>>, statistics = EnabledStatistics.Page): Uint8Array {
  const properties = new WriterPropertiesBuilder()
    .setStatisticsEnabled(statistics)
    .setWriteBatchSize(32)
    .setDataPageSizeLimit(256)
    .setDictionaryEnabled(false)
    // of stored pages the small ones are joined
    .setCompression(Compression.GZIP)
    .build()
  return writeParquet(
    Table.fromIPCStream(tableToIPC(tableFromArrays(columns as Record<string, Int32Array>), 'stream')),
    properties,
  )
}

/** so that the row groups are large enough to be left alone */
const copying = (file: Uint8Array): MergeOptions => ({
  targetRowGroupBytes: Number(metadataOf(file).row_groups[0]!.total_compressed_size),
})
const WAYS: [string, (file: Uint8Array) => MergeOptions][] = [
  ['passed on', () => ({ minPageBytes: 0 })],
  ['rewritten', () => ({ pages: 'rewrite' })],
  ['copied', copying],
  ['copied from large files', (file) => ({ ...copying(file), smallFileBytes: 1 })],
  ['passed on from large files', () => ({ minPageBytes: 0, smallFileBytes: 1 })],
]

describe.each(WAYS)('page indexes of pages %s', (way, optionsFor) => {
  const count = 500
  const from = (start: number) => Array.from({ length: count }, (_, i) => start + i)
  const WRITERS: [string, (start: number) => Uint8Array | Promise<Uint8Array>][] = [
    [
      'DuckDB',
      (start) =>
        writeWithDuckDB(
          `select i, -i as n, 't' || hash(i) % 50 as s, case when i % 3 > 0 then i / 7 end as d, (hash(i) % 9)::utinyint as u,
            18446744073709551615::ubigint - i::ubigint as big, date '2000-01-01' + i::int as day, (-i / 8)::decimal(12, 3) as m,
            null::int as nothing, i % 2 = 0 as b, case when i < 500 then null else i end as late, repeat(chr(200 + (i % 60)::int), 90) as long
           from range(${start}, ${start + count}) t(i)`,
        ),
    ],
    [
      'arrow-rs',
      (start) =>
        writeWithArrow({
          i: Int32Array.from(from(start)),
          d: Float64Array.from(from(start), (i) => (i % 10 === 0 ? Number.NaN : i % 10 === 1 ? -0 : i / 3)),
          s: from(start).map((i) => `${'x'.repeat(100)}${i}`),
          n: from(start).map((i) => (i % 300 < 200 ? null : i)),
          u: Uint32Array.from(from(start), (i) => i * 8_000_000),
        }),
    ],
    [
      'hyparquet-writer',
      (start) =>
        write(
          [
            { name: 'i', data: Int32Array.from(from(start)), columnIndex: true },
            { name: 's', data: from(start).map((i) => `v${i % 40}`), columnIndex: true },
            { name: 'n', data: from(start).map((i) => (i % 300 < 200 ? null : i)), type: 'INT32', columnIndex: true },
          ],
          { pageSize: 256 },
        ),
    ],
  ]
  test.each(WRITERS)('hold for every page: %s', async (writer, make) => {
    const inputs = await Promise.all([0, 500, 1000].map(make))
    const { output } = await merge(inputs, optionsFor(inputs[0]!))
    // arrow-rs leaves NaN out of its bounds; where values are read, a page with NaN has none
    const hasNans = writer === 'arrow-rs' && way === 'rewritten'
    const pages = await checkPageIndexes(output, hasNans ? ['d'] : [])
    const names = metadataOf(output).schema.flatMap(({ name, type }) => (type ? [name] : []))
    expect(Object.keys(pages)).toEqual(names.filter((name) => !(hasNans && name === 'd')))
  })

  test('let filters find the same rows', async () => {
    const inputs = await Promise.all(
      WRITERS.flatMap(([, make]) => [[make(0), make(500), make(1000)]]).map((f) => Promise.all(f)),
    )
    for (const files of inputs) {
      const { output } = await merge(files, optionsFor(files[0]!))
      const rows = (await Promise.all(files.map((file) => find(file, undefined, false)))).flat()
      const filters: ParquetQueryFilter[] = [
        { i: { $eq: 777 } },
        { i: { $gte: 495, $lt: 505 } },
        { i: { $gt: 5000 } },
        { i: { $lt: 3 } },
      ]
      if ('s' in rows[0]!) filters.push({ s: { $eq: 't7' } }, { s: { $eq: 'v7' } }, { s: { $eq: 'absent' } })
      if ('n' in rows[0]!) filters.push({ n: { $eq: 777 } }, { n: { $gt: 1400 } })
      if ('d' in rows[0]!) filters.push({ d: { $eq: 0 } }, { d: { $gt: 400 } }, { d: { $lte: 0 } })
      for (const filter of filters) {
        const expected = await Promise.all(files.map((file) => find(file, filter, false)))
        expect(await find(output, filter, true), JSON.stringify(filter)).toEqual(expected.flat())
      }
    }
  })
})

function find(file: Uint8Array, filter: ParquetQueryFilter | undefined, usesIndexes: boolean) {
  const options = filter ? { filter, usePageIndex: usesIndexes, useBloomFilters: usesIndexes, filterStrict: false } : {}
  return parquetReadObjects({ file: new Uint8Array(file).buffer, compressors, ...options })
}

test('a page of nulls, of NaN, and of zeros of both signs', async () => {
  const write = (select: string) =>
    writeWithDuckDB(`select (${select})::double as v from range(100) t(i)`, 'compression uncompressed')
  const [nulls, zeros, numbers, nans] = await Promise.all(['null', '-0.0', 'i + 1', "'nan'"].map(write))
  const { output } = await merge([nulls!, zeros!, numbers!], { minPageBytes: 0 })
  expect(await checkPageIndexes(output)).toEqual({ v: 3 })
  expect(await find(output, { v: { $eq: 0 } }, true)).toHaveLength(100)
  expect(await query(`select count(*) from '${store(output)}' where v = 0`)).toEqual([['100']])
  // a page without a number has no bounds, so the chunk has no ColumnIndex
  const withNaN = (await merge([numbers!, nans!], { minPageBytes: 0 })).output
  expect(await checkPageIndexes(withNaN, ['v'])).toEqual({})
  const rewritten = (await merge([numbers!, nans!], { pages: 'rewrite' })).output
  for (const file of [withNaN, rewritten]) {
    expect(await query(`select count(*) from '${store(file)}' where v > 50`)).toEqual([['150']])
    expect(await query(`select count(*) from '${store(file)}' where isnan(v)`)).toEqual([['100']])
  }
})

describe('bloom filters', () => {
  const texts = (start: number, distinct = 40, rows = 2000) =>
    writeWithDuckDB(`select 'key-' || (${start} + hash(i) % ${distinct}) as s, i % 5 as k from range(${rows}) t(i)`)
  const probe = async (file: Uint8Array, column: string, value: string) =>
    (
      await query(`select bloom_filter_excludes from parquet_bloom_probe('${store(file)}', '${column}', ${value})`)
    ).flat()

  test.each([
    ['joined dictionaries', () => ({ minPageBytes: 0 }), 'coalesced'],
    ['new pages', () => ({ pages: 'rewrite' as const }), 'coalesced'],
    ['copied chunks', copying, 'copied'],
  ])('of %s let pass what is there, and nothing else that was kept out before', async (_, optionsFor, way) => {
    const inputs = await Promise.all([0, 100, 200].map((start) => texts(start)))
    const { output, report } = await merge(inputs, optionsFor(inputs[0]!))
    expect(report.columnChunks).toMatchObject({ [way]: 6 })
    expect(report.dropped).toEqual({})
    const inputsLet = async (value: string) =>
      (await Promise.all(inputs.map((input) => probe(input, 's', value)))).flat().some((excludes) => !excludes)
    let excluded = 0
    for (let key = 0; key < 300; key += 7) {
      const passes = (await probe(output, 's', `'key-${key}'`)).some((excludes) => !excludes)
      if (await inputsLet(`'key-${key}'`)) expect(passes, `key-${key}`).toBe(true)
      else if (!passes) excluded++
    }
    expect(excluded).toBeGreaterThan(15)
    expect(await probe(output, 'k', '3')).not.toContain(true)
  })

  test('of chunks whose values are not read are joined if their sizes are equal', async () => {
    const make = (data: string[], bytes: number) =>
      write([{ name: 's', data, encoding: 'PLAIN', bloomFilter: { maxBytes: bytes } }])
    const keys = (start: number) => Array.from({ length: 300 }, (_, i) => `key-${start + i}`)
    const equal = [make(keys(0), 1024), make(keys(1000), 1024)]
    const joined = await merge(equal, { minPageBytes: 0 })
    expect(joined.report).toMatchObject({ columnChunks: { spliced: 2 }, dropped: {} })
    for (const key of ['key-0', 'key-299', 'key-1000', 'key-1299']) {
      expect(await find(joined.output, { s: { $eq: key } }, true), key).toHaveLength(1)
      expect(await probe(joined.output, 's', `'${key}'`)).toEqual([false])
    }
    const absent = await Promise.all(Array.from({ length: 40 }, (_, i) => probe(joined.output, 's', `'nothing-${i}'`)))
    expect(absent.flat().filter((excludes) => excludes).length).toBeGreaterThan(25)

    const unequal = await merge([make(keys(0), 1024), make(keys(1000), 256)], { minPageBytes: 0 })
    expect(unequal.report.dropped).toEqual({ bloom_filter_sizes: 1 })
    const full = await merge(
      [0, 1000, 2000, 3000, 4000].map((start) => make(keys(start), 256)),
      { minPageBytes: 0 },
    )
    expect(full.report.dropped).toEqual({ bloom_filter_full: 1 })
    const none = write([{ name: 's', data: keys(0), encoding: 'PLAIN' }])
    expect((await merge([...equal, none], { minPageBytes: 0 })).report.dropped).toEqual({ bloom_filter_missing: 1 })
    for (const { output } of [unequal, full]) {
      expect(metadataOf(output).row_groups[0]!.columns[0]!.meta_data!.bloom_filter_offset).toBeUndefined()
      expect(await find(output, { s: { $eq: 'key-0' } }, true)).toHaveLength(1)
    }
  })

  test('of values that are written plain hold all of them', async () => {
    const make = (start: number) =>
      write([{ name: 's', data: Array.from({ length: 6000 }, (_, i) => `key-${start + i}`), bloomFilter: true }])
    const { output, report } = await merge([make(0), make(6000)], { pages: 'rewrite' })
    expect(report.dropped).toEqual({})
    for (let key = 0; key < 12_000; key += 997) expect(await probe(output, 's', `'key-${key}'`)).toEqual([false])
    const absent = await Promise.all(Array.from({ length: 40 }, (_, i) => probe(output, 's', `'no-${i}'`)))
    expect(absent.flat().filter((excludes) => excludes).length).toBeGreaterThan(35)
  })

  test('of large files are found beside what is read of them', async () => {
    const inputs = await Promise.all([0, 100].map((start) => texts(start)))
    const whole = await merge(inputs, copying(inputs[0]!))
    const ranges = await merge(inputs, { ...copying(inputs[0]!), smallFileBytes: 1 })
    expect(metadataOf(whole.output).row_groups[1]!.columns[0]!.meta_data!.bloom_filter_offset).toBeDefined()
    expect(Buffer.compare(whole.output, ranges.output)).toBe(0)
  })
})

test('size statistics are added up, or named in the report if one input has none', async () => {
  const make = (start: number, statistics = EnabledStatistics.Page) =>
    writeWithArrow({ s: Array.from({ length: 100 }, (_, i) => (i % 4 === 0 ? null : `text ${start + i}`)) }, statistics)
  const inputs = [make(0), make(1000), make(20)]
  const sizeOf = (file: Uint8Array) =>
    metadataOf(file).row_groups[0]!.columns[0]!.meta_data!.size_statistics?.unencoded_byte_array_data_bytes
  const expected = inputs.reduce((sum, file) => sum + sizeOf(file)!, 0n)
  expect(expected).toBeGreaterThan(0n)
  expect(sizeOf((await merge(inputs, { minPageBytes: 0 })).output)).toBe(expected)
  expect(sizeOf((await merge(inputs, { pages: 'rewrite' })).output)).toBe(expected)
  const without = make(0, EnabledStatistics.None)
  expect(sizeOf(without)).toBeUndefined()
  const { output, report } = await merge([...inputs, without], { minPageBytes: 0 })
  expect(sizeOf(output)).toBeUndefined()
  expect(report.dropped).toEqual({ size_statistics_missing: 1 })
})

test('faithful with page indexes over nested columns', async () => {
  const inputs = await Promise.all(
    [0, 300].map((from) =>
      writeWithDuckDB(
        `select [i, null] as l, {'a': i, 'b': [i::varchar]} as st from range(${from}, ${from + 300}) t(i)`,
      ),
    ),
  )
  const { output } = await expectFaithfulMerge(inputs, { minPageBytes: 0 })
  expect(await readWithHyparquet(output)).toHaveLength(600)
  for (const { offset_index_offset } of metadataOf(output).row_groups[0]!.columns)
    expect(offset_index_offset).toBeDefined()
})

describe('sorting columns', () => {
  /** hyparquet-writer and arrow-rs do not declare them, so the list is put into a footer by hand */
  const sorted = (values: number[], more: { descending?: boolean; columns?: number[]; nulls?: number } = {}) => {
    const file = sortedAndRequired(values, more)
    const { nulls } = more
    if (nulls === undefined) return file
    const optional = editPages(
      editFooter(file, (footer) => fieldsOf(valuesOf(footer.get(2))[1]).set(3, i32(1))),
      ({ header, body }) => ({
        header: header.set(2, i32(body.length + 6)).set(3, i32(body.length + 6)),
        // a run of levels 1
        body: new Uint8Array([2, 0, 0, 0, values.length * 2, 1, ...body]),
      }),
    )
    return editStatistics(optional, 'v', (statistics) => {
      if (nulls < 0) statistics.delete(3)
      else statistics.set(3, i64(nulls))
    })
  }
  const sortedAndRequired = (values: number[], more: { descending?: boolean; columns?: number[] }) =>
    handmade({
      physical: PHYSICAL.INT32,
      rows: values.length,
      statistics: { min: int32(Math.min(...values)), max: int32(Math.max(...values)) },
      sorting: (more.columns ?? [0]).map((column) => ({ column, descending: more.descending ?? false })),
      pages: [{ values: values.length, body: int32(...values) }],
    })
  const int32 = (...values: number[]) => new Uint8Array(Int32Array.from(values).buffer)
  const ascending = [{ column_idx: 0, descending: false, nulls_first: false }]
  const CASES: [string, Uint8Array[], unknown][] = [
    ['are kept where ranges follow each other', [sorted([1, 5]), sorted([6, 9])], ascending],
    ['are kept where one ends with what the next begins with', [sorted([1, 5]), sorted([5, 9])], ascending],
    ['are dropped where ranges overlap', [sorted([1, 5]), sorted([4, 9])], undefined],
    ['are dropped where files stand in another order', [sorted([6, 9]), sorted([1, 5])], undefined],
    ['are dropped where one input has none', [sorted([1, 5]), sorted([6, 9], { columns: [] })], undefined],
    [
      'may descend',
      [sorted([9, 6], { descending: true }), sorted([5, 1], { descending: true })],
      [{ column_idx: 0, descending: true, nulls_first: false }],
    ],
    ['are kept as they are for one', [sorted([1, 3])], ascending],
    [
      'are kept where several columns step up',
      [sorted([1, 5], { columns: [0, 0] }), sorted([6, 9], { columns: [0, 0] })],
      [...ascending, ...ascending],
    ],
    [
      'are dropped where ranges touch and a second column would decide',
      [sorted([1, 5], { columns: [0, 0] }), sorted([5, 9], { columns: [0, 0] })],
      undefined,
    ],
    [
      'are dropped where it is not known whether there are nulls',
      [sorted([1, 5], { nulls: -1 }), sorted([6, 9], { nulls: -1 })],
      undefined,
    ],
    ['are dropped where there are nulls', [sorted([1, 5], { nulls: 0 }), sorted([6, 9], { nulls: 1 })], undefined],
    [
      'are kept where it is known that there are none',
      [sorted([1, 5], { nulls: 0 }), sorted([6, 9], { nulls: 0 })],
      ascending,
    ],
  ]
  test.each(CASES)('%s', async (_, files, expected) => {
    for (const options of [{ minPageBytes: 0 }, { pages: 'rewrite' as const }]) {
      const { output, report } = await merge(files, options)
      expect(metadataOf(output).row_groups[0]!.sorting_columns).toEqual(expected)
      expect(report.dropped).toEqual(expected ? {} : { sorting_columns_unsure: 1 })
    }
  })

  test('that rows do not keep to are dropped wherever pages are looked at', async () => {
    const lying = [sorted([1, 9, 2]), sorted([10, 12, 11])]
    const wrongBounds = editStatistics(sorted([1, 2, 3]), 'v', (statistics) => {
      statistics.set(5, binary(int32(30))).set(6, binary(int32(20)))
    })
    for (const files of [lying, [lying[0]!], [sorted([4, 9]), wrongBounds]]) {
      for (const options of [
        { pages: 'check', minPageBytes: 0 },
        { pages: 'rewrite' },
        { pages: 'check' },
      ] as MergeOptions[]) {
        const { output, report } = await merge(files, options)
        expect(metadataOf(output).row_groups[0]!.sorting_columns).toBeUndefined()
        expect(report.dropped).toEqual({ sorting_columns_unsure: 1 })
      }
    }
  })

  test('of a column that there is not are refused', async () => {
    await expect(merge([sorted([1], { columns: [7] })])).rejects.toThrow('rows sorted by column 7 of 1')
  })
})

test('pages that are written get a checksum if those of the inputs had one', async () => {
  const int32 = (...values: number[]) => new Uint8Array(Int32Array.from(values).buffer)
  const file = (crc: boolean, ...entries: number[]) => {
    const pages = [
      { kind: 2, values: 2, body: int32(...entries) },
      { values: 4, encoding: 8, body: Uint8Array.of(1, 3, 0b0110) },
    ]
    return handmade({ rows: 4, pages: pages.map((page) => (crc ? { ...page, crc: checksum(page.body) } : page)) })
  }
  for (const options of [{ minPageBytes: 0 }, { pages: 'rewrite' as const }]) {
    for (const crc of [true, false]) {
      const { output } = await merge([file(crc, 1, 2), file(crc, 2, 1)], options)
      const chunk = metadataOf(output).row_groups[0]!.columns[0]!.meta_data!
      const end = 4 + Number(chunk.total_compressed_size)
      for (let at = 4; at < end; ) {
        const header = readPageHeader(output, at)
        expect(header.crc !== undefined).toBe(crc)
        at += header.headerBytes + header.compressedBytes
      }
      // reads it with its checksums
      expect((await merge([output], { pages: 'rewrite' })).report.rowsOut).toBe(8)
      expect((await readWithHyparquet(output)).map(({ v }) => v)).toEqual([1, 2, 2, 1, 2, 1, 1, 2])
    }
  }
})

describe('an error names the byte', () => {
  const int32 = (...values: number[]) => new Uint8Array(Int32Array.from(values).buffer)
  test('of the footer where it broke', async () => {
    const file = new Uint8Array(await writeWithDuckDB('select 1 as v'))
    const length = new DataView(file.buffer, file.byteOffset).getUint32(file.length - 8, true)
    const at = file.length - 8 - length + 20
    file.fill(0xff, at, at + 4)
    const error = await merge([file]).catch((reason: Error) => reason)
    const named = Number(/thrift at byte (\d+)/.exec(String(error))?.[1])
    expect(named).toBeGreaterThanOrEqual(at)
    expect(named).toBeLessThan(file.length - 8)
  })

  test.each([
    ['passes', { minPageBytes: 0 }],
    ['is read', { pages: 'rewrite' as const }],
  ])('where the page begins that %s', async (_, options) => {
    const first = { values: 1, body: int32(7) }
    const file = handmade({ rows: 2, pages: [first, { values: 1, body: int32(8), crc: 1 }] })
    const second = 4 + readPageHeader(file, 4).headerBytes + 4
    await expect(merge([file], options)).rejects.toThrow(
      `corrupt_data: file-0: column v: page at byte ${second}: the checksum`,
    )
  })
})

test('changed bytes of page indexes, bloom filters and footers end in the rows or in a named error', async () => {
  const make = (start: number) =>
    write(
      [
        {
          name: 'i',
          data: Int32Array.from({ length: 400 }, (_, i) => start + i),
          columnIndex: true,
          bloomFilter: true,
        },
        {
          name: 's',
          data: Array.from({ length: 400 }, (_, i) => `t${(start + i) % 50}`),
          columnIndex: true,
          bloomFilter: true,
        },
      ],
      { pageSize: 512 },
    )
  const [good, bytes] = [make(0), make(400)]
  const expected = [...(await readWithHyparquet(good)), ...(await readWithHyparquet(bytes))]
  const chunks = metadataOf(bytes).row_groups[0]!.columns
  const dataEnd = Math.max(
    ...chunks.map(
      ({ meta_data: m }) => Number(m!.dictionary_page_offset ?? m!.data_page_offset) + Number(m!.total_compressed_size),
    ),
  )
  let state = 20_260_101
  const random = (below: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return (state >>> 8) % below
  }
  const outcomes = { merged: 0, refused: 0 }
  for (let round = 0; round < 500; round++) {
    const mutated = bytes.slice()
    for (let changes = 1 + random(3); changes > 0; changes--) {
      mutated[dataEnd + random(bytes.length - dataEnd)] = random(256)
    }
    for (const options of [{ minPageBytes: 0 }, { pages: 'rewrite' as const }]) {
      try {
        const { output } = await merge([good, mutated], options)
        outcomes.merged++
        if (round % 10 === 0) expect(await readWithHyparquet(output), `round ${round}`).toEqual(expected)
      } catch (error) {
        expect(error, `round ${round}`).toBeInstanceOf(ParquetError)
        outcomes.refused++
      }
    }
  }
  expect(outcomes.merged).toBeGreaterThan(100)
  expect(outcomes.refused).toBeGreaterThan(100)
}, 60_000)

test('deprecated bounds count for signed integers, and for nothing else', async () => {
  const bytes = (array: Int32Array | Float64Array) => new Uint8Array(array.buffer)
  const file = (physical: number, min: Uint8Array, max: Uint8Array) =>
    handmade({
      physical,
      rows: 1,
      statistics: { min, max, areDeprecated: true },
      pages: [{ values: 1, body: min }],
    })
  const ints = [-5, 3].map((v) => file(PHYSICAL.INT32, bytes(Int32Array.of(v)), bytes(Int32Array.of(v + 1))))
  const doubles = [-5, 3].map((v) => file(PHYSICAL.DOUBLE, bytes(Float64Array.of(v)), bytes(Float64Array.of(v + 1))))
  const statistics = async (files: Uint8Array[]) =>
    metadataOf((await merge(files, { minPageBytes: 0 })).output).row_groups[0]!.columns[0]!.meta_data!.statistics
  expect(await statistics(ints)).toMatchObject({ min_value: -5, max_value: 4 })
  const told = await statistics(doubles)
  expect([told?.min_value, told?.max_value]).toEqual([undefined, undefined])
})

test('a page that passes keeps the bounds of its own index', async () => {
  const make = (start: number) => writeWithArrow({ i: Int32Array.from({ length: 500 }, (_, i) => start + i) })
  const bounds = (file: Uint8Array) => {
    const chunk = metadataOf(file).row_groups[0]!.columns[0]!
    const view = new DataView(new Uint8Array(file).buffer, Number(chunk.column_index_offset), chunk.column_index_length)
    const { min_values, max_values, boundary_order } = readColumnIndex(
      { view, offset: 0 },
      { name: 'i', type: 'INT32' },
    )
    return { min_values, max_values, boundary_order }
  }
  const inputs = [make(0), make(1000)]
  const expected = inputs.map(bounds)
  expect(expected[0]!.min_values.length).toBeGreaterThan(3)
  const { output } = await merge(inputs, { minPageBytes: 0 })
  expect(bounds(output)).toEqual({
    min_values: expected.flatMap(({ min_values }) => min_values),
    max_values: expected.flatMap(({ max_values }) => max_values),
    boundary_order: 'ASCENDING',
  })
})
