import type { FieldType, SchemaField } from '@fusou/parquet-compactor'
import { describe, expect, test } from 'vitest'
import { boundJson, decodeValue, literalValue } from '../../src/delta-sharing/column-value.ts'
import { sparkSchema } from '../../src/delta-sharing/spark-schema.ts'

const field = (type: FieldType, name = 'c'): SchemaField => ({ name, isNullable: true, type, leaf: 0 })
const typeOf = (type: FieldType) => JSON.parse(sparkSchema([field(type)])).fields[0].type as unknown
const long: FieldType = { kind: 'integer', bits: 64, isSigned: true }
const timestamp = (unit: 'millis' | 'micros' | 'nanos', isAdjustedToUtc = true): FieldType => ({
  kind: 'timestamp',
  unit,
  isAdjustedToUtc,
})

describe('a type in Spark’s JSON', () => {
  test.each<[FieldType, unknown]>([
    [{ kind: 'boolean' }, 'boolean'],
    [{ kind: 'float' }, 'float'],
    [{ kind: 'double' }, 'double'],
    [{ kind: 'string' }, 'string'],
    [{ kind: 'date' }, 'date'],
    [{ kind: 'binary', length: 16 }, 'binary'],
    [{ kind: 'int96' }, 'timestamp'],
    [{ kind: 'integer', bits: 8, isSigned: true }, 'byte'],
    [{ kind: 'integer', bits: 16, isSigned: true }, 'short'],
    [{ kind: 'integer', bits: 32, isSigned: true }, 'integer'],
    [long, 'long'],
    [{ kind: 'integer', bits: 8, isSigned: false }, 'short'],
    [{ kind: 'integer', bits: 16, isSigned: false }, 'integer'],
    [{ kind: 'integer', bits: 32, isSigned: false }, 'long'],
    [{ kind: 'integer', bits: 64, isSigned: false }, 'decimal(20,0)'],
    [{ kind: 'decimal', precision: 38, scale: 10 }, 'decimal(38,10)'],
    [timestamp('millis'), 'timestamp'],
    [timestamp('micros', false), 'timestamp'],
    [
      { kind: 'list', element: field(long) },
      { type: 'array', elementType: 'long', containsNull: true },
    ],
    [
      { kind: 'map', key: field({ kind: 'string' }), value: field(long) },
      { type: 'map', keyType: 'string', valueType: 'long', valueContainsNull: true },
    ],
    [
      { kind: 'struct', fields: [field(long, 'a')] },
      { type: 'struct', fields: [{ name: 'a', type: 'long', nullable: true, metadata: {} }] },
    ],
  ])('of %j %#', (type, expected) => {
    expect(typeOf(type)).toEqual(expected)
  })

  test.each<[FieldType, string]>([
    [timestamp('nanos'), 'column c has nanoseconds'],
    [{ kind: 'decimal', precision: 39, scale: 0 }, 'column c is decimal(39, 0)'],
    [{ kind: 'other', name: 'TIME(MICROS, UTC) INT64' }, 'column c is TIME(MICROS, UTC) INT64'],
    [{ kind: 'list', element: field({ kind: 'other', name: 'FLOAT16' }) }, 'column c.element is FLOAT16'],
    [{ kind: 'struct', fields: [field(long, 'a'), field(long, 'A')] }, 'column c.A differs from a'],
  ])('of %j is refused with the column %#', (type, detail) => {
    expect(() => typeOf(type)).toThrow(detail)
  })
})

describe('a bound in the statistics', () => {
  const int64 = (value: bigint) => new Uint8Array(BigInt64Array.of(value).buffer)
  const jsonOf = (type: FieldType, bytes: Uint8Array, isMax = false) => {
    const value = decodeValue(type, bytes)
    return value === undefined ? undefined : boundJson(type, value, isMax)
  }

  test.each<[FieldType, Uint8Array, string | undefined, string | undefined]>([
    [long, int64(9007199254740993n), '9007199254740993', '9007199254740993'],
    [{ kind: 'integer', bits: 64, isSigned: false }, int64(-1n), '18446744073709551615', '18446744073709551615'],
    [{ kind: 'decimal', precision: 18, scale: 3 }, int64(-5n), '-0.005', '-0.005'],
    [timestamp('micros'), int64(1_500n), '"1970-01-01T00:00:00.001Z"', '"1970-01-01T00:00:00.002Z"'],
    [timestamp('micros'), int64(-1n), '"1969-12-31T23:59:59.999Z"', '"1970-01-01T00:00:00.000Z"'],
    [timestamp('millis'), int64(7n), '"1970-01-01T00:00:00.007Z"', '"1970-01-01T00:00:00.007Z"'],
    [timestamp('micros'), int64(2n ** 62n), undefined, undefined],
    [{ kind: 'date' }, new Uint8Array(Int32Array.of(-1).buffer), '"1969-12-31"', '"1969-12-31"'],
    [{ kind: 'double' }, new Uint8Array(Float64Array.of(1.5).buffer), '1.5', '1.5'],
    [{ kind: 'double' }, new Uint8Array(Float64Array.of(Number.POSITIVE_INFINITY).buffer), undefined, undefined],
    [{ kind: 'string' }, new TextEncoder().encode('"é'), '"\\"é"', '"\\"é"'],
    [{ kind: 'string' }, Uint8Array.of(0xc3), undefined, undefined],
    [{ kind: 'binary', length: undefined }, Uint8Array.of(1), undefined, undefined],
  ])('of %j is exact, or on the outer side %#', (type, bytes, min, max) => {
    expect([jsonOf(type, bytes), jsonOf(type, bytes, true)]).toEqual([min, max])
  })
})

test('a literal that an engine may read otherwise is not compared', () => {
  expect(literalValue(long, '12')).toBe(12n)
  expect(literalValue(timestamp('micros'), '1970-01-01T00:00:01Z')).toBe(1_000_000n)
  expect(literalValue({ kind: 'date' }, '1970-01-02')).toBe(86_400_000_000n)
  for (const [type, text] of [
    [long, '1.5'],
    [timestamp('micros'), '1970-01-01 00:00:01'],
    [timestamp('micros', false), '1970-01-01T00:00:01Z'],
    [{ kind: 'date' }, '1970-01-99'],
    [{ kind: 'float' }, '0.1'],
    [{ kind: 'boolean' }, 'true'],
  ] as const)
    expect(literalValue(type, text), text).toBeUndefined()
})
