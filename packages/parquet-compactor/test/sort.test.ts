import { describe, expect, test } from 'vitest'
import { type MergeOptions, type MergeReport, memorySink, memorySource, mergeParquet } from '../src/index.ts'
import { countWithArrow, metadataOf, query, readWithHyparquet, store, writeWithDuckDB } from './engines.ts'
import { KEYS, nullable, REST, rows } from './sort-cases.ts'

async function merge(
  inputs: Uint8Array[],
  options: MergeOptions,
): Promise<{ output: Uint8Array; report: MergeReport }> {
  const sink = memorySink()
  const report = await mergeParquet(
    inputs.map((bytes, i) => memorySource(`input-${i}`, bytes)),
    sink,
    options,
  )
  return { output: sink.bytes(), report }
}

/** rows of the inputs as a table with their place in `place` */
const placed = (inputs: Uint8Array[], columns = '*') =>
  `(${inputs
    .map(
      (input, i) =>
        `select ${columns}, ${i}::bigint * 1000000 + file_row_number as place from read_parquet('${store(input)}', file_row_number = true)`,
    )
    .join(' union all ')})`

/** Merge, and compare with a stable ORDER BY of DuckDB. `id` is in every input. */
async function expectSorted(
  inputs: Uint8Array[],
  sortBy: NonNullable<MergeOptions['sortBy']>,
  options: MergeOptions = {},
) {
  const { output, report } = await merge(inputs, { ...options, sortBy })
  const order = sortBy
    .map(({ column, descending, nullsFirst }) => {
      const name = column
        .split('.')
        .map((part) => `"${part}"`)
        .join('.')
      return `${name} ${descending ? 'desc' : 'asc'} nulls ${nullsFirst ? 'first' : 'last'}`
    })
    .join(', ')
  const expected = await query(
    `select * exclude (place, file_row_number) from ${placed(inputs)} order by ${order}, place`,
  )
  const path = store(output)
  const actual = await query(`select * from read_parquet('${path}')`)
  const at = expected.findIndex((row, i) => JSON.stringify(row) !== JSON.stringify(actual[i]))
  if (at >= 0) expect({ at, row: actual[at] }).toEqual({ at, row: expected[at] })
  expect(actual.length).toBe(expected.length)
  // the other readers see the same rows
  expect(countWithArrow(output)).toBe(expected.length)
  const sorted = metadataOf(output).row_groups.map(({ sorting_columns }) => sorting_columns?.length)
  expect(new Set(sorted)).toEqual(new Set(expected.length > 0 ? [sortBy.length] : []))
  return { output, report }
}

describe('rows are sorted as DuckDB sorts them', () => {
  test.each(KEYS)('by %s', async (_name, expression) => {
    const inputs = []
    for (const [from, to] of [
      [0, 900],
      [900, 901],
      [901, 2300],
      [2300, 2300],
      [2300, 2400],
    ] as const) {
      inputs.push(
        await writeWithDuckDB(
          `select ${REST}, ${nullable(expression)} as k, ${expression} as r from ${rows(from, to)}`,
        ),
      )
    }
    await expectSorted(inputs, [{ column: 'k' }])
    await expectSorted(inputs, [{ column: 'k', descending: true, nullsFirst: true }, { column: 's' }])
    await expectSorted(inputs, [{ column: 'r', descending: true }], { targetRowGroupBytes: 20_000 })
    await expectSorted(inputs, [
      { column: 's', nullsFirst: true },
      { column: 'k', descending: true },
      { column: 'o.a' },
    ])
  })

  test('in pages of version 2, plain and by dictionary', async () => {
    const inputs = []
    for (const [from, options] of [
      [0, 'parquet_version v2, compression zstd'],
      [3000, 'compression gzip, dictionary_size_limit 1'],
      [6000, 'compression uncompressed'],
    ] as const) {
      const keys = `${nullable("'k' || hash(i) % 100")} as k, (hash(i) % 50)::bigint as n, (hash(i) % 9)::double as d`
      inputs.push(await writeWithDuckDB(`select ${REST}, ${keys} from ${rows(from, from + 3000)}`, options))
    }
    for (const column of ['k', 'n', 'd', 'o.b']) await expectSorted(inputs, [{ column }])
  })

  test.each([
    [[{ column: 'k' }]],
    [[{ column: 'k', descending: true, nullsFirst: true }]],
    // nearly all rows are equal in these
    [[{ column: 'few', nullsFirst: true }]],
    [
      [
        { column: 'few', descending: true },
        { column: 't', descending: true },
      ],
    ],
    [[{ column: 't' }, { column: 'd' }]],
    [[{ column: 'd', descending: true }]],
  ])('keys that do not fit together are sorted part by part: %j', async (sortBy) => {
    const inputs = []
    for (let from = 0; from < 60_000; from += 20_000) {
      const keys = `${nullable('hash(i)')} as k, ${nullable('(hash(i * 7) % 3)::int')} as few, ${nullable("'t' || hash(i) % 500")} as t, case when i % 11 = 0 then 'nan'::double else (hash(i * 13) % 700)::double - 300 end as d`
      inputs.push(await writeWithDuckDB(`select i as id, ${keys} from ${rows(from, from + 20_000)}`))
    }
    const { report } = await expectSorted(inputs, sortBy, { memoryBudgetBytes: 2 ** 20 })
    expect(report).toMatchObject({ rowGroupsKept: 0, rowsOut: 60_000 })
  })

  test('a budget that holds few rows gives the same rows', async () => {
    const inputs = []
    for (let from = 0; from < 15_000; from += 5000) {
      inputs.push(
        await writeWithDuckDB(
          `select ${REST}, repeat(md5(i::varchar), 3) as t, hash(i) as k from ${rows(from, from + 5000)}`,
          'row_group_size 2048',
        ),
      )
    }
    const { report } = await expectSorted(inputs, [{ column: 'k' }], { memoryBudgetBytes: 2 ** 20, smallFileBytes: 1 })
    expect(report).toMatchObject({ rowGroupsKept: 0, rowGroupsMerged: 9 })
  })
})

describe('what need not be merged is not', () => {
  const times = (from: number, to: number) =>
    writeWithDuckDB(
      `select i as id, timestamp '2025-01-01' + to_seconds(i) as t, 'd' || i % 3 as s from ${rows(from, to)}`,
    )

  test('files whose ranges do not overlap are put in order and spliced', async () => {
    const inputs = [await times(20_000, 30_000), await times(0, 10_000), await times(10_000, 20_000)]
    const { report } = await expectSorted(inputs, [{ column: 't' }], { minPageBytes: 0 })
    expect(report).toMatchObject({ rowGroupsMerged: 0 })
    expect(report.columnChunks.rewritten).toBe(0)
  })

  test('ranges that overlap are merged, the others are not', async () => {
    const inputs = [
      await times(5000, 20_000),
      await times(0, 10_000),
      await times(40_000, 50_000),
      await times(30_000, 35_000),
    ]
    const { report } = await expectSorted(inputs, [{ column: 't' }], { minPageBytes: 0, targetRowGroupBytes: 30_000 })
    expect(report.rowGroupsKept).toBeGreaterThan(0)
    expect(report.rowGroupsMerged).toBeGreaterThan(0)
    expect(report.columnChunks.spliced + report.columnChunks.remapped + report.columnChunks.copied).toBeGreaterThan(0)
  })

  test('a file that is not sorted itself is', async () => {
    const inputs = [
      await writeWithDuckDB(`select i as id, (i * 7919) % 1000 as k from ${rows(0, 1000)}`),
      await writeWithDuckDB(`select i as id, 1000 + i as k from ${rows(0, 1000)}`),
    ]
    const { report } = await expectSorted(inputs, [{ column: 'k' }])
    expect(report).toMatchObject({ rowGroupsKept: 1, rowGroupsMerged: 1 })
  })

  test('a first key that is constant in each file leaves the second to decide', async () => {
    const device = (name: string, from: number, to: number) =>
      writeWithDuckDB(`select i as id, '${name}' as d, i as k from ${rows(from, to)}`)
    const inputs = [await device('b', 0, 500), await device('a', 500, 900), await device('a', 0, 500)]
    const { report } = await expectSorted(inputs, [{ column: 'd' }, { column: 'k' }])
    expect(report).toMatchObject({ rowGroupsKept: 3, rowGroupsMerged: 0 })
  })

  test('equal keys keep the order of the files', async () => {
    const same = (k: string, from: number) =>
      writeWithDuckDB(`select i as id, (${k})::bigint as k from ${rows(from, from + 100)}`)
    await expectSorted(
      [await same('5', 0), await same('(i - 100) // 20', 100), await same('5', 200)],
      [{ column: 'k' }],
    )
  })

  test('files without rows, and none with rows', async () => {
    const empty = await times(0, 0)
    await expectSorted([empty, await times(0, 10), empty], [{ column: 't' }])
    await expectSorted([empty, empty], [{ column: 't' }])
  })
})

describe('duplicates are left out', () => {
  const make = async () => {
    const inputs = []
    for (const from of [0, 1500, 3000, 1_000_000]) {
      const keys = `${nullable("'k' || hash(i) % 400")} as k, case hash(i) % 5 when 0 then -0.0::double when 1 then 0.0::double when 2 then 'nan'::double when 3 then null else (hash(i) % 90)::double end as d`
      inputs.push(
        await writeWithDuckDB(`select ${REST}, ${keys} from ${rows(from, from + 2000)}`, 'row_group_size 2048'),
      )
    }
    return inputs
  }

  test.each([
    ['id', 'last'],
    ['id', 'first'],
    ['k', 'last'],
    ['k', 'first'],
    ['d', 'last'],
    ['k, d', 'first'],
    ['s, k, d', 'last'],
  ] as const)('by %s, keeping the %s', async (columns, keep) => {
    const inputs = await make()
    const ids = `select id, place from (select *, row_number() over (partition by ${columns.replace('d', 'd + 0').replace('id + 0', 'id')} order by place ${keep === 'last' ? 'desc' : ''}) as n from ${placed(inputs)}) where n = 1`
    const dedupeBy = columns.split(', ')
    const { output, report } = await merge(inputs, { dedupeBy, keep })
    const read = async (file: Uint8Array) => query(`select id, s, l, o from read_parquet('${store(file)}')`)
    const wanted = (order: string) =>
      query(`select id, s, l, o from ${placed(inputs)} where place in (select place from (${ids})) order by ${order}`)
    expect(await read(output)).toEqual(await wanted('place'))
    expect(report.duplicateRows).toBe(report.rowsIn - report.rowsOut)
    const sorted = await merge(inputs, {
      dedupeBy,
      keep,
      sortBy: [{ column: 's', descending: true }, { column: 'id' }],
    })
    expect(await read(sorted.output)).toEqual(await wanted('s desc, id, place'))
    const small = await merge(inputs, { dedupeBy, keep, memoryBudgetBytes: 2 ** 20 })
    expect(await readWithHyparquet(small.output)).toEqual(await readWithHyparquet(output))
  })

  test('files without duplicates are spliced', async () => {
    const file = (from: number) => writeWithDuckDB(`select i, hash(i) as h from ${rows(from, from + 60_000)}`)
    const [a, b, c] = [await file(0), await file(60_000), await file(120_000)]
    const { report } = await merge([a, b, c, a], { dedupeBy: ['i'], keep: 'first', targetRowGroupBytes: 1_000_000 })
    expect(report).toMatchObject({ rowGroupsKept: 3, rowGroupsMerged: 0, duplicateRows: 60_000, rowsOut: 180_000 })
    expect(report.columnChunks.rewritten).toBe(0)
  })
})

describe('refused before anything is written', () => {
  test.each([
    ['a column that is not there', { sortBy: [{ column: 'nope' }] }, /bad_option: sortBy: there is no column nope/],
    ['a list', { sortBy: [{ column: 'l.list.element' }] }, /bad_option: sortBy/],
    ['an interval', { sortBy: [{ column: 'v' }] }, /bad_option: sortBy: values of column v have no order/],
    ['a list as key of equality', { dedupeBy: ['l.list.element'] }, /bad_option: dedupeBy/],
    [
      'more keys in a row group than fit',
      { sortBy: [{ column: 'k' }], memoryBudgetBytes: 2 ** 20 },
      /memory_budget: 80000 rows/,
    ],
  ] as const)('%s', async (_name, options, message) => {
    const input = await writeWithDuckDB(
      `select i as id, hash(i) as k, [i] as l, to_days(i::int) as v from ${rows(0, 80_000)}`,
    )
    const sink = memorySink()
    const sources = [memorySource('a', input), memorySource('b', input)]
    await expect(mergeParquet(sources, sink, options as MergeOptions)).rejects.toThrow(message)
    expect(sink.bytes().length).toBe(0)
  })
})
