import { describe, expect, test } from 'vitest'
import { type MergeOptions, type MergeReport, memorySink, memorySource, mergeParquet } from '../src/index.ts'
import { countWithArrow, metadataOf, query, readWithHyparquet, store, writeWithDuckDB } from './engines.ts'

async function unite(
  inputs: Uint8Array[],
  options: MergeOptions = {},
): Promise<{ output: Uint8Array; report: MergeReport }> {
  const sink = memorySink()
  const report = await mergeParquet(
    inputs.map((bytes, i) => memorySource(`input-${i}`, bytes)),
    sink,
    { schema: 'union', ...options },
  )
  return { output: sink.bytes(), report }
}

const list = (inputs: Uint8Array[]) => `[${inputs.map((input) => `'${store(input)}'`)}]`

/** Merge, and compare rows and types with what DuckDB makes of the inputs; every reader must read the output. */
async function expectUnion(inputs: Uint8Array[], options: MergeOptions = {}, expected?: string) {
  const { output, report } = await unite(inputs, options)
  const path = store(output)
  const wanted = expected ?? `select * from read_parquet(${list(inputs)}, union_by_name = true)`
  expect(await query(`select * from read_parquet('${path}')`)).toEqual(await query(wanted))
  expect(countWithArrow(output)).toBe(report.rowsIn)
  expect((await readWithHyparquet(output)).length).toBe(report.rowsIn)
  const types = async (from: string) =>
    (await query(`describe ${from}`)).map(([name, type, nullable]) => [name, type, nullable])
  if (!expected) expect(await types(`select * from '${path}'`)).toEqual(await types(wanted))
  return { output, report }
}

const rows = (from: number, to: number) => `range(${from}, ${to}) t(i)`
const write = (columns: string, from: number, to: number, options?: string) =>
  writeWithDuckDB(`select ${columns} from ${rows(from, to)}`, options)

describe('columns are matched by name', () => {
  test('what is missing is null, wherever it stands', async () => {
    const inputs = [
      await write("i, 's' || i % 7 as s", 0, 1000),
      await write("i * 2 as extra, 's' || i % 5 as s, i", 1000, 2000),
      await write('i, [i, null] as l, {a: i} as o', 2000, 2010),
      await write('true as flag', 2010, 2012),
    ]
    const { report } = await expectUnion(inputs)
    expect(report.schemaChanges).toEqual([
      { column: 'extra', change: 'added' },
      { column: 'l.list.element', change: 'added' },
      { column: 'o.a', change: 'added' },
      { column: 'flag', change: 'added' },
    ])
    await expectUnion(inputs.toReversed())
    await expectUnion(inputs, { minPageBytes: 0, targetRowGroupBytes: 5000 })
    await expectUnion(inputs, { pages: 'rewrite' })
  })

  test('columns that all have alike are still spliced', async () => {
    const inputs = [
      await write('i, hash(i) as h', 0, 20_000),
      await write('i, hash(i) as h, i + 1 as j', 20_000, 40_000),
    ]
    const { report } = await expectUnion(inputs, { minPageBytes: 0 })
    expect(report.columnChunks).toMatchObject({ rewritten: 2, reasons: { schema_changes: 2 } })
  })

  test('files without rows add their columns', async () => {
    const inputs = [await write('i', 0, 0), await write('i, i as j', 0, 3), await write('i, 1.5::double as k', 0, 0)]
    await expectUnion(inputs)
  })

  test('of files that are alike nothing changes', async () => {
    const { report } = await expectUnion([await write('i', 0, 3), await write('i', 3, 5)])
    expect(report.schemaChanges).toEqual([])
  })
})

describe('types widen', () => {
  const WIDENINGS: [from: string, to: string, both: string][] = [
    ['tinyint', 'smallint', 'smallint'],
    ['tinyint', 'bigint', 'bigint'],
    ['smallint', 'integer', 'integer'],
    ['integer', 'bigint', 'bigint'],
    ['utinyint', 'usmallint', 'usmallint'],
    ['usmallint', 'uinteger', 'uinteger'],
    ['uinteger', 'ubigint', 'ubigint'],
    ['utinyint', 'tinyint', 'smallint'],
    ['usmallint', 'smallint', 'integer'],
    ['uinteger', 'integer', 'bigint'],
    ['utinyint', 'bigint', 'bigint'],
    ['uinteger', 'smallint', 'bigint'],
    ['float', 'double', 'double'],
  ]
  test.each(WIDENINGS)('%s and %s', async (one, other, both) => {
    const extremes = (type: string, from: number) => {
      const bits = { tinyint: 8, smallint: 16, integer: 32, bigint: 64 }[type.replace(/^u/, '')]
      if (!bits) return `case i % 4 when 0 then -0.0::${type} when 1 then 'inf'::${type} else i / 3 end::${type} as k`
      const [low, high] = type.startsWith('u')
        ? [0n, 2n ** BigInt(bits) - 1n]
        : [-(2n ** BigInt(bits - 1)), 2n ** BigInt(bits - 1) - 1n]
      return `case (i + ${from}) % 4 when 0 then (${low})::${type} when 1 then ${high}::${type} when 2 then (i % 100)::${type} end as k`
    }
    const inputs = [
      await write(extremes(one, 0), 0, 500),
      await write(extremes(other, 1), 0, 500, 'dictionary_size_limit 1'),
      await write(extremes(one, 2), 0, 50, 'parquet_version v2'),
    ]
    const { output, report } = await expectUnion(inputs)
    expect((await query(`select typeof(k) from '${store(output)}' limit 1`))[0]![0]).toBe(both.toUpperCase())
    expect(new Set(report.schemaChanges.map(({ change }) => change))).toEqual(new Set(['widened']))
    await expectUnion(inputs.toReversed())
    // bounds of the output do not prune what is there
    const count = (from: string) =>
      query(`select count(*), min(k), max(k) from ${from} where k >= (select max(k) from ${from})`)
    expect(await count(`'${store(output)}'`)).toEqual(
      await count(`read_parquet(${list(inputs)}, union_by_name = true)`),
    )
  })

  test.each([
    ["'x'", '1', /column k is int32 where it was string/],
    ["date '2020-01-01'", '1', /column k is int32 where it was date/],
    ['1::ubigint', '1::tinyint', /column k is int8 where it was uint64/],
    ['1.5::float', '1::integer', /column k is int32 where it was FLOAT/],
    [
      '1.5::decimal(9, 2)',
      '1.5::decimal(9, 3)',
      /column k is decimal\(9, 3\) INT32 where it was decimal\(9, 2\) INT32/,
    ],
    [
      "timestamp '2020-01-01'",
      "timestamptz '2020-01-01 00:00:00+00'",
      /column k is TIMESTAMP\(MICROS, UTC\) INT64 where it was TIMESTAMP\(MICROS, local\) INT64/,
    ],
    ['{a: 1}', '1', /column k is int32 where it was group/],
    ['[1]', '{a: 1}', /column k is group where it was list/],
  ])('%s and %s are refused', async (one, other, message) => {
    const inputs = [await write(`${one} as k`, 0, 3), await write(`${other} as k`, 0, 3)]
    await expect(unite(inputs)).rejects.toThrow(/^schema_mismatch: input-1: /)
    await expect(unite(inputs)).rejects.toThrow(message)
  })
})

describe('groups are united member by member', () => {
  test('a struct with more members, and one missing as a whole', async () => {
    const inputs = [
      await write('i, case when i % 3 > 0 then {a: i, n: {x: i}} end as o', 0, 100),
      await write(
        "i, case when i % 4 > 0 then {a: i, n: case when i % 5 > 0 then {x: i, y: 'y' || i} end, b: [i, null]} end as o",
        100,
        200,
      ),
      await write('i', 200, 210),
    ]
    const select = (o: string, at: number) => `select i, ${o} as o from '${store(inputs[at]!)}'`
    const expected = [
      select(
        'case when o is null then null else {a: o.a, n: case when o.n is null then null else {x: o.n.x, y: null::varchar} end, b: null::bigint[]} end',
        0,
      ),
      select('o', 1),
      select('null', 2),
    ].join(' union all ')
    const { report } = await expectUnion(inputs, {}, expected)
    expect(report.schemaChanges.map(({ column }) => column)).toEqual(['o.n.y', 'o.b.list.element'])
    await expectUnion(inputs, { memoryBudgetBytes: 2 ** 20, minPageBytes: 0 }, expected)
  })

  test('lists of structs with another member', async () => {
    const element = (from: number, more: string) =>
      write(
        `i, case i % 4 when 0 then null when 1 then [] when 2 then [{a: i, l: [1, 2]${more}}, null] else [{a: null, l: []${more}}, {a: i, l: null${more}}] end as l`,
        from,
        from + 100,
      )
    const inputs = [await element(0, ''), await element(100, ', b: i::varchar')]
    const expected = [
      `select i, list_transform(l, lambda e: case when e is null then null else {a: e.a, l: e.l, b: null::varchar} end) as l from '${store(inputs[0]!)}'`,
      `select * from '${store(inputs[1]!)}'`,
    ].join(' union all ')
    await expectUnion(inputs, {}, expected)
  })

  test('maps and lists of other elements are refused, field ids that differ too', async () => {
    const map = [await write("map {'k': 1} as m", 0, 2), await write("map {'k': 'v'} as m", 0, 2)]
    await expect(unite(map)).rejects.toThrow(/column m.key_value.value is string BYTE_ARRAY where it was int32/)
    const ids = [await write('i', 0, 2, 'field_ids {i: 1}'), await write('i', 0, 2, 'field_ids {i: 2}')]
    await expect(unite(ids)).rejects.toThrow(/column i has another field id/)
  })
})

test('field ids and logical types are kept, and metadata that describes the old schema is not', async () => {
  const inputs = [
    await write("i, date '2020-01-01' as d, uuid() as u", 0, 10, 'field_ids {i: 4, d: 5, u: 6}'),
    await write("i, 'x' as s", 0, 10, "field_ids {i: 4, s: 7}, kv_metadata {'ARROW:schema': 'old', owner: 'me'}"),
  ]
  const { output, report } = await unite(inputs)
  const { schema, key_value_metadata } = metadataOf(output)
  expect(schema.map(({ name, field_id, repetition_type }) => [name, field_id, repetition_type])).toEqual([
    ['duckdb_schema', undefined, 'REQUIRED'],
    ['i', 4, 'OPTIONAL'],
    ['d', 5, 'OPTIONAL'],
    ['u', 6, 'OPTIONAL'],
    ['s', 7, 'OPTIONAL'],
  ])
  expect(key_value_metadata).toEqual([{ key: 'owner', value: 'me' }])
  expect(report.keyValueMetadata).toEqual({
    written: 1,
    dropped: [{ key: 'ARROW:schema', reason: 'schema_changed' }],
    droppedCount: 1,
  })
})

test('a union is sorted and deduplicated like any other', async () => {
  const inputs = [
    await write("i, (i * 7919 % 500)::int as k, 'a' as a", 0, 1000),
    await write("i, (i * 7919 % 500)::bigint as k, 'b' as b", 500, 1500),
    await write("i, 'c' as a", 1200, 1700),
  ]
  const all = `read_parquet(${list(inputs)}, union_by_name = true, filename = true)`
  const sortBy = [{ column: 'k', descending: true, nullsFirst: true }, { column: 'i' }]
  const expected = `select i, k, a, b from (select *, row_number() over (partition by i order by filename desc) as n from ${all}) where n = 1 order by k desc nulls first, i`
  await expect(unite(inputs, { sortBy, dedupeBy: ['i'] })).resolves.toMatchObject({ report: { rowsOut: 1700 } })
  const { output } = await unite(inputs, { sortBy, dedupeBy: ['i'] })
  expect(await query(`select * from '${store(output)}'`)).toEqual(await query(expected))
})
