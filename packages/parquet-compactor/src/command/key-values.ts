import type { SchemaElement } from 'hyparquet'
import { CommandError } from './command-error.ts'

/** A value of a key as JavaScript orders it; undefined for none. */
export type KeyValue = number | bigint | Uint8Array | undefined

/** Reads a column from rows of `RowReader`, in its own way rather than that of the merge. */
export type ReadKey = (row: readonly unknown[]) => KeyValue

/**
 * @param name names from below the root, joined by dots
 * @throws CommandError `verify_failed` if there is no such column
 */
export function keyReader(schema: readonly SchemaElement[], name: string): ReadKey {
  const found = findLeaf(schema, name)
  if (!found) throw new CommandError('verify_failed', `there is no column ${name} in the output`)
  const { place, below, element } = found
  const normal = normalize(element)
  return (row) => {
    let value: unknown = row[place]
    for (const member of below) value = (value as Record<string, unknown> | null | undefined)?.[member]
    return value === null || value === undefined ? undefined : normal(value)
  }
}

/** -0 equals 0, NaNs equal each other and are greatest; bytes are unsigned, and a prefix comes first. */
export function compareKeyValues(a: KeyValue, b: KeyValue): number {
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b)
  if (a! < b!) return -1
  if (a! > b!) return 1
  return Number(Number.isNaN(a)) - Number(Number.isNaN(b))
}

function findLeaf(
  schema: readonly SchemaElement[],
  name: string,
): { place: number; below: string[]; element: SchemaElement } | undefined {
  let next = 1
  const visit = (path: string[], place: number): ReturnType<typeof findLeaf> => {
    const element = schema[next++]!
    const names = [...path, element.name]
    if (element.num_children === undefined) {
      return names.join('.') === name ? { place, below: names.slice(1), element } : undefined
    }
    let found: ReturnType<typeof findLeaf>
    for (let child = 0; child < element.num_children; child++) found = visit(names, place) ?? found
    return found
  }
  let found: ReturnType<typeof findLeaf>
  for (let place = 0; place < (schema[0]?.num_children ?? 0); place++) found = visit([], place) ?? found
  return found
}

function normalize({ type, converted_type, logical_type }: SchemaElement): (value: unknown) => KeyValue {
  const isUnsigned =
    converted_type?.startsWith('UINT_') || (logical_type?.type === 'INTEGER' && logical_type.isSigned === false)
  switch (type) {
    case 'BOOLEAN':
      return Number
    case 'INT32':
      return isUnsigned ? (value) => (value as number) >>> 0 : (value) => value as number
    case 'INT64':
      return isUnsigned ? (value) => BigInt.asUintN(64, value as bigint) : (value) => value as bigint
    case 'FLOAT':
    case 'DOUBLE':
      // -0 becomes 0
      return (value) => (value as number) + 0
    case 'INT96':
      return (value) => value as bigint
  }
  if (converted_type === 'DECIMAL' || logical_type?.type === 'DECIMAL')
    return (value) => signedInteger(value as Uint8Array)
  if (logical_type?.type === 'FLOAT16') return (value) => float16(value as Uint8Array)
  return (value) => value as Uint8Array
}

/** two's complement, most significant byte first */
function signedInteger(bytes: Uint8Array): bigint {
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
  return BigInt.asIntN(bytes.length * 8, BigInt(`0x${hex || '0'}`))
}

function float16(bytes: Uint8Array): number {
  const bits = bytes[0]! | (bytes[1]! << 8)
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 31
  const fraction = bits & 0x3ff
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY
  return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -24 * fraction) + 0
}
