import { CONVERTED, LOGICAL, PHYSICAL, PHYSICAL_NAMES, REPETITION } from '../format/format.ts'
import { THRIFT, type ThriftReader } from '../format/thrift-reader.ts'
import { ThriftWriter } from '../format/thrift-writer.ts'
import { ParquetError } from '../parquet-error.ts'

/** Groups nested deeper than this are refused; it also keeps every level within one byte. */
const MAX_SCHEMA_DEPTH = 64

/** One leaf of the schema: what a column chunk holds. */
export interface LeafColumn {
  /** names joined by dots, for messages */
  name: string
  /** names from below the root, as bytes */
  path: Uint8Array[]
  /** the same as ColumnMetaData has it in the compact protocol */
  encodedPath: Uint8Array
  /** number in `PHYSICAL` */
  physical: number
  /** bytes of a value in PLAIN encoding; 0 for BYTE_ARRAY; 1 for BOOLEAN, which this library unpacks */
  width: number
  maxDefinition: number
  maxRepetition: number
  /** for each repeated group above, outermost first, the lowest definition level at which it has an element */
  repeatedFrom: number[]
  convertedType: number | undefined
  /** field id within the union LogicalType */
  logicalType: number | undefined
  /** the sign flag of the logical INTEGER type */
  isUnsigned: boolean
}

export interface Schema {
  /** the thrift list elements as the file has them, copied, and their number */
  elementBytes: Uint8Array
  elementCount: number
  leaves: LeafColumn[]
  /** every property of every element below the root as text; equal texts are equal schemas */
  canonical: string
}

interface SchemaElement {
  physical: number | undefined
  typeLength: number | undefined
  repetition: number | undefined
  name: Uint8Array
  children: number
  convertedType: number | undefined
  logicalType: number | undefined
  isUnsigned: boolean
  /** the other properties, in the order of their field ids */
  canonical: string
}

/**
 * Read field 2 of FileMetaData.
 * @param known is returned if the elements are its own byte for byte, as those of one writer are
 * @param maxColumns columns and groups, without the root
 * @throws ParquetError `bad_footer` when the elements are no tree, `over_limit`
 */
export function readSchema(
  reader: ThriftReader,
  known?: Schema,
  maxColumns: number = Number.POSITIVE_INFINITY,
): Schema {
  const elementCount = reader.list(THRIFT.STRUCT)
  // each takes a hundred times the memory of its bytes
  if (elementCount - 1 > maxColumns) {
    throw new ParquetError('over_limit', `${elementCount - 1} columns and groups, where ${maxColumns} are allowed`)
  }
  const start = reader.offset
  if (known && elementCount === known.elementCount && reader.skipIfEqual(known.elementBytes)) return known
  const elements: SchemaElement[] = []
  for (let i = 0; i < elementCount; i++) elements.push(readElement(reader))
  const root = elements[0]
  if (!root) reader.fail('schema without a root')

  const leaves: LeafColumn[] = []
  const lines: string[] = [`${root.children}`]
  let next = 1
  const visit = (path: Uint8Array[], names: string[], definition: number, repeated: number[]): void => {
    const element = elements[next++]
    if (!element) reader.fail('schema names more children than it has elements')
    if (path.length >= MAX_SCHEMA_DEPTH) reader.fail('schema nested too deeply')
    if (element.repetition === undefined) reader.fail('schema element without repetition')
    const below = [...path, element.name]
    const belowNames = [...names, nameText(element.name)]
    const maxDefinition = definition + (element.repetition === REPETITION.REQUIRED ? 0 : 1)
    const repeatedFrom = element.repetition === REPETITION.REPEATED ? [...repeated, maxDefinition] : repeated
    lines.push(`${JSON.stringify(belowNames.at(-1))}${element.canonical}`)
    if (element.physical === undefined) {
      if (element.children === 0) reader.fail(`group ${belowNames.join('.')} has no children`)
      for (let i = 0; i < element.children; i++) visit(below, belowNames, maxDefinition, repeatedFrom)
      return
    }
    if (element.children !== 0) reader.fail(`column ${belowNames.join('.')} has both a type and children`)
    leaves.push({
      name: belowNames.join('.'),
      path: below,
      encodedPath: encodePath(below),
      physical: element.physical,
      width: valueWidth(reader, element, belowNames),
      maxDefinition,
      maxRepetition: repeatedFrom.length,
      repeatedFrom,
      convertedType: element.convertedType,
      logicalType: element.logicalType,
      isUnsigned: element.isUnsigned,
    })
  }
  for (let i = 0; i < root.children; i++) visit([], [], 0, [])
  if (next !== elements.length) reader.fail('schema has more elements than children')
  return { elementBytes: reader.bytes.slice(start, reader.offset), elementCount, leaves, canonical: lines.join('\n') }
}

function encodePath(path: readonly Uint8Array[]): Uint8Array {
  const writer = new ThriftWriter()
  writer.list(1, THRIFT.BINARY, path.length)
  for (const name of path) writer.elementBinary(name)
  // without the header of the field
  return writer.out.take().subarray(1)
}

function valueWidth(reader: ThriftReader, element: SchemaElement, names: string[]): number {
  switch (element.physical) {
    case PHYSICAL.BOOLEAN:
      return 1
    case PHYSICAL.INT32:
    case PHYSICAL.FLOAT:
      return 4
    case PHYSICAL.INT64:
    case PHYSICAL.DOUBLE:
      return 8
    case PHYSICAL.INT96:
      return 12
    case PHYSICAL.BYTE_ARRAY:
      return 0
    default:
      // a length of zero is legal thrift but no reader agrees on it
      if (!element.typeLength || element.typeLength < 1) reader.fail(`column ${names.join('.')} has no type_length`)
      return element.typeLength
  }
}

function readElement(reader: ThriftReader): SchemaElement {
  const element: SchemaElement = {
    physical: undefined,
    typeLength: undefined,
    repetition: undefined,
    name: new Uint8Array(),
    children: 0,
    convertedType: undefined,
    logicalType: undefined,
    isUnsigned: false,
    canonical: '',
  }
  const properties: string[] = []
  reader.enterStruct()
  for (let id = reader.nextField(); id !== 0; id = reader.nextField()) {
    switch (id) {
      case 1:
        element.physical = reader.i32()
        if (!PHYSICAL_NAMES[element.physical]) reader.fail(`unknown physical type ${element.physical}`)
        properties.push(`type=${PHYSICAL_NAMES[element.physical]}`)
        break
      case 2:
        element.typeLength = reader.i32()
        properties.push(`length=${element.typeLength}`)
        break
      case 3:
        element.repetition = reader.i32()
        if (element.repetition < 0 || element.repetition > 2) reader.fail(`unknown repetition ${element.repetition}`)
        properties.push(`repetition=${element.repetition}`)
        break
      case 4:
        element.name = reader.binary().slice()
        break
      case 5:
        element.children = reader.i32()
        if (element.children < 0) reader.fail('negative num_children')
        if (element.children > 0) properties.push(`children=${element.children}`)
        break
      case 6:
        element.convertedType = reader.i32()
        properties.push(`converted=${element.convertedType}`)
        break
      case 10: {
        const text = canonicalStruct(reader)
        element.logicalType = Number(/^\{(\d+):/.exec(text)?.[1] ?? 0)
        element.isUnsigned = element.logicalType === LOGICAL.INTEGER && /^\{10:\{[^}]*2:false/.test(text)
        properties.push(`logical=${text}`)
        break
      }
      default:
        // scale, precision, field id, and whatever a later version of the format adds
        properties.push(`${id}=${canonicalValue(reader, reader.fieldType, false)}`)
    }
  }
  const converted = element.convertedType
  if (converted !== undefined && converted >= CONVERTED.UINT_8 && converted <= CONVERTED.UINT_64)
    element.isUnsigned = true
  element.canonical = ` ${properties.join(' ')}`
  return element
}

function canonicalStruct(reader: ThriftReader): string {
  reader.struct()
  const fields: string[] = []
  for (let id = reader.nextField(); id !== 0; id = reader.nextField()) {
    fields.push(`${id}:${canonicalValue(reader, reader.fieldType, true)}`)
  }
  return `{${fields.join(',')}}`
}

function canonicalValue(reader: ThriftReader, type: number, nested: boolean): string {
  if (type === THRIFT.STRUCT) return canonicalStruct(reader)
  if (type === THRIFT.TRUE || type === THRIFT.FALSE) return String(reader.boolean())
  if (type === THRIFT.I8) return String(reader.i8())
  if (type === THRIFT.I32) return String(reader.i32())
  if (type === THRIFT.I64) return String(reader.i64())
  if (type === THRIFT.BINARY) return JSON.stringify(nameText(reader.binary()))
  const start = reader.offset
  reader.skip()
  return `${nested ? 'raw' : 'field'}${hex(reader.bytes.subarray(start, reader.offset))}`
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Bytes as text, one to one: what is no UTF-8 becomes hex behind a NUL, which no name begins with. */
export function nameText(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes)
  } catch {
    return `\0${hex(bytes)}`
  }
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/**
 * SHA-256 in hex over names, nesting, physical types and lengths, repetition, converted and logical types with their
 * parameters, decimals' precision and scale, and field ids. The name of the root is left out: it says only who wrote
 * the file. Files with equal fingerprints may be merged; others never are, unless their schemas are united. A type that is
 * annotated by a converted type here and by a logical type there, or a list with other inner names, is another schema: catalogs
 * hold fingerprints, so they do not change, and such files are only kept apart. `schema: 'union'` takes them together.
 */
export async function schemaFingerprint({ canonical }: Pick<Schema, 'canonical'>): Promise<string> {
  // who merges many files merges those of one schema
  if (lastFingerprint.canonical === canonical) return lastFingerprint.hash
  const hash = hex(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(canonical))))
  lastFingerprint = { canonical, hash }
  return hash
}

let lastFingerprint = { canonical: '', hash: '' }
