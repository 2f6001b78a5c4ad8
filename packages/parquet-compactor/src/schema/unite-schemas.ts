import { CONVERTED, LOGICAL, PHYSICAL, REPETITION } from '../format/format.ts'
import { THRIFT } from '../format/thrift-reader.ts'
import { ParquetError } from '../parquet-error.ts'
import type { Schema } from './schema.ts'
import {
  ELEMENT,
  type ElementField,
  type IntegerType,
  integerOf,
  leafPaths,
  readTree,
  type SchemaNode,
  typeName,
  writeTree,
} from './schema-tree.ts'

/** A schema and a source that has it, for messages. */
export interface NamedSchema {
  schema: Schema
  source: string
}

export interface SchemaChange {
  column: string
  /** `added`: not in the first source; `nullable`: was required somewhere; `widened`: had a smaller type somewhere */
  change: 'added' | 'nullable' | 'widened'
  /** the types, where it was widened */
  from?: string
  to?: string
}

/**
 * The schema that holds the rows of all: columns matched by name, in the order in which they first appear.
 * @throws ParquetError `schema_mismatch` naming both where types have no common one
 */
export function uniteSchemas(schemas: readonly NamedSchema[]): { schema: Schema; changes: SchemaChange[] } {
  const trees = schemas.map(({ schema }) => readTree(schema))
  const [first, ...others] = trees
  if (!first) throw new ParquetError('bad_option', 'there is no schema to unite')
  let united = first
  for (const [at, tree] of others.entries()) {
    const names = { left: schemas[0]!.source, right: schemas[at + 1]!.source }
    united = { ...united, children: uniteChildren(united, tree, [], names) }
  }
  const schema = writeTree(united)
  return { schema, changes: changesOf(united, trees) }
}

interface SourceNames {
  left: string
  right: string
}

function refuse(path: readonly string[], detail: string, { right }: SourceNames): never {
  const column = path.join('.')
  throw new ParquetError('schema_mismatch', `${right}: column ${column} ${detail}`, { source: right, column })
}

function uniteChildren(left: SchemaNode, right: SchemaNode, path: string[], sources: SourceNames): SchemaNode[] {
  for (const { children } of [left, right]) {
    const names = children.map(({ name }) => name)
    const twice = names.find((name, i) => names.indexOf(name) !== i)
    if (twice !== undefined)
      refuse([...path, twice], 'is there twice, so that names do not tell columns apart', sources)
  }
  const missing = (child: SchemaNode): SchemaNode =>
    child.repetition === REPETITION.REQUIRED ? { ...child, repetition: REPETITION.OPTIONAL } : child
  const children = left.children.map((child) => {
    const other = right.children.find(({ name }) => name === child.name)
    return other ? uniteNodes(child, other, [...path, child.name], sources) : missing(child)
  })
  for (const child of right.children) {
    if (!left.children.some(({ name }) => name === child.name)) children.push(missing(child))
  }
  return children
}

function uniteNodes(left: SchemaNode, right: SchemaNode, path: string[], sources: SourceNames): SchemaNode {
  const [one, other] = [typeName(left), typeName(right)]
  const repetition = Math.max(left.repetition, right.repetition)
  if (left.repetition !== right.repetition && repetition === REPETITION.REPEATED) {
    refuse(path, 'is repeated in one source and not in another', sources)
  }
  const ids = [left, right].map(({ fields }) => fields.get(ELEMENT.FIELD_ID))
  if (ids[0] && ids[1] && `${ids[0].bytes}` !== `${ids[1].bytes}`) {
    refuse(path, 'has another field id than before, so it is another column of that name', sources)
  }
  const fields = new Map(left.fields)
  if (!ids[0] && ids[1]) fields.set(ELEMENT.FIELD_ID, ids[1])
  const node: SchemaNode = { ...left, repetition, fields }
  if (left.physical === undefined && right.physical === undefined) {
    if (one !== other) refuse(path, `is ${other} where it was ${one}`, sources)
    const children = uniteChildren(left, right, path, sources)
    const isCollection = one === 'list' || one === 'map'
    // what is below is told by position there, so another name is no other column
    const inner = [left, right].map(({ children: below }) => below.flatMap((child) => [child.name, ...namesIn(child)]))
    if (isCollection && `${inner[0]}` !== `${inner[1]}`) {
      refuse(path, `is a ${one} of other elements`, sources)
    }
    return { ...node, children }
  }
  if (one === other) return node
  const wider = widerType(left, right)
  if (!wider) refuse(path, `is ${other} where it was ${one}`, sources)
  for (const id of [ELEMENT.TYPE, ELEMENT.CONVERTED, ELEMENT.LOGICAL]) {
    const field = wider.fields.get(id)
    if (field) fields.set(id, field)
    else fields.delete(id)
  }
  return { ...node, physical: wider.physical }
}

const namesIn = ({ children }: SchemaNode): string[] => children.map(({ name }) => name)

/** @returns the smallest type that holds the values of both, or undefined */
function widerType(
  left: SchemaNode,
  right: SchemaNode,
): { physical: number; fields: Map<number, ElementField> } | undefined {
  const isFloating = ({ physical }: SchemaNode) => physical === PHYSICAL.FLOAT || physical === PHYSICAL.DOUBLE
  if (isFloating(left) && isFloating(right)) {
    const { fields } = left.physical === PHYSICAL.DOUBLE ? left : right
    return { physical: PHYSICAL.DOUBLE, fields }
  }
  const [one, other] = [integerOf(left), integerOf(right)]
  if (!one || !other) return undefined
  const wanted = commonInteger(one, other)
  if (!wanted) return undefined
  for (const [type, node] of [
    [one, left],
    [other, right],
  ] as const) {
    if (type.bits === wanted.bits && type.isSigned === wanted.isSigned) {
      return { physical: node.physical!, fields: node.fields }
    }
  }
  return integerElement(wanted)
}

function commonInteger(one: IntegerType, other: IntegerType): IntegerType | undefined {
  if (one.isSigned === other.isSigned) return { bits: Math.max(one.bits, other.bits), isSigned: one.isSigned }
  const [signed, unsigned] = one.isSigned ? [one, other] : [other, one]
  const bits = Math.max(signed.bits, unsigned.bits * 2)
  return bits <= 64 ? { bits, isSigned: true } : undefined
}

/** A signed integer type that neither side has, annotated in the old way and the new. */
function integerElement({ bits }: IntegerType): { physical: number; fields: Map<number, ElementField> } {
  const physical = bits === 64 ? PHYSICAL.INT64 : PHYSICAL.INT32
  const number = (value: number): ElementField => ({ type: THRIFT.I32, bytes: Uint8Array.of(value * 2) })
  const integer = [(LOGICAL.INTEGER << 4) | THRIFT.STRUCT, 0x10 | THRIFT.I8, bits, 0x10 | THRIFT.TRUE, 0, 0]
  return {
    physical,
    fields: new Map<number, ElementField>([
      [ELEMENT.TYPE, number(physical)],
      [ELEMENT.CONVERTED, number(CONVERTED.INT_8 + Math.log2(bits / 8))],
      [ELEMENT.LOGICAL, { type: THRIFT.STRUCT, bytes: Uint8Array.from(integer) }],
    ]),
  }
}

function changesOf(united: SchemaNode, trees: readonly SchemaNode[]): SchemaChange[] {
  const changes: SchemaChange[] = []
  const sources = trees.map((tree) => new Map(leafPaths(tree).map((leaf) => [JSON.stringify(leaf.names), leaf])))
  for (const leaf of leafPaths(united)) {
    const column = leaf.names.join('.')
    const own = sources.map((source) => source.get(JSON.stringify(leaf.names)))
    if (!own[0]) changes.push({ column, change: 'added' })
    const wasRequired = own.some((one) => one && `${one.repetitions}` !== `${leaf.repetitions}`)
    if (wasRequired) changes.push({ column, change: 'nullable' })
    const to = typeName(leaf.node)
    for (const from of new Set(own.flatMap((one) => (one ? [typeName(one.node)] : [])))) {
      if (from !== to) changes.push({ column, change: 'widened', from, to })
    }
  }
  return changes
}
