import type { FieldType } from '@fusou/parquet-compactor'

/** A value whose order is that of its column: integers and unscaled decimals, days, microseconds, UTF-8. */
export type ColumnValue = bigint | number | Uint8Array

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const MICROS_OF_DAY = 86_400_000_000n

/** @returns undefined for types whose bounds are not told */
export function decodeValue(type: FieldType, bytes: Uint8Array): ColumnValue | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  switch (type.kind) {
    case 'integer':
      if (bytes.length === 8) return type.isSigned ? view.getBigInt64(0, true) : view.getBigUint64(0, true)
      return BigInt(type.isSigned ? view.getInt32(0, true) : view.getUint32(0, true))
    case 'decimal':
      return bytes.length === 8 ? view.getBigInt64(0, true) : BigInt(view.getInt32(0, true))
    case 'date':
      return BigInt(view.getInt32(0, true)) * MICROS_OF_DAY
    case 'timestamp':
      return type.unit === 'millis' ? view.getBigInt64(0, true) * 1000n : view.getBigInt64(0, true)
    case 'double':
      return view.getFloat64(0, true)
    case 'float':
      return view.getFloat32(0, true)
    case 'string':
      return isText(bytes) ? bytes : undefined
    default:
      return undefined
  }
}

/** A shortened text may end within a character. */
function isText(bytes: Uint8Array): boolean {
  try {
    utf8.decode(bytes)
    return true
  } catch {
    return false
  }
}

/**
 * A bound as it stands in the statistics of a Delta file. Moments have milliseconds there, and are rounded outwards.
 * @returns JSON, or undefined where it cannot be written
 */
export function boundJson(type: FieldType, value: ColumnValue, isMax: boolean): string | undefined {
  if (value instanceof Uint8Array) return JSON.stringify(utf8.decode(value))
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : undefined
  switch (type.kind) {
    case 'date':
      return instantOf(value / 1000n)?.replace(/T.*/, '"')
    case 'timestamp':
      return instantOf((isMax ? value + 999n : value - (((value % 1000n) + 1000n) % 1000n)) / 1000n)
    case 'decimal':
      return decimalText(value, type.scale)
    default:
      return String(value)
  }
}

/** @returns undefined outside the years of four digits */
function instantOf(millis: bigint): string | undefined {
  const at = new Date(Number(millis))
  const year = Number.isNaN(at.getTime()) ? -1 : at.getUTCFullYear()
  return year >= 0 && year <= 9999 ? JSON.stringify(at.toISOString()) : undefined
}

function decimalText(unscaled: bigint, scale: number): string {
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0')
  const sign = unscaled < 0n ? '-' : ''
  return scale === 0 ? `${sign}${digits}` : `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}

/** @returns below 0 if `a` comes first; `a` and `b` are of one column */
export function compareValues(a: ColumnValue, b: ColumnValue): number {
  if (!(a instanceof Uint8Array) || !(b instanceof Uint8Array)) return a < b ? -1 : a > b ? 1 : 0
  for (let i = 0; i < a.length && i < b.length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!
  return a.length - b.length
}

/**
 * A literal of a predicate as a value of a column.
 * @returns undefined where it is not sure how an engine would compare the two
 */
export function literalValue(type: FieldType, text: string): ColumnValue | undefined {
  switch (type.kind) {
    case 'integer':
      return /^-?\d{1,20}$/.test(text) ? BigInt(text) : undefined
    case 'date':
      return /^\d{4}-\d\d-\d\d$/.test(text) ? microsOf(`${text}T00:00:00Z`) : undefined
    case 'timestamp':
      // a local time is of the zone of the engine
      return type.isAdjustedToUtc && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?Z$/.test(text)
        ? microsOf(text)
        : undefined
    case 'double':
      return /^-?\d{1,15}(?:\.\d{1,15})?$/.test(text) ? Number(text) : undefined
    case 'string':
      return new TextEncoder().encode(text)
    default:
      return undefined
  }
}

function microsOf(instant: string): bigint | undefined {
  const millis = Date.parse(instant)
  return Number.isNaN(millis) ? undefined : BigInt(millis) * 1000n
}
