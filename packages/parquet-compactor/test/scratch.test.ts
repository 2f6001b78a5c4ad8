import { isDeepStrictEqual } from 'node:util'
import { describe, expect, test } from 'vitest'
import {
  type MergeOptions,
  type MergeReport,
  memorySink,
  mergeParquet,
  type Scratch,
  type Source,
} from '../src/index.ts'
import { metadataOf, query, readWithHyparquet, store, writeWithDuckDB } from './engines.ts'
import { MemoryScratch } from './memory-scratch.ts'
import { checkPageIndexes } from './page-index.ts'
import { KEYS, nullable, REST, rows } from './sort-cases.ts'

/** holds some thousand rows of the files below */
const BUDGET = 2 ** 20

interface Merged {
  output: Uint8Array
  report: MergeReport
  /** bytes read of the inputs */
  bytesRead: number
}

async function merge(inputs: readonly Uint8Array[], options: MergeOptions): Promise<Merged> {
  const sink = memorySink()
  let bytesRead = 0
  const sources = inputs.map(
    (bytes, i): Source => ({
      name: `input-${i}`,
      byteLength: bytes.byteLength,
      async read(offset, length) {
        // but for the footers
        if (offset + length < bytes.byteLength) bytesRead += length
        return bytes.subarray(offset, offset + length)
      },
    }),
  )
  const report = await mergeParquet(sources, sink, { memoryBudgetBytes: BUDGET, smallFileBytes: 1, ...options })
  return { output: sink.bytes(), report, bytesRead }
}

/** Sort with a scratch and little memory, and without and as much as is wanted: rows must be the same, bit by bit, and what is said. */
async function expectSame(inputs: readonly Uint8Array[], options: MergeOptions) {
  const scratch = new MemoryScratch()
  const plain = await merge(inputs, { memoryBudgetBytes: 2 ** 26, ...options })
  const sorted = await merge(inputs, { ...options, scratch })
  expect(plain.report.scratchBytes).toBeUndefined()
  expect(sorted.report.scratchBytes).toBe(scratch.byteLength)
  expect(scratch.byteLength, 'rows in the scratch').toBeGreaterThan(0)
  // How many rows fit at a time may differ, and with it where row groups end.
  const { bytesOut: _, rowGroupsOut: __, dropped: ___, workBytes: ____, ...wanted } = plain.report
  expect(sorted.report).toMatchObject(wanted)
  const [own, expected] = [await readWithHyparquet(sorted.output), await readWithHyparquet(plain.output)]
  const at = expected.findIndex((row, i) => !isDeepStrictEqual(row, own[i]))
  if (at >= 0) expect({ at, row: own[at] }).toEqual({ at, row: expected[at] })
  expect(own.length).toBe(expected.length)
  return { plain, sorted, scratch }
}

const FILES = 10
const ROWS_OF_FILE = 2000

async function makeFiles(columns: string, options = '', files = FILES, rowsOfFile = ROWS_OF_FILE) {
  const inputs: Uint8Array[] = []
  for (let f = 0; f < files; f++) {
    inputs.push(await writeWithDuckDB(`select ${columns} from ${rows(f * rowsOfFile, (f + 1) * rowsOfFile)}`, options))
  }
  return inputs
}

describe('rows sorted in a scratch are those sorted without', () => {
  test.each(KEYS)('by %s', async (_name, expression) => {
    const inputs = await makeFiles(`${REST}, ${nullable(expression)} as k, ${expression} as r`, '', 6, 1000)
    await expectSame(inputs, { sortBy: [{ column: 'k' }] })
    await expectSame(inputs, { sortBy: [{ column: 'k', descending: true, nullsFirst: true }, { column: 's' }] })
    await expectSame(inputs, { sortBy: [{ column: 's' }, { column: 'r', descending: true }, { column: 'o.a' }] })
  })

  test('and those that DuckDB sorts, equal ones in their order', async () => {
    const inputs = await makeFiles(`${REST}, (hash(i) % 50)::int as k`)
    const { sorted } = await expectSame(inputs, { sortBy: [{ column: 'k' }] })
    const differing = await query(
      `select count(*) from (select *, row_number() over () as place from '${store(sorted.output)}') as sorted_rows
       full join (select *, row_number() over (order by k, id) as place
         from read_parquet([${inputs.map((input) => `'${store(input)}'`)}])) as wanted_rows using (place)
       where sorted_rows is distinct from wanted_rows`,
    )
    expect(differing).toEqual([['0']])
  })

  test.each([
    'parquet_version v2, compression zstd',
    'compression gzip, dictionary_size_limit 1',
    'compression uncompressed, row_group_size 2048',
    'parquet_version v1, compression brotli, dictionary_size_limit 1',
  ])('of files with %s', async (options) => {
    const columns = `${REST}, hash(i) as k, ${nullable('i % 3 = 0')} as b, null::int as x, ${nullable("'t' || hash(i) % 3000")} as t`
    await expectSame(await makeFiles(columns, options, 4, 2500), { sortBy: [{ column: 'k' }] })
  })

  test.each([0, 1, 2, 3])('where nothing but the order of the files tells rows apart, %i columns', async (columns) => {
    const inputs = await makeFiles(`${REST}, 1 as a, null::int as b, 'x' as c, repeat('y', (i % 300)::int) as pad`)
    const sortBy = ['a', 'b', 'c'].slice(0, columns).map((column) => ({ column }))
    await expectSame(inputs, { sortBy: [{ column: 's', descending: true }, ...sortBy] })
  })

  test.each([{ keep: 'first' }, { keep: 'last' }] as const)('without duplicates, %j', async (options) => {
    const inputs = await makeFiles(`${REST}, hash(i % 15000) as k, repeat(md5(i::varchar), 3) as t`)
    const { sorted } = await expectSame(inputs, { sortBy: [{ column: 'k' }], dedupeBy: ['k'], ...options })
    expect(sorted.report.duplicateRows).toBe(5000)
  })

  test('of files with other columns and narrower types', async () => {
    const inputs = [
      ...(await makeFiles('(i * 11 % 10000)::int as k, hash(i) as h, md5(i::varchar) as id', '', 5)),
      ...(await makeFiles(`(i * 7 % 10000) as k, hash(i) as h, repeat(md5(i::varchar), 2) as t, [i] as l`, '', 5)),
    ]
    await expectSame(inputs, { sortBy: [{ column: 'h' }], schema: 'union' })
    await expectSame(inputs, { sortBy: [{ column: 'k' }], schema: 'union' })
  })

  test('also where a row is so long that few are held', async () => {
    const inputs = await makeFiles(
      'hash(i) as k, repeat(md5(i::varchar), 100) as t',
      'compression uncompressed',
      12,
      60,
    )
    await expectSame(inputs, { sortBy: [{ column: 'k' }] })
  })

  test('also where runs are so many that they are merged more than once', async () => {
    const columns = `hash(i) % 9000 as k, i as id, repeat(md5(i::varchar), 6) as t, case when i % 3 = 0 then [i, null] end as l`
    const inputs = await makeFiles(columns, 'compression uncompressed', 36, 1000)
    const { scratch } = await expectSame(inputs, { sortBy: [{ column: 'k' }] })
    const bytesIn = inputs.reduce((sum, { byteLength }) => sum + byteLength, 0)
    expect(scratch.byteLength).toBeGreaterThan(bytesIn * 1.5)
  })
})

test('inputs are read hardly more than once, and the scratch, too', async () => {
  const inputs = await makeFiles('hash(i) as k, i as id, i / 3 as d, hash(i * 3) as h', '', 20)
  const bytesIn = inputs.reduce((sum, { byteLength }) => sum + byteLength, 0)
  const sortBy = [{ column: 'k' }]
  const { sorted, scratch } = await expectSame(inputs, { sortBy })
  const plain = await merge(inputs, { sortBy })
  expect(plain.bytesRead).toBeGreaterThan(bytesIn * 4)
  // once, and the keys for the ranges and to sort them
  expect(sorted.bytesRead).toBeLessThan(bytesIn * 1.6)
  // once, the keys twice, and pieces that have rows in two parts
  expect(scratch.bytesRead).toBeLessThan(scratch.byteLength * 2)
})

test('a scratch is not touched where reading the inputs twice costs less', async () => {
  const near = await makeFiles('i // 3000 as k, i as id')
  const scratch = new MemoryScratch()
  const { report } = await merge(near, { sortBy: [{ column: 'k' }], scratch })
  expect(report).toMatchObject({ scratchBytes: 0, rowsOut: FILES * ROWS_OF_FILE })
  expect(scratch.byteLength).toBe(0)
  expect((await merge(near, { scratch })).report.scratchBytes).toBeUndefined()
})

test('dictionaries, bounds and filters are those of the output without', async () => {
  const columns = "hash(i) as k, 'c' || i % 40 as c, (i % 50)::int as few, i / 7 as d, 'u' || hash(i * 3) % 700 as u"
  const { plain, sorted } = await expectSame(await makeFiles(columns, '', 20), { sortBy: [{ column: 'k' }] })
  const facts = ({ output }: Merged) =>
    metadataOf(output).row_groups.flatMap(({ columns: chunks, sorting_columns }) =>
      chunks.map(({ meta_data }) => {
        const { encodings, path_in_schema, codec, bloom_filter_length, statistics } = meta_data!
        const hasBounds = statistics?.min_value !== undefined && statistics.max_value !== undefined
        return {
          path_in_schema,
          encodings,
          codec,
          sorting_columns,
          hasBounds,
          hasFilter: bloom_filter_length !== undefined,
        }
      }),
    )
  const distinct = (all: unknown[]) => [...new Set(all.map((fact) => JSON.stringify(fact, (_, value) => `${value}`)))]
  expect(distinct(facts(sorted))).toEqual(distinct(facts(plain)))
  await checkPageIndexes(sorted.output)
})

describe('what goes wrong', () => {
  const files = makeFiles('hash(i) as k, i as id, md5(i::varchar) as t')
  const sort = async (scratch: Scratch, options: MergeOptions = {}) =>
    merge(await files, { sortBy: [{ column: 'k' }], scratch, ...options })

  test.each([0, 1, 20])('a scratch that cannot be written after %i times', async (times) => {
    const scratch = new MemoryScratch()
    const write = scratch.write.bind(scratch)
    let writes = 0
    scratch.write = async (bytes) => {
      if (writes++ === times) throw new Error('no space left')
      await write(bytes)
    }
    await expect(sort(scratch)).rejects.toThrow('write_failed: scratch: no space left')
  })

  test.each([0, 1, 100])('a scratch that cannot be read after %i times', async (times) => {
    const scratch = new MemoryScratch()
    const read = scratch.read.bind(scratch)
    scratch.read = async (offset, length) => {
      if (scratch.reads === times) throw new Error('it is gone')
      return read(offset, length)
    }
    await expect(sort(scratch)).rejects.toThrow(/^read_failed: scratch: \d+ bytes at \d+: it is gone/)
  })

  test('a scratch that gives fewer bytes than were asked', async () => {
    const scratch = new MemoryScratch()
    const read = scratch.read.bind(scratch)
    scratch.read = async (offset, length) => read(offset, scratch.reads === 50 ? length - 1 : length)
    await expect(sort(scratch)).rejects.toThrow(/^read_failed: scratch: asked \d+ bytes at \d+, got \d+/)
  })

  test.each(['write', 'read'] as const)('a caller who stops the merge at a %s', async (at) => {
    const scratch = new MemoryScratch()
    const controller = new AbortController()
    let calls = 0
    const count = () => {
      if (++calls === 30) controller.abort(new Error('enough'))
    }
    const [write, read] = [scratch.write.bind(scratch), scratch.read.bind(scratch)]
    scratch.write = async (bytes) => {
      if (at === 'write') count()
      await write(bytes)
    }
    scratch.read = async (offset, length) => {
      if (at === 'read') count()
      return read(offset, length)
    }
    await expect(sort(scratch, { signal: controller.signal })).rejects.toThrow(/^aborted/)
    // those under way are let finish
    expect(calls).toBeLessThan(40)
  })

  test('bounds in a footer that are wrong change no order, and a page that is corrupt names the file', async () => {
    const inputs = await makeFiles(
      'i * 7919 % (case when i // 2000 = 6 then 20000 else 10000 end) as k, md5(i::varchar) as t',
    )
    const input = inputs[6]!
    const { data_page_offset, statistics } = metadataOf(input).row_groups[0]!.columns[0]!.meta_data!
    expect(statistics!.max_value).toBeGreaterThan(10_000n)
    const withBytes = (change: (bytes: Buffer<ArrayBuffer>) => void) => {
      const bytes = Buffer.from(input)
      change(bytes)
      return inputs.map((other) => (other === input ? new Uint8Array(bytes) : other))
    }
    const max = Buffer.alloc(8)
    max.writeBigInt64LE(statistics!.max_value as bigint)
    const wrong = withBytes((bytes) => {
      const footer = bytes.length - 8 - bytes.readUInt32LE(bytes.length - 8)
      for (let at = bytes.indexOf(max, footer); at >= 0; at = bytes.indexOf(max, at + 1))
        bytes.writeBigInt64LE(9000n, at)
    })
    const broken = withBytes((bytes) => bytes.fill(255, Number(data_page_offset), Number(data_page_offset) + 40))
    const scratch = new MemoryScratch()
    for (const options of [{}, { scratch }]) {
      const sortBy = [{ column: 'k' }]
      await expect(merge(broken, { sortBy, ...options })).rejects.toThrow(/input-6: .*column k/)
      const outputs = []
      for (const files of [inputs, wrong]) outputs.push(await merge(files, { sortBy, ...options }))
      const rows = await Promise.all(outputs.map(({ output }) => query(`select * from '${store(output)}'`)))
      expect(rows[1]).toEqual(rows[0])
      expect(rows[0]).toHaveLength(inputs.length * 2000)
    }
    expect(scratch.byteLength).toBeGreaterThan(0)
    // what was under way has ended
    await scratch.write(new Uint8Array(1))
  })
})
