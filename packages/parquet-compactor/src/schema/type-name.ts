import { CONVERTED, LOGICAL, PHYSICAL_NAMES } from '../format/format.ts'
import { THRIFT, ThriftReader } from '../format/thrift-reader.ts'
import { ELEMENT, integerOf, numberField, type SchemaNode } from './schema-tree.ts'

/** Annotations that converted and logical types name alike. */
const ALIKE: [name: string, converted: number, logical: number][] = [
  ['string', CONVERTED.UTF8, LOGICAL.STRING],
  ['map', CONVERTED.MAP, LOGICAL.MAP],
  // LogicalTypes.md: MAP_KEY_VALUE on the outer group stands for MAP
  ['map', CONVERTED.MAP_KEY_VALUE, LOGICAL.MAP],
  ['list', CONVERTED.LIST, LOGICAL.LIST],
  ['enum', CONVERTED.ENUM, LOGICAL.ENUM],
  ['date', CONVERTED.DATE, LOGICAL.DATE],
  ['json', CONVERTED.JSON, LOGICAL.JSON],
  ['bson', CONVERTED.BSON, LOGICAL.BSON],
]

/** LogicalTypes.md: a converted type of a time or timestamp stands for the logical type with isAdjustedToUTC=true. */
const CONVERTED_TIMES = new Map<number, string>([
  [CONVERTED.TIME_MILLIS, 'TIME(MILLIS, UTC)'],
  [CONVERTED.TIME_MICROS, 'TIME(MICROS, UTC)'],
  [CONVERTED.TIMESTAMP_MILLIS, 'TIMESTAMP(MILLIS, UTC)'],
  [CONVERTED.TIMESTAMP_MICROS, 'TIMESTAMP(MICROS, UTC)'],
])

const TIME_UNITS: Record<number, string> = { 1: 'MILLIS', 2: 'MICROS', 3: 'NANOS' }

/** Logical types that have no converted type, and parameters that are printed as they are. */
const LOGICAL_NAMES: Record<number, string> = {
  [LOGICAL.INTEGER]: 'INTEGER',
  [LOGICAL.UNKNOWN]: 'UNKNOWN',
  [LOGICAL.UUID]: 'UUID',
  [LOGICAL.FLOAT16]: 'FLOAT16',
  [LOGICAL.VARIANT]: 'VARIANT',
  [LOGICAL.GEOMETRY]: 'GEOMETRY',
  [LOGICAL.GEOGRAPHY]: 'GEOGRAPHY',
}

/** The type of a node in words; equal texts are one type, whether it is annotated by a converted type, a logical one or both. */
export function typeName(node: SchemaNode): string {
  const integer = integerOf(node)
  if (integer) return `${integer.isSigned ? '' : 'u'}int${integer.bits}`
  const physical = node.physical === undefined ? 'group' : PHYSICAL_NAMES[node.physical]!
  const length = numberField(node, ELEMENT.LENGTH)
  const stored = length && physical === 'FIXED_LEN_BYTE_ARRAY' ? `${physical}(${length})` : physical
  const annotation = annotationOf(node)
  if (!annotation) return stored
  return physical === 'group' && (annotation === 'list' || annotation === 'map')
    ? annotation
    : `${annotation} ${stored}`
}

/** Whether the column is null in every row by its type, as a writer that never saw a value has it. */
export function isAlwaysNull(node: SchemaNode): boolean {
  return node.physical !== undefined && logicalIdOf(node) === LOGICAL.UNKNOWN
}

export function logicalIdOf(node: SchemaNode): number | undefined {
  const bytes = node.fields.get(ELEMENT.LOGICAL)?.bytes
  return bytes && new ThriftReader(bytes).nextField()
}

function annotationOf(node: SchemaNode): string | undefined {
  const converted = numberField(node, ELEMENT.CONVERTED)
  const logical = logicalIdOf(node)
  for (const [name, convertedId, logicalId] of ALIKE) {
    if (logical ? logical === logicalId : converted === convertedId) return name
  }
  if (logical === LOGICAL.DECIMAL || (!logical && converted === CONVERTED.DECIMAL)) return decimalName(node)
  if (logical) return logicalName(node.fields.get(ELEMENT.LOGICAL)!.bytes)
  if (converted === undefined) return undefined
  return (
    CONVERTED_TIMES.get(converted) ?? (converted === CONVERTED.INTERVAL ? 'INTERVAL' : `converted type ${converted}`)
  )
}

/** Scale and precision stand in the element, in the logical type or in both. */
export function decimalOf(node: SchemaNode): { precision: number | undefined; scale: number } {
  let precision = numberField(node, ELEMENT.PRECISION)
  let scale = numberField(node, ELEMENT.SCALE)
  const logical = node.fields.get(ELEMENT.LOGICAL)
  if (logical) {
    const parameters = readParameters(logical.bytes)
    scale ??= Number(parameters.get(1) ?? 0)
    precision ??= Number(parameters.get(2) ?? 0)
  }
  return { precision, scale: scale ?? 0 }
}

function decimalName(node: SchemaNode): string {
  const { precision, scale } = decimalOf(node)
  return `decimal(${precision}, ${scale})`
}

function logicalName(bytes: Uint8Array): string {
  const id = new ThriftReader(bytes).nextField()
  const parameters = readParameters(bytes)
  if (id === LOGICAL.TIME || id === LOGICAL.TIMESTAMP) {
    const unit = TIME_UNITS[Number(parameters.get(2))] ?? `unit ${parameters.get(2)}`
    return `${id === LOGICAL.TIME ? 'TIME' : 'TIMESTAMP'}(${unit}, ${parameters.get(1) === 'true' ? 'UTC' : 'local'})`
  }
  const name = LOGICAL_NAMES[id] ?? `logical type ${id}`
  const list = [...parameters].filter(([field]) => id !== LOGICAL.VARIANT || field !== 1).map(([, value]) => value)
  return list.length > 0 ? `${name}(${list.join(', ')})` : name
}

export interface TimestampType {
  unit: 'millis' | 'micros' | 'nanos'
  isAdjustedToUtc: boolean
}

/** @returns undefined for what is no timestamp, or one of a unit that is not known */
export function timestampOf(node: SchemaNode): TimestampType | undefined {
  const logical = node.fields.get(ELEMENT.LOGICAL)
  if (logical) {
    if (logicalIdOf(node) !== LOGICAL.TIMESTAMP) return undefined
    const parameters = readParameters(logical.bytes)
    const unit = UNITS[Number(parameters.get(2))]
    return unit && { unit, isAdjustedToUtc: parameters.get(1) === 'true' }
  }
  const converted = numberField(node, ELEMENT.CONVERTED)
  if (converted === CONVERTED.TIMESTAMP_MILLIS) return { unit: 'millis', isAdjustedToUtc: true }
  return converted === CONVERTED.TIMESTAMP_MICROS ? { unit: 'micros', isAdjustedToUtc: true } : undefined
}

const UNITS: Record<number, TimestampType['unit'] | undefined> = { 1: 'millis', 2: 'micros', 3: 'nanos' }

/** Fields of the type within the union LogicalType, as text; a union among them is the number of its member. */
function readParameters(bytes: Uint8Array): Map<number, string> {
  const parameters = new Map<number, string>()
  const reader: ThriftReader = new ThriftReader(bytes)
  reader.enterStruct()
  reader.nextField()
  if ((reader.fieldType as number) !== THRIFT.STRUCT) return parameters
  reader.enterStruct()
  for (let id = reader.nextField(); id !== 0; id = reader.nextField()) {
    const fieldType: number = reader.fieldType
    if (fieldType === THRIFT.TRUE || fieldType === THRIFT.FALSE) parameters.set(id, `${reader.boolean()}`)
    else if (fieldType === THRIFT.I8) parameters.set(id, `${reader.i8()}`)
    else if (fieldType === THRIFT.I32) parameters.set(id, `${reader.i32()}`)
    else if (fieldType === THRIFT.BINARY) parameters.set(id, JSON.stringify(new TextDecoder().decode(reader.binary())))
    else if (fieldType === THRIFT.STRUCT) {
      reader.struct()
      const member = reader.nextField()
      parameters.set(id, `${member}`)
      for (let next = member; next !== 0; next = reader.nextField()) reader.skip()
    } else {
      reader.skip()
    }
  }
  return parameters
}
