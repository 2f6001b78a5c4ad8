import {
  Binary,
  Bool,
  type DataType,
  DateDay,
  DateMillisecond,
  Decimal,
  Dictionary,
  Field,
  FixedSizeBinary,
  FixedSizeList,
  Float16,
  Float32,
  Float64,
  Int8,
  Int32,
  Int64,
  LargeUtf8,
  List,
  Struct,
  Table,
  TimeMicrosecond,
  TimeMillisecond,
  TimeNanosecond,
  TimestampMicrosecond,
  TimestampMillisecond,
  TimestampNanosecond,
  tableToIPC,
  Uint8,
  Uint16,
  Uint32,
  Uint64,
  Utf8,
  vectorFromArray,
} from 'apache-arrow'
import { parquetWriteBuffer } from 'hyparquet-writer'
import pl from 'nodejs-polars'
import {
  Compression,
  Encoding,
  Table as RustTable,
  WriterPropertiesBuilder,
  WriterVersion,
  writeParquet,
} from 'parquet-wasm/node'
import { describe, expect, test } from 'vitest'
import { memorySink, memorySource, mergeParquet } from '../src/index.ts'
import { expectFaithfulMerge, metadataOf, type ReaderSet } from './engines.ts'

type Configure = (builder: WriterPropertiesBuilder) => WriterPropertiesBuilder

function writeWithArrow(
  columns: Record<string, [DataType, unknown[]]>,
  configure: Configure = (builder) => builder,
): Uint8Array {
  const vectors = Object.entries(columns).map(
    ([name, [type, values]]) => [name, vectorFromArray(values, own(type))] as const,
  )
  const table = new Table(Object.fromEntries(vectors))
  const properties = configure(new WriterPropertiesBuilder()).build()
  return writeParquet(RustTable.fromIPCStream(tableToIPC(table, 'stream')), properties)
}

/** Columns must not share the id of a dictionary. */
const own = (type: DataType) => (type instanceof Dictionary ? new Dictionary(type.dictionary, type.indices) : type)
const field = (name: string, type: DataType) => new Field(name, type, true)
const sparse = (values: unknown[]) => values.map((value, i) => (i % 4 === 1 ? null : value))
const days = [0, 1, 19_000, -5]

/** Types of Arrow, each with a few values. apache-arrow takes milliseconds for
 * timestamps of every unit, so nanoseconds are tested with DuckDB's files, as are maps. */
const ARROW_TYPES: [name: string, type: DataType, values: unknown[], without?: ReaderSet][] = [
  ['bool', new Bool(), [true, false, true, true]],
  ['int8', new Int8(), [-128, 127, 0, 1]],
  ['int32', new Int32(), [-2147483648, 2147483647, 0, 1]],
  ['int64', new Int64(), [-(2n ** 63n), 2n ** 63n - 1n, 0n, 1n]],
  ['uint8', new Uint8(), [0, 255, 1, 2]],
  ['uint16', new Uint16(), [0, 65535, 1, 2]],
  ['uint32', new Uint32(), [0, 4294967295, 1, 2]],
  ['uint64', new Uint64(), [0n, 2n ** 64n - 1n, 1n, 2n]],
  ['float16', new Float16(), [0.5, -2, Number.NaN, 1]],
  ['float32', new Float32(), [0.5, -0, Number.NaN, Number.POSITIVE_INFINITY]],
  ['float64', new Float64(), [0.1, -0, Number.NaN, Number.NEGATIVE_INFINITY]],
  ['utf8', new Utf8(), ['', 'ü', 'long '.repeat(50), 'z']],
  ['large utf8', new LargeUtf8(), ['', 'ü', 'b', 'z']],
  ['binary', new Binary(), [Uint8Array.of(0xff, 0), new Uint8Array(), Uint8Array.of(1), Uint8Array.of(2)]],
  ['fixed binary', new FixedSizeBinary(3), [1, 2, 3, 4].map((n) => Uint8Array.of(n, 255, 0))],
  ['decimal 128', new Decimal(4, 30, 128), [1, 2, 3, 4].map((n) => Uint32Array.of(n * 12345, n, 0, 0))],
  ['date days', new DateDay(), days.map((day) => day * 86_400_000)],
  ['date ms', new DateMillisecond(), days.map((day) => day * 86_400_000)],
  ['time ms', new TimeMillisecond(), [0, 1, 86_399_999, 5]],
  ['time us', new TimeMicrosecond(), [0n, 1n, 86_399_999_999n, 5n]],
  ['time ns', new TimeNanosecond(), [0n, 1n, 86_399_999_999_999n, 5n]],
  ['timestamp ms', new TimestampMillisecond(), [0, 1, 1_600_000_000_123, -1]],
  ['timestamp us', new TimestampMicrosecond(), [0, 1, 1_600_000_000_123, -1]],
  ['timestamp ns, UTC', new TimestampNanosecond('UTC'), [0, 1, 1_600_000_000_123, -1]],
  ['timestamp us, Berlin', new TimestampMicrosecond('Europe/Berlin'), [0, 1, 1_600_000_000_123, -1]],
  ['dictionary', new Dictionary(new Utf8(), new Int32()), ['a', 'b', 'a', 'c']],
  ['list', new List(field('item', new Int64())), [[1n, null], [], [2n], [3n, 4n]]],
  [
    'fixed list',
    new FixedSizeList(2, field('item', new Float64())),
    [
      [1, 2],
      [3, 4],
      [5, 6],
      [7, 8],
    ],
  ],
  [
    'struct of lists',
    new Struct([field('a', new List(field('item', new Utf8()))), field('b', new Int32())]),
    [
      { a: ['x', null], b: 1 },
      { a: [], b: null },
      { a: null, b: 2 },
      { a: ['y'], b: 3 },
    ],
  ],
  [
    'list of structs',
    new List(field('item', new Struct([field('n', new Int32()), field('s', new Utf8())]))),
    [[{ n: 1, s: 'x' }, null], [], [{ n: null, s: 'y' }], null],
  ],
]

describe('files of arrow-rs keep every value and type', () => {
  test.each(ARROW_TYPES)('%s', async (_, type, values, without = {}) => {
    const inputs = [
      writeWithArrow({ v: [type, sparse(values)], w: [type, values] }),
      writeWithArrow({ v: [type, values], w: [type, values] }, (b) =>
        b.setWriterVersion(WriterVersion.V2).setCompression(Compression.ZSTD),
      ),
      writeWithArrow({ v: [type, [null, null]], w: [type, values.slice(0, 2)] }, (b) => b.setDictionaryEnabled(false)),
    ]
    await expectFaithfulMerge(inputs, {}, without)
  })

  const wave = Array.from({ length: 3000 }, (_, i) => (i * 7919) % 1013)
  const ENCODINGS: [string, Encoding, Record<string, [DataType, unknown[]]>][] = [
    [
      'DELTA_BINARY_PACKED',
      Encoding.DELTA_BINARY_PACKED,
      {
        v: [new Int32(), wave.map((n, i) => (i % 9 === 0 ? -2147483648 : n * 2_000_000))],
        w: [new Int64(), wave.map((n, i) => (i % 5 === 0 ? -(2n ** 63n) : BigInt(n) * 9_000_000_000_000_000n))],
      },
    ],
    [
      'DELTA_LENGTH_BYTE_ARRAY',
      Encoding.DELTA_LENGTH_BYTE_ARRAY,
      { v: [new Utf8(), wave.map((n) => 'ab'.repeat(n % 30) + n)] },
    ],
    [
      'DELTA_BYTE_ARRAY',
      Encoding.DELTA_BYTE_ARRAY,
      {
        v: [new Utf8(), wave.map((n) => `https://example.org/${n >> 3}/${n}`)],
        w: [new FixedSizeBinary(2), wave.map((n) => Uint8Array.of(n & 255, n >> 8))],
      },
    ],
    [
      'BYTE_STREAM_SPLIT',
      Encoding.BYTE_STREAM_SPLIT,
      {
        v: [new Float32(), wave.map((n) => n / 3)],
        w: [new Float64(), wave.map((n) => n / 3)],
        x: [new Int64(), wave.map((n) => BigInt(n))],
        y: [new FixedSizeBinary(3), wave.map((n) => Uint8Array.of(n & 255, n >> 8, 1))],
      },
    ],
    ['RLE of booleans', Encoding.RLE, { v: [new Bool(), wave.map((n) => n % 5 < 3)] }],
  ]
  test.each(ENCODINGS)('encoding %s', async (_, encoding, columns) => {
    const sparseColumns = Object.fromEntries(
      Object.entries(columns).map(([name, [type, values]]) => [name, [type, sparse(values)]]),
    ) as typeof columns
    for (const version of [WriterVersion.V1, WriterVersion.V2]) {
      const configure: Configure = (b) =>
        b.setDictionaryEnabled(false).setEncoding(encoding).setWriterVersion(version).setDataPageSizeLimit(4096)
      const inputs = [writeWithArrow(columns, configure), writeWithArrow(sparseColumns, configure)]
      expect(metadataOf(inputs[0]!).row_groups[0]!.columns[0]!.meta_data!.encodings).toContain(Encoding[encoding])
      // DuckDB reads split streams of floats and doubles only
      await expectFaithfulMerge(inputs, {}, { duckdb: encoding === Encoding.BYTE_STREAM_SPLIT })
    }
  })

  test('the Arrow schema survives, and values of a key that differ are left out', async () => {
    const write = (note: string) =>
      writeWithArrow({ v: [new Int32(), [1, 2]] }, (b) => b.setKeyValueMetadata(new Map([['note', note]])))
    const sink = memorySink()
    const report = await mergeParquet([memorySource('a', write('first')), memorySource('b', write('second'))], sink)
    const metadata = metadataOf(sink.bytes()).key_value_metadata ?? []
    expect(metadata.map(({ key }) => key)).toEqual(['ARROW:schema'])
    expect(report.keyValueMetadata.dropped).toEqual([{ key: 'note', reason: 'values_differ' }])
  })
})

describe('files of Polars keep every value and type', () => {
  test.each(['uncompressed', 'snappy', 'gzip', 'brotli', 'zstd', 'lz4'] as const)(
    'compressed with %s',
    async (compression) => {
      const frame = (from: number) => {
        const numbers = Array.from({ length: 500 }, (_, i) => from + i)
        return pl.DataFrame({
          int: numbers,
          float: numbers.map((n) => (n % 7 === 0 ? null : n / 3)),
          text: numbers.map((n) => (n % 5 === 0 ? null : `t${n % 50}`)),
          flag: numbers.map((n) => n % 2 === 0),
          date: numbers.map((n) => new Date(n * 86_400_000)),
          list: numbers.map((n) => [n, n + 1]),
          struct: numbers.map((n) => ({ a: n, b: `${n}` })),
        })
      }
      const inputs = [0, 500, 1000].map((from) => new Uint8Array(frame(from).writeParquet({ compression })))
      await expectFaithfulMerge(inputs)
    },
  )
})

describe('files of hyparquet-writer keep every value and type', () => {
  test.each(['UNCOMPRESSED', 'SNAPPY'] as const)('%s', async (codec) => {
    const write = (from: number) => {
      const numbers = Array.from({ length: 300 }, (_, i) => from + i)
      return new Uint8Array(
        parquetWriteBuffer({
          codec,
          rowGroupSize: 100,
          kvMetadata: [{ key: 'note', value: 'kept' }],
          columnData: [
            { name: 'required', data: numbers, type: 'INT32', nullable: false },
            { name: 'json', data: numbers.map((n) => ({ n })), type: 'JSON' },
            { name: 'uuid', data: numbers.map((n) => Uint8Array.from({ length: 16 }, (_, i) => n + i)), type: 'UUID' },
            { name: 'half', data: numbers.map((n) => n / 2), type: 'FLOAT16' },
            { name: 'time', data: numbers.map((n) => new Date(n * 1001)), type: 'TIMESTAMP' },
            { name: 'delta', data: numbers.map((n) => n * 3), type: 'INT32', encoding: 'DELTA_BINARY_PACKED' },
            { name: 'nothing', data: numbers.map(() => null), type: 'STRING' },
            { name: 'bool', data: numbers.map((n) => n % 3 === 0), type: 'BOOLEAN' },
          ],
        }),
      )
    }
    const { output } = await expectFaithfulMerge([write(0), write(300)])
    expect(metadataOf(output).schema.find(({ name }) => name === 'required')?.repetition_type).toBe('REQUIRED')
  })
})
