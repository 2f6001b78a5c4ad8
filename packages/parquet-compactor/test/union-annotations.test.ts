/** Schemas of other writers under `schema: 'union'`: one type annotated in several ways, lists and maps of several forms, columns of nulls. */
import type { FieldDefinition } from '@dsnp/parquetjs/dist/lib/declare.js'
import { describe, expect, test } from 'vitest'
import { verifyMerge } from '../src/command/verify-merge.ts'
import { CONVERTED, LOGICAL } from '../src/format/format.ts'
import { THRIFT } from '../src/format/thrift-reader.ts'
import { type MergeOptions, type MergeReport, memorySink, memorySource, mergeParquet } from '../src/index.ts'
import type { SchemaNode } from '../src/schema/schema-tree.ts'
import { annotate, editSchema, nodeAt, rename } from './edit-schema.ts'
import { inputFiles, metadataOf, query, readWithArrow, store, writeWithDuckDB } from './engines.ts'
import { writeWithParquetjs } from './parquetjs-file.ts'

async function unite(
  inputs: Uint8Array[],
  options: MergeOptions = {},
): Promise<{ output: Uint8Array; report: MergeReport }> {
  const sink = memorySink()
  const sources = inputs.map((bytes, i) => memorySource(`input-${i}`, bytes))
  const report = await mergeParquet(sources, sink, { schema: 'union', ...options })
  return { output: sink.bytes(), report }
}

const rowsOf = (file: Uint8Array) => query(`select * from '${store(file)}'`)

/**
 * Merge in every way; rows are those that DuckDB reads in the inputs, which are verified with hyparquet and read by arrow-rs.
 * @param alike what DuckDB reads instead of the inputs
 */
async function expectUnion(inputs: Uint8Array[], expectedTypes: string[], alike = inputs): Promise<MergeReport> {
  const expected: unknown[][] = []
  for (const input of alike) expected.push(...(await rowsOf(input)))
  const ways: MergeOptions[] = [{}, { minPageBytes: 0 }, { pages: 'check' }, { pages: 'rewrite' }, { codec: 'gzip' }]
  for (const options of ways) {
    const { output } = await unite(inputs, options)
    expect(await rowsOf(output)).toEqual(expected)
    const types = await query(`describe select * from '${store(output)}'`)
    expect(types.map(([, type]) => type)).toEqual(expectedTypes)
    expect(readWithArrow(output).rows).toHaveLength(expected.length)
    const [written] = inputFiles([output])
    expect(await verifyMerge(inputFiles(inputs), written!, { isUnion: true })).toBe(expected.length)
  }
  return (await unite(inputs)).report
}

const edit = (file: Uint8Array, change: (root: SchemaNode) => void) => editSchema(file, change)
/** TIME and TIMESTAMP of the union LogicalType, by isAdjustedToUTC and unit */
const time = (id: number, isUtc: boolean, unit: 1 | 2) => [
  (id << 4) | THRIFT.STRUCT,
  0x10 | (isUtc ? THRIFT.TRUE : THRIFT.FALSE),
  0x10 | THRIFT.STRUCT,
  (unit << 4) | THRIFT.STRUCT,
  ...[0, 0, 0, 0],
]
const UNKNOWN = [(LOGICAL.UNKNOWN << 4) | THRIFT.STRUCT, 0, 0]

describe('a time or timestamp by its converted type is the logical type in UTC', () => {
  const CASES: [sql: string, converted: number, logical: number[], type: string][] = [
    ['i', CONVERTED.TIMESTAMP_MILLIS, time(LOGICAL.TIMESTAMP, true, 1), 'TIMESTAMP WITH TIME ZONE'],
    ['i', CONVERTED.TIMESTAMP_MICROS, time(LOGICAL.TIMESTAMP, true, 2), 'TIMESTAMP WITH TIME ZONE'],
    ['i::int', CONVERTED.TIME_MILLIS, time(LOGICAL.TIME, true, 1), 'TIME WITH TIME ZONE'],
    ['i', CONVERTED.TIME_MICROS, time(LOGICAL.TIME, true, 2), 'TIME WITH TIME ZONE'],
  ]
  test.each(CASES)('%s, converted type %i', async (sql, converted, logical, type) => {
    const plain = await writeWithDuckDB(`select ${sql} as t from range(5) t(i)`)
    const old = edit(plain, (root) => annotate(nodeAt(root, 't'), converted))
    const modern = edit(plain, (root) => annotate(nodeAt(root, 't'), undefined, logical))
    const both = edit(plain, (root) => annotate(nodeAt(root, 't'), converted, logical))
    for (const inputs of [
      [old, modern],
      [modern, old],
      [both, old, modern],
    ]) {
      // DuckDB has a time zone for the logical type only
      const alike = inputs.map(() => modern)
      const report = await expectUnion(inputs, [type], alike)
      expect(report.schemaChanges).toEqual([])
      // readers of either annotation find theirs
      const element = metadataOf((await unite(inputs)).output).schema[1]!
      expect(element.converted_type).toBeDefined()
      expect(element.logical_type).toMatchObject({ isAdjustedToUTC: true })
    }
  })

  test('but not the one in local time, and the message names both in words', async () => {
    const plain = await writeWithDuckDB('select i as t from range(5) t(i)')
    const old = edit(plain, (root) => annotate(nodeAt(root, 't'), CONVERTED.TIMESTAMP_MILLIS))
    const local = edit(plain, (root) => annotate(nodeAt(root, 't'), undefined, time(LOGICAL.TIMESTAMP, false, 1)))
    await expect(unite([old, local])).rejects.toThrow(
      'schema_mismatch: input-1: column t is TIMESTAMP(MILLIS, local) INT64 where it was TIMESTAMP(MILLIS, UTC) INT64',
    )
    const micros = edit(plain, (root) => annotate(nodeAt(root, 't'), CONVERTED.TIME_MICROS))
    await expect(unite([micros, old])).rejects.toThrow(
      'column t is TIMESTAMP(MILLIS, UTC) INT64 where it was TIME(MICROS, UTC) INT64',
    )
  })

  test('by default they are two schemas, and the message says that a union takes them', async () => {
    const plain = await writeWithDuckDB('select i as t from range(5) t(i)')
    const old = edit(plain, (root) => annotate(nodeAt(root, 't'), CONVERTED.TIMESTAMP_MILLIS))
    const modern = edit(plain, (root) => annotate(nodeAt(root, 't'), undefined, time(LOGICAL.TIMESTAMP, true, 1)))
    await expect(unite([old, modern], { schema: 'strict' })).rejects.toThrow(
      /^schema_mismatch: input-1: column t is TIMESTAMP\(MILLIS, UTC\) INT64 with other annotations .* only a union/,
    )
    await expect(unite([plain, old], { schema: 'strict' })).rejects.toThrow(
      'column t is TIMESTAMP(MILLIS, UTC) INT64 where the first source has int64',
    )
  })
})

describe('lists are one type whatever their inner levels are called', () => {
  const values = 'case i % 4 when 0 then [i, null, i * 2] when 1 then [] when 2 then null else [i] end'
  const list = (from: number) => writeWithDuckDB(`select i, ${values} as l from range(${from}, ${from + 60}) t(i)`)
  const named = (file: Uint8Array, group: string, element: string) =>
    edit(file, (root) => {
      rename(nodeAt(root, 'l.list.element'), element)
      rename(nodeAt(root, 'l.list'), group)
    })

  test.each([
    ['list', 'item'],
    ['bag', 'array_element'],
    ['list', 'array'],
  ])('%s.%s', async (group, element) => {
    const [standard, other] = [await list(0), named(await list(60), group, element)]
    const changes = (await expectUnion([standard, other], ['BIGINT', 'BIGINT[]'])).schemaChanges
    const to = 'l.list.element'
    expect(changes).toEqual([{ column: to, change: 'renamed', from: `l.${group}.${element}`, to }])
    expect((await expectUnion([other, standard], ['BIGINT', 'BIGINT[]'])).schemaChanges).toEqual(changes)
    // pages of lists that differ by name only pass as they are
    const { report } = await unite([standard, other], { minPageBytes: 0 })
    expect(report.columnChunks).toMatchObject({ rewritten: 0 })
  })

  test('names stay where all sources have the same', async () => {
    const other = named(await list(0), 'bag', 'array_element')
    const more = await writeWithDuckDB('select i, true as flag from range(3) t(i)')
    const { output } = await unite([other, more])
    expect(metadataOf(output).schema.map(({ name }) => name)).toEqual([
      ...['duckdb_schema', 'i', 'l', 'bag', 'array_element', 'flag'],
    ])
  })

  test('elements unite as columns do: wider types, more members, lists of lists', async () => {
    const write = async (sql: string, group: string, element: string) =>
      named(await writeWithDuckDB(`select ${sql} as l from range(40) t(i)`), group, element)
    const wide = await write('[i, i * 10000000000]', 'bag', 'array_element')
    const alike = [await write('[i, null]', 'list', 'element'), wide]
    await expectUnion([await write('[i::int, null]', 'list', 'element'), wide], ['BIGINT[]'], alike)
    const inputs = [await write('[[i], [], null]', 'list', 'item'), await write('[[i, 2]]', 'bag', 'array_element')]
    const inner = edit(inputs[1]!, (root) => rename(nodeAt(root, 'l.bag.array_element.list.element'), 'item'))
    await expectUnion([inputs[0]!, inner], ['BIGINT[][]'])
    const structs = [await write('[{a: i}]', 'list', 'item'), await write("[{a: i, b: 'x'}, null]", 'bag', 'array')]
    const { output } = await unite(structs)
    expect((await rowsOf(output)).slice(39, 41)).toEqual([[[{ a: '39', b: null }]], [[{ a: '0', b: 'x' }, null]]])
    expect(await verifyMerge(inputFiles(structs), inputFiles([output])[0]!, { isUnion: true })).toBe(80)
  })

  test('and elements of other types are refused, with the list', async () => {
    const texts = named(await writeWithDuckDB("select ['x'] as l"), 'bag', 'array_element')
    await expect(unite([await writeWithDuckDB('select [1] as l'), texts])).rejects.toThrow(
      'input-1: column l.list.element is string BYTE_ARRAY where it was int32',
    )
  })
})

describe('lists of two levels, as old writers have them', () => {
  const two: Record<string, FieldDefinition> = {
    l: { optional: true, fields: { array: { type: 'INT64', repeated: true } } },
    s: {
      optional: true,
      fields: { array: { repeated: true, fields: { a: { type: 'INT64' }, b: { type: 'UTF8', optional: true } } } },
    },
  }
  const rows = [
    { l: { array: [1, 2] }, s: { array: [{ a: 1, b: 'x' }, { a: 2 }] } },
    {},
    { l: { array: [] }, s: { array: [] } },
    { l: { array: [7] }, s: { array: [{ a: 5 }] } },
  ]
  const asLists = (root: SchemaNode) => {
    for (const name of ['l', 's']) annotate(nodeAt(root, name), CONVERTED.LIST)
  }

  test('unite with those of three', async () => {
    const old = edit(await writeWithParquetjs(two, rows), asLists)
    const modern = await writeWithDuckDB(
      "select * from (values ([9, null]::bigint[], [{a: 8::bigint, b: 'z'}, null]), (null, null), ([], [])) t(l, s)",
    )
    const types = ['BIGINT[]', 'STRUCT(a BIGINT, b VARCHAR)[]']
    const changes = (await expectUnion([old, modern], types)).schemaChanges
    expect(changes).toContainEqual({
      column: 'l.list.element',
      change: 'renamed',
      from: 'l.array',
      to: 'l.list.element',
    })
    await expectUnion([modern, old, modern], types)
  })

  test('stay as they are where all sources have them so', async () => {
    const old = edit(await writeWithParquetjs(two, rows), asLists)
    const more = edit(await writeWithParquetjs({ ...two, i: { type: 'INT32' } }, [{ ...rows[0], i: 3 }]), asLists)
    const { output } = await unite([old, more])
    expect(metadataOf(output).schema.map(({ name }) => name)).toEqual([
      'root',
      'l',
      'array',
      's',
      'array',
      'a',
      'b',
      'i',
    ])
    expect((await rowsOf(output)).map((row) => JSON.stringify(row))).toEqual([
      ...(await rowsOf(old)).map((row) => JSON.stringify([...row, null])),
      ...(await rowsOf(more)).map((row) => JSON.stringify(row)),
    ])
  })

  test('are refused where readers disagree on what the element is', async () => {
    const only = {
      l: { optional: true, fields: { array: { repeated: true, fields: { a: { type: 'INT64' } } } } },
    } as const
    const file = await writeWithParquetjs(only as never, [{ l: { array: [{ a: 1 }] } }])
    const odd = edit(file, (root) => annotate(nodeAt(root, 'l'), CONVERTED.LIST))
    const modern = await writeWithDuckDB('select [1::bigint] as l')
    await expect(unite([modern, odd])).rejects.toThrow(/input-1: column l is a list by a repeated group array /)
    await expect(unite([odd, odd])).resolves.toMatchObject({ report: { rowsOut: 2 } })
  })
})

describe('maps are one type whatever their inner levels are called', () => {
  const map = (from: number) =>
    writeWithDuckDB(
      `select case i % 3 when 0 then map {'k' || i: i, 'z': null} when 1 then map {} end as m from range(${from}, ${from + 30}) t(i)`,
    )
  const MAPS: [string, (root: SchemaNode) => void][] = [
    [
      'entries.keys and values, as Arrow names them',
      (root) => {
        rename(nodeAt(root, 'm.key_value.key'), 'keys')
        rename(nodeAt(root, 'm.key_value.value'), 'values')
        rename(nodeAt(root, 'm.key_value'), 'entries')
      },
    ],
    [
      'map, annotated MAP_KEY_VALUE',
      (root) => {
        annotate(nodeAt(root, 'm.key_value'), CONVERTED.MAP_KEY_VALUE)
        rename(nodeAt(root, 'm.key_value'), 'map')
      },
    ],
    ['MAP_KEY_VALUE on the outer group', (root) => annotate(nodeAt(root, 'm'), CONVERTED.MAP_KEY_VALUE)],
  ]
  test.each(MAPS)('%s', async (_, change) => {
    const [standard, other] = [await map(0), edit(await map(30), change)]
    const expected = [...(await rowsOf(standard)), ...(await rowsOf(await map(30)))]
    for (const inputs of [
      [standard, other],
      [other, standard],
    ]) {
      const { output } = await unite(inputs)
      const read = await rowsOf(output)
      expect(inputs[0] === standard ? read : [...read.slice(30), ...read.slice(0, 30)]).toEqual(expected)
      expect(readWithArrow(output).rows).toHaveLength(60)
      expect(
        metadataOf(output)
          .schema.slice(1, 3)
          .map(({ name, converted_type }) => [name, converted_type]),
      ).toEqual([
        ['m', 'MAP'],
        ['key_value', undefined],
      ])
      expect(await verifyMerge(inputFiles(inputs), inputFiles([output])[0]!, { isUnion: true })).toBe(60)
    }
  })
})

describe('a column of nulls by its type unites with any other', () => {
  const nulls = async () =>
    edit(await writeWithDuckDB('select null::int as c from range(4)'), (root) =>
      annotate(nodeAt(root, 'c'), undefined, UNKNOWN),
    )
  test.each([
    ["'x' || i", 'VARCHAR'],
    ['i::int', 'INTEGER'],
    ['i::tinyint', 'TINYINT'],
    ['i', 'BIGINT'],
    ['i / 3', 'DOUBLE'],
    ['i % 2 = 0', 'BOOLEAN'],
    ['(i / 8)::decimal(30, 2)', 'DECIMAL(30,2)'],
    ["timestamp '2020-01-01'", 'TIMESTAMP'],
    ['uuid()', 'UUID'],
    ['[i, null]', 'BIGINT[]'],
    ["{a: i, b: ['x']}", 'STRUCT(a BIGINT, b VARCHAR[])'],
    ["map {'k': i}", 'MAP(VARCHAR, BIGINT)'],
    ['[{a: i}]', 'STRUCT(a BIGINT)[]'],
  ])('%s', async (sql, type) => {
    const typed = await writeWithDuckDB(`select ${sql} as c from range(50) t(i)`)
    const none = Array.from({ length: 4 }, () => [null])
    for (const inputs of [
      [typed, await nulls()],
      [await nulls(), typed],
    ]) {
      for (const options of [{}, { pages: 'rewrite' }, { minPageBytes: 0 }] as const) {
        const { output, report } = await unite(inputs, options)
        const rows = await rowsOf(typed)
        expect(await rowsOf(output)).toEqual(inputs[0] === typed ? [...rows, ...none] : [...none, ...rows])
        expect((await query(`select typeof(c) from '${store(output)}' limit 1`))[0]![0]).toBe(type)
        expect(report.schemaChanges.map(({ change, from }) => [change, from])).toContainEqual([
          'widened',
          'UNKNOWN INT32',
        ])
        expect(await verifyMerge(inputFiles(inputs), inputFiles([output])[0]!, { isUnion: true })).toBe(54)
        expect(readWithArrow(output).rows).toHaveLength(54)
      }
    }
  })

  test('elements of lists and members of structs too', async () => {
    const write = (sql: string) => writeWithDuckDB(`select ${sql} from range(3) t(i)`)
    const unknown = edit(await write('[null::int] as l, {a: null::int, b: i} as s'), (root) => {
      annotate(nodeAt(root, 'l.list.element'), undefined, UNKNOWN)
      annotate(nodeAt(root, 's.a'), undefined, UNKNOWN)
    })
    const typed = await write("['x', null] as l, {a: [i], b: i} as s")
    const { output } = await unite([unknown, typed])
    expect(await rowsOf(output)).toEqual([
      ...[0, 1, 2].map((i) => [[null], { a: null, b: `${i}` }]),
      ...[0, 1, 2].map((i) => [['x', null], { a: [`${i}`], b: `${i}` }]),
    ])
    expect(await verifyMerge(inputFiles([unknown, typed]), inputFiles([output])[0]!, { isUnion: true })).toBe(6)
  })

  test('two of them stay one', async () => {
    const { output, report } = await unite([await nulls(), edit(await nulls(), (root) => rename(root, 'schema'))])
    expect(report.schemaChanges).toEqual([])
    expect(await rowsOf(output)).toHaveLength(8)
  })

  test('a value in it is a fault of the file, never dropped', async () => {
    const lying = edit(await writeWithDuckDB('select i::int as c from range(4) t(i)'), (root) =>
      annotate(nodeAt(root, 'c'), undefined, UNKNOWN),
    )
    for (const sql of ["'x' as c", '1::int as c', '[1] as c', '{a: 1} as c']) {
      const inputs = [await writeWithDuckDB(`select ${sql}`), lying]
      await expect(unite(inputs)).rejects.toThrow(
        /corrupt_data: input-1: .*column c.* values in a column of type UNKNOWN/,
      )
    }
  })
})
