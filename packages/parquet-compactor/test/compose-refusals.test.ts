import { beforeAll, describe, expect, test } from 'vitest'
import { FooterComposer, ParquetError } from '../src/index.ts'
import { writeWithDuckDB } from './engines.ts'
import { compose, expectOwnRanges, metadataOfComposed, placed, queryComposed } from './support/composed-file.ts'
import { chunksOf, editFooter } from './support/edit-file.ts'
import {
  binary,
  fieldsOf,
  i32,
  i64,
  list,
  numberOf,
  struct,
  type ThriftStruct,
  valuesOf,
} from './support/thrift-tree.ts'

const select = (columns: string, rows = 10) => writeWithDuckDB(`select ${columns} from range(${rows}) t(i)`)

/** Change a SchemaElement; 0 is the root. */
const editElement = (file: Uint8Array, element: number, edit: (fields: ThriftStruct) => void) =>
  editFooter(file, (footer) => edit(fieldsOf(valuesOf(footer.get(2))[element])))

function refusalOf(work: () => unknown): ParquetError {
  try {
    work()
  } catch (error) {
    if (error instanceof ParquetError) return error
    throw error
  }
  throw new Error('accepted')
}

const add = (composer: FooterComposer, source: string, bytes: Uint8Array, address = 0) =>
  composer.add({ source, address, byteLength: bytes.length, tail: bytes })

/** Refuse `b.parquet` behind `a.parquet`. */
function refusalBehind(first: Uint8Array, second: Uint8Array): ParquetError {
  const composer = new FooterComposer()
  add(composer, 'a.parquet', first)
  return refusalOf(() => add(composer, 'b.parquet', second, first.length))
}

describe('schemas that readers would take for one another are refused, naming the column, both sources and the difference', () => {
  const OTHER_TYPES: [string, first: string, second: string, difference: string][] = [
    ['physical type', 'i::int', 'i::bigint', 'is int64, in a.parquet it is int32'],
    ['sign', 'i::int', 'i::uinteger', 'is uint32, in a.parquet it is int32'],
    ['width of an integer', 'i::int', 'i::tinyint', 'is int8, in a.parquet it is int32'],
    ['logical type', 'i::varchar', 'i::varchar::blob', 'is BYTE_ARRAY, in a.parquet it is string BYTE_ARRAY'],
    [
      'unit',
      'make_timestamp(i)',
      'make_timestamp(i)::timestamp_ms',
      'is TIMESTAMP(MILLIS, local) INT64, in a.parquet it is TIMESTAMP(MICROS, local) INT64',
    ],
    [
      'time zone',
      'make_timestamp(i)',
      'make_timestamp(i)::timestamptz',
      'is TIMESTAMP(MICROS, UTC) INT64, in a.parquet it is TIMESTAMP(MICROS, local) INT64',
    ],
    ['scale', 'i::decimal(9, 2)', 'i::decimal(9, 3)', 'is decimal(9, 3) INT32, in a.parquet it is decimal(9, 2) INT32'],
    [
      'precision',
      'i::decimal(9, 2)',
      'i::decimal(8, 2)',
      'is decimal(8, 2) INT32, in a.parquet it is decimal(9, 2) INT32',
    ],
    ['column and group', 'i::int', "{'a': i}", 'is group, in a.parquet it is int32'],
    ['list and column', '[i]', 'i', 'is int64, in a.parquet it is list'],
  ]
  test.each(OTHER_TYPES)('%s', async (_, first, second, difference) => {
    const [one, other] = await Promise.all([select(`${first} as v`), select(`${second} as v`)])
    const error = refusalBehind(one, other)
    expect(error).toMatchObject({ code: 'schema_mismatch', source: 'b.parquet', column: 'v' })
    expect(error.detail).toBe(`b.parquet: column v ${difference}: merge them with schema: 'union' first`)
    expect(refusalBehind(other, one).code).toBe('schema_mismatch')
  })

  test('REQUIRED and OPTIONAL, on the column and on a group around it', async () => {
    const file = await select("{'a': i} as g")
    for (const [element, column] of [
      [1, 'g'],
      [2, 'g.a'],
    ] as const) {
      const error = refusalBehind(
        file,
        editElement(file, element, (fields) => fields.set(3, i32(0))),
      )
      expect(error.message).toContain(`b.parquet: column ${column} is REQUIRED, in a.parquet it is OPTIONAL`)
      expect(error.column).toBe(column)
    }
  })

  test('length of a fixed type, and a property that the format does not have yet', async () => {
    const file = await select('uuid() as u')
    const short = editElement(file, 1, (fields) => fields.set(2, i32(15)).delete(10))
    const plain = editElement(file, 1, (fields) => fields.delete(10))
    expect(refusalBehind(plain, short).message).toContain(
      'is FIXED_LEN_BYTE_ARRAY(15), in a.parquet it is FIXED_LEN_BYTE_ARRAY(16)',
    )
    expect(
      refusalBehind(
        file,
        editElement(file, 1, (fields) => fields.set(12, i32(7))),
      ).message,
    ).toContain('column u has another property 12 than in a.parquet')
  })

  test('a REQUIRED column that a file with rows lacks, before it or behind it', async () => {
    const required = editElement(await select('i as k, i'), 1, (fields) => fields.set(3, i32(0)))
    const without = await select('i')
    const behind = refusalBehind(required, without)
    expect(behind.message).toContain('column k is REQUIRED in a.parquet and missing in b.parquet')
    expect(refusalBehind(without, required).message).toContain(
      'column k is REQUIRED in b.parquet and missing in a.parquet',
    )
    const composed = compose(placed([required, await select('i', 0)]))
    expect(composed).toMatchObject({ rowCount: 10, columnCount: 2, nullChunkCount: 0 })
  })

  test('a member of a group that may be null, whose nulls only its pages tell', async () => {
    const [one, other] = await Promise.all([select("{'a': i} as g"), select("{'a': i, 'b': i} as g")])
    const detail =
      "where a group around it may be null or repeated, which only its pages could tell: merge them with schema: 'union' first"
    expect(refusalBehind(one, other).detail).toBe(
      `b.parquet: column g.b is in b.parquet and missing in a.parquet, ${detail}`,
    )
    expect(refusalBehind(other, one).detail).toBe(
      `b.parquet: column g.b is in a.parquet and missing in b.parquet, ${detail}`,
    )
  })

  test('members of a list or a map, which are no columns of their own', async () => {
    // a group named array is one whose element readers do not agree on
    const file = editElement(await select('[i] as l'), 1, (fields) => fields.set(3, i32(0)))
    const ambiguous = editElement(file, 2, (fields) => fields.set(4, binary('array')))
    const renamed = editFooter(ambiguous, (footer) => {
      for (const chunk of chunksOf(footer)) chunk.set(3, list(['l', 'array', 'element'].map(binary)))
    })
    const error = refusalBehind(file, renamed)
    expect(error.message).toMatch(/column l\.\w+ is a member of a list in/)
  })

  test('two columns of one name', async () => {
    const twice = editElement(await select('i, i as j'), 2, (fields) => fields.set(4, binary('i')))
    const file = editFooter(twice, (footer) => chunksOf(footer)[1]!.set(3, list([binary('i')])))
    const error = refusalOf(() => add(new FooterComposer(), 'a.parquet', file))
    expect(error).toMatchObject({ code: 'schema_mismatch', source: 'a.parquet', column: 'i' })
  })
})

test('inner names of lists may differ, and annotations of one type', async () => {
  const file = await select("[i] as l, 'x' || i as s")
  const renamed = editFooter(file, (footer) => {
    fieldsOf(valuesOf(footer.get(2))[3]).set(4, binary('item'))
    chunksOf(footer)[0]!.set(3, list(['l', 'list', 'item'].map(binary)))
    // UTF8 alone, as old writers have it
    fieldsOf(valuesOf(footer.get(2))[4])
      .set(6, i32(0))
      .delete(10)
  })
  for (const files of [
    [file, renamed],
    [renamed, file],
    [renamed, renamed],
  ]) {
    const composed = compose(placed(files))
    expect(await queryComposed(composed, 'select l, s from TABLE limit 1')).toEqual([[['0'], 'x0']])
    const inner = files[0] === files[1] ? 'item' : 'element'
    const { row_groups: rowGroups } = await metadataOfComposed(composed)
    for (const { columns } of rowGroups) expect(columns[0]!.meta_data!.path_in_schema).toEqual(['l', 'list', inner])
  }
})

describe('files that cannot stand in one of another writer are refused', () => {
  const createdBy = (file: Uint8Array, name: string) => editFooter(file, (footer) => footer.set(6, binary(name)))

  test.each([
    ['parquet-mr version 1.2.8 (build x)', /PARQUET-816/],
    ['parquet-mr', /PARQUET-816/],
    ['parquet-cpp version 1.5.1-SNAPSHOT', /ARROW-10353/],
  ])('%s', async (writer, reason) => {
    const file = createdBy(await select("'x' || i % 2 as s", 2000), writer)
    const error = refusalOf(() => add(new FooterComposer(), 'a.parquet', file))
    expect(error).toMatchObject({ code: 'unsupported_column', source: 'a.parquet' })
    expect(error.message).toMatch(reason)
  })

  test('pages of DELTA_BYTE_ARRAY that go on with a value of the page before', async () => {
    const encoded = editFooter(await select("'x' as s"), (footer) => chunksOf(footer)[0]!.set(2, list([i32(7)])))
    expect(
      refusalOf(() => add(new FooterComposer(), 'a', createdBy(encoded, 'parquet-mr version 1.8.0 (build x)'))).message,
    ).toContain('PARQUET-246')
    expect(compose(placed([createdBy(encoded, 'parquet-mr version 1.8.1 (build x)')])).rowCount).toBe(10)
  })

  test('rows without columns, encryption, chunks in another file', async () => {
    const file = await select('i')
    const encrypted = editFooter(file, (footer) => footer.set(8, struct({})))
    expect(refusalOf(() => add(new FooterComposer(), 'a', encrypted)).code).toBe('encrypted')
    const elsewhere = editFooter(file, (footer) => {
      const [group] = valuesOf(footer.get(4))
      fieldsOf(valuesOf(fieldsOf(group).get(1))[0]).set(1, binary('other.parquet'))
    })
    expect(refusalOf(() => add(new FooterComposer(), 'a', elsewhere)).message).toContain('in another file')
    const bare = editFooter(file, (footer) => {
      footer.set(2, list([struct({ 4: binary('root'), 5: i32(0) })]))
      for (const group of valuesOf(footer.get(4))) fieldsOf(group).set(1, list([]))
    })
    expect(refusalOf(() => add(new FooterComposer(), 'a', bare)).message).toContain('10 rows without a column')
  })
})

describe('hostile footers', () => {
  let file: Uint8Array
  beforeAll(async () => {
    file = await select("i, 'x' || i % 3 as s", 5000)
  })

  const CHANGES: [string, (chunk: ThriftStruct) => unknown][] = [
    ['a data page behind the end', (chunk) => chunk.set(9, i64(2 ** 40))],
    ['a data page before the file', (chunk) => chunk.set(9, i64(-5))],
    ['a data page beyond 2^53', (chunk) => chunk.set(9, i64(2n ** 60n))],
    ['a dictionary behind its data', (chunk) => chunk.set(11, i64(numberOf(chunk.get(9)) + 1))],
    ['a length that ends in the footer', (chunk) => chunk.set(7, i64(file.length - numberOf(chunk.get(9)) - 10))],
    ['a length that overflows', (chunk) => chunk.set(7, i64(2 ** 53 - 1))],
    ['a negative length', (chunk) => chunk.set(7, i64(-1))],
    ['more values than bytes can hold', (chunk) => chunk.set(5, i64(2 ** 50))],
    ['another number of values than rows', (chunk) => chunk.set(5, i64(17))],
    ['a bloom filter in the footer', (chunk) => chunk.set(14, i64(file.length - 20)).set(15, i32(64))],
    ['the path of another column', (chunk) => chunk.set(3, list([binary('other')]))],
  ]
  test.each(CHANGES)('%s is refused, and the composer stays as it was', async (_, change) => {
    const hostile = editFooter(file, (footer) => chunksOf(footer).slice(1, 2).forEach(change))
    const composer = new FooterComposer()
    add(composer, 'sound', file)
    const error = refusalOf(() => add(composer, 'hostile', hostile, file.length))
    expect(error.source).toBe('hostile')
    add(composer, 'sound', file, file.length)
    const { bytes } = composer.finish(file.length * 2)
    expect(Buffer.from(bytes)).toEqual(Buffer.from(compose(placed([file, file])).bytes))
  })

  test('places that do not matter are left out', async () => {
    const lying = editFooter(file, (footer) => {
      for (const chunk of chunksOf(footer))
        chunk
          .set(10, i64(2 ** 50))
          .set(14, i64(2 ** 50))
          .set(8, list([struct({ 1: binary('k') })]))
          .delete(15)
      for (const group of valuesOf(footer.get(4)))
        fieldsOf(group)
          .set(5, i64(2 ** 50))
          .set(6, i64(1))
          .set(7, { type: 'i16', value: 3n })
    })
    const composed = compose(placed([file, lying]))
    await expectOwnRanges(composed)
    const { row_groups: rowGroups } = await metadataOfComposed(composed)
    for (const { columns } of rowGroups.slice(1)) {
      for (const { meta_data: own } of columns) {
        expect([own!.index_page_offset, own!.bloom_filter_offset, own!.key_value_metadata]).toEqual([
          undefined,
          undefined,
          undefined,
        ])
      }
    }
  })

  test('row groups that together name more bytes than the file has are refused', () => {
    const many = editFooter(file, (footer) => {
      const [group] = valuesOf(footer.get(4))
      footer.set(4, list([group!, group!, group!])).set(3, i64(15_000))
    })
    expect(refusalOf(() => add(new FooterComposer(), 'a', many)).code).toBe('bad_footer')
  })

  test('a sum of sizes beyond 2^53 is refused', () => {
    const large = editFooter(file, (footer) => {
      for (const chunk of chunksOf(footer)) chunk.set(6, i64(2 ** 53 - 1))
    })
    expect(refusalOf(() => add(new FooterComposer(), 'a', large))).toMatchObject({ code: 'over_limit', source: 'a' })
  })
})

describe('limits', () => {
  test('of row groups, columns and the footer are refused as soon as they are met, without a source, with advice', async () => {
    const file = await select('i, i as j')
    const fill = (composer: FooterComposer) => {
      for (let n = 0; n < 1000; n++) add(composer, `file-${n}`, file, n * file.length)
      return composer
    }
    const advice = 'compact the files first, or compose those of one period'
    const groups = refusalOf(() => fill(new FooterComposer({ maxRowGroups: 99 })))
    expect(groups).toMatchObject({ code: 'over_limit', source: undefined })
    expect(groups.detail).toBe(`100 row groups, where 99 are allowed: ${advice}`)
    const bytes = refusalOf(() => fill(new FooterComposer({ maxFooterBytes: 50_000 })))
    expect(bytes).toMatchObject({ code: 'over_limit', source: undefined })
    expect(bytes.detail).toMatch(/^a composed footer of 5\d{4} bytes, where 50000 are allowed: compact/)
    const columns = new FooterComposer({ maxColumns: 2 })
    add(columns, 'a', file)
    const third = await select('i as k')
    expect(refusalOf(() => add(columns, 'b', third, 10_000)).detail).toBe(`3 columns, where 2 are allowed: ${advice}`)
    expect(refusalOf(() => fill(new FooterComposer({ maxColumns: 1 }))).source).toBe('file-0')
    expect(fill(new FooterComposer()).finish(1000 * file.length).rowGroupCount).toBe(1000)
  })

  test('of addresses', async () => {
    const file = await select('i')
    const last = 2 ** 53 - 1 - file.length
    const advice = 'where addresses end before 2^53: compact the files first, or compose those of one period'
    expect(refusalOf(() => add(new FooterComposer(), 'a', file, last + 1)).detail).toContain(advice)
    const composer = new FooterComposer()
    add(composer, 'a', file, last)
    expect(refusalOf(() => composer.finish(2 ** 53 - 1)).detail).toContain(advice)
    for (const address of [-1, 0.5, Number.NaN, 2 ** 53]) {
      expect(refusalOf(() => add(new FooterComposer(), 'a', file, address)).code).toBe('bad_option')
    }
  })

  test('of order: files that overlap, a tail before their end, a second end, no file', async () => {
    const file = await select('i')
    const overlapping = new FooterComposer()
    add(overlapping, 'a', file, 100)
    add(overlapping, 'b', file, 99 + file.length)
    expect(refusalOf(() => overlapping.finish(10_000)).message).toContain('a file begins at')
    const composer = new FooterComposer()
    expect(refusalOf(() => composer.finish(0)).code).toBe('bad_option')
    add(composer, 'a', file, 5)
    expect(refusalOf(() => composer.finish(file.length)).message).toContain('where a file ends at')
    composer.finish(file.length + 5)
    expect(refusalOf(() => composer.finish(file.length + 5)).code).toBe('bad_option')
    expect(refusalOf(() => add(composer, 'b', file, 10_000)).code).toBe('bad_option')
  })

  test('a tail that has not all of the footer is refused with its length', async () => {
    const file = await select('i')
    const part = { source: 'a', address: 0, byteLength: file.length, tail: file.subarray(-20) }
    expect(refusalOf(() => new FooterComposer().add(part)).message).toMatch(
      /a tail of 20 bytes, where the footer takes \d+/,
    )
  })
})
