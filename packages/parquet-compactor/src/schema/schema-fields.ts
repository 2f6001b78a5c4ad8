import { CONVERTED, LOGICAL, PHYSICAL, REPETITION } from '../format/format.ts'
import { shorten } from '../format/shorten.ts'
import { ELEMENT, integerOf, numberField, type SchemaNode } from './schema-tree.ts'
import { decimalOf, isAlwaysNull, logicalIdOf, type TimestampType, timestampOf, typeName } from './type-name.ts'

/** The type of a column as engines know it, whatever the annotation is that says so. */
export type FieldType =
  | { kind: 'boolean' | 'float' | 'double' | 'string' | 'date' }
  /** `length` undefined: of any length */
  | { kind: 'binary'; length: number | undefined }
  | { kind: 'integer'; bits: number; isSigned: boolean }
  | { kind: 'decimal'; precision: number; scale: number }
  | ({ kind: 'timestamp' } & TimestampType)
  /** the timestamp of Impala: nanoseconds of a day and the day, without bounds */
  | { kind: 'int96' }
  | { kind: 'struct'; fields: SchemaField[] }
  | { kind: 'list'; element: SchemaField }
  | { kind: 'map'; key: SchemaField; value: SchemaField }
  /** anything else, in the words of `typeName` */
  | { kind: 'other'; name: string }

/** A column, or a member of one. */
export interface SchemaField {
  name: string
  /** whether it may be null where the field around it is not */
  isNullable: boolean
  type: FieldType
  /** number of the leaf column; undefined for what has members */
  leaf: number | undefined
}

const MAX_NAME_LENGTH = 200

/** @param root with lists and maps in standard form */
export function fieldsOf(root: SchemaNode): SchemaField[] {
  let leaves = 0
  const fieldOf = (node: SchemaNode): SchemaField => {
    const leaf = node.physical === undefined ? undefined : leaves++
    const type = leaf === undefined ? groupType(node) : leafType(node)
    if (node.repetition !== REPETITION.REPEATED)
      return { name: node.name, isNullable: node.repetition === REPETITION.OPTIONAL, type, leaf }
    // repeated without an annotation: a list that is never null, of elements that are never null
    const element = { name: 'element', isNullable: false, type, leaf }
    return { name: node.name, isNullable: false, type: { kind: 'list', element }, leaf: undefined }
  }
  const groupType = (node: SchemaNode): FieldType => {
    const kind = typeName(node)
    const [middle, ...others] = node.children
    const isCollection = middle?.repetition === REPETITION.REPEATED && others.length === 0
    const inner = middle?.children.length
    if (kind === 'list' && isCollection && inner === 1) return { kind: 'list', element: fieldOf(middle.children[0]!) }
    if (kind === 'map' && isCollection && inner === 2)
      return { kind: 'map', key: fieldOf(middle.children[0]!), value: fieldOf(middle.children[1]!) }
    const fields = node.children.map(fieldOf)
    return kind === 'group' ? { kind: 'struct', fields } : { kind: 'other', name: shorten(kind, MAX_NAME_LENGTH) }
  }
  return root.children.map(fieldOf)
}

function leafType(node: SchemaNode): FieldType {
  if (isAlwaysNull(node)) return plainType(node)
  const integer = integerOf(node)
  if (integer) return { kind: 'integer', ...integer }
  const logical = logicalIdOf(node)
  const converted = logical === undefined ? numberField(node, ELEMENT.CONVERTED) : undefined
  if (logical === undefined && converted === undefined) return plainType(node)
  const { physical } = node
  const isText =
    converted === CONVERTED.UTF8 ||
    converted === CONVERTED.ENUM ||
    converted === CONVERTED.JSON ||
    logical === LOGICAL.STRING ||
    logical === LOGICAL.ENUM ||
    logical === LOGICAL.JSON
  if (isText && physical === PHYSICAL.BYTE_ARRAY) return { kind: 'string' }
  if (converted === CONVERTED.BSON || logical === LOGICAL.BSON || logical === LOGICAL.UUID) return plainType(node)
  if ((converted === CONVERTED.DATE || logical === LOGICAL.DATE) && physical === PHYSICAL.INT32) return { kind: 'date' }
  if (converted === CONVERTED.DECIMAL || logical === LOGICAL.DECIMAL) {
    const { precision, scale } = decimalOf(node)
    if (precision !== undefined) return { kind: 'decimal', precision, scale }
  }
  const timestamp = physical === PHYSICAL.INT64 ? timestampOf(node) : undefined
  return timestamp ? { kind: 'timestamp', ...timestamp } : { kind: 'other', name: typeName(node) }
}

/** The type of values that have no annotation, or one that says nothing of their bytes. */
function plainType(node: SchemaNode): FieldType {
  switch (node.physical) {
    case PHYSICAL.BOOLEAN:
      return { kind: 'boolean' }
    case PHYSICAL.INT32:
      return { kind: 'integer', bits: 32, isSigned: true }
    case PHYSICAL.INT64:
      return { kind: 'integer', bits: 64, isSigned: true }
    case PHYSICAL.INT96:
      return { kind: 'int96' }
    case PHYSICAL.FLOAT:
      return { kind: 'float' }
    case PHYSICAL.DOUBLE:
      return { kind: 'double' }
    case PHYSICAL.BYTE_ARRAY:
      return { kind: 'binary', length: undefined }
    default:
      return { kind: 'binary', length: numberField(node, ELEMENT.LENGTH) }
  }
}
