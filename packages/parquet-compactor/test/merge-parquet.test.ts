import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { checksum } from '../src/format/checksum.ts'
import { PHYSICAL } from '../src/format/format.ts'
import {
  inspectParquet,
  type MergeOptions,
  type MergeProgress,
  memorySink,
  memorySource,
  mergeParquet,
  type ParquetErrorCode,
  type Sink,
  type Source,
} from '../src/index.ts'
import { expectFaithfulMerge, metadataOf, query, readWithHyparquet, store, writeWithDuckDB } from './engines.ts'
import { type HandmadeFile, handmade } from './handmade.ts'

const merge = async (files: Uint8Array[], options?: MergeOptions) => {
  const sink = memorySink()
  const report = await mergeParquet(
    files.map((bytes, i) => memorySource(`file-${i}`, bytes)),
    sink,
    options,
  )
  return { report, output: sink.bytes() }
}
const range = (from: number, to: number, options?: string) =>
  writeWithDuckDB(`select i, 's' || i % 100 as s from range(${from}, ${to}) t(i)`, options)
const int32 = (...values: number[]) => new Uint8Array(Int32Array.from(values).buffer)

describe('nothing is written', () => {
  test('when a schema differs, and the source is named', async () => {
    const other = await writeWithDuckDB("select i, 'x' as t from range(3) t(i)")
    const sink = memorySink()
    const sources = [memorySource('first', await range(0, 5)), memorySource('second', other)]
    await expect(mergeParquet(sources, sink)).rejects.toMatchObject({
      code: 'schema_mismatch',
      message: expect.stringMatching(/^schema_mismatch: second: column t/),
    })
    expect(sink.bytes()).toHaveLength(0)
  })

  test('when the first source has another schema than is expected, which is no fault of the others', async () => {
    const other = await writeWithDuckDB("select i, 'x' as t from range(3) t(i)")
    const good = await range(0, 5)
    const { schemaFingerprint } = await inspectParquet(memorySource('good', good))
    const sink = memorySink()
    const sources = [memorySource('first', other), memorySource('second', good)]
    await expect(mergeParquet(sources, sink, { schemaFingerprint })).rejects.toMatchObject({
      code: 'schema_mismatch',
      message: expect.stringMatching(/^schema_mismatch: first: /),
    })
    expect(sink.bytes()).toHaveLength(0)
    const report = await mergeParquet([memorySource('one', good), memorySource('two', good)], sink, {
      schemaFingerprint,
    })
    expect(report.schemaFingerprint).toBe(schemaFingerprint)
  })

  test('when the last source is no Parquet file', async () => {
    const sink = memorySink()
    const sources = [memorySource('first', await range(0, 5)), memorySource('last', new Uint8Array(500))]
    await expect(mergeParquet(sources, sink)).rejects.toMatchObject({
      code: 'not_parquet',
      message: expect.stringContaining('last'),
    })
    expect(sink.bytes()).toHaveLength(0)
  })

  test('when a codec is unknown to the library', async () => {
    const sink = memorySink()
    const lzo = handmade({ codec: 3, pages: [{ values: 1, body: int32(1) }] })
    await expect(mergeParquet([memorySource('lzo', lzo)], sink)).rejects.toMatchObject({ code: 'unsupported_column' })
    expect(sink.bytes()).toHaveLength(0)
  })

  test.each<[string, MergeOptions]>([
    ['a target of zero', { targetRowGroupBytes: 0 }],
    ['row groups of no rows', { targetRowGroupRows: 0 }],
    ['half a read', { maxReadsInFlight: 0.5 }],
    ['a tiny budget', { memoryBudgetBytes: 1000 }],
    ['a codec that nobody can write', { codec: 'zstd' }],
  ])('with %s', async (_, options) => {
    await expect(merge([await range(0, 5)], options)).rejects.toMatchObject({ code: 'bad_option' })
  })

  test('without sources', async () => {
    await expect(merge([])).rejects.toMatchObject({ code: 'bad_option' })
  })
})

describe('a failure names what failed', () => {
  test.each(['tail', 'pages'])('when a read of the %s fails', async (what) => {
    const bytes = await range(0, 50_000)
    const flaky: Source = {
      ...memorySource('flaky', bytes),
      read: async (offset, length) => {
        if ((what === 'tail') === (offset + length === bytes.length && length > 4 && length < bytes.length))
          throw new Error('connection lost')
        return bytes.subarray(offset, offset + length)
      },
    }
    const merged = mergeParquet([memorySource('good', bytes), flaky], memorySink(), { smallFileBytes: 1 })
    await expect(merged).rejects.toMatchObject({
      code: 'read_failed',
      permanent: false,
      message: expect.stringContaining('flaky'),
    })
  })

  test('when the sink fails', async () => {
    const sink: Sink = { write: () => Promise.reject(new Error('disk full')) }
    await expect(mergeParquet([memorySource('a', await range(0, 5))], sink)).rejects.toMatchObject({
      code: 'write_failed',
    })
  })

  test('when the caller stops it half-way', async () => {
    const controller = new AbortController()
    const files = [await range(0, 5), await range(5, 10)]
    const options = { targetRowGroupBytes: 100, signal: controller.signal, onProgress: () => controller.abort() }
    const merged = merge(files, options)
    await expect(merged).rejects.toMatchObject({ code: 'aborted', permanent: false })
  })
})

describe('a page is refused', () => {
  const page = (
    body: Uint8Array,
    more: Partial<HandmadeFile['pages'] extends (infer P)[] | undefined ? P : never> = {},
  ) => ({ values: 1, body, ...more })
  const huge = 2 ** 31 - 1
  const CASES: [string, ParquetErrorCode, HandmadeFile][] = [
    [
      'that declares 2 GB compressed in 4 KB',
      'corrupt_data',
      { pages: [page(new Uint8Array(4096), { compressedBytes: huge })] },
    ],
    [
      'that declares 2 GB uncompressed in 4 KB',
      'page_too_large',
      { codec: 1, pages: [page(new Uint8Array(4096), { uncompressedBytes: huge })] },
    ],
    [
      'that declares 2 GB in a zstd frame',
      'corrupt_data',
      {
        codec: 6,
        pages: [page(Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0, 0, 0, 0x7f, 1, 0, 0), { uncompressedBytes: 4 })],
      },
    ],
    [
      'whose zstd blocks unfold to more than it declares',
      'corrupt_data',
      { codec: 6, pages: [page(zstdCompressSync(new Uint8Array(1e6)), { uncompressedBytes: 4 })] },
    ],
    ['of 2 billion values', 'corrupt_data', { pages: [page(int32(1), { values: huge })] }],
    [
      'of 2 billion nulls, as the footer says',
      'over_limit',
      {
        rows: huge,
        repetition: 1,
        pages: [page(Uint8Array.of(6, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff, 0x0f, 0), { values: huge })],
      },
    ],
    ['with a wrong checksum', 'corrupt_data', { pages: [page(int32(1), { crc: 1 })] }],
    ['with too few values', 'corrupt_data', { rows: 2, pages: [page(int32(1), { values: 2 })] }],
    [
      'with an index beyond the dictionary',
      'corrupt_data',
      { pages: [page(int32(1), { kind: 2 }), page(Uint8Array.of(2, 2, 3), { encoding: 8 })] },
    ],
    ['with indices and no dictionary', 'corrupt_data', { pages: [page(Uint8Array.of(2, 2, 0), { encoding: 8 })] }],
    ['of an unknown encoding', 'unsupported_column', { pages: [page(int32(1), { encoding: 77 })] }],
    ['of a kind that is unknown', 'corrupt_data', { pages: [page(int32(1), { kind: 9 })] }],
    [
      'whose string exceeds it',
      'corrupt_data',
      { physical: PHYSICAL.BYTE_ARRAY, pages: [page(Uint8Array.of(200, 0, 0, 0, 65))] },
    ],
    ['that is not there', 'corrupt_data', { rows: 2, pages: [page(int32(1))] }],
    ['that is one too many', 'corrupt_data', { rows: 1, pages: [page(int32(1, 2), { values: 2 })] }],
    ['that is no gzip', 'corrupt_data', { codec: 2, pages: [page(new Uint8Array(30), { uncompressedBytes: 4 })] }],
    [
      'that is no snappy',
      'corrupt_data',
      { codec: 1, pages: [page(Uint8Array.of(4, 0xff, 0xff), { uncompressedBytes: 4 })] },
    ],
    ['whose block of deltas is cut', 'corrupt_data', { pages: [page(Uint8Array.of(128, 1, 4), { encoding: 5 })] }],
    [
      'whose deltas come in no miniblocks',
      'corrupt_data',
      { pages: [page(Uint8Array.of(128, 1, 0, 1, 2), { encoding: 5 })] },
    ],
  ]
  test.each(CASES)('%s', async (_, code, file) => {
    const sound = handmade({ ...file, rows: 0, codec: 0, pages: [] })
    const message = expect.stringMatching(`^${code}: file-1: column v: `)
    // however many rows a footer claims, its pages are to be joined with others
    const options = { targetRowGroupRows: 2 ** 40 }
    await expect(merge([sound, handmade(file)], options)).rejects.toMatchObject({ code, message })
  })

  test('only if its checksum is wrong', async () => {
    const body = int32(7)
    const { output } = await merge([handmade({ pages: [{ values: 1, body, crc: checksum(body) }] })])
    expect(await readWithHyparquet(output)).toEqual([{ v: 7 }])
  })
})

describe('types that few writers write', () => {
  test('INT96 comes out byte for byte', async () => {
    // nanoseconds of the day in 8 bytes, then the Julian day in 4
    const body = new Uint8Array(36)
    const view = new DataView(body.buffer)
    for (let i = 0; i < 3; i++) {
      view.setBigInt64(i * 12, 45_296_123_456_789n + BigInt(i), true)
      view.setInt32(i * 12 + 8, 2_459_000 + i, true)
    }
    const file = handmade({ physical: PHYSICAL.INT96, rows: 3, pages: [{ values: 3, body }] })
    const { output } = await merge([file, file])
    expect(metadataOf(output).schema[1]).toMatchObject({ type: 'INT96' })
    expect(metadataOf(output).row_groups[0]!.columns[0]!.meta_data!.statistics?.min_value).toBeUndefined()
    const rows = (await readWithHyparquet(file)).map(({ v }) => (v as Date).toISOString())
    expect((await readWithHyparquet(output)).map(({ v }) => (v as Date).toISOString())).toEqual([...rows, ...rows])
    const once = await query(`select v from '${store(file)}'`)
    expect(await query(`select v from '${store(output)}'`)).toEqual([...once, ...once])
    // no reader shows the nanoseconds, so look for them
    const page = Buffer.from((await merge([file], { codec: 'none' })).output)
    for (let i = 0; i < 3; i++) expect(page.includes(Buffer.from(body.subarray(i * 12, i * 12 + 12)))).toBe(true)
  })

  test('the old name of dictionary indices, and pages without values, are read', async () => {
    const pages = [
      { kind: 2, values: 2, encoding: 2, body: int32(5, 6) },
      { values: 0, encoding: 2, body: Uint8Array.of(1) },
      { values: 3, encoding: 2, body: Uint8Array.of(1, 3, 0b101) },
    ]
    const { output } = await merge([handmade({ rows: 3, pages })])
    expect(await readWithHyparquet(output)).toEqual([{ v: 6 }, { v: 5 }, { v: 6 }])
  })

  test('bit-packed levels of the first writers are refused no more than others', async () => {
    // one bit a level, most significant first: present, null, present
    const body = Uint8Array.of(0b10100000, ...int32(8, 9))
    const file = handmade({ rows: 3, repetition: 1, pages: [{ values: 3, body, definitionEncoding: 4 }] })
    const { output } = await merge([file])
    expect(await readWithHyparquet(output)).toEqual([{ v: 8 }, { v: null }, { v: 9 }])
  })
})

describe('options', () => {
  test('a codec of the caller writes and reads what the library cannot write', async () => {
    const codecs = {
      zstd: {
        compress: (bytes: Uint8Array) => zstdCompressSync(bytes),
        decompress: (bytes: Uint8Array) => zstdDecompressSync(bytes),
      },
    }
    const files = [await range(0, 5000, 'compression zstd'), await range(5000, 9000, 'compression zstd')]
    for (const codec of ['keep', 'zstd'] as const) {
      const { output } = await expectFaithfulMerge(files, { codec, codecs })
      expect(metadataOf(output).row_groups[0]!.columns[0]!.meta_data!.codec).toBe('ZSTD')
    }
  })

  test.each(['none', 'snappy', 'gzip'] as const)('codec %s is written without help', async (codec) => {
    const { output } = await expectFaithfulMerge([await range(0, 5000), await range(0, 10)], { codec })
    expect(metadataOf(output).row_groups[0]!.columns[0]!.meta_data!.codec).toBe(
      { none: 'UNCOMPRESSED', snappy: 'SNAPPY', gzip: 'GZIP' }[codec],
    )
  })

  test('zstd pages may come in frames that do not declare their size, or in several', async () => {
    const values = Int32Array.from({ length: 50_000 }, (_, i) => i % 977)
    const bytes = new Uint8Array(values.buffer)
    const undeclared = (part: Uint8Array) =>
      zstdCompressSync(part, { params: { [constants.ZSTD_c_contentSizeFlag]: 0 } })
    const bodies = [
      undeclared(bytes),
      Buffer.concat([zstdCompressSync(bytes.subarray(0, 99_996)), undeclared(bytes.subarray(99_996))]),
    ]
    for (const body of bodies) {
      const file = handmade({
        codec: 6,
        rows: values.length,
        pages: [{ values: values.length, body, uncompressedBytes: bytes.length }],
      })
      const { output } = await merge([file])
      expect((await readWithHyparquet(output)).map(({ v }) => v)).toEqual([...values])
    }
  })

  test('progress runs to the end', async () => {
    const seen: MergeProgress[] = []
    const files = [await range(0, 0), await range(0, 5000, 'row_group_size 2048'), await range(0, 3)]
    await merge(files, { onProgress: (progress) => seen.push(progress) })
    expect(seen.map(({ rowsDone }) => rowsDone)).toEqual([2048, 4096, 5000, 5003])
    expect(seen.at(-1)).toMatchObject({ rowsDone: 5003, rowsTotal: 5003, filesDone: 3, filesTotal: 3 })
  })

  test('no more reads are under way than allowed, and small files take one or two', async () => {
    const files = await Promise.all(Array.from({ length: 12 }, (_, i) => range(i * 10, i * 10 + 10)))
    let now = 0
    let most = 0
    let reads = 0
    const sources = files.map(
      (bytes, i): Source => ({
        ...memorySource(`file-${i}`, bytes),
        read: async (offset, length) => {
          reads++
          most = Math.max(most, ++now)
          await Promise.resolve()
          now--
          return bytes.subarray(offset, offset + length)
        },
      }),
    )
    await mergeParquet(sources, memorySink(), { maxReadsInFlight: 3 })
    expect(most).toBe(3)
    expect(reads).toBe(12)
  })
})

describe('the dictionary of a column', () => {
  const encodings = (file: Uint8Array) =>
    metadataOf(file).row_groups[0]!.columns.map(({ meta_data }) => meta_data!.encodings.filter((e) => e !== 'RLE'))
  const table = (select: string, rows = 45_000) =>
    Promise.all([0, rows].map((from) => writeWithDuckDB(`select ${select} from range(${from}, ${from + rows}) t(i)`)))

  test('is kept for few values, and left out for values that are all distinct', async () => {
    const { output } = await expectFaithfulMerge(
      await table("i % 50 as few, 'v' || i % 50 as texts, i * 7919 as many, md5(i::varchar) as hashes"),
      { targetRowGroupRows: 2 ** 20 },
    )
    const dictionary = ['PLAIN', 'RLE_DICTIONARY']
    expect(encodings(output)).toEqual([dictionary, dictionary, ['PLAIN'], ['PLAIN']])
  })

  test('may be given up after pages that use it, and bounds still hold all values', async () => {
    const files = await table(
      "case when i < 140000 then 'm' || i % 10 else md5(i::varchar) || repeat('x', 100) end as s, case when i < 140000 then i % 3 else i end as n",
      80_000,
    )
    // pages this large are in no input, so all is rewritten
    const { output } = await expectFaithfulMerge(files, { minPageBytes: 2 ** 30, targetRowGroupRows: 2 ** 20 })
    const [chunk] = metadataOf(output).row_groups[0]!.columns
    expect(chunk!.meta_data!.dictionary_page_offset).toBeDefined()
    const pages = new Set(
      (await query(`select encodings from parquet_metadata('${store(output)}')`))
        .flat()
        .flatMap((text) => String(text).split(', ')),
    )
    expect(pages).toEqual(new Set(['RLE', 'PLAIN', 'RLE_DICTIONARY']))
    const [bounds] = await query(`select min(s), max(s), min(n), max(n) from '${store(output)}'`)
    expect(chunk!.meta_data!.statistics).toMatchObject({ min_value: bounds![0], max_value: bounds![1], null_count: 0n })
    for (const where of ["s = 'm3'", "s > 'f'", 'n = 159999', 'n < 2']) {
      const count = (files: string) => query(`select count(*) from read_parquet(${files}) where ${where}`)
      expect(await count(`'${store(output)}'`)).toEqual(await count(`[${files.map((file) => `'${store(file)}'`)}]`))
    }
  })
})

test('a schema without columns keeps its rows', async () => {
  const bare = handmade({ rows: 5, rootChildren: 0, chunks: 0 })
  const { output, report } = await merge([bare, bare])
  expect(report).toMatchObject({ rowsIn: 10, rowsOut: 10 })
  expect(Number(metadataOf(output).num_rows)).toBe(10)
})
