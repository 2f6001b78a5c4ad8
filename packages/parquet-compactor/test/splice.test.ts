import { zstdCompressSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { NODE_CODECS } from '../src/command/node-codecs.ts'
import { checksum } from '../src/format/checksum.ts'
import { PHYSICAL } from '../src/format/format.ts'
import { type MergeOptions, memorySink, memorySource, mergeParquet, type ParquetErrorCode } from '../src/index.ts'
import {
  expectFaithfulMerge,
  metadataOf,
  query,
  readWithArrow,
  readWithDuckDB,
  readWithHyparquet,
  store,
  writeWithDuckDB,
} from './engines.ts'
import { type HandmadeFile, handmade } from './handmade.ts'

const table = (select: string, parts: [number, number][], options?: string) =>
  Promise.all(parts.map(([from, to]) => writeWithDuckDB(`select ${select} from range(${from}, ${to}) t(i)`, options)))
const THREE: [number, number][] = [
  [0, 4000],
  [4000, 8000],
  [8000, 12_000],
]
const merge = async (files: Uint8Array[], options?: MergeOptions) => {
  const sink = memorySink()
  const report = await mergeParquet(
    files.map((bytes, i) => memorySource(`file-${i}`, bytes)),
    sink,
    options,
  )
  return { report, output: sink.bytes() }
}
const chunkOf = (file: Uint8Array, column = 0) => metadataOf(file).row_groups[0]!.columns[column]!.meta_data!
const int32 = (...values: number[]) => new Uint8Array(Int32Array.from(values).buffer)

describe('the way of a column is in the report', () => {
  const CASES: [
    title: string,
    select: string,
    way: 'spliced' | 'remapped' | 'coalesced' | 'rewritten',
    reason: string,
  ][] = [
    ['plain values', 'i * 7919 as v', 'spliced', 'no_dictionary'],
    ['plain values with nulls', 'case when i % 3 > 0 then i end as v', 'spliced', 'no_dictionary'],
    ['texts', 'md5(i::varchar) as v', 'spliced', 'no_dictionary'],
    ['lists', '[i, i + 1] as v', 'spliced', 'no_dictionary'],
    ['many indices', "'v' || hash(i) % 500 as v", 'coalesced', 'several_dictionaries'],
    ['few indices', "'v' || i % 3 as v", 'coalesced', 'small_pages'],
    ['many indices in lists', "['v' || hash(i) % 500, 'v' || hash(-i) % 500] as v", 'remapped', 'several_dictionaries'],
    ['few indices in lists', "['v' || i % 3] as v", 'rewritten', 'small_pages'],
  ]
  test.each(CASES)('%s', async (title, select, way, reason) => {
    const inputs = await table(select, THREE, 'compression uncompressed')
    const { report, output } = await expectFaithfulMerge(inputs, { minPageBytes: 4096 })
    expect(report.columnChunks).toEqual({
      copied: 0,
      spliced: 0,
      remapped: 0,
      coalesced: 0,
      rewritten: 0,
      [way]: 3,
      reasons: { [reason]: 3 },
    })
    expect(report.rowGroupsOut).toBe(1)
    const [bounds] = await query(`select min(v)::varchar, max(v)::varchar, count(*) - count(v) from '${store(output)}'`)
    const [told] = await query(
      `select stats_min_value, stats_max_value, stats_null_count from parquet_metadata('${store(output)}')`,
    )
    if (!title.includes('lists')) expect(told).toEqual(bounds)
  })

  test('large row groups are copied, bytes and all', async () => {
    const inputs = await table("i, 's' || i % 100 as s, [i] as l", THREE)
    const target = metadataOf(inputs[0]!).row_groups[0]!.total_compressed_size!
    const { output, report } = await expectFaithfulMerge(inputs, { targetRowGroupBytes: Number(target) })
    expect(report).toMatchObject({ rowGroupsOut: 3, columnChunks: { copied: 9, reasons: { large_row_group: 9 } } })
    for (const [index, group] of metadataOf(output).row_groups.entries()) {
      for (const [column, { meta_data: copy }] of group.columns.entries()) {
        const source = chunkOf(inputs[index]!, column)
        const bytesOf = (file: Uint8Array, chunk: typeof source) => {
          const start = Number(chunk.dictionary_page_offset ?? chunk.data_page_offset)
          return file.subarray(start, start + Number(chunk.total_compressed_size))
        }
        expect(Buffer.compare(bytesOf(output, copy!), bytesOf(inputs[index]!, source))).toBe(0)
        expect(copy!.num_values).toBe(source.num_values)
        expect(copy!.total_uncompressed_size).toBe(source.total_uncompressed_size)
      }
    }
  })

  test('a source is read by ranges where it is large, and the output is the same', async () => {
    const inputs = await table("i, 's' || hash(i) % 500 as s, [i] as l", THREE)
    const little = { minPageBytes: 0, memoryBudgetBytes: 2 ** 20 }
    const whole = await merge(inputs, little)
    const ranges = await merge(inputs, { ...little, smallFileBytes: 1 })
    expect(Buffer.compare(whole.output, ranges.output)).toBe(0)
  })

  test('what was spliced can be spliced again', async () => {
    const inputs = await table("i, 's' || hash(i) % 500 as s, [i] as l", THREE)
    const once = await merge(inputs, { minPageBytes: 0 })
    const { spliced } = await expectFaithfulMerge([once.output, ...inputs])
    expect(spliced.columnChunks.rewritten).toBe(0)
  })
})

describe('dictionaries', () => {
  const indexPage = (values: number, ...packed: number[]) => ({
    values,
    encoding: 8,
    body: Uint8Array.of(2, ((packed.length / 2) << 1) | 1, ...packed),
  })
  const file = (dictionary: number[], ...packed: number[]): Uint8Array =>
    handmade({
      rows: 8,
      pages: [{ kind: 2, values: dictionary.length, body: int32(...dictionary) }, indexPage(8, ...packed)],
    })
  // indices 0 1 2 3 0 1 2 3, two bits each
  const indices = [0b11100100, 0b11100100]
  const values = (dictionary: number[]) => [...dictionary, ...dictionary].map((v) => ({ v }))

  test('that the footers do not tell of are joined; pages whose entries keep their places pass as they are', async () => {
    const dictionaries = [
      [1, 2, 3, 4],
      [1, 2, 3, 4],
      [4, 3, 2, 1],
      [5, 6, 7, 8],
    ]
    const inputs = dictionaries.map((dictionary) => file(dictionary, ...indices))
    const { output, report } = await merge(inputs, { minPageBytes: 0 })
    expect(report.columnChunks).toMatchObject({ remapped: 4, rewritten: 0 })
    expect(await readWithHyparquet(output)).toEqual(dictionaries.flatMap(values))
    const page = Buffer.from(indexPage(8, ...indices).body)
    const at = Buffer.from(output).indexOf(page)
    expect(at).toBeGreaterThan(0)
    expect(Buffer.from(output).indexOf(page, at + 1)).toBeGreaterThan(at)
    // the rest is written in three bits
    expect(Buffer.from(output).indexOf(page, Buffer.from(output).indexOf(page, at + 1) + 1)).toBe(-1)
  })

  test('of one chunk only stand before the plain pages of the others', async () => {
    const plain = handmade({ rows: 2, pages: [{ values: 2, body: int32(8, 9) }] })
    const { output, report } = await merge([plain, file([1, 2, 3, 4], ...indices), plain], { minPageBytes: 0 })
    expect(report.columnChunks).toMatchObject({ spliced: 3, reasons: { one_dictionary: 3 } })
    const ends = [{ v: 8 }, { v: 9 }]
    const expected = [...ends, ...values([1, 2, 3, 4]), ...ends]
    expect(await readWithHyparquet(output)).toEqual(expected)
    expect(await readWithDuckDB([output])).toEqual(expected.map(({ v }) => [v]))
    expect(readWithArrow(output).rows).toEqual(expected.map((row) => JSON.stringify(row)))
    expect(await query(`select v from '${store(output)}' where v = 3`)).toEqual([[3], [3]])
  })

  test('that would grow too large are given up', async () => {
    const inputs = await table("[repeat('long ', 40) || i // 6] as s", THREE)
    const { spliced } = await expectFaithfulMerge(inputs, { memoryBudgetBytes: 2 ** 20 })
    expect(spliced.columnChunks.reasons).toEqual({ large_dictionary: 3 })
  })
})

describe('a page is refused though it would not be decoded', () => {
  const body = int32(1, 2)
  const CASES: [string, ParquetErrorCode, HandmadeFile][] = [
    [
      'that declares 2 GB in 4 KB',
      'page_too_large',
      { codec: 1, pages: [{ values: 2, body, uncompressedBytes: 2 ** 31 - 1 }] },
    ],
    ['that is longer than its chunk', 'corrupt_data', { pages: [{ values: 2, body, compressedBytes: 9000 }] }],
    ['with a wrong checksum', 'corrupt_data', { pages: [{ values: 2, body, crc: 5 }] }],
    [
      'of another length than its snappy says',
      'corrupt_data',
      { codec: 1, pages: [{ values: 2, body: Uint8Array.of(9, 0, 0), uncompressedBytes: 8 }] },
    ],
    [
      'of another length than its zstd says',
      'corrupt_data',
      { codec: 6, pages: [{ values: 2, body: zstdCompressSync(new Uint8Array(9)), uncompressedBytes: 8 }] },
    ],
    ['of another length than it has', 'corrupt_data', { pages: [{ values: 2, body, uncompressedBytes: 12 }] }],
    ['that is missing', 'corrupt_data', { pages: [{ values: 1, body: int32(1) }] }],
    ['of too many values', 'corrupt_data', { pages: [{ values: 3, body: int32(1, 2, 3) }] }],
    [
      'that begins within a row',
      'corrupt_data',
      // levels of repetition 1, 0, then of definition 1, 1
      { repetition: 2, pages: [{ values: 2, body: Uint8Array.of(2, 0, 0, 0, 3, 0b01, 2, 0, 0, 0, 4, 1, ...body) }] },
    ],
    [
      'that holds fewer rows than its row group',
      'row_count_mismatch',
      { repetition: 2, pages: [{ values: 2, body: Uint8Array.of(2, 0, 0, 0, 3, 0b10, 2, 0, 0, 0, 4, 1, ...body) }] },
    ],
    [
      'of indices beyond the dictionary',
      'corrupt_data',
      {
        pages: [
          { kind: 2, values: 2, body },
          { values: 2, encoding: 8, body: Uint8Array.of(2, 4, 3) },
        ],
      },
    ],
    [
      'of indices without a dictionary',
      'corrupt_data',
      { pages: [{ values: 2, encoding: 8, body: Uint8Array.of(2, 4, 0) }] },
    ],
  ]
  test.each(CASES)('%s', async (_, code, file) => {
    const sound = handmade({
      physical: PHYSICAL.INT32,
      codec: file.codec ?? 0,
      repetition: file.repetition ?? 0,
      rows: 0,
      pages: [],
    })
    const other = handmade({
      pages: [
        { kind: 2, values: 2, body: int32(8, 9) },
        { values: 1, encoding: 8, body: Uint8Array.of(2, 2, 1) },
      ],
    })
    const before = file.codec || file.repetition ? sound : other
    const message = expect.stringMatching(`^${code}: file-1: column v: `)
    await expect(merge([before, handmade({ rows: 2, ...file })], { minPageBytes: 0 })).rejects.toMatchObject({
      code,
      message,
    })
  })

  test('only if it is wrong: checksums pass with their pages', async () => {
    const file = handmade({ rows: 2, pages: [{ values: 2, body, crc: checksum(body) }] })
    const { output } = await merge([file, file], { minPageBytes: 0 })
    expect(await readWithHyparquet(output)).toEqual([1, 2, 1, 2].map((v) => ({ v })))
    const again = output.slice()
    again[Buffer.from(output).lastIndexOf(Buffer.from(body))]! ^= 1
    await expect(merge([again], { minPageBytes: 0 })).rejects.toMatchObject({ code: 'corrupt_data' })
  })
})

describe('statistics of spliced chunks', () => {
  const statistics = (file: Uint8Array) => chunkOf(file).statistics

  test('leave out bounds that one input lacks, and nulls that one does not count', async () => {
    const body = Uint8Array.of(2, 0, 0, 0, 2, 1, ...new Uint8Array(Float64Array.of(7).buffer))
    const withoutBounds = handmade({ physical: PHYSICAL.DOUBLE, repetition: 1, rows: 1, pages: [{ values: 1, body }] })
    const named = await writeWithDuckDB('select i::double as v from range(3, 4) t(i)', 'compression uncompressed')
    const plain = await writeWithDuckDB('select i::double as v from range(5, 90) t(i)', 'compression uncompressed')
    expect(statistics((await merge([plain, named], { minPageBytes: 0 })).output)).toMatchObject({
      min_value: 3,
      max_value: 89,
      null_count: 0n,
    })
    const untold = (await merge([plain, withoutBounds], { minPageBytes: 0 })).output
    expect(statistics(untold)).toBeUndefined()
  })

  test('pass over chunks of nulls, and drop bounds that are no number', async () => {
    const write = (select: string) => writeWithDuckDB(`select ${select}::double as v`, 'compression uncompressed')
    const [one, nothing, nan] = await Promise.all(['1.5', 'null', "'nan'"].map(write))
    expect(statistics((await merge([one!, nothing!], { minPageBytes: 0 })).output)).toMatchObject({
      min_value: 1.5,
      max_value: 1.5,
      null_count: 1n,
    })
    const { min_value, max_value, null_count } = statistics((await merge([one!, nan!], { minPageBytes: 0 })).output)!
    expect({ min_value, max_value, null_count }).toEqual({ null_count: 0n })
  })
})

test('filters find in spliced row groups what they find in the inputs', async () => {
  const select = [
    'i',
    'i::int - 6000 as n',
    '(18446744073709551615 - i::ubigint)::ubigint as u',
    'case when i % 4 > 0 then i / 7 end as d',
    "'t' || hash(i) % 500 as s",
    "date '2000-01-01' + (i // 10)::int as day",
    '(-i / 8)::decimal(12, 3) as money',
    'i % 3 = 0 as b',
  ]
  const inputs = await table(`${select}`, THREE)
  const { output, report } = await merge(inputs, { minPageBytes: 0, targetRowGroupBytes: 150_000 })
  expect(report.columnChunks.rewritten).toBe(0)
  expect(report.rowGroupsOut).toBeGreaterThan(1)
  const merged = `'${store(output)}'`
  const raw = `[${inputs.map((input) => `'${store(input)}'`)}]`
  for (const where of [
    'i = 4001',
    'i between 3990 and 4010',
    'n < -5990',
    'n > 5990',
    'u = 18446744073709551615',
    'u < 18446744073709540000',
    'd > 1700',
    'd is null and i > 11000',
    "s = 't7'",
    "s < 't1'",
    "day = date '2002-01-01'",
    'money < -1400',
    'b',
  ]) {
    const count = (files: string) => query(`select count(*), sum(i) from read_parquet(${files}) where ${where}`)
    expect(await count(merged), where).toEqual(await count(raw))
  }
})

describe('a page that is corrupt inside', () => {
  const damage = (bad: Uint8Array) => {
    const { data_page_offset, total_compressed_size } = chunkOf(bad)
    const from = Number(data_page_offset) + Math.floor(Number(total_compressed_size) / 2)
    return new Uint8Array(bad).fill(0xff, from, from + 64)
  }
  const WAYS = [
    ['texts', 'md5(i::varchar) as v', 'compression uncompressed'],
    ['compressed texts of zstd', 'md5(i::varchar) as v', 'compression zstd'],
    ['lists', '[md5(i::varchar)] as v', 'compression uncompressed'],
  ] as const

  test.each(WAYS)('of %s passes unless it is asked for, and then its file is named', async (_, select, format) => {
    const [good, bad] = await table(select, THREE.slice(0, 2), format)
    const damaged = damage(bad!)
    const options = { codecs: NODE_CODECS, minPageBytes: 0 }
    expect((await merge([good!, damaged], options)).report.columnChunks).toMatchObject({ spliced: 2 })
    for (const pages of ['check', 'rewrite'] as const) {
      await expect(merge([good!, damaged], { ...options, pages }), pages).rejects.toThrow('corrupt_data: file-1')
    }
    const isNested = select.startsWith('[')
    const checked = await merge([good!, bad!], { ...options, pages: 'check' })
    expect(checked.report.columnChunks).toMatchObject({ [isNested ? 'rewritten' : 'spliced']: 2 })
  })

  test('of a row group that would be copied is found too', async () => {
    const [good] = await table('md5(i::varchar) as v', THREE.slice(0, 1), 'compression uncompressed')
    const options = { targetRowGroupBytes: good!.length, pages: 'check' as const }
    expect((await merge([good!], options)).report.columnChunks).toMatchObject({ copied: 1 })
    await expect(merge([damage(good!)], options)).rejects.toThrow('corrupt_data: file-0')
  })
})
