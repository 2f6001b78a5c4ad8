import { beforeEach, describe, expect, test, vi } from 'vitest'
import { boundsOf, haveTypeOrder } from '../../src/footer/chunk-bounds.ts'
import { ByteBuffer } from '../../src/format/byte-buffer.ts'
import { KeyColumn } from '../../src/sort/keys/key-column.ts'
import type { SortKey } from '../../src/sort/keys/key-order.ts'
import { footerRange } from '../../src/sort/keys/read-keys.ts'
import { compareKeys } from '../../src/sort/keys/sort-range.ts'
import type { Piece } from '../../src/sort/keys/value-piece.ts'

vi.mock('../../src/footer/chunk-bounds.ts', async (original) => ({
  ...(await original<object>()),
  boundsOf: vi.fn(),
  haveTypeOrder: vi.fn(),
}))
beforeEach(() => {
  vi.mocked(boundsOf).mockReset()
  vi.mocked(haveTypeOrder).mockReset().mockReturnValue(true)
})

const ROWS = 10
const int32 = (value: number) => new Uint8Array(Int32Array.of(value).buffer)

interface Column {
  readonly kind: string
  readonly isOptional: boolean
  readonly isDescending: boolean
  readonly areNullsFirst: boolean
  readonly width: number
  readonly nulls: number
  readonly min: Uint8Array | undefined
  readonly max: Uint8Array | undefined
}
const COLUMN: Column = {
  kind: 'int32',
  isOptional: true,
  isDescending: false,
  areNullsFirst: false,
  width: 4,
  nulls: 0,
  min: int32(-5),
  max: int32(300),
}

const keyOf = ({ kind, isOptional, width, isDescending, areNullsFirst }: Column, column: number) =>
  ({
    column,
    leaf: { name: 'c', width, maxDefinition: isOptional ? 1 : 0, maxRepetition: 0 },
    kind,
    isDescending,
    areNullsFirst,
  }) as unknown as SortKey

/** The range of the second row group of a file whose columns are these. */
function rangeOf(columns: Partial<Column>[]) {
  const all = columns.map((column) => ({ ...COLUMN, ...column }))
  const nulls = [...all.map(() => 77), ...all.map((column) => column.nulls)]
  const footer = { schema: { leaves: all }, chunkNulls: nulls }
  vi.mocked(boundsOf).mockImplementation((_, chunk) => {
    expect(chunk).toBeGreaterThanOrEqual(all.length)
    const { min, max } = all[chunk - all.length]!
    return { min, max } as never
  })
  return footerRange({ footer, rowGroup: 1, rows: ROWS } as unknown as Piece, all.map(keyOf))
}

/** The key of one row: a value for each column, or null. */
function keyOfRow(columns: Partial<Column>[], row: (Uint8Array | null)[]): Uint8Array {
  const out = new ByteBuffer(64)
  for (const [at, value] of row.entries()) {
    const column = new KeyColumn(keyOf({ ...COLUMN, ...columns[at] }, at), 1)
    const isNull = value === null
    const table = isNull
      ? { count: 0, bytes: new Uint8Array() }
      : { count: 1, bytes: value, starts: Uint32Array.of(0), lengths: Uint32Array.of(value.length) }
    column.append({
      definition: isNull ? Uint8Array.of(0) : undefined,
      repetition: undefined,
      levelFrom: 0,
      levelTo: 1,
      values: { count: table.count, table },
      valueFrom: 0,
      valueTo: table.count,
    })
    column.encode(0, out)
  }
  return out.take()
}
const beyond = (key: Uint8Array) => Uint8Array.of(...key, 255)

describe('the range that a footer tells', () => {
  test.each([
    [false, false],
    [true, false],
    [false, true],
    [true, true],
  ])(
    'has the bounds as its ends, descending: %s, and nulls where they sort, first: %s',
    (isDescending, areNullsFirst) => {
      const column = { isDescending, areNullsFirst }
      const [min, max, none] = [COLUMN.min!, COLUMN.max!, null].map((value) => keyOfRow([column], [value]))
      const [low, high] = isDescending ? [max!, min!] : [min!, max!]
      expect(compareKeys(low, high)).toBeLessThan(0)
      for (const isOptional of [true, false])
        expect(rangeOf([{ ...column, isOptional }])).toEqual({ low, high: beyond(high) })
      // one null, all rows but one, and a number that the footer does not tell
      for (const nulls of [1, ROWS - 1, -1]) {
        const range = areNullsFirst ? { low: none, high: beyond(high) } : { low, high: beyond(none!) }
        expect(rangeOf([{ ...column, nulls }]), `${nulls} nulls`).toEqual(range)
        // a column that cannot have nulls has none, whatever its statistics say
        expect(rangeOf([{ ...column, nulls, isOptional: false }])).toEqual({ low, high: beyond(high) })
      }
      expect(rangeOf([{ ...column, nulls: ROWS, min: undefined, max: undefined }])).toEqual({ low: none, high: none })
    },
  )

  test('goes on to the next column where all rows have one value, and no further', () => {
    const same = { min: int32(7), max: int32(7) }
    const row = (first: Uint8Array | null, second: Uint8Array | null) => keyOfRow([{}, {}], [first, second])
    expect(rangeOf([same])).toEqual({ low: keyOfRow([{}], [int32(7)]), high: keyOfRow([{}], [int32(7)]) })
    expect(rangeOf([same, {}])).toEqual({ low: row(int32(7), int32(-5)), high: beyond(row(int32(7), int32(300))) })
    expect(rangeOf([{ nulls: ROWS }, same])).toEqual({ low: row(null, int32(7)), high: row(null, int32(7)) })
    // one value and nulls are two
    for (const nulls of [1, -1])
      expect(rangeOf([{ ...same, nulls }, {}])).toEqual({
        low: keyOfRow([{}], [int32(7)]),
        high: beyond(keyOfRow([{}], [null])),
      })
    expect(rangeOf([{}, same])).toEqual({
      low: keyOfRow([{}], [int32(-5)]),
      high: beyond(keyOfRow([{}], [int32(300)])),
    })
  })

  test.each<[string, Partial<Column>]>([
    ['there is no least value', { min: undefined }],
    ['there is no greatest value', { max: undefined }],
    ['the least value has another length', { min: new Uint8Array(3) }],
    ['the greatest value has another length', { max: new Uint8Array(5) }],
    ['the bounds are the wrong way round', { min: int32(2), max: int32(1) }],
  ])('is none where %s', (_, column) => {
    expect(rangeOf([column])).toBeUndefined()
    expect(rangeOf([{ min: int32(7), max: int32(7) }, column])).toBeUndefined()
  })

  test.each(['float', 'double', 'float16', 'decimal', 'int96'])(
    'is none of %s: NaN, or writers that differ',
    (kind) => {
      expect(rangeOf([{ kind, width: 0, min: new Uint8Array(12), max: new Uint8Array(12) }])).toBeUndefined()
    },
  )

  test.each([
    ['int32', 4],
    ['int64', 8],
    ['boolean', 1],
  ])('of %s needs no word on the order, since it is signed', (kind, width) => {
    vi.mocked(haveTypeOrder).mockReturnValue(false)
    expect(
      rangeOf([{ kind, width, min: new Uint8Array(width), max: new Uint8Array(width).fill(1, 0, 1) }]),
    ).toBeDefined()
  })

  test.each([
    ['uint32', 4],
    ['uint64', 8],
    ['bytes', 0],
  ])('of %s is none unless the file says that the bounds are in the order of the type', (kind, width) => {
    const column = { kind, width, min: new Uint8Array(width || 2), max: new Uint8Array(width || 3).fill(1, 0, 1) }
    expect(rangeOf([column])).toBeDefined()
    vi.mocked(haveTypeOrder).mockReturnValue(false)
    expect(rangeOf([column])).toBeUndefined()
  })
})
