import { describe, expect, test } from 'vitest'
import { boundsOf, haveTypeOrder } from '../../src/footer/chunk-bounds.ts'
import { readFooter } from '../../src/footer/read-footer.ts'
import { CODEC, ENCODING, MAGIC, PHYSICAL } from '../../src/format/format.ts'
import { THRIFT } from '../../src/format/thrift-reader.ts'
import { ThriftWriter } from '../../src/format/thrift-writer.ts'
import { ParquetError } from '../../src/index.ts'

/** Writes one field of a struct. */
type Field = (writer: ThriftWriter, id: number) => void
/** Fields by their ids; a change of them replaces, adds or, by undefined, leaves out. */
type Fields = Record<number, Field | undefined>

const text = (value: string) => new TextEncoder().encode(value)
const i32 =
  (value: number): Field =>
  (writer, id) =>
    writer.i32(id, value)
const i64 =
  (value: number): Field =>
  (writer, id) =>
    writer.i64(id, value)
const binary =
  (value: string): Field =>
  (writer, id) =>
    writer.binary(id, text(value))
const boolean =
  (value: boolean): Field =>
  (writer, id) =>
    writer.boolean(id, value)
const struct =
  (fields: Fields): Field =>
  (writer, id) => {
    writer.open(id)
    writeFields(writer, fields)
    writer.close()
  }
const structs =
  (...elements: Fields[]): Field =>
  (writer, id) => {
    writer.list(id, THRIFT.STRUCT, elements.length)
    for (const element of elements) {
      writer.open()
      writeFields(writer, element)
      writer.close()
    }
  }
const ints =
  (...values: number[]): Field =>
  (writer, id) => {
    writer.list(id, THRIFT.I32, values.length)
    for (const value of values) writer.elementI32(value)
  }
const texts =
  (...values: string[]): Field =>
  (writer, id) => {
    writer.list(id, THRIFT.BINARY, values.length)
    for (const value of values) writer.elementBinary(text(value))
  }

function writeFields(writer: ThriftWriter, fields: Fields): void {
  for (const [id, write] of Object.entries(fields)) write?.(writer, Number(id))
}

/** The file before the footer. */
const DATA_END = 1000
const ROOT: Fields = { 4: binary('root'), 5: i32(1) }
const COLUMN: Fields = { 1: i32(PHYSICAL.INT32), 3: i32(0), 4: binary('v') }
const METADATA: Fields = {
  1: i32(PHYSICAL.INT32),
  2: ints(ENCODING.PLAIN),
  3: texts('v'),
  4: i32(CODEC.SNAPPY),
  5: i64(10),
  6: i64(200),
  7: i64(100),
  9: i64(4),
}

interface Changes {
  file?: Fields
  elements?: Fields[]
  group?: Fields
  chunk?: Fields
  metadata?: Fields
}

function footerBytes({
  file = {},
  elements = [ROOT, COLUMN],
  group = {},
  chunk = {},
  metadata = {},
}: Changes): Uint8Array {
  const column = { 2: i64(0), 3: struct({ ...METADATA, ...metadata }), ...chunk }
  const writer = new ThriftWriter()
  writer.open()
  const rowGroup = { 1: structs(column), 2: i64(200), 3: i64(10), ...group }
  writeFields(writer, { 1: i32(1), 2: structs(...elements), 3: i64(10), 4: structs(rowGroup), ...file })
  writer.close()
  const { length } = writer.out
  writer.out.uint32(length)
  writer.out.uint32(MAGIC)
  return writer.out.take()
}

function read(changes: Changes = {}, dataEnd = DATA_END) {
  const bytes = footerBytes(changes)
  return readFooter(dataEnd + bytes.length, bytes)
}

/** The code and the words of a refusal, without its place. */
function refusal(changes: Changes, dataEnd?: number): string {
  try {
    read(changes, dataEnd)
  } catch (error) {
    if (error instanceof ParquetError) return error.message.replace(/thrift at byte \d+: /, '')
    throw error
  }
  return 'accepted'
}

/** The first number that the table has of the only chunk. */
function chunkOf(changes: Changes) {
  const { footer } = read(changes)
  return {
    offset: footer.chunkOffset[0],
    bytes: footer.chunkBytes[0],
    values: footer.chunkValues[0],
    codec: footer.chunkCodec[0],
    nulls: footer.chunkNulls[0],
    encodings: footer.chunkEncodings[0],
    pages: footer.chunkPages[0],
    versions: footer.chunkVersions[0],
    hasDictionary: footer.chunkHasDictionary[0],
    dictionaryBytes: footer.chunkDictionaryBytes[0],
  }
}

describe('a footer', () => {
  test('is read with what it says of its one chunk', () => {
    const { rowCount, from, to, keyValues, footer, work, footerBytes } = read()
    expect({ rowCount, from, to, keyValues }).toEqual({ rowCount: 10, from: 0, to: 1, keyValues: [] })
    expect([footer.rowGroups, footer.chunks, footer.rowsOfGroup[0]]).toEqual([1, 1, 10])
    expect(work).toEqual({ footerBytes, columnChunks: 1, values: 10, uncompressedBytes: 200 })
    expect(chunkOf({})).toEqual({
      offset: 4,
      bytes: 100,
      values: 10,
      codec: CODEC.SNAPPY,
      nulls: -1,
      encodings: 1 << ENCODING.PLAIN,
      pages: 0,
      versions: 0,
      hasDictionary: 0,
      dictionaryBytes: 0,
    })
  })

  test('may have fields that nobody knows, anywhere', () => {
    const odd = { 15: struct({ 1: i32(1) }) }
    expect(refusal({ file: odd, group: odd, chunk: odd, metadata: { 18: i32(3), 19: binary('x') } })).toBe('accepted')
  })

  test.each([
    ['without a schema', { file: { 2: undefined, 4: undefined } }, 'bad_footer: no schema'],
    ['with row groups before it', { file: { 2: undefined } }, 'bad_footer: row groups before the schema'],
    ['without row groups', { file: { 4: undefined } }, 'bad_footer: no row groups'],
    ['without rows', { file: { 3: undefined } }, 'bad_footer: num_rows missing or negative'],
    ['with fewer than none', { file: { 3: i64(-1) } }, 'bad_footer: num_rows missing or negative'],
    [
      'with other rows than its groups',
      { file: { 3: i64(11) } },
      'bad_footer: num_rows is 11 but the row groups have 10',
    ],
    ['that is encrypted', { file: { 8: struct({}) } }, 'encrypted: the file has encrypted columns'],
    ['with a group without columns', { group: { 1: undefined } }, 'bad_footer: a row group without columns'],
    [
      'with a group without rows',
      { group: { 3: undefined } },
      'bad_footer: num_rows of a row group missing or negative',
    ],
    [
      'with a group of fewer than none',
      { group: { 3: i64(-1) } },
      'bad_footer: num_rows of a row group missing or negative',
    ],
    [
      'with a chunk too few',
      { group: { 1: structs() } },
      'bad_footer: a row group has 0 column chunks, the schema 1 leaves',
    ],
    [
      'sorted by a column that is none',
      { group: { 4: structs({ 1: i32(1), 2: boolean(false), 3: boolean(false) }) } },
      'bad_footer: rows sorted by column 1 of 1',
    ],
    [
      'sorted by no column',
      { group: { 4: structs({ 2: boolean(false), 3: boolean(false) }) } },
      'bad_footer: rows sorted by column -1 of 1',
    ],
    [
      'with a chunk in another file',
      { chunk: { 1: binary('f'), 2: i64(0), 3: struct(METADATA) } },
      'bad_footer: column v is in another file',
    ],
    ['with a chunk without metadata', { chunk: { 3: undefined } }, 'bad_footer: column v has no metadata'],
    ['with an encrypted chunk', { chunk: { 8: struct({}) } }, 'encrypted: column v is encrypted'],
    ['with an encrypted column', { chunk: { 9: binary('x') } }, 'encrypted: column v is encrypted'],
  ] as [string, Changes, string][])('%s is refused', (_, changes, message) => {
    expect(refusal(changes)).toBe(message)
  })
})

describe('a column chunk is refused', () => {
  test.each([
    ['of another physical type', { 1: i32(PHYSICAL.INT64) }, 'bad_footer: column v has physical type 2, not 1'],
    ['of an unknown codec', { 4: i32(8) }, 'bad_footer: column v has an unknown codec'],
    ['of no codec', { 4: undefined }, 'bad_footer: column v has an unknown codec'],
    ['without a number of values', { 5: undefined }, 'bad_footer: column v has a size missing or negative'],
    ['of fewer values than none', { 5: i64(-1) }, 'bad_footer: column v has a size missing or negative'],
    ['without a size', { 6: undefined }, 'bad_footer: column v has a size missing or negative'],
    ['of a negative size', { 7: i64(-1) }, 'bad_footer: column v has a size missing or negative'],
    ['that begins in the magic number', { 9: i64(3) }, 'bad_footer: column v begins at 3'],
    [
      'whose data begin at its end',
      { 9: i64(104), 11: i64(4) },
      'bad_footer: column v has its data pages past its end',
    ],
    [
      'whose dictionary is behind its data',
      { 9: i64(4), 11: i64(5) },
      'bad_footer: column v has its dictionary at 5, behind its data at 4',
    ],
    [
      'that ends behind the data',
      { 9: i64(901) },
      'bad_footer: column v ends at 1001, past the data area, which ends at 1000',
    ],
    ['of other values than rows', { 5: i64(9) }, 'bad_footer: column v has 9 values in a row group of 10 rows'],
    ['of another path', { 3: texts('w') }, 'bad_footer: the chunk in the place of column v has another path'],
    ['of a longer path', { 3: texts('v', 'v') }, 'bad_footer: the chunk in the place of column v has another path'],
    ['of a longer name', { 3: texts('vv') }, 'bad_footer: the chunk in the place of column v has another path'],
    ['of no path', { 3: texts() }, 'bad_footer: the chunk in the place of column v has another path'],
  ] as [string, Fields, string][])('%s', (_, metadata, message) => {
    expect(refusal({ metadata })).toBe(message)
  })

  test('only beyond these bounds', () => {
    expect(refusal({ metadata: { 4: i32(7) } })).toBe('accepted')
    expect(refusal({ metadata: { 9: i64(900) } })).toBe('accepted')
    expect(refusal({ metadata: { 9: i64(103), 11: i64(4) } })).toBe('accepted')
    expect(refusal({ metadata: { 9: i64(4), 11: i64(4) } })).toBe('accepted')
  })

  test('of more values than its bytes can hold', () => {
    const values = (count: number, bytes: number): Changes => ({
      file: { 3: i64(count) },
      group: { 3: i64(count) },
      metadata: { 5: i64(count), 7: i64(bytes) },
    })
    expect(refusal(values(2 ** 20 * 3, 3))).toBe('accepted')
    expect(refusal(values(2 ** 20 * 3 + 1, 3))).toMatch(/^over_limit: column v: 3145729 values in 3 bytes/)
  })

  test('with others that take more than all bytes together', () => {
    const two = (bytes: number): Changes => ({
      file: { 3: i64(20) },
      elements: [ROOT, COLUMN],
      metadata: { 7: i64(bytes) },
    })
    const groups = (bytes: number) => {
      const column = { 2: i64(0), 3: struct({ ...METADATA, 7: i64(bytes) }) }
      const rowGroup = { 1: structs(column), 2: i64(200), 3: i64(10) }
      return { ...two(bytes), file: { 3: i64(20), 4: structs(rowGroup, rowGroup) } }
    }
    expect(refusal(groups(500))).toBe('accepted')
    expect(refusal(groups(501))).toBe('bad_footer: column chunks of 1002 bytes in 1000 bytes of data')
  })

  test('with a page index or a filter outside of the data', () => {
    const places: [what: string, (at: number, bytes: number) => Changes][] = [
      ['offset index', (at, bytes) => ({ chunk: { 4: i64(at), 5: i32(bytes) } })],
      ['column index', (at, bytes) => ({ chunk: { 6: i64(at), 7: i32(bytes) } })],
      ['bloom filter', (at, bytes) => ({ metadata: { 14: i64(at), 15: i32(bytes) } })],
    ]
    for (const [what, changes] of places) {
      expect(refusal(changes(4, 10))).toBe('accepted')
      expect(refusal(changes(990, 10))).toBe('accepted')
      const fault = (at: number, bytes: number) =>
        `bad_footer: the ${what} of column v has ${bytes} bytes at ${at} in a file of 1000 before the footer`
      expect(refusal(changes(991, 10))).toBe(fault(991, 10))
      expect(refusal(changes(3, 10))).toBe(fault(3, 10))
      expect(refusal(changes(100, -1))).toBe(fault(100, -1))
    }
  })
})

describe('of a chunk is read', () => {
  test('where it begins: with its dictionary, if that is before its data', () => {
    const at = (dictionary: number, data: number) => {
      const { offset, hasDictionary, dictionaryBytes } = chunkOf({ metadata: { 9: i64(data), 11: i64(dictionary) } })
      return [offset, hasDictionary, dictionaryBytes]
    }
    expect(at(4, 24)).toEqual([4, 1, 20])
    // some writers leave 0, or name the same page twice
    expect(at(0, 24)).toEqual([24, 0, 0])
    expect(at(24, 24)).toEqual([24, 0, 0])
  })

  test('whether its encodings tell of a dictionary, and which are not known', () => {
    const encodings = (...values: number[]) => {
      const { encodings, hasDictionary } = chunkOf({ metadata: { 2: ints(...values) } })
      return [encodings, hasDictionary]
    }
    expect(encodings(ENCODING.RLE_DICTIONARY, ENCODING.RLE)).toEqual([(1 << 8) | (1 << 3), 1])
    expect(encodings(ENCODING.PLAIN_DICTIONARY)).toEqual([1 << 2, 1])
    expect(encodings(14)).toEqual([1 << 14, 0])
    expect(encodings(15, -1, 77)).toEqual([1 << 15, 0])
  })

  test('how many pages it has of which version', () => {
    const kinds = (...kinds: [kind: number, count: number][]) => {
      const stats = structs(...kinds.map(([kind, count]) => ({ 1: i32(kind), 2: i32(0), 3: i32(count) })))
      const { pages, versions } = chunkOf({ metadata: { 13: stats } })
      return [pages, versions]
    }
    expect(kinds([2, 1], [0, 3], [0, 4])).toEqual([7, 1])
    expect(kinds([3, 2])).toEqual([2, 2])
    expect(kinds([0, 1], [3, 1], [1, 9])).toEqual([2, 3])
    expect(kinds([0, -5], [0, 1])).toEqual([1, 1])
  })

  test('nothing where it has no values, wherever it claims to be', () => {
    const empty: Changes = {
      file: { 3: i64(0) },
      group: { 3: i64(0) },
      chunk: { 4: i64(0), 5: i32(7) },
      metadata: { 5: i64(0), 6: i64(0), 7: i64(0), 9: i64(0) },
    }
    expect(refusal(empty)).toBe('accepted')
    expect(read(empty).work).toMatchObject({ values: 0, uncompressedBytes: 0 })
  })

  test('no less work than its compressed bytes', () => {
    expect(read({ metadata: { 6: i64(5) } }).work.uncompressedBytes).toBe(100)
  })
})

describe('bounds of a chunk', () => {
  const ORDERS = structs({ 1: struct({}) })
  const WRITER = binary('writer version 1.2.3')
  const bounds = (statistics: Fields, file: Fields = { 6: WRITER, 7: ORDERS }) => {
    const { footer } = read({ metadata: { 12: struct(statistics) }, file })
    const found = boundsOf(footer, 0)
    return {
      ...found,
      min: found.min && [...found.min],
      max: found.max && [...found.max],
      inOrder: haveTypeOrder(footer, 0),
      nulls: footer.chunkNulls[0],
    }
  }
  const value = (first: number) => `${String.fromCharCode(first)}\0\0\0`
  const CURRENT: Fields = { 3: i64(2), 5: binary(value(9)), 6: binary(value(1)) }

  test('are those of the current fields, with what is said of them', () => {
    expect(bounds(CURRENT)).toEqual({
      min: [1, 0, 0, 0],
      max: [9, 0, 0, 0],
      minIsExact: undefined,
      maxIsExact: undefined,
      areDeprecated: false,
      inOrder: true,
      nulls: 2,
    })
    expect(bounds({ ...CURRENT, 7: boolean(true), 8: boolean(false) })).toMatchObject({
      maxIsExact: true,
      minIsExact: false,
    })
    expect(bounds({ ...CURRENT, 7: boolean(false), 8: boolean(true) })).toMatchObject({
      maxIsExact: false,
      minIsExact: true,
    })
  })

  test('are those of the deprecated fields only where there are no others', () => {
    const old: Fields = { 1: binary(value(8)), 2: binary(value(2)) }
    expect(bounds(old)).toMatchObject({ min: [2, 0, 0, 0], max: [8, 0, 0, 0], areDeprecated: true })
    expect(bounds({ ...old, ...CURRENT })).toMatchObject({ min: [1, 0, 0, 0], areDeprecated: false })
    expect(bounds({ ...old, 5: binary(value(9)) }).min).toBeUndefined()
    expect(bounds({ 1: binary(value(8)) }).min).toBeUndefined()
  })

  test('are both or none, and 256 bytes long at the most', () => {
    expect(bounds({ 5: binary(value(9)) }).max).toBeUndefined()
    expect(bounds({ 6: binary(value(1)) }).min).toBeUndefined()
    const long = (length: number) => binary('x'.repeat(length))
    expect(bounds({ 5: long(256), 6: long(256) }).min).toHaveLength(256)
    expect(bounds({ 5: long(257), 6: long(1) }).min).toBeUndefined()
    expect(bounds({ 5: long(1), 6: long(257) }).min).toBeUndefined()
    expect(bounds({ 1: long(257), 2: long(1) }).min).toBeUndefined()
    expect(bounds({ 5: long(0), 6: long(0) }).min).toEqual([])
  })

  test('are in the order of the type where the file says so, or DuckDB wrote it', () => {
    const inOrder = (file: Fields) => bounds(CURRENT, file).inOrder
    expect(inOrder({ 6: WRITER })).toBe(false)
    expect(inOrder({ 6: WRITER, 7: ORDERS })).toBe(true)
    expect(inOrder({ 6: WRITER, 7: structs({ 2: struct({}) }) })).toBe(false)
    expect(inOrder({ 6: binary('DuckDB version 1') })).toBe(true)
    expect(inOrder({ 6: binary('not DuckDB') })).toBe(false)
    expect(inOrder({ 6: binary('DuckDB'), 7: structs({ 2: struct({}) }) })).toBe(false)
  })
})

describe('a schema', () => {
  const leaves = (...elements: Fields[]) => {
    const groups = { 3: i64(0), 4: structs() }
    return read({ elements, file: groups }).footer.schema.leaves
  }
  const refused = (...elements: Fields[]) => refusal({ elements, file: { 3: i64(0), 4: structs() } })
  const root = (children: number): Fields => ({ 4: binary('r'), 5: i32(children) })
  const group = (name: string, repetition: number, children: number): Fields => ({
    3: i32(repetition),
    4: binary(name),
    5: i32(children),
  })
  const leaf = (name: string, repetition = 0, physical = 1, more: Fields = {}): Fields => ({
    1: i32(physical),
    3: i32(repetition),
    4: binary(name),
    ...more,
  })

  test('is a tree, whose leaves know their levels', () => {
    const found = leaves(root(2), leaf('a', 1), group('g', 1, 2), leaf('b', 2), group('h', 2, 1), leaf('c', 1))
    expect(
      found.map(({ name, maxDefinition, maxRepetition, repeatedFrom }) => [
        name,
        maxDefinition,
        maxRepetition,
        repeatedFrom,
      ]),
    ).toEqual([
      ['a', 1, 0, []],
      ['g.b', 2, 1, [2]],
      ['g.h.c', 3, 1, [2]],
    ])
    const nested = leaves(root(1), group('x', 2, 1), group('y', 0, 1), leaf('z', 2))
    expect(nested[0]).toMatchObject({ maxDefinition: 2, maxRepetition: 2, repeatedFrom: [1, 2] })
  })

  test.each([
    [PHYSICAL.BOOLEAN, 1],
    [PHYSICAL.INT32, 4],
    [PHYSICAL.INT64, 8],
    [PHYSICAL.INT96, 12],
    [PHYSICAL.FLOAT, 4],
    [PHYSICAL.DOUBLE, 8],
    [PHYSICAL.BYTE_ARRAY, 0],
  ])('has values of physical type %i in %i bytes', (physical, width) => {
    expect(leaves(root(1), leaf('v', 0, physical))[0]).toMatchObject({ physical, width })
  })

  test('has bytes of a fixed length, which must be named', () => {
    const fixed = (more: Fields) => [root(1), { 1: i32(7), ...more, 3: i32(0), 4: binary('v') }] as const
    expect(leaves(...fixed({ 2: i32(1) }))[0]!.width).toBe(1)
    for (const more of [{}, { 2: i32(0) }, { 2: i32(-1) }]) {
      expect(refused(...fixed(more))).toBe('bad_footer: column v has no type_length')
    }
  })

  test('knows unsigned numbers by either annotation', () => {
    const isUnsigned = (more: Fields) => leaves(root(1), leaf('v', 0, 1, more))[0]!.isUnsigned
    const logical = (isSigned: boolean) => ({
      10: struct({
        10: struct({
          1: (writer: ThriftWriter, id: number) => writer.raw(id, THRIFT.I8, Uint8Array.of(32)),
          2: boolean(isSigned),
        }),
      }),
    })
    expect([10, 11, 14, 15].map((converted) => isUnsigned({ 6: i32(converted) }))).toEqual([false, true, true, false])
    expect([isUnsigned(logical(false)), isUnsigned(logical(true)), isUnsigned({})]).toEqual([true, false, false])
  })

  test.each([
    ['without a root', [], 'bad_footer: schema without a root'],
    ['of too few elements', [root(2), leaf('a')], 'bad_footer: schema names more children than it has elements'],
    ['of too many elements', [root(1), leaf('a'), leaf('b')], 'bad_footer: schema has more elements than children'],
    ['with a group of nothing', [root(1), group('g', 0, 0)], 'bad_footer: group g has no children'],
    [
      'with a leaf that has children',
      [root(1), leaf('a', 0, 1, { 5: i32(1) }), leaf('b')],
      'bad_footer: column a has both a type and children',
    ],
    [
      'with an element without repetition',
      [root(1), { 1: i32(1), 4: binary('a') }],
      'bad_footer: schema element without repetition',
    ],
    ['of an unknown repetition', [root(1), leaf('a', 3)], 'bad_footer: unknown repetition 3'],
    ['of a negative repetition', [root(1), leaf('a', -1)], 'bad_footer: unknown repetition -1'],
    ['of an unknown type', [root(1), leaf('a', 0, 8)], 'bad_footer: unknown physical type 8'],
    ['of negative children', [{ 4: binary('r'), 5: i32(-1) }], 'bad_footer: negative num_children'],
  ] as [string, Fields[], string][])('%s is refused', (_, elements, message) => {
    expect(refused(...elements)).toBe(message)
  })

  test('nests 64 deep', () => {
    const deep = (depth: number) => [
      root(1),
      ...Array.from({ length: depth - 1 }, (_, i) => group(`g${i}`, 0, 1)),
      leaf('v'),
    ]
    expect(leaves(...deep(64))).toHaveLength(1)
    expect(refused(...deep(65))).toBe('bad_footer: schema nested too deeply')
  })

  test('has as many columns and groups as the caller allows', () => {
    const bytes = footerBytes({ elements: [root(2), leaf('a'), leaf('b')], file: { 3: i64(0), 4: structs() } })
    expect(readFooter(bytes.length + 4, bytes, undefined, undefined, 2).rowCount).toBe(0)
    expect(() => readFooter(bytes.length + 4, bytes, undefined, undefined, 1)).toThrow(
      'over_limit: 2 columns and groups, where 1 are allowed',
    )
  })

  test('that differs in anything but the name of its root is another', () => {
    const canonical = (...elements: Fields[]) =>
      read({ elements, file: { 3: i64(0), 4: structs() } }).footer.schema.canonical
    const base = canonical(root(1), leaf('a'))
    expect(canonical({ 4: binary('other'), 5: i32(1) }, leaf('a'))).toBe(base)
    const others = [
      [root(1), leaf('b')],
      [root(1), leaf('a', 1)],
      [root(1), leaf('a', 0, 2)],
      [root(1), leaf('a', 0, 1, { 6: i32(17) })],
      [root(1), leaf('a', 0, 1, { 7: i32(2) })],
      [root(1), leaf('a', 0, 1, { 9: i32(2) })],
      [root(1), leaf('a', 0, 1, { 10: struct({ 6: struct({}) }) })],
      [root(1), group('a', 0, 1), leaf('a')],
    ].map((elements) => canonical(...elements))
    expect(new Set([base, ...others]).size).toBe(others.length + 1)
  })
})
