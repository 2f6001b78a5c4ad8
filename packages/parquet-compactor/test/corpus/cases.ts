/** Files of every writer that runs in Node, with every codec, page version and dictionary setting that it has. */
import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib'
import type { FieldDefinition } from '@dsnp/parquetjs/dist/lib/declare.js'
import { parquetWriteBuffer } from 'hyparquet-writer'
import pl from 'nodejs-polars'
import { Compression, readParquet, WriterPropertiesBuilder, WriterVersion, writeParquet } from 'parquet-wasm/node'
import { writeWithDuckDB } from '../engines.ts'
import { writeWithParquetjs } from '../parquetjs-file.ts'

export interface CorpusCase {
  writer: string
  /** codec, version of pages and other settings */
  settings: string
  write(): Promise<Uint8Array[]>
}

/** Rows of the files of each case; one file has none, in others all values of a column are null. */
const RANGES = [
  [0, 300],
  [300, 300],
  [300, 301],
  [301, 420],
] as const
type Range = (typeof RANGES)[number]

const FLAT = `i, 's' || i % 9 as repeated, md5(i::varchar) as distinct_text, i % 3 = 0 as flag, (i % 100)::tinyint as tiny,
  (i * 31 % 65536)::usmallint as unsigned_short, (18446744073709551615 - i::ubigint)::ubigint as unsigned_long,
  (i / 7)::float as single, case i % 4 when 0 then 'nan'::double when 1 then -0.0 else i / 3 end as number,
  case when i % 5 > 1 then (i - 150) / 3 when i % 5 = 1 then 0.0 else -0.0 end as signed_zero,
  (i / 8)::decimal(9, 3) as small_decimal, (-i * 12345678901)::decimal(30, 2) as decimal,
  date '1960-01-01' + i::int as day, timestamp '1970-01-01' + to_microseconds(i * 123456789) as at,
  (timestamp '1970-01-01' + to_milliseconds(i * 7))::timestamptz as instant,
  time '00:00:00' + to_microseconds(i * 7919) as clock, 'b\\x00'::blob || i::varchar::blob as bytes, null::varchar as nothing,
  case when i % 7 > 0 then 'n' || i % 20 end as sparse, case when i % 5 > 0 then i * 1000 end as sparse_number`
const NESTED = `case i % 4 when 0 then [] when 1 then null else [i, null, i + 1] end as list,
  [[], null, ['x' || i % 3]] as lists, {'a': i, 'b': case when i % 2 = 0 then 'x' end, 'c': {'d': i / 2}} as struct,
  [{'m': i % 5, 'n': null}, null] as structs`
const MAPS = `map {'k' || i % 3: i, 'z': null} as map, md5((i % 20)::varchar)::uuid as uuid,
  (['low', 'mid', 'high'])[1 + i % 3]::enum('low', 'mid', 'high') as level, (i::hugeint * 1000) as huge`

const selectAll = ([from, to]: Range) => `select ${FLAT}, ${NESTED}, ${MAPS} from range(${from}, ${to}) t(i)`

function settingsOf(codecs: readonly string[]): [codec: string, version: 1 | 2, dictionary: boolean][] {
  return codecs.flatMap((codec) =>
    ([1, 2] as const).flatMap((version) =>
      [true, false].map((dictionary): [string, 1 | 2, boolean] => [codec, version, dictionary]),
    ),
  )
}

const describeSettings = (codec: string, version: number, dictionary: boolean) =>
  `${codec}, pages of version ${version}, ${dictionary ? 'dictionaries' : 'plain'}`

function duckdbCases(): CorpusCase[] {
  const codecs = ['uncompressed', 'snappy', 'gzip', 'zstd', 'brotli', 'lz4_raw']
  return settingsOf(codecs).map(([codec, version, dictionary]) => ({
    writer: 'DuckDB',
    settings: describeSettings(codec, version, dictionary),
    write() {
      const options = `compression ${codec}, parquet_version v${version}${dictionary ? '' : ', dictionary_size_limit 1'}`
      return Promise.all(RANGES.map((range) => writeWithDuckDB(selectAll(range), options)))
    },
  }))
}

function arrowCases(): CorpusCase[] {
  const codecs = ['UNCOMPRESSED', 'SNAPPY', 'GZIP', 'ZSTD', 'BROTLI', 'LZ4_RAW']
  return settingsOf(codecs).map(([codec, version, dictionary]) => ({
    writer: 'arrow-rs',
    settings: describeSettings(codec, version, dictionary),
    write() {
      const write = async (range: Range) => {
        const properties = new WriterPropertiesBuilder()
          .setCompression(Compression[codec as keyof typeof Compression] as Compression)
          .setWriterVersion(version === 1 ? WriterVersion.V1 : WriterVersion.V2)
          .setDictionaryEnabled(dictionary)
          .setDataPageSizeLimit(512)
          .setMaxRowGroupSize(200)
        return writeParquet(readParquet(await writeWithDuckDB(selectAll(range))), properties.build())
      }
      return Promise.all(RANGES.map(write))
    },
  }))
}

function polarsCases(): CorpusCase[] {
  return (['uncompressed', 'snappy', 'gzip', 'brotli', 'zstd', 'lz4'] as const).map((compression) => ({
    writer: 'Polars',
    settings: compression,
    write() {
      const write = async ([from, to]: Range) => {
        const bytes = await writeWithDuckDB(`select ${FLAT}, ${NESTED} from range(${from}, ${to}) t(i)`)
        return new Uint8Array(pl.readParquet(Buffer.from(bytes)).writeParquet({ compression }))
      }
      return Promise.all(RANGES.map(write))
    },
  }))
}

function hyparquetCases(): CorpusCase[] {
  const compressors = {
    GZIP: (bytes: Uint8Array) => new Uint8Array(gzipSync(bytes)),
    BROTLI: (bytes: Uint8Array) => new Uint8Array(brotliCompressSync(bytes)),
    ZSTD: (bytes: Uint8Array) => new Uint8Array(zstdCompressSync(bytes)),
  }
  const codecs = ['UNCOMPRESSED', 'SNAPPY', 'GZIP', 'BROTLI', 'ZSTD'] as const
  return codecs.flatMap((codec) =>
    ([undefined, 'PLAIN'] as const).map((encoding) => ({
      writer: 'hyparquet-writer',
      settings: `${codec}, ${encoding ? 'plain' : 'dictionaries where they pay'}`,
      async write() {
        const write = ([from, to]: Range) => {
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
              { name: 'half', data: rows.map((i) => i / 2), type: 'FLOAT16' },
              { name: 'flag', data: sparse((i) => i % 3 === 0), type: 'BOOLEAN', nullable: true },
              { name: 'time', data: sparse((i) => new Date(i * 1001)), type: 'TIMESTAMP', nullable: true, ...own },
              { name: 'json', data: sparse((i) => ({ i })), type: 'JSON', nullable: true, ...own },
              { name: 'nothing', data: rows.map(() => null), type: 'STRING', nullable: true },
            ],
          })
          return new Uint8Array(bytes)
        }
        return RANGES.map(write)
      },
    })),
  )
}

const PARQUETJS_FIELDS: Record<string, FieldDefinition> = {
  i: { type: 'INT64' },
  text: { type: 'UTF8', optional: true },
  double: { type: 'DOUBLE', optional: true },
  single: { type: 'FLOAT' },
  flag: { type: 'BOOLEAN', optional: true },
  tiny: { type: 'INT_8' },
  short: { type: 'INT_16' },
  int: { type: 'INT_32' },
  long: { type: 'INT_64' },
  unsigned_tiny: { type: 'UINT_8' },
  unsigned_short: { type: 'UINT_16', optional: true },
  unsigned_int: { type: 'UINT_32' },
  unsigned_long: { type: 'UINT_64' },
  int96: { type: 'INT96' },
  decimal: { type: 'DECIMAL', precision: 9, scale: 2 },
  millis: { type: 'TIMESTAMP_MILLIS' },
  micros: { type: 'TIMESTAMP_MICROS', optional: true },
  clock: { type: 'TIME_MILLIS' },
  exact_clock: { type: 'TIME_MICROS' },
  day: { type: 'DATE' },
  json: { type: 'JSON' },
  level: { type: 'ENUM' },
  bytes: { type: 'BYTE_ARRAY', optional: true },
  fixed: { type: 'FIXED_LEN_BYTE_ARRAY', typeLength: 4 },
  nothing: { type: 'UTF8', optional: true },
  numbers: { type: 'INT32', repeated: true },
  list: {
    type: 'LIST',
    optional: true,
    fields: { list: { repeated: true, fields: { element: { type: 'INT64', optional: true } } } },
  },
  structs: {
    repeated: true,
    fields: { a: { type: 'INT32' }, b: { type: 'UTF8', optional: true }, c: { type: 'DOUBLE', repeated: true } },
  },
}

const parquetjsRow = (i: number) => ({
  i,
  text: i % 3 ? `t${i % 9}` : undefined,
  double: i % 4 ? i / 7 : undefined,
  single: i / 3,
  flag: i % 5 ? i % 2 === 0 : undefined,
  tiny: (i % 200) - 100,
  short: i * 50 - 10_000,
  int: i * 1000 - 100_000,
  long: i * 1e9,
  unsigned_tiny: i % 256,
  unsigned_short: i % 6 ? i * 100 : undefined,
  unsigned_int: i * 5_000_000,
  unsigned_long: i * 1e12,
  // whole microseconds: DuckDB reads no smaller unit
  int96: i * 1000,
  decimal: i / 4,
  millis: new Date(i * 1001),
  micros: i % 7 ? i * 1_234_567 : undefined,
  clock: i * 1000,
  exact_clock: i * 1001,
  day: new Date(i * 86_400_000),
  json: { i },
  level: `level ${i % 3}`,
  bytes: i % 8 ? Buffer.from([i % 256, 0]) : undefined,
  fixed: Buffer.from([1, 2, i % 256, 0]),
  numbers: Array.from({ length: i % 4 }, (_, at) => i + at),
  structs:
    i % 3
      ? [
          { a: i, b: 'x', c: [i / 2, 1] },
          { a: i + 1, c: [] },
        ]
      : [],
})

function parquetjsCases(): CorpusCase[] {
  const write = (
    [from, to]: Range,
    fields: Record<string, FieldDefinition>,
    options: object,
    rowOf: (i: number) => object,
  ) => {
    const rows = Array.from({ length: to - from }, (_, at) => rowOf(from + at))
    return writeWithParquetjs(fields, rows, { rowGroupSize: 70, pageSize: 20, ...options })
  }
  const usual = (['UNCOMPRESSED', 'SNAPPY', 'GZIP', 'BROTLI'] as const).flatMap((codec) =>
    ([1, 2] as const).flatMap((version) =>
      [true, false].map(
        (pageIndex): CorpusCase => ({
          writer: 'parquetjs',
          settings: `${codec}, pages of version ${version}, ${pageIndex ? 'with' : 'without'} page indexes`,
          write() {
            const own = Object.entries(PARQUETJS_FIELDS).map(([name, field]) => [
              name,
              { ...field, compression: codec },
            ])
            const bloomFilters = [{ column: 'text' }, { column: 'i' }]
            const options = { useDataPageV2: version === 2, pageIndex, bloomFilters }
            return Promise.all(RANGES.map((range) => write(range, Object.fromEntries(own), options, parquetjsRow)))
          },
        }),
      ),
    ),
  )
  const rare = (
    [
      ['INTERVAL', (i: number) => ({ months: 1, days: i + 1, milliseconds: 5 })],
      ['BSON', (i: number) => ({ i })],
    ] as const
  ).map(
    ([type, make]): CorpusCase => ({
      writer: 'parquetjs',
      settings: `${type}, which not all readers know`,
      write() {
        const rowOf = (i: number) => ({ value: i % 3 ? make(i) : undefined })
        return Promise.all(RANGES.map((range) => write(range, { value: { type, optional: true } }, {}, rowOf)))
      },
    }),
  )
  return [...usual, ...rare]
}

/** Writers one after another, each with all its settings. */
export function corpusCases(): CorpusCase[][] {
  return [duckdbCases(), arrowCases(), polarsCases(), hyparquetCases(), parquetjsCases()]
}
