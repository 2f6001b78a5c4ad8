import { describe, expect, test } from 'vitest'
import {
  footerLength,
  inspectFooter,
  inspectParquet,
  memorySource,
  type ParquetErrorCode,
  type Source,
} from '../src/index.ts'
import { writeWithDuckDB } from './engines.ts'
import { type HandmadeFile, handmade } from './handmade.ts'

const inspect = (bytes: Uint8Array) => inspectParquet(memorySource('upload', bytes))
const good: HandmadeFile = { rows: 2, pages: [{ values: 2, body: new Uint8Array(8) }] }
const withBytes = (bytes: Uint8Array, change: (bytes: Uint8Array) => void) => {
  const changed = bytes.slice()
  change(changed)
  return changed
}

describe('a file is inspected', () => {
  test('without reading its pages', async () => {
    const bytes = await writeWithDuckDB('select i, [i] as l from range(100000) t(i)', 'row_group_size 20480')
    const reads: number[] = []
    const source: Source = {
      ...memorySource('upload', bytes),
      read: async (offset, length) => {
        reads.push(length)
        return bytes.subarray(offset, offset + length)
      },
    }
    const summary = await inspectParquet(source)
    expect(summary).toMatchObject({
      rowCount: 100000,
      rowGroupCount: 5,
      columnCount: 2,
      schemaFingerprint: expect.stringMatching(/^[0-9a-f]{64}$/),
    })
    expect(reads).toEqual([65536, 4])
  })

  test('from a tail that is in memory, and says how much more it needs', async () => {
    const bytes = await writeWithDuckDB(
      `select ${Array.from({ length: 200 }, (_, i) => `i as column_${i}`)} from range(10) t(i)`,
    )
    const short = await inspectFooter(bytes.length, bytes.subarray(-1000))
    expect(short).toEqual({ complete: false, tailBytes: footerLength(bytes.length, bytes.subarray(-8)) })
    const needed = short.complete ? 0 : short.tailBytes
    const full = await inspectFooter(bytes.length, bytes.subarray(-needed))
    expect(full).toEqual({ complete: true, summary: await inspect(bytes) })
    expect(await inspectParquet(memorySource('upload', bytes), bytes.subarray(-1000))).toEqual(await inspect(bytes))
  })
})

describe('the fingerprint of a schema', () => {
  const fingerprint = async (select: string, options?: string) =>
    (await inspect(await writeWithDuckDB(select, options))).schemaFingerprint

  test('is that of the schema, whatever the rows, codec and page version', async () => {
    expect(await fingerprint('select 1::int as a', 'compression zstd')).toBe(
      await fingerprint('select i::int as a from range(9) t(i)', 'parquet_version v2'),
    )
  })

  test.each([
    ['name', 'select 1::int as b'],
    ['type', 'select 1::bigint as a'],
    ['sign', 'select 1::uinteger as a'],
    ['width of the logical type', 'select 1::smallint as a'],
    ['number of columns', 'select 1::int as a, 2 as b'],
    ['nesting', "select {'a': 1::int} as a"],
    ['list', 'select [1::int] as a'],
    ['logical type', "select date '2020-01-01' as a"],
    ['field id', 'select 1::int as a', 'field_ids {a: 1}'],
  ])('differs with another %s', async (_, select, options?: string) => {
    expect(await fingerprint(select, options)).not.toBe(await fingerprint('select 1::int as a'))
  })

  test.each([
    ["timestamp '2020-01-01'", "timestamptz '2020-01-01'"],
    ["timestamp '2020-01-01'", "'2020-01-01'::timestamp_ms"],
    ["'2020-01-01'::timestamp_ns", "'2020-01-01'::timestamp_ms"],
    ['1::decimal(9, 2)', '1::decimal(9, 3)'],
    ['1::decimal(9, 2)', '1::decimal(8, 2)'],
    ["'a'::varchar", "'a'::blob"],
    ["'a'::varchar", "'1'::json"],
  ])('tells %s from %s', async (one, other) => {
    expect(await fingerprint(`select ${one} as a`)).not.toBe(await fingerprint(`select ${other} as a`))
  })
})

describe('a file is refused', () => {
  const bytes = handmade(good)
  const cases: [string, ParquetErrorCode, Uint8Array][] = [
    ['that is empty', 'not_parquet', new Uint8Array()],
    ['that is too short', 'not_parquet', bytes.subarray(0, 11)],
    ['that is no Parquet', 'not_parquet', new Uint8Array(100).fill(65)],
    ['whose head is wrong', 'not_parquet', withBytes(bytes, (b) => b.fill(0, 0, 4))],
    ['whose end is missing', 'truncated', bytes.subarray(0, -3)],
    ['whose footer is encrypted', 'encrypted', withBytes(bytes, (b) => b.set([69], b.length - 1))],
    ['whose columns are encrypted', 'encrypted', handmade({ ...good, encrypted: true })],
    [
      'whose footer is longer than the file',
      'bad_footer',
      withBytes(bytes, (b) => b.set([255, 255, 255, 127], b.length - 8)),
    ],
    ['whose footer is no thrift', 'bad_footer', withBytes(bytes, (b) => b.fill(0xff, b.length - 60, b.length - 8))],
    ['with another number of rows than its row groups', 'bad_footer', handmade({ ...good, fileRows: 3 })],
    ['with a negative number of rows', 'bad_footer', handmade({ ...good, rows: -1 })],
    ['with fewer values than rows', 'bad_footer', handmade({ ...good, values: 1 })],
    ['with a chunk before the data', 'bad_footer', handmade({ ...good, offsetShift: -4 })],
    ['with a chunk that reaches into the footer', 'bad_footer', handmade({ ...good, compressedShift: 1 })],
    ['with a chunk past the end', 'bad_footer', handmade({ ...good, offsetShift: 2 ** 40 })],
    ['with a chunk of negative length', 'bad_footer', handmade({ ...good, compressedShift: -1000 })],
    ['with fewer chunks than leaves', 'bad_footer', handmade({ ...good, chunks: 0 })],
    ['with more chunks than leaves', 'bad_footer', handmade({ ...good, chunks: 2 })],
    ['with fewer children than it says', 'bad_footer', handmade({ ...good, rootChildren: 2 })],
    ['with more children than it says', 'bad_footer', handmade({ ...good, rootChildren: 0 })],
    ['with a million children', 'bad_footer', handmade({ ...good, rootChildren: 1_000_000 })],
    ['with a fixed length of zero', 'bad_footer', handmade({ ...good, physical: 7, typeLength: 0 })],
    ['with an unknown codec', 'bad_footer', handmade({ ...good, codec: 99 })],
    // a struct in a struct in a struct …
    [
      'that nests without end',
      'bad_footer',
      withBytes(
        new Uint8Array(100_012).fill(0x1c),
        (b) => b.set([...bytes.subarray(0, 4)]) ?? b.set([0xa0, 0x86, 1, 0, 80, 65, 82, 49], 100_004),
      ),
    ],
    // a list of 2^31 schema elements
    ['with a list longer than the file', 'bad_footer', footerOf([0x29, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x07])],
  ]

  test.each(cases)('%s', async (_, code, file) => {
    await expect(inspect(file)).rejects.toMatchObject({
      code,
      permanent: true,
      message: expect.stringMatching(`^${code}: upload: `),
    })
  })

  test('when its source fails, which is worth another try', async () => {
    const source: Source = {
      name: 'upload',
      byteLength: 1000,
      read: () => Promise.reject(new Error('connection lost')),
    }
    await expect(inspectParquet(source)).rejects.toMatchObject({ code: 'read_failed', permanent: false })
    const short: Source = { name: 'upload', byteLength: 1000, read: async () => new Uint8Array(3) }
    await expect(inspectParquet(short)).rejects.toMatchObject({ code: 'truncated' })
  })
})

function footerOf(thrift: number[]): Uint8Array {
  return Uint8Array.from([80, 65, 82, 49, ...thrift, thrift.length, 0, 0, 0, 80, 65, 82, 49])
}
