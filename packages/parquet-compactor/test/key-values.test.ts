/** Key-value metadata of the footers: what describes rows is true of the merged rows, or is left out with a reason. */
import {
  Schema as ArrowTypes,
  Field,
  Float64,
  Int32,
  Table,
  TimestampMicrosecond,
  tableFromIPC,
  tableToIPC,
  Utf8,
  vectorFromArray,
} from 'apache-arrow'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { Table as RustTable, writeParquet } from 'parquet-wasm/node'
import { describe, expect, test } from 'vitest'
import { type MergeOptions, type MergeReport, memorySink, memorySource, mergeParquet } from '../src/index.ts'
import { readArrowSchema } from '../src/key-values/arrow-schema.ts'
import { MAX_KEY_VALUE_BYTES } from '../src/merge/merge-key-values.ts'
import { metadataOf, readWithArrow } from './engines.ts'

type Pairs = Record<string, unknown>

const text = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))

/** A file of one column `i` with so many rows. */
function file(pairs: Pairs, rows = 2, column = 'i'): Uint8Array {
  const kvMetadata = Object.entries(pairs).map(([key, value]) => ({ key, value: text(value) }))
  const data = Array.from({ length: rows }, (_, i) => i)
  return new Uint8Array(parquetWriteBuffer({ columnData: [{ name: column, data, type: 'INT32' }], kvMetadata }))
}

async function merge(
  inputs: Uint8Array[],
  options: MergeOptions = {},
): Promise<{ pairs: Pairs; report: MergeReport; output: Uint8Array }> {
  const sink = memorySink()
  const sources = inputs.map((bytes, i) => memorySource(`input-${i}`, bytes))
  const report = await mergeParquet(sources, sink, options)
  const pairs = (metadataOf(sink.bytes()).key_value_metadata ?? []).map(({ key, value }) => [key, value])
  expect(report.keyValueMetadata.written).toBe(pairs.length)
  return { pairs: Object.fromEntries(pairs), report, output: sink.bytes() }
}

async function droppedOf(inputs: Uint8Array[], options: MergeOptions = {}): Promise<Record<string, string>> {
  const { pairs, report } = await merge(inputs, options)
  const { dropped, droppedCount } = report.keyValueMetadata
  expect(droppedCount).toBe(dropped.length)
  for (const { key } of dropped) expect(pairs).not.toHaveProperty([key])
  return Object.fromEntries(dropped.map(({ key, reason }) => [key, reason]))
}

describe('a key that belongs to no standard', () => {
  test('stays where its values are the same, or only some files have it', async () => {
    const { pairs, report } = await merge([file({ owner: 'me' }), file({}), file({ owner: 'me', note: 'x' })])
    expect(pairs).toEqual({ owner: 'me', note: 'x' })
    expect(report.keyValueMetadata).toEqual({ written: 2, dropped: [], droppedCount: 0 })
  })

  test('is left out where its values differ, and a later file does not bring it back', async () => {
    const inputs = ['1', '2', '1'].map((rows) => file({ rows, owner: 'me' }))
    expect(await droppedOf(inputs)).toEqual({ rows: 'values_differ' })
    expect((await merge(inputs)).pairs).toEqual({ owner: 'me' })
  })

  test('is one of its own where only the case differs', async () => {
    expect((await merge([file({ Owner: 'a', owner: 'b' }), file({ owner: 'b' })])).pairs).toEqual({
      Owner: 'a',
      owner: 'b',
    })
  })
})

describe('GeoParquet', () => {
  const column = (bbox?: number[], more: Pairs = {}) => ({
    encoding: 'WKB',
    geometry_types: ['Point'],
    ...(bbox && { bbox }),
    ...more,
  })
  const geo = (i: Pairs, more: Pairs = {}) => ({
    geo: { version: '1.1.0', primary_column: 'i', columns: { i }, ...more },
  })
  const united = async (...inputs: Uint8Array[]) => JSON.parse((await merge(inputs)).pairs.geo as string).columns.i

  test('the box is that of all rows, and so are the types', async () => {
    const inputs = [
      file(geo(column([1, 1, 1, 1]))),
      file(geo(column([50, -60, 50, 60], { geometry_types: ['Polygon', 'Point'] }))),
      file(geo(column([2, 2, 3, 3]))),
    ]
    expect(await united(...inputs)).toEqual(column([1, -60, 50, 60], { geometry_types: ['Point', 'Polygon'] }))
    const deep = [file(geo(column([1, 1, 1, 2, 2, 2]))), file(geo(column([0, 0, 0, 1, 1, 9])))]
    expect((await united(...deep)).bbox).toEqual([0, 0, 0, 2, 2, 9])
  })

  test.each([
    ['is missing', undefined],
    ['crosses the antimeridian', [170, 0, -170, 1]],
    ['has other dimensions', [1, 1, 1, 2, 2, 2]],
    ['is malformed', [1, 2, 3, null as never]],
  ])('there is no box where that of a file %s', async (_, bbox) => {
    for (const inputs of [
      [file(geo(column([1, 1, 1, 1]))), file(geo(column(bbox)))],
      [file(geo(column(bbox))), file(geo(column([1, 1, 1, 1])))],
    ]) {
      expect(await united(...inputs)).toEqual(column())
    }
  })

  test('types that one file does not know are not known', async () => {
    const unknown = file(geo(column([1, 1, 1, 1], { geometry_types: [] })))
    expect((await united(file(geo(column([1, 1, 1, 1]))), unknown)).geometry_types).toEqual([])
  })

  test.each([
    ['crs', { crs: { id: 'EPSG:4326' } }, { crs: { id: 'EPSG:3857' } }],
    ['crs of one file only', {}, { crs: null }],
    ['encoding', {}, { encoding: 'point' }],
    ['edges', {}, { edges: 'spherical' }],
    ['epoch', { epoch: 2020 }, { epoch: 2021 }],
  ])('nothing is said where files differ in their %s', async (_, one, other) => {
    const inputs = [file(geo(column([1, 1, 1, 1], one))), file(geo(column([1, 1, 1, 1], other)))]
    expect(await droppedOf(inputs)).toEqual({ geo: 'values_differ' })
  })

  test('members that differ otherwise are left out, planar edges are the default', async () => {
    const one = file(
      geo(column([1, 1, 1, 1], { orientation: 'counterclockwise', edges: 'planar', covering: { bbox: 1 } })),
    )
    const other = file(geo(column([1, 1, 1, 1], { covering: { bbox: 2 } }), { version: '1.0.0' }))
    expect(await united(one, other)).toEqual(column([1, 1, 1, 1]))
    expect(JSON.parse((await merge([one, other])).pairs.geo as string).version).toBe('1.1.0')
  })

  test('nothing is said where a file with rows says nothing, but a file without the column may', async () => {
    const described = file(geo(column([1, 1, 1, 1])))
    expect(await droppedOf([described, file({})])).toEqual({ geo: 'missing_in_some' })
    expect(await droppedOf([file({}), described])).toEqual({ geo: 'missing_in_some' })
    const without = [described, file({}, 2, 'other')]
    expect((await merge(without, { schema: 'union' })).pairs).toHaveProperty('geo')
    expect((await merge([file({}, 0), described, file(geo(column([9, 9, 9, 9])), 0)])).pairs.geo).toContain('[1,1,1,1]')
  })

  test('of a column that one file does not describe there is no box', async () => {
    const both = {
      version: '1.1.0',
      primary_column: 'i',
      columns: { i: column([1, 1, 1, 1]), j: column([1, 1, 1, 1]) },
    }
    const { pairs } = await merge([file({ geo: both }), file(geo(column([2, 2, 2, 2])))])
    expect(JSON.parse(pairs.geo as string).columns.j).toEqual(column(undefined, { geometry_types: [] }))
  })

  test('what is no JSON, or nested without end, is left out', async () => {
    expect(await droppedOf([file({ geo: '{' }), file({ geo: '[]' })])).toEqual({ geo: 'values_differ' })
    const nested = (value: string) =>
      geo(column(undefined, { crs: JSON.parse(`${'['.repeat(3000)}${value}${']'.repeat(3000)}`) }))
    expect(await droppedOf([file(nested('1')), file(nested('2'))])).toEqual({ geo: 'values_differ' })
  })
})

describe('Hudi', () => {
  const keys = (min: string, max: string, more: Pairs = {}) => ({
    hoodie_min_record_key: min,
    hoodie_max_record_key: max,
    ...more,
  })
  test('the range of keys is that of all rows', async () => {
    const { pairs } = await merge([file(keys('m', 'n')), file(keys('x', 'z')), file(keys('a', 'b'))])
    expect(pairs).toEqual(keys('a', 'z'))
  })

  test('texts are in the order of Java, not of their bytes', async () => {
    // as UTF-8 the emoji is above U+FF5E, as UTF-16 below
    const { pairs } = await merge([file(keys('\u{1f600}', '\u{1f600}')), file(keys('\uff5e', '\uff5e'))])
    expect(pairs).toEqual(keys('\u{1f600}', '\uff5e'))
  })

  test('there is no range where a file lacks its own', async () => {
    const reason = 'missing_in_some'
    for (const inputs of [
      [file(keys('a', 'b')), file({})],
      [file({}), file(keys('a', 'b'))],
    ]) {
      expect(await droppedOf(inputs)).toEqual({ hoodie_min_record_key: reason, hoodie_max_record_key: reason })
    }
    expect((await merge([file({}, 0), file(keys('a', 'b')), file(keys('0', 'z'), 0)])).pairs).toEqual(keys('a', 'b'))
    expect((await merge([file(keys('0', 'z'), 0), file(keys('a', 'b'))])).pairs).toEqual(keys('a', 'b'))
  })

  test('bloom filters of some of the keys are left out', async () => {
    const filter = (value: string) => ({ 'org.apache.hudi.bloomfilter': value })
    expect(await droppedOf([file(filter('a')), file(filter('b'))])).toEqual({
      'org.apache.hudi.bloomfilter': 'values_differ',
    })
    expect(await droppedOf([file(filter('a')), file({})])).toEqual({ 'org.apache.hudi.bloomfilter': 'missing_in_some' })
    expect((await merge([file(filter('a')), file(filter('a'))])).pairs).toEqual(filter('a'))
  })
})

describe('pandas', () => {
  const index = (stop: number) => ({ kind: 'range', name: null, start: 0, stop, step: 1 })
  const pandas = (stop: number, more: Pairs = {}) => ({
    pandas: {
      index_columns: [index(stop)],
      column_indexes: [],
      columns: [{ name: 'i', field_name: 'i', pandas_type: 'int32', numpy_type: 'int32', metadata: null }],
      creator: { library: 'pyarrow', version: '15.0.0' },
      pandas_version: '2.2.0',
      ...more,
    },
  })
  const united = async (inputs: Uint8Array[], options?: MergeOptions) =>
    JSON.parse((await merge(inputs, options)).pairs.pandas as string)

  test('the index counts the rows of the output, though all files say the same', async () => {
    expect((await united([file(pandas(2)), file(pandas(2))])).index_columns).toEqual([index(4)])
    const other = file(pandas(3, { pandas_version: '3.0.0' }), 3)
    expect(await united([file(pandas(2)), other])).toEqual(pandas(5).pandas)
    expect((await united([file(pandas(2)), other], { dedupeBy: ['i'] })).index_columns).toEqual([index(3)])
  })

  test('categories of one file are not those of the other', async () => {
    const of = (count: number) => {
      const metadata = { num_categories: count, ordered: false }
      return file(pandas(2, { columns: [{ name: 'i', metadata }] }))
    }
    expect((await united([of(3), of(3)])).columns[0].metadata).toEqual({ num_categories: 3, ordered: false })
    expect((await united([of(3), of(4)])).columns[0].metadata).toBeNull()
  })

  test('it is left out where indices differ, where it is malformed, and where a union changes the schema', async () => {
    const named = pandas(2, { index_columns: ['i'] })
    expect(await droppedOf([file(pandas(2)), file(named)])).toEqual({ pandas: 'values_differ' })
    expect(await droppedOf([file({ pandas: 'x' })])).toEqual({ pandas: 'malformed' })
    const inputs = [file(pandas(2)), file({}, 2, 'j')]
    expect(await droppedOf(inputs, { schema: 'union' })).toEqual({ pandas: 'schema_changed' })
  })
})

describe('Spark and Hive, whose keys say how dates are read', () => {
  const spark = (version: string, more: Pairs = {}) => ({ 'org.apache.spark.version': version, ...more })
  const legacy = { 'org.apache.spark.legacyDateTime': '' }
  test('stay where all files are read alike, whatever the version', async () => {
    expect((await merge([file(spark('3.3.1')), file(spark('3.5.0'))])).pairs).toEqual(spark('3.3.1'))
    expect((await merge([file(spark('3.3.1', legacy)), file(spark('3.3.1', legacy))])).pairs).toEqual(
      spark('3.3.1', legacy),
    )
    expect((await merge([file(spark('2.4.0'), 0), file({})])).pairs).toEqual({})
  })

  test.each<[string, Pairs, Pairs]>([
    ['the Julian calendar of one', spark('3.3.1'), spark('3.3.1', legacy)],
    ['Spark 2 and 3', spark('2.4.0'), spark('3.3.1')],
    ['INT96 of Spark 3.0 and 3.1', spark('3.0.3'), spark('3.1.0')],
    [
      'time zones',
      spark('3.3.1', { 'org.apache.spark.timeZone': 'UTC' }),
      spark('3.3.1', { 'org.apache.spark.timeZone': 'CET' }),
    ],
    ['files of others', spark('3.3.1'), {}],
    ['Hive', { 'writer.date.proleptic': 'true' }, { 'writer.date.proleptic': 'false' }],
  ])('are left out together: %s', async (_, one, other) => {
    for (const pairs of [
      [one, other],
      [other, one],
      [one, other, one],
    ]) {
      const dropped = await droppedOf(pairs.map((own) => file(own)))
      expect(dropped).toEqual(
        Object.fromEntries(Object.keys({ ...one, ...other }).map((key) => [key, 'values_differ'])),
      )
    }
  })

  test('schemas that differ are left out', async () => {
    const key = 'org.apache.spark.sql.parquet.row.metadata'
    expect(await droppedOf([file({ [key]: '{"a":1}' }), file({ [key]: '{"a":2}' })])).toEqual({
      [key]: 'values_differ',
    })
    const inputs = [file({ [key]: '{"a":1}', 'iceberg.schema': '{}' }), file({}, 2, 'j')]
    expect(await droppedOf(inputs, { schema: 'union' })).toEqual({
      [key]: 'schema_changed',
      'iceberg.schema': 'schema_changed',
    })
  })
})

describe('ARROW:schema', () => {
  const arrowFile = (
    metadata: [string, string][],
    zone = 'Europe/Berlin',
    fieldMetadata = new Map<string, string>(),
  ) => {
    const fields = [
      new Field('i', new Int32(), true),
      new Field('t', new TimestampMicrosecond(zone), true, fieldMetadata),
      new Field('s', new Utf8(), true),
      new Field('f', new Float64(), true),
    ]
    const vectors = {
      i: vectorFromArray([1, 2], new Int32()),
      t: vectorFromArray([1, 2], new TimestampMicrosecond(zone)),
      s: vectorFromArray(['a', 'b'], new Utf8()),
      f: vectorFromArray([1, 2], new Float64()),
    }
    const table = new Table(new ArrowTypes(fields, new Map(metadata)), vectors)
    return writeParquet(RustTable.fromIPCStream(tableToIPC(table, 'stream')))
  }
  const schemaOf = (pairs: Pairs) => readArrowSchema(pairs['ARROW:schema'] as string)!

  test('stays where the fields are the same, and what it repeats of other keys is united as they are', async () => {
    const index = (stop: number) =>
      JSON.stringify({ index_columns: [{ kind: 'range', start: 0, stop, step: 1 }], columns: [] })
    const metadata = (stop: number, note: string): [string, string][] => [
      ['pandas', index(stop)],
      ['note', note],
      ['owner', 'me ü'],
    ]
    const [one, other] = [arrowFile(metadata(2, 'a')), arrowFile(metadata(3, 'b'))]
    const { pairs, output } = await merge([one, other, one])
    const expected = new Map([
      ['pandas', index(6)],
      ['owner', 'me ü'],
    ])
    expect(schemaOf(pairs).metadata).toEqual(expected)
    expect(schemaOf(pairs).fields).toBe(schemaOf((await merge([one])).pairs).fields)
    // arrow-rs and apache-arrow read the message as it was rewritten
    const { schema, rows } = readWithArrow(output)
    expect(schema).toContain('Europe/Berlin')
    expect(rows).toHaveLength(6)
    const message = tableFromIPC(Buffer.from(pairs['ARROW:schema'] as string, 'base64'))
    expect(message.schema.metadata).toEqual(expected)
    expect(message.schema.fields.map(({ name }) => name)).toEqual(['i', 't', 's', 'f'])
  })

  test('is left as it is where all files repeat the same', async () => {
    const same = arrowFile([['owner', 'me']])
    const { pairs } = await merge([same, same])
    expect(pairs).toEqual((await merge([same])).pairs)
    expect(schemaOf(pairs).metadata).toEqual(new Map([['owner', 'me']]))
  })

  test('is left out where fields differ in what Parquet does not tell', async () => {
    const reason = { 'ARROW:schema': 'values_differ' }
    expect(await droppedOf([arrowFile([]), arrowFile([], 'Asia/Tokyo')])).toEqual(reason)
    const noted = arrowFile([], 'Europe/Berlin', new Map([['unit', 'ms']]))
    expect(await droppedOf([arrowFile([]), noted])).toEqual(reason)
  })

  test('what is no message of Arrow differs', () => {
    for (const value of ['', '!', 'AAAA', btoa('\xff\xff\xff\xff\x08\0\0\0\x04\0\0\0\0\0\0\0')]) {
      expect(readArrowSchema(value)).toBeUndefined()
    }
  })
})

describe('what is held and written is bounded', () => {
  test('a pair that does not fit is left out, and smaller ones of the key in later files do not stand for it', async () => {
    const big = 'x'.repeat(MAX_KEY_VALUE_BYTES)
    const inputs = [file({ big, owner: 'me' }), file({ big: 'small', owner: 'me' })]
    const { pairs, report } = await merge(inputs)
    expect(pairs).toEqual({ owner: 'me' })
    expect(report.keyValueMetadata).toEqual({
      written: 1,
      dropped: [{ key: 'big', reason: 'too_large' }],
      droppedCount: 1,
    })
  })

  test('many large keys of many files make a small footer and a small report', async () => {
    const inputs = [0, 1, 2, 3].map((n) =>
      file(
        Object.fromEntries(
          Array.from({ length: 800 }, (_, i) => [`key ${n} ${i} ${'k'.repeat(1000)}`, `${i % 2 ? n : ''}`]),
        ),
      ),
    )
    const { output, report } = await merge(inputs)
    const { written, dropped, droppedCount } = report.keyValueMetadata
    expect(output.length).toBeLessThan(MAX_KEY_VALUE_BYTES * 1.1)
    expect(written).toBeGreaterThan(300)
    expect(written + droppedCount).toBe(3200)
    expect(dropped).toHaveLength(32)
    expect(JSON.stringify(report).length).toBeLessThan(10_000)
  })

  test('a budget allows a sixteenth of it', async () => {
    const inputs = [file({ a: 'x'.repeat(70_000), b: 'y'.repeat(60_000) })]
    const { pairs } = await merge(inputs, { memoryBudgetBytes: 2 ** 20 })
    expect(Object.keys(pairs)).toEqual(['b'])
  })

  test('changes of columns are capped in the report', async () => {
    const wide = (from: number) => {
      const columnData = Array.from({ length: 150 }, (_, c) => ({
        name: `c${from + c}`,
        data: [1],
        type: 'INT32' as const,
      }))
      return new Uint8Array(parquetWriteBuffer({ columnData }))
    }
    const { report } = await merge([wide(0), wide(150)], { schema: 'union' })
    expect(report.schemaChanges).toHaveLength(100)
    expect(report.schemaChangesOmitted).toBe(50)
  })
})
