import { FusouError } from '@fusou/catalog'
import type { FieldType, SchemaField } from '@fusou/parquet-compactor'

/** A type in Spark's JSON. */
type SparkType =
  | string
  | { type: 'struct'; fields: SparkField[] }
  | { type: 'array'; elementType: SparkType; containsNull: boolean }
  | { type: 'map'; keyType: SparkType; valueType: SparkType; valueContainsNull: boolean }
interface SparkField {
  name: string
  type: SparkType
  nullable: boolean
  metadata: Record<string, never>
}

const MAX_PRECISION = 38

/**
 * The columns of a table as Delta describes them: Spark's JSON.
 * @throws FusouError `table_refused`, with the column that Delta has no type for
 */
export function sparkSchema(fields: readonly SchemaField[]): string {
  return JSON.stringify(structOf(fields, []))
}

function structOf(fields: readonly SchemaField[], path: readonly string[]): SparkType {
  const byLowerCase = new Map<string, string>()
  for (const { name } of fields) {
    const other = byLowerCase.get(name.toLowerCase())
    // engines of this protocol do not tell upper case from lower case
    if (other !== undefined) throw refused([...path, name], `differs from ${other} in upper and lower case alone`)
    byLowerCase.set(name.toLowerCase(), name)
  }
  return {
    type: 'struct',
    fields: fields.map(({ name, type, isNullable }) => ({
      name,
      type: typeOf(type, [...path, name]),
      nullable: isNullable,
      metadata: {},
    })),
  }
}

function typeOf(type: FieldType, path: readonly string[]): SparkType {
  switch (type.kind) {
    case 'boolean':
    case 'float':
    case 'double':
    case 'string':
    case 'date':
    case 'binary':
      return type.kind
    case 'int96':
      return 'timestamp'
    case 'integer':
      return integerType(type.bits, type.isSigned)
    case 'decimal':
      if (type.precision <= MAX_PRECISION && type.scale >= 0 && type.scale <= type.precision)
        return `decimal(${type.precision},${type.scale})`
      throw refused(path, `is decimal(${type.precision}, ${type.scale}); Delta has up to ${MAX_PRECISION} digits`)
    case 'timestamp':
      // A local time too: the parquet form of the protocol has no other type, and its clients read the file's own.
      if (type.unit !== 'nanos') return 'timestamp'
      throw refused(path, 'has nanoseconds; Delta has microseconds')
    case 'struct':
      return structOf(type.fields, path)
    case 'list':
      return {
        type: 'array',
        elementType: typeOf(type.element.type, [...path, 'element']),
        containsNull: type.element.isNullable,
      }
    case 'map':
      return {
        type: 'map',
        keyType: typeOf(type.key.type, [...path, 'key']),
        valueType: typeOf(type.value.type, [...path, 'value']),
        valueContainsNull: type.value.isNullable,
      }
    case 'other':
      throw refused(path, `is ${type.name}, for which Delta has no type`)
  }
}

/** Delta has no unsigned integers: the next wider type holds their values, as Spark reads them. */
function integerType(bits: number, isSigned: boolean): string {
  const width = isSigned ? bits : bits * 2
  if (width === 8) return 'byte'
  if (width === 16) return 'short'
  if (width === 32) return 'integer'
  return width === 64 ? 'long' : 'decimal(20,0)'
}

const refused = (path: readonly string[], detail: string) =>
  new FusouError(
    'table_refused',
    `column ${path.join('.').slice(0, 400)} ${detail}: read the table by its link in place of Delta Sharing`,
  )
