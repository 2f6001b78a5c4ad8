import { describe, expect, test } from 'vitest'
import { ComposedFooterReader, FooterComposer, type SchemaField } from '../src/index.ts'
import { writeWithDuckDB } from './engines.ts'

const select = (columns: string, rows = 10) => writeWithDuckDB(`select ${columns} from range(${rows}) t(i)`)

function read(...files: Uint8Array[]) {
  const composer = new FooterComposer()
  let address = 0
  const counts = files.map((bytes, number) => {
    const before = composer.rowGroupCount
    composer.add({ source: `file-${number}`, address, byteLength: bytes.length, tail: bytes })
    address += bytes.length
    return composer.rowGroupCount - before
  })
  const reader = new ComposedFooterReader(composer.finish(address).bytes)
  return { reader, parts: counts.map((count) => reader.next(count)) }
}

const int32At = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset).getInt32(0, true)

describe('the columns of composed files', () => {
  const typesOf = (fields: readonly SchemaField[]) =>
    Object.fromEntries(fields.map(({ name, type }) => [name, type.kind === 'other' ? type.name : type]))

  test('have the type that each annotation means', async () => {
    const file = await select(
      `true as b, 1::tinyint as i8, 1::utinyint as u8, 1::uinteger as u32, 1::ubigint as u64, 1::bigint as i64,
       1::float as f, 1::double as d, 1.5::decimal(9, 2) as small, 1.5::decimal(38, 10) as large, 'x' as s,
       'x'::blob as bytes, date '2026-01-01' as day, timestamp '2026-01-01' as local, timestamptz '2026-01-01' as utc,
       timestamp_ns '2026-01-01' as ns, time '12:00' as at, uuid() as id`,
    )
    expect(typesOf(read(file).reader.fields)).toEqual({
      b: { kind: 'boolean' },
      i8: { kind: 'integer', bits: 8, isSigned: true },
      u8: { kind: 'integer', bits: 8, isSigned: false },
      u32: { kind: 'integer', bits: 32, isSigned: false },
      u64: { kind: 'integer', bits: 64, isSigned: false },
      i64: { kind: 'integer', bits: 64, isSigned: true },
      f: { kind: 'float' },
      d: { kind: 'double' },
      small: { kind: 'decimal', precision: 9, scale: 2 },
      large: { kind: 'decimal', precision: 38, scale: 10 },
      s: { kind: 'string' },
      bytes: { kind: 'binary', length: undefined },
      day: { kind: 'date' },
      local: { kind: 'timestamp', unit: 'micros', isAdjustedToUtc: false },
      utc: { kind: 'timestamp', unit: 'micros', isAdjustedToUtc: true },
      ns: { kind: 'timestamp', unit: 'nanos', isAdjustedToUtc: false },
      at: expect.stringMatching(/^TIME\(MICROS/),
      id: { kind: 'binary', length: 16 },
    })
  })

  test('have members where they are nested, and a list where a column is repeated', async () => {
    const file = await select("[i] as list, {'a': i, 'b': 'x'} as place, map {'k': i} as pairs")
    const { fields } = read(file).reader
    const long = { kind: 'integer', bits: 64, isSigned: true }
    expect(fields).toMatchObject([
      { name: 'list', isNullable: true, type: { kind: 'list', element: { isNullable: true, type: long, leaf: 0 } } },
      {
        name: 'place',
        type: {
          kind: 'struct',
          fields: [
            { name: 'a', leaf: 1 },
            { name: 'b', leaf: 2 },
          ],
        },
      },
      { name: 'pairs', type: { kind: 'map', key: { isNullable: false, leaf: 3 }, value: { type: long, leaf: 4 } } },
    ])
  })
})

describe('the rows of a file among others', () => {
  test('have their own count, bounds and nulls', async () => {
    const { reader, parts } = read(
      await select('i::integer as n'),
      await select('(i + 100)::integer as n', 0),
      await select('case when i % 2 = 0 then (i + 100)::integer end as n', 5000),
    )
    expect(reader.rowCount).toBe(5010)
    expect(parts.map(({ rows }) => rows)).toEqual([10, 0, 5000])
    const bounds = parts.map((part) => part.column(0).bounds)
    expect(bounds.map((of) => of && [int32At(of.min), int32At(of.max)])).toEqual([[0, 9], undefined, [100, 5098]])
    expect(parts.map((part) => part.column(0).nulls)).toEqual([0, 0, 2500])
  })

  test('are null in a column that their file lacks', async () => {
    const { parts } = read(await select('i::integer as n'), await select("'x' as s", 3))
    expect(parts[1]!.column(0)).toEqual({ nulls: 3, bounds: undefined })
    expect(parts[0]!.column(1)).toEqual({ nulls: 10, bounds: undefined })
  })

  test('have no bounds of numbers with a fraction where a NaN may be among them', async () => {
    const { parts } = read(await select('i::double as d'))
    expect(parts[0]!.column(0)).toEqual({ nulls: 0, bounds: undefined })
  })

  test('are found where thousands of columns share a page of nulls', async () => {
    const columns = Array.from({ length: 300 }, (_, n) => `i as c${n}`).join(', ')
    const small = Array.from({ length: 20 }, () => select('i::integer as n', 1))
    const { parts } = read(await select(columns, 1), ...(await Promise.all(small)))
    expect(parts.at(-1)!.column(5).nulls).toBe(1)
  })
})

test('what is no composed footer is refused', async () => {
  expect(() => new ComposedFooterReader(new Uint8Array(100))).toThrow('not_parquet')
})
