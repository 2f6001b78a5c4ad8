import { parquetMetadata } from 'hyparquet'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { describe, expect, test } from 'vitest'
import { type MergeOptions, memorySink, memorySource, mergeParquet } from '../src/index.ts'
import { metadataOf, query, readWithDuckDB, store, writeWithDuckDB } from './engines.ts'
import { chunksOf, editFooter, editStatistics } from './support/edit-file.ts'
import { binary, fieldsOf, i64, numberOf, type ThriftStruct } from './support/thrift-tree.ts'

async function merge(files: Uint8Array[], options: MergeOptions = {}) {
  const sink = memorySink()
  const report = await mergeParquet(
    files.map((file, i) => memorySource(`file ${i}`, file)),
    sink,
    options,
  )
  return { output: sink.bytes(), report }
}

function bytesOf(type: 'int64' | 'double' | 'float' | 'text', value: number): Uint8Array {
  const bytes = Buffer.alloc(type === 'float' ? 4 : 8)
  if (type === 'text') return new TextEncoder().encode(`t${value}`)
  if (type === 'int64') bytes.writeBigInt64LE(BigInt(value))
  else if (type === 'double') bytes.writeDoubleLE(value)
  else bytes.writeFloatLE(value)
  return new Uint8Array(bytes)
}

/** Make a file say that its values lie from 100 to 200, and that none is null. */
function withWrongBounds(file: Uint8Array): Uint8Array {
  let wrong = file
  for (const [column, type] of [
    ['n', 'int64'],
    ['d', 'double'],
    ['s', 'text'],
  ] as const) {
    wrong = editStatistics(wrong, column, (statistics) => {
      for (const id of [1, 2, 7, 8]) statistics.delete(id)
      statistics.set(5, binary(bytesOf(type, 200))).set(6, binary(bytesOf(type, 100)))
      statistics.set(3, i64(0))
    })
  }
  return wrong
}

const SELECT =
  "select (i % 10)::bigint as n, (i % 10)::double as d, 't' || i % 10 as s, case when i % 3 > 0 then i end as z, i::int as id"

async function count(file: Uint8Array, filter: string): Promise<number> {
  const [[rows]] = (await query(`select count(*) from '${store(file)}' where ${filter}`)) as [[string]]
  return Number(rows)
}

const READ: [string, MergeOptions][] = [
  ['joined', {}],
  ['checked', { pages: 'check', minPageBytes: 0 }],
  ['rewritten', { pages: 'rewrite' }],
  ['rewritten, with a small budget', { pages: 'rewrite', memoryBudgetBytes: 2 ** 20 }],
  ['in another codec', { codec: 'gzip' }],
  ['sorted', { sortBy: [{ column: 'd' }] }],
  ['without duplicates', { dedupeBy: ['id'] }],
]
const WAYS: [string, MergeOptions][] = [
  ...READ,
  ['passed', { minPageBytes: 0 }],
  ['copied', { minPageBytes: 0, targetRowGroupBytes: 4000 }],
]

describe.each(['', 'parquet_version v2, compression uncompressed', 'dictionary_size_limit 1, compression zstd'])(
  'wrong bounds of a footer (%s)',
  (layout) => {
    test.each(READ)('do not get into the output where values are read: %s', async (_, options) => {
      const sound = await writeWithDuckDB(`${SELECT} from range(0, 2000) t(i)`, layout)
      const wrong = withWrongBounds(sound)
      expect(await count(wrong, 'n = 3')).toBe(0)
      for (const files of [[wrong], [wrong, wrong]]) {
        const { output, report } = await merge(files, options)
        for (const filter of ['n = 3', 'd = 3', "s = 't3'"]) {
          expect(await count(output, filter), filter).toBe((200 * report.rowsOut) / 2000)
        }
        expect(await count(output, 'n = 150')).toBe(0)
        const chunk = metadataOf(output).row_groups[0]!.columns[0]!.meta_data!
        expect([chunk.statistics!.min_value, chunk.statistics!.max_value]).toEqual([0n, 9n])
      }
    })

    test.each(WAYS)('make no row of another file vanish: %s', async (_, options) => {
      const sound = await writeWithDuckDB(`${SELECT} from range(0, 2000) t(i)`, layout)
      const wrong = withWrongBounds(await writeWithDuckDB(`${SELECT} from range(2000, 4000) t(i)`, layout))
      for (const files of [
        [sound, wrong],
        [wrong, sound],
        [wrong, sound, wrong],
      ]) {
        const { output } = await merge(files, options)
        for (const filter of ['n = 3', 'd = 3', "s = 't3'", 'n < 1', 'z is null', 'n is not null and z = 1000']) {
          expect(await count(output, `id < 2000 and ${filter}`), filter).toBe(await count(sound, filter))
        }
      }
    })
  },
)

describe('bounds of columns with NaN', () => {
  const FLOATS =
    "case i % 7 when 0 then 'nan' when 1 then '-0' when 2 then '0' when 3 then '1' else (i % 5)::varchar end"
  const ROWS = 3000

  test.each(WAYS)(
    'are left out wherever values are read, so that no reader loses the NaN: %s',
    async (way, options) => {
      const select = `select (i % 10)::bigint as n, i::int as id, (${FLOATS})::double as d, (${FLOATS})::float as f, case when i % 2 > 0 then (${FLOATS})::double end as z, 1.5::double as c, 's' as s from range(${ROWS}) t(i)`
      // DuckDB 1.5 finds neither zero by its own bloom filters
      const file = await writeWithDuckDB(select, 'write_bloom_filter false')
      const wanted = async (bytes: Uint8Array, filter: string) => {
        const [[rows]] = (await query(
          `select count(*) from (select * from '${store(bytes)}' offset 0) where ${filter}`,
        )) as [[string]]
        return Number(rows)
      }
      // as arrow-rs, Polars and hyparquet-writer write them: of the numbers alone
      const ofNumbers = editStatistics(file, 'd', (statistics) =>
        statistics.set(5, binary(bytesOf('double', 4))).set(6, binary(bytesOf('double', 0))),
      )
      for (const files of [
        [file],
        [file, file],
        ...(READ.some(([name]) => name === way) ? [[ofNumbers, ofNumbers]] : []),
      ]) {
        const { output } = await merge(files, options)
        for (const column of ['d', 'f', 'z']) {
          for (const filter of [
            `${column} = 'nan'`,
            `${column} > 3`,
            `${column} = 0`,
            `${column} >= 0 and ${column} <= 0`,
            `${column} < 1`,
            `isnan(${column})`,
          ]) {
            expect(await count(output, filter), filter).toBe(await wanted(output, filter))
          }
        }
        for (const { columns } of metadataOf(output).row_groups) {
          for (const { meta_data, column_index_offset } of columns) {
            const name = meta_data!.path_in_schema.join('.')
            const { min_value, max_value } = meta_data!.statistics ?? {}
            if (['d', 'f', 'z'].includes(name)) {
              expect([min_value, max_value], name).toEqual([undefined, undefined])
              if (READ.some(([name]) => name === way)) expect(column_index_offset, name).toBeUndefined()
            }
            if (name === 'c') expect([min_value, max_value]).toEqual([1.5, 1.5])
          }
        }
      }
    },
  )

  test('a zero bound covers both zeros', async () => {
    for (const [zero, pages] of [
      ['-0', 'check'],
      ['0', 'check'],
      ['-0', 'rewrite'],
      ['0', 'rewrite'],
      ['0', 'splice'],
    ] as const) {
      const file = await writeWithDuckDB(`select '${zero}'::double as d, '${zero}'::float as f from range(3000)`)
      const { output } = await merge([file, file], { pages, minPageBytes: pages === 'splice' ? 4096 : 0 })
      for (const { meta_data } of metadataOf(output).row_groups[0]!.columns) {
        const { min_value, max_value } = meta_data!.statistics!
        expect([Object.is(min_value, -0), Object.is(max_value, 0)]).toEqual([true, true])
      }
    }
  })

  test('pages of float16, whose order readers disagree on, have none', async () => {
    const data = Array.from({ length: 50 }, (_, i) => (i % 7 ? i / 4 : Number.NaN))
    const file = new Uint8Array(
      parquetWriteBuffer({ columnData: [{ name: 'h', data, type: 'FLOAT16' }] } as Parameters<
        typeof parquetWriteBuffer
      >[0]),
    )
    for (const options of [{}, { pages: 'check', minPageBytes: 0 }, { sortBy: [{ column: 'h' }] }] as MergeOptions[]) {
      const { output } = await merge([file, file], options)
      const chunk = parquetMetadata(new Uint8Array(output).buffer).row_groups[0]!.columns[0]!
      expect(chunk.meta_data!.statistics?.min_value).toBeUndefined()
      expect(chunk.column_index_offset).toBeUndefined()
      expect((await readWithDuckDB([output])).length).toBe(100)
    }
  })
})

describe('what a chunk of an input tells of its distinct values', () => {
  const withDistinct = (file: Uint8Array, distinct: number) =>
    editStatistics(file, 'n', (statistics) => statistics.set(4, i64(distinct)))
  const distinctOf = (file: Uint8Array): unknown => {
    const found: (number | undefined)[] = []
    editFooter(file, (footer) => {
      for (const chunk of chunksOf(footer).filter((_, i) => i === 0)) {
        const statistics: ThriftStruct = fieldsOf(chunk.get(12))
        found.push(statistics.has(4) ? numberOf(statistics.get(4)) : undefined)
      }
    })
    return found[0]
  }

  test.each(WAYS.filter(([, { sortBy }]) => !sortBy))(
    'stays where the chunk is alone, and is dropped where chunks are joined: %s',
    async (_, options) => {
      const file = withDistinct(await writeWithDuckDB(`${SELECT} from range(0, 2000) t(i)`), 10)
      if (!options.memoryBudgetBytes) expect(distinctOf((await merge([file], options)).output)).toBe(10)
      if (options.targetRowGroupBytes || options.dedupeBy) return
      expect(distinctOf((await merge([file, file], options)).output)).toBeUndefined()
    },
  )

  test('is dropped where there are not as many values', async () => {
    for (const distinct of [0, 2001, 2 ** 40]) {
      const file = withDistinct(await writeWithDuckDB(`${SELECT} from range(0, 2000) t(i)`), distinct)
      expect(distinctOf((await merge([file])).output)).toBeUndefined()
    }
  })
})
