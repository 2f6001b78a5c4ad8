import { parquetWriteBuffer } from 'hyparquet-writer'
import { describe, expect, test } from 'vitest'
import { memorySink, memorySource, mergeParquet } from '../src/index.ts'
import { writeWithDuckDB } from './engines.ts'
import { type ComposedFile, compose, metadataOfComposed, placed, queryComposed } from './support/composed-file.ts'
import { chunksOf, editFooter, editStatistics } from './support/edit-file.ts'
import {
  binary,
  boolean,
  fieldsOf,
  i32,
  i64,
  list,
  struct,
  type ThriftStruct,
  valuesOf,
} from './support/thrift-tree.ts'
import { inVersionTwo } from './support/version-two.ts'

const select = (columns: string, rows = 10) => writeWithDuckDB(`select ${columns} from range(${rows}) t(i)`)

async function statisticsOf(composed: ComposedFile, column = 0) {
  const { row_groups: rowGroups } = await metadataOfComposed(composed)
  return rowGroups.map(({ columns }) => {
    const { min_value, max_value, min, max, null_count } = columns[column]!.meta_data!.statistics ?? {}
    return { min: min_value, max: max_value, deprecated: min ?? max, nulls: null_count }
  })
}

describe('bounds', () => {
  test('of writers that are known to be wrong are kept for signed numbers alone', async () => {
    const file = await select("i, 'x' || i as s, i::ubigint as u, i / 2 as d")
    for (const writer of ['parquet-mr version 1.9.0 (build x)', 'parquet-cpp version 1.2.0', '']) {
      const files = [file, editFooter(file, (footer) => footer.set(6, binary(writer)).set(7, orders(4)))]
      // so that compression is not what they are refused for
      const plain = files.map((bytes) =>
        editFooter(bytes, (footer) => {
          for (const chunk of chunksOf(footer)) chunk.set(4, i32(0))
        }),
      )
      const composed = compose(placed(plain))
      expect((await statisticsOf(composed, 0)).map(({ min }) => min)).toEqual([0n, 0n])
      expect((await statisticsOf(composed, 1)).map(({ min }) => min)).toEqual(['x0', undefined])
      expect((await statisticsOf(composed, 2)).map(({ min }) => min)).toEqual([0n, undefined])
      expect((await statisticsOf(composed, 3)).map(({ min }) => min)).toEqual([-0, -0])
      expect((await statisticsOf(composed, 1)).map(({ nulls }) => nulls)).toEqual([0n, 0n])
    }
  })

  test('in the deprecated fields are written in the present ones where their order is sure, and nowhere else', async () => {
    const deprecate = (statistics: ThriftStruct) => {
      const [max, min] = [statistics.get(5)!, statistics.get(6)!]
      for (const id of [5, 6, 7, 8]) statistics.delete(id)
      statistics.set(1, max).set(2, min)
    }
    const file = ['i', 's'].reduce(
      (bytes, column) => editStatistics(bytes, column, deprecate),
      await select("i, 'x' || i as s"),
    )
    const composed = compose(placed([file]))
    expect(await statisticsOf(composed, 0)).toEqual([{ min: 0n, max: 9n, deprecated: undefined, nulls: 0n }])
    expect(await statisticsOf(composed, 1)).toEqual([
      { min: undefined, max: undefined, deprecated: undefined, nulls: 0n },
    ])
  })

  test('that are no numbers, in the wrong order or of another width are left out', async () => {
    const file = await select('i, i / 2 as d')
    const nan = new Uint8Array(Float64Array.of(Number.NaN).buffer)
    const changed = [
      editStatistics(file, 'd', (statistics) => statistics.set(5, binary(nan))),
      editStatistics(file, 'd', (statistics) => statistics.set(6, binary(new Uint8Array(Float64Array.of(99).buffer)))),
      editStatistics(file, 'd', (statistics) => statistics.set(6, binary(new Uint8Array(3)))),
    ]
    const composed = compose(placed(changed))
    expect((await statisticsOf(composed, 1)).map(({ min, max }) => [min, max])).toEqual(
      Array(3).fill([undefined, undefined]),
    )
  })

  test('prune the same rows for DuckDB as without them', async () => {
    const columns = "i % 50 as i, case when i % 3 = 0 then 'nan'::double else i / 7 end as d, 'k' || i % 9 as s"
    const files = await Promise.all([select(columns, 100), select(columns, 300), select('i, i / 3 as d', 40)])
    const composed = compose(placed(files))
    for (const filter of [
      'i > 45',
      'd > 20',
      "d = 'nan'::double",
      "s = 'k8'",
      's is null',
      "s < 'k1'",
      'i is not null and d < 0',
    ]) {
      const pruned = await queryComposed(composed, `select count(*) from TABLE where ${filter}`)
      expect(pruned).toEqual(await queryComposed(composed, `select count(*) filter (where ${filter}) from TABLE`))
    }
  })
})

const orders = (columns: number) => list(Array.from({ length: columns }, () => struct({ 1: struct({}) })))

describe('key-value metadata', () => {
  const write = (pairs: [string, string][]) =>
    new Uint8Array(
      parquetWriteBuffer({
        columnData: [{ name: 'i', data: [1, 2], type: 'INT32' }],
        kvMetadata: pairs.map(([key, value]) => ({ key, value })),
      }),
    )
  const pandas = (stop: number) =>
    JSON.stringify({ index_columns: [{ kind: 'range', name: null, start: 5, stop, step: 1 }], columns: [] })

  test('stays where it is the same, as in merged files; our own replaces it; ranges of pandas are numbered again', async () => {
    const files = [
      write([
        ['same', 'a'],
        ['differs', 'a'],
        ['ours', 'theirs'],
        ['pandas', pandas(7)],
      ]),
      write([
        ['same', 'a'],
        ['differs', 'b'],
        ['ours', 'theirs'],
        ['pandas', pandas(9)],
      ]),
    ]
    const composed = compose(placed(files), { keyValues: { ours: 'version 42' } })
    const { key_value_metadata: pairs = [] } = await metadataOfComposed(composed)
    const values = Object.fromEntries(pairs.map(({ key, value }) => [key, value]))
    expect(Object.keys(values).sort()).toEqual(['ours', 'pandas', 'same'])
    expect(values).toMatchObject({ ours: 'version 42', same: 'a' })
    expect(JSON.parse(values.pandas!).index_columns).toEqual([
      { kind: 'range', name: null, start: 0, stop: 4, step: 1 },
    ])
    expect(composed.keyValueMetadata.dropped).toEqual([{ key: 'differs', reason: 'values_differ' }])
  })

  test('that describes the schema is left out where schemas differ', async () => {
    const both = inVersionTwo(await select("i, 'x' as s"))
    const [same, other] = [compose(placed([both, both])), compose(placed([both, inVersionTwo(await select('i'))]))]
    expect((await metadataOfComposed(same)).key_value_metadata?.map(({ key }) => key)).toEqual(['ARROW:schema'])
    expect(other.keyValueMetadata.dropped).toEqual([{ key: 'ARROW:schema', reason: expect.any(String) }])
  })
})

test('field ids stay where all files agree', async () => {
  const withIds = (file: Uint8Array, ids: (number | undefined)[]) =>
    editFooter(file, (footer) => {
      for (const [at, id] of ids.entries()) {
        if (id !== undefined) fieldsOf(valuesOf(footer.get(2))[at + 1]).set(9, i32(id))
      }
    })
  const file = await select('i, i as j, i as k')
  const files = [withIds(file, [1, 2, 3]), withIds(file, [1, 7, undefined]), withIds(file, [1, 2, 3])]
  const { schema } = await metadataOfComposed(compose(placed(files)))
  expect(schema.slice(1).map(({ field_id }) => field_id)).toEqual([1, undefined, undefined])
})

test('sorting columns are numbered as the columns are in the composed file', async () => {
  const sorted = (file: Uint8Array, columns: number[]) =>
    editFooter(file, (footer) => {
      const elements = columns.map((column) => struct({ 1: i32(column), 2: boolean(true), 3: boolean(false) }))
      for (const group of valuesOf(footer.get(4))) fieldsOf(group).set(4, list(elements))
    })
  const files = [
    sorted(await select('i, i as j'), [1]),
    sorted(await select('i as k, i as j, i'), [2, 1, 0]),
    await select('i'),
  ]
  const { row_groups: rowGroups } = await metadataOfComposed(compose(placed(files)))
  expect(
    rowGroups.map(({ sorting_columns: own }) => own?.map(({ column_idx: column, descending }) => [column, descending])),
  ).toEqual([
    [[1, true]],
    [
      [0, true],
      [1, true],
      [2, true],
    ],
    undefined,
  ])
})

test('page indexes, whose offsets are absolute, are left out; what merged files say of chunks is kept', async () => {
  const sink = memorySink()
  const files = await Promise.all([select("i, 'x' || i as s", 3000), select("i, 'x' || i as s", 3000)])
  await mergeParquet(
    files.map((bytes, at) => memorySource(`${at}`, bytes)),
    sink,
  )
  const merged = sink.bytes()
  const composed = compose(placed([merged, merged]))
  const [source, target] = [compose(placed([merged])), composed].map(metadataOfComposed)
  const [{ row_groups: one }, { row_groups: both }] = await Promise.all([source!, target!])
  expect(both[0]).toEqual(one[0])
  const chunk = both[1]!.columns[1]!
  expect([chunk.offset_index_offset, chunk.column_index_offset]).toEqual([undefined, undefined])
  expect(chunk.meta_data!.encoding_stats).toEqual(one[0]!.columns[1]!.meta_data!.encoding_stats)
  expect(chunk.meta_data!.statistics).toEqual(one[0]!.columns[1]!.meta_data!.statistics)
  expect(Number(chunk.meta_data!.data_page_offset)).toBe(
    Number(one[0]!.columns[1]!.meta_data!.data_page_offset) + merged.length,
  )
})

test('row groups without rows are left out', async () => {
  const file = editFooter(await select('i', 0), (footer) => {
    const chunk = struct({
      2: i64(0),
      3: struct({
        1: i32(2),
        2: list([i32(0)]),
        3: list([binary('i')]),
        4: i32(0),
        5: i64(0),
        6: i64(0),
        7: i64(0),
        9: i64(0),
      }),
    })
    footer.set(4, list([struct({ 1: list([chunk]), 2: i64(0), 3: i64(0) })]))
  })
  const composed = compose(placed([file, await select('i')]))
  expect(composed).toMatchObject({ rowGroupCount: 1, rowCount: 10 })
})
