import { parquetMetadata } from 'hyparquet'
import { describe, expect, test } from 'vitest'
import { encodeSortingColumns } from '../../src/footer/sorting-columns.ts'
import { ENCODING, PAGE, PHYSICAL } from '../../src/format/format.ts'
import { THRIFT } from '../../src/format/thrift-reader.ts'
import { ThriftWriter } from '../../src/format/thrift-writer.ts'
import { memorySink } from '../../src/index.ts'
import type { LeafColumn, Schema } from '../../src/schema/schema.ts'
import { FileWriter } from '../../src/write/file-writer.ts'
import type { FinishedChunk } from '../../src/write/finished-chunk.ts'
import { PartWriter } from '../../src/write/part-writer.ts'

const text = (value: string) => new TextEncoder().encode(value)
const int32 = (value: number) => new Uint8Array(Int32Array.of(value).buffer)

const leafOf = (name: string): LeafColumn => ({
  name,
  path: [text(name)],
  encodedPath: new Uint8Array(),
  physical: PHYSICAL.INT32,
  width: 4,
  maxDefinition: 1,
  maxRepetition: 0,
  repeatedFrom: [],
  convertedType: undefined,
  logicalType: undefined,
  isUnsigned: false,
})

function schemaOf(...names: string[]): Schema {
  const writer = new ThriftWriter()
  const element = (name: string, children?: number) => {
    writer.open()
    if (children === undefined) writer.i32(1, PHYSICAL.INT32)
    if (children === undefined) writer.i32(3, 1)
    writer.binary(4, text(name))
    if (children !== undefined) writer.i32(5, children)
    writer.close()
  }
  element('root', names.length)
  for (const name of names) element(name)
  return { elementBytes: writer.out.take(), elementCount: names.length + 1, leaves: names.map(leafOf), canonical: '' }
}

const chunkOf = (leaf: LeafColumn, more: Partial<FinishedChunk> = {}): FinishedChunk => ({
  leaf,
  codec: 'zstd',
  pages: [new Uint8Array(20).fill(1), new Uint8Array(30).fill(2)],
  bytes: 50,
  uncompressedBytes: 90,
  levels: 10,
  dictionaryBytes: 20,
  pageKinds: [{ kind: PAGE.DATA, encoding: ENCODING.RLE_DICTIONARY, count: 1 }],
  statistics: {
    nulls: 3,
    nans: -1,
    distinct: -1,
    min: int32(1),
    max: int32(9),
    minIsExact: true,
    maxIsExact: false,
    areDeprecated: false,
  },
  dataPages: [{ bytes: 30, levels: 10, rows: 10, nulls: 3, min: int32(1), max: int32(9) }],
  ...more,
})

async function written(
  schema: Schema,
  groups: [rows: number, chunks: FinishedChunk[], sorting?: ReturnType<typeof encodeSortingColumns>][],
  keyValues: { key: Uint8Array; value: Uint8Array | undefined }[] = [],
  indexBytes = 10_000,
  maxDescriptionBytes = 10_000,
) {
  const sink = memorySink()
  const writer = new FileWriter(new PartWriter(sink, 1000), schema, indexBytes, maxDescriptionBytes)
  await writer.begin()
  for (const group of groups) await writer.writeRowGroup(...group)
  const counts = {
    rowGroups: writer.rowGroupCount,
    rows: writer.rowCount,
    withoutIndex: writer.chunksWithoutIndex,
    bare: writer.chunksWithoutDescription,
  }
  await writer.end(keyValues)
  const bytes = sink.bytes()
  return { bytes, counts, metadata: parquetMetadata(new Uint8Array(bytes).buffer) }
}

describe('a file', () => {
  test('has its chunks behind one another, and says where', async () => {
    const schema = schemaOf('a', 'b')
    const [a, b] = schema.leaves as [LeafColumn, LeafColumn]
    const plain = { dictionaryBytes: 0, pageKinds: [{ kind: PAGE.DATA, encoding: ENCODING.PLAIN, count: 2 }] }
    const { bytes, counts, metadata } = await written(schema, [
      [10, [chunkOf(a), chunkOf(b, plain)]],
      [10, [chunkOf(a), chunkOf(b)]],
    ])
    expect(counts).toEqual({ rowGroups: 2, rows: 20, withoutIndex: 0, bare: 0 })
    expect(Number(metadata.num_rows)).toBe(20)
    expect(metadata.schema.map(({ name }) => name)).toEqual(['root', 'a', 'b'])
    const places = metadata.row_groups.flatMap(({ columns }) =>
      columns.map(({ meta_data }) =>
        [meta_data!.dictionary_page_offset, meta_data!.data_page_offset].map((at) => at && Number(at)),
      ),
    )
    expect(places).toEqual([
      [4, 24],
      [undefined, 54],
      [104, 124],
      [154, 174],
    ])
    expect([bytes[4], bytes[24], bytes[54], bytes[104], bytes[203]]).toEqual([1, 2, 1, 1, 2])
    expect(
      metadata.row_groups.map((group) =>
        [group.total_byte_size, group.num_rows, group.total_compressed_size, group.file_offset].map(Number),
      ),
    ).toEqual([
      [180, 10, 100, 4],
      [180, 10, 100, 104],
    ])
  })

  test('says of each chunk what is in it', async () => {
    const schema = schemaOf('a')
    const { metadata } = await written(schema, [[10, [chunkOf(schema.leaves[0]!)]]])
    const meta = metadata.row_groups[0]!.columns[0]!.meta_data!
    expect(meta).toMatchObject({
      type: 'INT32',
      path_in_schema: ['a'],
      codec: 'ZSTD',
      num_values: 10n,
      total_uncompressed_size: 90n,
      total_compressed_size: 50n,
      statistics: { null_count: 3n, min_value: 1, max_value: 9, is_min_value_exact: true, is_max_value_exact: false },
    })
    expect(meta.encodings).toEqual(['RLE', 'PLAIN', 'RLE_DICTIONARY'])
    expect(meta.encoding_stats).toEqual([
      { page_type: 'DICTIONARY_PAGE', encoding: 'PLAIN', count: 1 },
      { page_type: 'DATA_PAGE', encoding: 'RLE_DICTIONARY', count: 1 },
    ])
  })

  test('says nothing of what is not known', async () => {
    const schema = schemaOf('a')
    const leaf = schema.leaves[0]!
    const nothing = {
      nulls: -1,
      nans: -1,
      distinct: -1,
      min: undefined,
      max: undefined,
      minIsExact: undefined,
      maxIsExact: undefined,
      areDeprecated: false,
    }
    const statisticsOf = async (statistics: Partial<FinishedChunk['statistics']>) => {
      const { metadata } = await written(schema, [[10, [chunkOf(leaf, { statistics: { ...nothing, ...statistics } })]]])
      const { statistics: found } = metadata.row_groups[0]!.columns[0]!.meta_data!
      return found && Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined))
    }
    expect(await statisticsOf({})).toBeUndefined()
    expect(await statisticsOf({ nulls: 0 })).toEqual({ null_count: 0n })
    expect(await statisticsOf({ distinct: 0 })).toEqual({ distinct_count: 0n })
    expect(await statisticsOf({ min: int32(1) })).toBeUndefined()
    expect(await statisticsOf({ min: int32(1), max: int32(2) })).toEqual({ min_value: 1, max_value: 2 })
  })

  test('has filters behind the chunks of their row group, and page indexes before the footer', async () => {
    const schema = schemaOf('a', 'b')
    const [a, b] = schema.leaves as [LeafColumn, LeafColumn]
    const filter = new Uint8Array(40).fill(7)
    const { bytes, metadata } = await written(schema, [[10, [chunkOf(a), chunkOf(b, { bloomFilter: filter })]]])
    const [first, second] = metadata.row_groups[0]!.columns
    expect(first!.meta_data!.bloom_filter_offset).toBeUndefined()
    expect([Number(second!.meta_data!.bloom_filter_offset), second!.meta_data!.bloom_filter_length]).toEqual([104, 40])
    expect([...bytes.subarray(104, 144)]).toEqual([...filter])
    const indexes = [first!, second!].map((column) =>
      [
        column.column_index_offset,
        column.column_index_length,
        column.offset_index_offset,
        column.offset_index_length,
      ].map(Number),
    )
    const [[ca, la, oa, lo], [cb, lb, ob]] = indexes as [number[], number[]]
    expect([ca, cb, oa, ob]).toEqual([144, 144 + la!, 144 + la! + lb!, 144 + la! + lb! + lo!])
  })

  test('has no page index of chunks for which there is no room', async () => {
    const schema = schemaOf('a')
    const { counts, metadata } = await written(schema, [[10, [chunkOf(schema.leaves[0]!)]]], [], 1)
    expect(counts.withoutIndex).toBe(1)
    const column = metadata.row_groups[0]!.columns[0]!
    expect([column.column_index_offset, column.offset_index_offset]).toEqual([undefined, undefined])
  })

  test('says how its rows are sorted, where they are', async () => {
    const schema = schemaOf('a')
    const chunks = () => [chunkOf(schema.leaves[0]!)]
    const sorting = encodeSortingColumns([{ column: 0, isDescending: true, areNullsFirst: false }])
    const { metadata } = await written(schema, [
      [10, chunks(), sorting],
      [10, chunks()],
      [10, chunks(), { count: 0, elements: new Uint8Array() }],
    ])
    expect(metadata.row_groups.map(({ sorting_columns }) => sorting_columns)).toEqual([
      [{ column_idx: 0, descending: true, nulls_first: false }],
      undefined,
      undefined,
    ])
  })

  test('has key-value metadata, with and without values', async () => {
    const schema = schemaOf('a')
    const pairs = [
      { key: text('k'), value: text('v') },
      { key: text('only'), value: undefined },
    ]
    const { metadata } = await written(schema, [[10, [chunkOf(schema.leaves[0]!)]]], pairs)
    expect(metadata.key_value_metadata).toMatchObject([{ key: 'k', value: 'v' }, { key: 'only' }])
    expect((await written(schema, [])).metadata).toMatchObject({
      num_rows: 0n,
      row_groups: [],
      key_value_metadata: undefined,
    })
  })

  test('carries what it was given encoded', async () => {
    const schema = schemaOf('a')
    const pairs = new ThriftWriter()
    pairs.list(1, THRIFT.STRUCT, 1)
    pairs.open()
    pairs.binary(1, text('k'))
    pairs.close()
    const keyValues = pairs.out.take().subarray(1)
    const sizes = { unencodedBytes: 5, repetition: undefined, definition: [3, 7] }
    const { metadata } = await written(schema, [[10, [chunkOf(schema.leaves[0]!, { keyValues, sizes })]]])
    const meta = metadata.row_groups[0]!.columns[0]!.meta_data!
    expect(meta.key_value_metadata).toMatchObject([{ key: 'k' }])
    expect(meta.size_statistics).toMatchObject({
      unencoded_byte_array_data_bytes: 5n,
      definition_level_histogram: [3n, 7n],
    })
  })

  test('describes its chunks as far as there is room, to the byte', async () => {
    const schema = schemaOf('a')
    const groups = () => [1, 2].map((): [number, FinishedChunk[]] => [10, [chunkOf(schema.leaves[0]!)]])
    // bounds of 4 bytes each, twice
    const boundsOf = async (room: number) => {
      const { counts, metadata } = await written(schema, groups(), [], 10_000, room)
      const bounds = metadata.row_groups.map(({ columns }) => columns[0]!.meta_data!.statistics?.min_value)
      return [counts.bare, ...bounds]
    }
    expect(await boundsOf(16)).toEqual([0, 1, 1])
    expect(await boundsOf(15)).toEqual([1, 1, undefined])
    expect(await boundsOf(7)).toEqual([2, undefined, undefined])
  })
})
