import { describe, expect, test, vi } from 'vitest'
import { checksum } from '../src/format/checksum.ts'
import { type MergeOptions, memorySink, memorySource, mergeParquet } from '../src/index.ts'
import { Kernel } from '../src/kernel/kernel.ts'
import { countWithArrow, metadataOf, query, store, writeWithDuckDB } from './engines.ts'
import { handmade } from './handmade.ts'
import { checkPageIndexes } from './page-index.ts'

async function merge(inputs: Uint8Array[], options: MergeOptions) {
  const sink = memorySink()
  const sources = inputs.map((bytes, i) => memorySource(`input-${i}`, bytes))
  const report = await mergeParquet(sources, sink, options)
  return { output: sink.bytes(), report }
}

/** Sort by `k`, whose values are all distinct, and compare with DuckDB; bounds of pages and chunks with the values. */
async function expectGathered(inputs: Uint8Array[], options: MergeOptions = {}) {
  const { output, report } = await merge(inputs, { sortBy: [{ column: 'k' }], ...options })
  const files = `read_parquet([${inputs.map((input) => `'${store(input)}'`)}])`
  const path = store(output)
  const differing = await query(
    `select count(*) from (select *, row_number() over () as place from '${path}') as sorted_rows
     full join (select *, row_number() over (order by k) as place from ${files}) as wanted_rows using (place)
     where sorted_rows is distinct from wanted_rows`,
  )
  expect(differing).toEqual([['0']])
  expect(countWithArrow(output)).toBe(report.rowsOut)
  expect(report).toMatchObject({ rowGroupsKept: 0, columnChunks: { spliced: 0, copied: 0 } })
  return { output, report }
}

const encodingsOf = (file: Uint8Array, column: string) =>
  metadataOf(file).row_groups.map(({ columns }) => {
    return columns.find(({ meta_data }) => meta_data!.path_in_schema.join('.') === column)!.meta_data!.encodings
  })

/** `value` as an expression of `n`, a number that is distinct for distinct values */
const TYPES: [name: string, value: (n: string) => string][] = [
  ['integer', (n) => `(${n})::int * 7 - 100000`],
  ['bigint', (n) => `(${n})::bigint * 77777777777 - 4611686018427387904`],
  ['ubigint', (n) => `18446744073709551615::ubigint - (${n})::ubigint * 3`],
  ['float', (n) => `((${n})::int - 30000)::float`],
  ['double', (n) => `case when ${n} = 5 then 'nan'::double when ${n} = 6 then -0.0 else ${n} / 3 - 5000 end`],
  ['varchar', (n) => `'text ' || (${n})`],
  ['uuid', (n) => `md5((${n})::varchar)::uuid`],
  ['decimal', (n) => `((${n})::decimal(38, 4) - 20000) / 8`],
]

const withNulls = (value: string) => `case when hash(i * 5) % 9 = 0 then null else ${value} end`

describe('values of every width', () => {
  test.each(TYPES)('%s: dictionaries that join into one of more than 65,536 entries', async (_name, value) => {
    const inputs: Uint8Array[] = []
    for (let f = 0; f < 3; f++) {
      const number = `i * 7919 % 23000 + ${f * 23_000}`
      const select = `select hash(i) as k, ${value(number)} as v, ${withNulls(value(number))} as n, i as id`
      inputs.push(
        await writeWithDuckDB(
          `${select} from range(${f * 46_000}, ${(f + 1) * 46_000}) t(i)`,
          'dictionary_size_limit 50000, row_group_size 100000',
        ),
      )
      expect(encodingsOf(inputs[f]!, 'v')[0]).toContainEqual(expect.stringContaining('DICTIONARY'))
    }
    await expectGathered(inputs)
  })

  test.each(TYPES)('%s: dictionaries that are given up, and pages without', async (name, value) => {
    const inputs: Uint8Array[] = []
    for (const [f, limit] of [8000, 8000, 1, 8000].entries()) {
      // from the second file on nearly all are distinct
      const number = f === 0 ? 'hash(i) % 100' : `i // 1.2 + ${f * 10_000}`
      const select = `select hash(i) as k, ${value(`(${number})::bigint`)} as v, ${withNulls(value(`(${number})::bigint`))} as n`
      inputs.push(
        await writeWithDuckDB(
          `${select} from range(${f * 6000}, ${(f + 1) * 6000}) t(i)`,
          `dictionary_size_limit ${limit}`,
        ),
      )
    }
    const { output } = await expectGathered(inputs)
    expect(encodingsOf(output, 'v')[0]).not.toContain('RLE_DICTIONARY')
    // a page with NaN has no bounds
    await checkPageIndexes(output, name === 'double' ? ['v', 'n'] : [])
  })

  test('booleans, all null, and few distinct values keep or get their dictionaries', async () => {
    const inputs: Uint8Array[] = []
    for (let f = 0; f < 4; f++) {
      const columns = `hash(i) as k, i % 3 = 0 as b, ${withNulls('i % 7 = 0')} as bn, null::int as x, 'c' || i % 40 as c, (i % 50)::int as few`
      const limit = f === 2 ? 1 : 10_000
      inputs.push(
        await writeWithDuckDB(
          `select ${columns} from range(${f * 5000}, ${(f + 1) * 5000}) t(i)`,
          `dictionary_size_limit ${limit}`,
        ),
      )
    }
    const { output } = await expectGathered(inputs, { targetRowGroupBytes: 40_000 })
    expect(metadataOf(output).row_groups.length).toBeGreaterThan(2)
    for (const column of ['c', 'few']) {
      for (const encodings of encodingsOf(output, column)) expect(encodings).toContain('RLE_DICTIONARY')
    }
    await checkPageIndexes(output)
  })

  test('texts longer than a page', async () => {
    const select = (from: number) =>
      `select hash(i) as k, repeat(md5(i::varchar), case i % 50 when 0 then 60000 when 1 then 3000 else i % 9 end) as t from range(${from}, ${from + 100}) t(i)`
    const inputs = [
      await writeWithDuckDB(select(0), 'dictionary_size_limit 1'),
      await writeWithDuckDB(select(100), 'compression zstd'),
    ]
    await expectGathered(inputs)
  })

  test('encodings and codecs that the kernel does not know are read value by value, beside those that it does', async () => {
    const inputs: Uint8Array[] = []
    for (const [f, options] of [
      'parquet_version v2, dictionary_size_limit 1, compression zstd',
      'parquet_version v1, compression gzip',
      'parquet_version v2, compression brotli',
      'parquet_version v1, compression uncompressed, dictionary_size_limit 1',
    ].entries()) {
      const columns = `hash(i) as k, i as id, ${withNulls('i * 3')} as n, ${withNulls("'t' || i")} as t, (i / 7)::double as d, i % 2 = 0 as b`
      inputs.push(await writeWithDuckDB(`select ${columns} from range(${f * 5000}, ${(f + 1) * 5000}) t(i)`, options))
    }
    const { output } = await expectGathered(inputs)
    await checkPageIndexes(output)
  })
})

test('bounds, nulls, NaN and filters of each row group are those of its own rows', async () => {
  const inputs: Uint8Array[] = []
  for (let f = 0; f < 3; f++) {
    const columns = `hash(i) as k, 'key' || hash(i) // 1000000000000000000 as s, case i % 10 when 0 then 'nan'::double when 1 then -0.0 else 0.0 end::double as z, case when i % 4 > 0 then i end as n`
    inputs.push(await writeWithDuckDB(`select ${columns} from range(${f * 20_000}, ${(f + 1) * 20_000}) t(i)`))
  }
  const { output } = await expectGathered(inputs, { targetRowGroupBytes: 100_000 })
  const path = store(output)
  const groups = metadataOf(output).row_groups
  expect(groups.length).toBeGreaterThan(4)
  await checkPageIndexes(output, ['z'])
  let from = 0
  for (const { num_rows, columns } of groups) {
    const own = `(select * from read_parquet('${path}', file_row_number = true) where file_row_number >= ${from} and file_row_number < ${from + Number(num_rows)})`
    const [truth] = await query(`select min(k), max(k), min(s), max(s), count(*) - count(n) from ${own}`)
    const [k, s, z, n] = columns.map(({ meta_data }) => meta_data!.statistics!)
    expect([k!.min_value, k!.max_value, s!.min_value, s!.max_value, n!.null_count].map(String)).toEqual(truth)
    // beside a NaN there are none
    expect([z!.min_value, z!.max_value]).toEqual([undefined, undefined])
    from += Number(num_rows)
  }
  // the first row group has the least hashes and so the least keys: its filter need not know the others
  const probe = await query(`select bloom_filter_excludes from parquet_bloom_probe('${path}', 's', 'key18')`)
  expect(probe[0]).toEqual([true])
  expect(probe.at(-1)).toEqual([false])
})

test('files that overlap in pairs share row groups, and equal keys stay in their order', async () => {
  const inputs: Uint8Array[] = []
  for (let pair = 0; pair < 20; pair++) {
    for (const odd of [0, 1]) {
      inputs.push(
        await writeWithDuckDB(
          `select ${pair * 1000} + i // 3 as k, ${odd} * 3000 + i as id, ${pair} as p from range(0, 3000) t(i)`,
        ),
      )
    }
  }
  const { output, report } = await merge(inputs, { sortBy: [{ column: 'k' }] })
  expect(report).toMatchObject({ rowGroupsMerged: 40, rowGroupsOut: 1 })
  const wanted = await query(
    `select * from (${inputs.map((input) => `from '${store(input)}'`).join(' union all ')}) order by k, id`,
  )
  expect(await query(`from '${store(output)}'`)).toEqual(wanted)
})

test('pages with checksums give pages with checksums, and a wrong one is named', async () => {
  const int32 = (...values: number[]) => new Uint8Array(Int32Array.from(values).buffer)
  const file = (values: number[], crc?: number) => {
    const body = int32(...values)
    return handmade({ rows: values.length, pages: [{ values: values.length, body, crc: crc ?? checksum(body) }] })
  }
  const { output } = await merge([file([5, 1]), file([3, 2])], { sortBy: [{ column: 'v' }] })
  expect(await query(`from '${store(output)}'`)).toEqual([[1], [2], [3], [5]])
  await expect(merge([output, file([3, 2], 1)], { sortBy: [{ column: 'v' }] })).rejects.toThrow(
    /corrupt_data: input-1: column v: .*checksum/,
  )
})

test.each([1, 4, 16])('a budget of %i MiB is kept by the kernel, whatever the inputs', async (mebibytes) => {
  const kernels: Kernel[] = []
  const acquire = Kernel.acquire.bind(Kernel)
  const spy = vi.spyOn(Kernel, 'acquire').mockImplementation((given) => {
    const kernel = acquire(given)
    kernels.push(kernel)
    return kernel
  })
  try {
    const inputs: Uint8Array[] = []
    for (let f = 0; f < 8; f++) {
      const columns = 'hash(i) as k, i as id, repeat(md5(i::varchar), i % 5) as t, hash(i * 3) as h, [i, i + 1] as l'
      inputs.push(
        await writeWithDuckDB(
          `select ${columns} from range(${f * 5000}, ${(f + 1) * 5000}) t(i)`,
          'row_group_size 2048',
        ),
      )
    }
    await expectGathered(inputs, { memoryBudgetBytes: mebibytes * 2 ** 20 })
    const held = Math.max(...kernels.map(({ memoryBytes }) => memoryBytes))
    // a page of the output and its dictionary are a few KiB at the least
    expect(held).toBeLessThan(mebibytes * 2 ** 20 + 2 ** 20)
  } finally {
    spy.mockRestore()
  }
})
