/** Every writer with every codec, page version and dictionary setting that it has, merged in four ways. */
import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { parquetWriteBuffer } from 'hyparquet-writer'
import pl from 'nodejs-polars'
import { Compression, readParquet, WriterPropertiesBuilder, WriterVersion, writeParquet } from 'parquet-wasm/node'
import { describe, test } from 'vitest'
import { NODE_CODECS } from '../src/command/node-codecs.ts'
import type { MergeOptions } from '../src/index.ts'
import { expectFaithfulMerge, type ReaderSet, writeWithDuckDB } from './engines.ts'

/** Rows of the files of each case; one has none, in others all values of a column are null. */
const RANGES = [
  [0, 300],
  [300, 300],
  [300, 301],
  [301, 420],
] as const

// beside the default, which `expectFaithfulMerge` does with and without passing pages
const OTHER_WAYS: MergeOptions[] = [
  { pages: 'rewrite', minPageBytes: 4096 },
  { codec: 'zstd', minPageBytes: 4096 },
]

async function expectFaithfulInAllWays(inputs: Uint8Array[], without: ReaderSet = {}): Promise<void> {
  await expectFaithfulMerge(inputs, { codecs: NODE_CODECS }, without)
  for (const options of OTHER_WAYS) await expectFaithfulMerge(inputs, { ...options, codecs: NODE_CODECS }, without)
}

const FLAT = `i, 's' || i % 9 as repeated, md5(i::varchar) as distinct_text, i % 3 = 0 as flag, (i % 100)::tinyint as tiny,
  (i * 31 % 65536)::usmallint as unsigned_short, (18446744073709551615 - i::ubigint)::ubigint as unsigned_long,
  (i / 7)::float as single, case i % 4 when 0 then 'nan'::double when 1 then -0.0 else i / 3 end as number,
  (i / 8)::decimal(9, 3) as small_decimal, (-i * 12345678901)::decimal(30, 2) as decimal,
  date '1960-01-01' + i::int as day, timestamp '1970-01-01' + to_microseconds(i * 123456789) as at,
  time '00:00:00' + to_microseconds(i * 7919) as clock, 'b\\x00'::blob || i::varchar::blob as bytes, null::varchar as nothing,
  case when i % 7 > 0 then 'n' || i % 20 end as sparse, case when i % 5 > 0 then i * 1000 end as sparse_number`
const NESTED = `case i % 4 when 0 then [] when 1 then null else [i, null, i + 1] end as list,
  [[], null, ['x' || i % 3]] as lists, {'a': i, 'b': case when i % 2 = 0 then 'x' end, 'c': {'d': i / 2}} as struct,
  [{'m': i % 5, 'n': null}, null] as structs`
const MAPS = `map {'k' || i % 3: i, 'z': null} as map, md5((i % 20)::varchar)::uuid as uuid,
  (['low', 'mid', 'high'])[1 + i % 3]::enum('low', 'mid', 'high') as level, (i::hugeint * 1000) as huge`

const selectAll = ([from, to]: readonly [number, number]) =>
  `select ${FLAT}, ${NESTED}, ${MAPS} from range(${from}, ${to}) t(i)`

function cases<const Codecs extends readonly string[]>(codecs: Codecs): [Codecs[number], 1 | 2, boolean][] {
  return codecs.flatMap((codec) =>
    ([1, 2] as const).flatMap((version) =>
      [true, false].map((dictionary): [string, 1 | 2, boolean] => [codec, version, dictionary]),
    ),
  )
}

/** hyparquet refuses the dictionary page of a column of nulls, which is empty, where it is compressed with lz4 */
const notEmptyLz4 = (isLz4: boolean): ReaderSet => ({ hyparquet: isLz4 })

describe('DuckDB', () => {
  test.each(cases(['uncompressed', 'snappy', 'gzip', 'zstd', 'brotli', 'lz4_raw']))(
    '%s, pages of version %i, dictionaries %s',
    async (codec, version, dictionary) => {
      const options = `compression ${codec}, parquet_version v${version}${dictionary ? '' : ', dictionary_size_limit 1'}`
      await expectFaithfulInAllWays(
        await Promise.all(RANGES.map((range) => writeWithDuckDB(selectAll(range), options))),
      )
    },
  )
})

describe('arrow-rs', () => {
  test.each(cases(['UNCOMPRESSED', 'SNAPPY', 'GZIP', 'ZSTD', 'BROTLI', 'LZ4_RAW']))(
    '%s, pages of version %i, dictionaries %s',
    async (codec, version, dictionary) => {
      const write = async (range: readonly [number, number]) => {
        const properties = new WriterPropertiesBuilder()
          .setCompression(Compression[codec as keyof typeof Compression] as Compression)
          .setWriterVersion(version === 1 ? WriterVersion.V1 : WriterVersion.V2)
          .setDictionaryEnabled(dictionary)
          .setDataPageSizeLimit(512)
          .setMaxRowGroupSize(200)
        return writeParquet(readParquet(await writeWithDuckDB(selectAll(range))), properties.build())
      }
      await expectFaithfulInAllWays(
        await Promise.all(RANGES.map(write)),
        notEmptyLz4(codec === 'LZ4_RAW' && dictionary),
      )
    },
  )
})

describe('Polars', () => {
  test.each(['uncompressed', 'snappy', 'gzip', 'brotli', 'zstd', 'lz4'] as const)('%s', async (compression) => {
    const write = async ([from, to]: readonly [number, number]) => {
      const bytes = await writeWithDuckDB(`select ${FLAT}, ${NESTED} from range(${from}, ${to}) t(i)`)
      return new Uint8Array(pl.readParquet(Buffer.from(bytes)).writeParquet({ compression }))
    }
    await expectFaithfulInAllWays(await Promise.all(RANGES.map(write)), notEmptyLz4(compression === 'lz4'))
  })
})

describe('hyparquet-writer', () => {
  const compressors = {
    GZIP: (bytes: Uint8Array) => new Uint8Array(gzipSync(bytes)),
    BROTLI: (bytes: Uint8Array) => new Uint8Array(brotliCompressSync(bytes)),
    ZSTD: (bytes: Uint8Array) => new Uint8Array(zstdCompressSync(bytes)),
  }
  test.each(
    (['UNCOMPRESSED', 'SNAPPY', 'GZIP', 'BROTLI', 'ZSTD'] as const).flatMap((codec) => [
      [codec, 'dictionaries where they pay', undefined] as const,
      [codec, 'plain', 'PLAIN'] as const,
    ]),
  )('%s, %s', async (codec, _, encoding) => {
    const write = ([from, to]: readonly [number, number]) => {
      const rows = Array.from({ length: to - from }, (_, i) => from + i)
      const sparse = <Value>(value: (i: number) => Value) => rows.map((i) => (i % 4 === 1 ? null : value(i)))
      const own = encoding ? ({ encoding } as const) : {}
      const bytes = parquetWriteBuffer({
        codec,
        compressors,
        rowGroupSize: 110,
        columnData: [
          { name: 'i', data: rows, type: 'INT32', nullable: false, ...own },
          { name: 'long', data: sparse((i) => BigInt(i % 6)), type: 'INT64', nullable: true, ...own },
          { name: 'text', data: sparse((i) => `t${i % 9}`), type: 'STRING', nullable: true, ...own },
          { name: 'double', data: sparse((i) => i / 7), type: 'DOUBLE', nullable: true, ...own },
          { name: 'flag', data: sparse((i) => i % 3 === 0), type: 'BOOLEAN', nullable: true },
          { name: 'time', data: sparse((i) => new Date(i * 1001)), type: 'TIMESTAMP', nullable: true, ...own },
          { name: 'json', data: sparse((i) => ({ i })), type: 'JSON', nullable: true, ...own },
          { name: 'nothing', data: rows.map(() => null), type: 'STRING', nullable: true },
        ],
      })
      return new Uint8Array(bytes)
    }
    await expectFaithfulInAllWays(RANGES.filter(([from, to]) => from < to).map(write))
    // arrow-rs refuses its files without rows
    await expectFaithfulMerge(RANGES.map(write), {}, { arrow: true })
  })
})
