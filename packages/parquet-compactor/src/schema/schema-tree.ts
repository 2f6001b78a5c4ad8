import { CONVERTED, LOGICAL } from '../format/format.ts'
import { THRIFT, ThriftReader } from '../format/thrift-reader.ts'
import { ThriftWriter } from '../format/thrift-writer.ts'
import type { CollectionForm } from './collection-form.ts'
import { nameText, readSchema, type Schema } from './schema.ts'

/** Fields of SchemaElement (parquet.thrift). */
export const ELEMENT = {
  TYPE: 1,
  LENGTH: 2,
  REPETITION: 3,
  NAME: 4,
  CHILDREN: 5,
  CONVERTED: 6,
  SCALE: 7,
  PRECISION: 8,
  FIELD_ID: 9,
  LOGICAL: 10,
} as const

/** SchemaElement has 10 fields; later versions of the format number theirs from there. */
const MAX_FIELD_ID = 18

/** A property as the file has it. */
export interface ElementField {
  type: number
  bytes: Uint8Array
}

export interface SchemaNode {
  name: string
  /** -1 where there is none, as the root may do without */
  repetition: number
  /** number in `PHYSICAL`; undefined for a group */
  physical: number | undefined
  children: SchemaNode[]
  /** properties by their field id, but for repetition and number of children */
  fields: Map<number, ElementField>
  /** how a list or map that is now in standard form was written; see `toStandardForm` */
  form?: CollectionForm | undefined
}

/** A leaf and the repetitions of all elements from below the root down to it. */
export interface LeafPath {
  names: string[]
  repetitions: number[]
  node: SchemaNode
}

export function readTree(schema: Schema): SchemaNode {
  const reader = new ThriftReader(schema.elementBytes)
  const readNode = (): SchemaNode => {
    const node: SchemaNode = { name: '', repetition: -1, physical: undefined, children: [], fields: new Map() }
    let children = 0
    reader.enterStruct()
    for (let id = reader.nextField(); id !== 0; id = reader.nextField()) {
      if (id === ELEMENT.REPETITION) {
        node.repetition = reader.i32()
        continue
      }
      if (id === ELEMENT.CHILDREN) {
        children = reader.i32()
        continue
      }
      const type = reader.fieldType
      const start = reader.offset
      reader.skip()
      // fields of extensions (BinaryProtocolExtensions.md) are opaque, and no part of the schema
      if (id < 1 || id > MAX_FIELD_ID) continue
      node.fields.set(id, { type, bytes: reader.bytes.subarray(start, reader.offset) })
    }
    node.name = nameText(binaryField(node, ELEMENT.NAME))
    node.physical = numberField(node, ELEMENT.TYPE)
    for (let i = 0; i < children; i++) node.children.push(readNode())
    return node
  }
  return readNode()
}

export function writeTree(root: SchemaNode): Schema {
  const elements = new ThriftWriter()
  let count = 0
  const visit = (node: SchemaNode) => {
    count++
    elements.open()
    const ids = new Set(node.fields.keys())
    if (node.repetition >= 0) ids.add(ELEMENT.REPETITION)
    if (node.physical === undefined) ids.add(ELEMENT.CHILDREN)
    for (const id of [...ids].sort((a, b) => a - b)) {
      const field = node.fields.get(id)
      if (id === ELEMENT.REPETITION) elements.i32(id, node.repetition)
      else if (id === ELEMENT.CHILDREN) elements.i32(id, node.children.length)
      else if (field) elements.raw(id, field.type, field.bytes)
    }
    elements.close()
    for (const child of node.children) visit(child)
  }
  visit(root)
  const whole = new ThriftWriter()
  whole.open()
  whole.list(2, THRIFT.STRUCT, count)
  whole.out.append(elements.out.view())
  const reader = new ThriftReader(whole.out.take())
  reader.enterStruct()
  reader.nextField()
  return readSchema(reader)
}

export function leafPaths(root: SchemaNode): LeafPath[] {
  const leaves: LeafPath[] = []
  const visit = (node: SchemaNode, names: string[], repetitions: number[]) => {
    const below = [...names, node.name]
    const belowRepetitions = [...repetitions, node.repetition]
    if (node.physical !== undefined) leaves.push({ names: below, repetitions: belowRepetitions, node })
    for (const child of node.children) visit(child, below, belowRepetitions)
  }
  for (const child of root.children) visit(child, [], [])
  return leaves
}

/** The names of a path as one text, which no other path has. */
export function pathKey(names: readonly string[]): string {
  return JSON.stringify(names)
}

export function numberField(node: SchemaNode, id: number): number | undefined {
  const field = node.fields.get(id)
  if (!field) return undefined
  let value = 0
  for (let i = field.bytes.length - 1; i >= 0; i--) value = value * 128 + (field.bytes[i]! & 127)
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2
}

function binaryField(node: SchemaNode, id: number): Uint8Array {
  const bytes = node.fields.get(id)?.bytes ?? new Uint8Array(1)
  let at = 0
  while (bytes[at]! > 127) at++
  return bytes.subarray(at + 1)
}

export interface IntegerType {
  bits: number
  isSigned: boolean
}

/** @returns undefined for what is no integer, as dates and decimals, and where the physical type is not that of its bits */
export function integerOf(node: SchemaNode): IntegerType | undefined {
  const { physical } = node
  if (physical !== 1 && physical !== 2) return undefined
  const integer = annotatedInteger(node, physical)
  return integer && (integer.bits === 64) === (physical === 2) ? integer : undefined
}

function annotatedInteger(node: SchemaNode, physical: number): IntegerType | undefined {
  const logical = node.fields.get(ELEMENT.LOGICAL)
  if (logical) {
    const [field, , bits, sign] = logical.bytes
    // LogicalType { 10: IntType { 1: i8, 2: bool } }
    return field === ((LOGICAL.INTEGER << 4) | THRIFT.STRUCT) ? { bits: bits!, isSigned: sign === 0x11 } : undefined
  }
  const converted = numberField(node, ELEMENT.CONVERTED)
  if (converted === undefined) return { bits: physical === 1 ? 32 : 64, isSigned: true }
  if (converted < CONVERTED.UINT_8 || converted > CONVERTED.INT_64) return undefined
  const at = converted - CONVERTED.UINT_8
  return { bits: 8 << (at % 4), isSigned: at >= 4 }
}
