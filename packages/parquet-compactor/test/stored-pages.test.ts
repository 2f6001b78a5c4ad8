import { describe, expect, test } from 'vitest'
import { checksum } from '../src/format/checksum.ts'
import { PHYSICAL } from '../src/format/format.ts'
import { memorySink, memorySource, mergeParquet } from '../src/index.ts'
import { expectFaithfulMerge, metadataOf, query, store, writeWithDuckDB } from './engines.ts'
import { type HandmadeFile, handmade } from './handmade.ts'
import { checkPageIndexes } from './page-index.ts'

/** Numbers that no codec makes smaller. */
const noise = (salt: number) => `hash(i * ${salt} + 1)::double / 18446744073709551616.0`
const files = (select: string, options = 'compression snappy', rows = 1000, count = 12) =>
  Promise.all(
    Array.from({ length: count }, (_, f) =>
      writeWithDuckDB(`select ${select} from range(${f * rows}, ${(f + 1) * rows}) t(i)`, options),
    ),
  )

describe('small pages of noise are joined where they stand', () => {
  /** of twelve pages of snappy those stay that it made smaller; uncompressed all are joined */
  const TYPES: [title: string, select: string, pagesOfSnappy: number][] = [
    ['doubles', `${noise(3)} as v`, 1],
    ['floats', `(${noise(5)})::float as v`, 1],
    ['integers', 'hash(i) as v', 2],
    ['decimals, which snappy makes smaller', '(hash(i) % 1000000007)::decimal(18, 3) as v', 12],
    ['uuids', 'md5(i::varchar)::uuid as v', 1],
    ['doubles with NaN', `case when i % 1000 = 7 then 'nan'::double else ${noise(3)} end as v`, 12],
  ]
  test.each(TYPES)('%s', async (_, select, pagesOfSnappy) => {
    for (const codec of ['snappy', 'uncompressed']) {
      const inputs = await files(select, `compression ${codec}`)
      const { spliced, output } = await expectFaithfulMerge(inputs, { minPageBytes: 0 })
      expect(spliced.columnChunks).toMatchObject({ spliced: 12 })
      // values with a NaN have no bounds, and a column without bounds has no ColumnIndex
      await checkPageIndexes(output, select.includes('nan') ? ['v'] : [])
      const pages = metadataOf(output).row_groups[0]!.columns[0]!.meta_data!.encoding_stats![0]!.count
      expect(pages).toBe(codec === 'snappy' ? pagesOfSnappy : 1)
    }
  })

  test('and filters find in them what they find in the inputs', async () => {
    const inputs = await files(`i, ${noise(3)} as v, case when i % 5 > 0 then ${noise(7)} end as w`)
    const { output } = await expectFaithfulMerge(inputs, { minPageBytes: 0 })
    expect(await checkPageIndexes(output)).toMatchObject({ v: 1, w: 12 })
    const sources = inputs.map((input) => `'${store(input)}'`).join()
    for (const where of ['v > 0.999', 'w < 0.001', 'i between 7001 and 7010 and v < 0.5', 'w is null and v > 0.99']) {
      const rows = (from: string) => query(`select * from read_parquet([${from}]) where ${where} order by i`)
      expect(await rows(`'${store(output)}'`)).toEqual(await rows(sources))
    }
  })

  test('but not where bytes stand behind the values, as fastparquet pads its pages', async () => {
    const int32 = new Uint8Array(Int32Array.of(5, 6, 7).buffer)
    const padding = new Uint8Array(8)
    const text = Uint8Array.from([2, 0, 0, 0, 104, 105, 1, 0, 0, 0, 120])
    // a run of three levels 1, with its length before it
    const levels = Uint8Array.of(2, 0, 0, 0, 6, 1)
    const page = (values: number, ...parts: Uint8Array[]) => ({ values, body: new Uint8Array(Buffer.concat(parts)) })
    const cases: [HandmadeFile, string[]][] = [
      [{ rows: 3, pages: [page(3, int32, padding)] }, ['5', '6', '7']],
      [{ rows: 3, repetition: 1, pages: [page(3, levels, int32, padding)] }, ['5', '6', '7']],
      [{ rows: 2, physical: PHYSICAL.BYTE_ARRAY, pages: [page(2, text, padding)] }, ['hi', 'x']],
    ]
    for (const [file, values] of cases) {
      const input = handmade(file)
      const sink = memorySink()
      const sources = [memorySource('a', input), memorySource('b', input)]
      const report = await mergeParquet(sources, sink, { minPageBytes: 0 })
      expect(report.columnChunks).toMatchObject({ spliced: 2 })
      const rows = await query(`select v::varchar from '${store(sink.bytes())}'`)
      expect(rows.flat()).toEqual([...values, ...values])
    }
  })

  test('up to the size of a page, and merged again', async () => {
    const inputs = await files(`${noise(3)} as v`, 'compression snappy', 3000, 60)
    const merge = async (...sources: Uint8Array[]) => {
      const sink = memorySink()
      const named = sources.map((bytes, i) => memorySource(`${i}`, bytes))
      await mergeParquet(named, sink, { minPageBytes: 0, targetRowGroupRows: 2 ** 20 })
      return sink.bytes()
    }
    const sum = (...all: Uint8Array[]) =>
      query(`select count(*), bit_xor(hash(v)) from read_parquet([${all.map((file) => `'${store(file)}'`)}])`)
    const output = await merge(...inputs)
    expect(await sum(output)).toEqual(await sum(...inputs))
    expect((await checkPageIndexes(output)).v).toBe(2)
    const [one, two] = inputs as [Uint8Array, Uint8Array]
    const again = await merge(output, one, two)
    expect(await sum(again)).toEqual(await sum(output, one, two))
    expect((await checkPageIndexes(again)).v).toBe(3)
  })

  test('of bytes of any length', async () => {
    const { spliced, output } = await expectFaithfulMerge(
      // snappy finds their lengths again and again
      await files('unhex(md5(i::varchar)[:2 * (1 + i % 16)::int]) as v', 'compression uncompressed'),
      { minPageBytes: 0 },
    )
    expect(spliced.columnChunks).toMatchObject({ spliced: 12 })
    expect(metadataOf(output).row_groups[0]!.columns[0]!.meta_data!.encoding_stats?.[0]?.count).toBe(1)
  })

  test('but not those of version 2', async () => {
    const inputs = await files(`${noise(3)} as v`, 'compression snappy, parquet_version v2')
    const { report } = await expectFaithfulMerge(inputs, { minPageBytes: 0 })
    expect(report.rowsOut).toBe(12_000)
  })

  test('of required columns, and none with a checksum, or of one file alone', async () => {
    const body = (from: number) => new Uint8Array(Int32Array.from({ length: 500 }, (_, i) => (from + i) * 7919).buffer)
    const file = (from: number, crc?: number) =>
      handmade({
        rows: 500,
        repetition: 0,
        pages: [{ values: 500, body: body(from), ...(crc !== undefined && { crc }) }],
      })
    const pagesOf = async (...inputs: Uint8Array[]) => {
      const { output } = await expectFaithfulMerge(inputs, { minPageBytes: 0 })
      return metadataOf(output).row_groups[0]!.columns[0]!.meta_data!.encoding_stats?.[0]?.count
    }
    expect(await pagesOf(file(0), file(500), file(1000))).toBe(1)
    expect(await pagesOf(file(0, checksum(body(0)) | 0), file(500), file(1000))).toBe(2)
    const two = handmade({
      rows: 1000,
      repetition: 0,
      pages: [0, 500].map((from) => ({ values: 500, body: body(from) })),
    })
    expect(await pagesOf(two)).toBe(2)
  })
})
