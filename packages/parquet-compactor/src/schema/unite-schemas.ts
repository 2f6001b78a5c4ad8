import { CONVERTED, LOGICAL, PHYSICAL, REPETITION } from '../format/format.ts'
import { shorten } from '../format/shorten.ts'
import { THRIFT } from '../format/thrift-reader.ts'
import { ParquetError } from '../parquet-error.ts'
import { toStandardForm, toWrittenForm } from './collection-form.ts'
import type { Schema } from './schema.ts'
import {
  ELEMENT,
  type ElementField,
  type IntegerType,
  integerOf,
  leafPaths,
  numberField,
  pathKey,
  readTree,
  type SchemaNode,
  writeTree,
} from './schema-tree.ts'
import { isAlwaysNull, typeName } from './type-name.ts'

/** A schema and a source that has it, for messages. */
export interface NamedSchema {
  schema: Schema
  source: string
}

export interface SchemaChange {
  column: string
  /**
   * `added`: not in the first source; `nullable`: was required somewhere; `widened`: had a smaller type somewhere;
   * `renamed`: the inner levels of a list or map had other names somewhere, or one level less
   */
  change: 'added' | 'nullable' | 'widened' | 'renamed'
  /** the types where it was widened, the dotted paths where it was renamed */
  from?: string
  to?: string
}

/**
 * The schema that holds the rows of all: columns matched by name, in the order in which they first appear; inner levels of lists
 * and maps matched by their place.
 * @throws ParquetError `schema_mismatch` naming both where types have no common one
 */
export function uniteSchemas(schemas: readonly NamedSchema[]): { schema: Schema; changes: SchemaChange[] } {
  const [first, ...others] = schemas
  if (!first) throw new ParquetError('bad_option', 'there is no schema to unite')
  let united = toStandardForm(readTree(first.schema))
  for (const { schema, source } of others) {
    united = { ...united, children: uniteChildren(united, toStandardForm(readTree(schema)), [], source) }
  }
  return { schema: writeTree(toWrittenForm(united)), changes: changesOf(united, schemas) }
}

/** Types of geometries name their coordinate system in full. */
const MAX_TYPE_LENGTH = 200
/** more than real nesting has; a name may be as long as the footer */
const MAX_PATH_LENGTH = 400

function refuse(path: readonly string[], detail: string, source: string): never {
  const column = shorten(path.join('.'), MAX_PATH_LENGTH)
  throw new ParquetError('schema_mismatch', `${source}: column ${column} ${detail}`, { source, column })
}

function refuseTypes(path: readonly string[], left: string, right: string, source: string): never {
  refuse(path, `is ${shorten(right, MAX_TYPE_LENGTH)} where it was ${shorten(left, MAX_TYPE_LENGTH)}`, source)
}

/** @throws ParquetError where a name is there twice, so that it does not tell columns apart */
function byName({ children }: SchemaNode, path: string[], source: string): Map<string, SchemaNode> {
  const nodes = new Map<string, SchemaNode>()
  for (const child of children) {
    if (nodes.has(child.name)) {
      refuse([...path, child.name], 'is there twice, so that names do not tell columns apart', source)
    }
    nodes.set(child.name, child)
  }
  return nodes
}

function uniteChildren(left: SchemaNode, right: SchemaNode, path: string[], source: string): SchemaNode[] {
  const [known, others] = [left, right].map((node) => byName(node, path, source)) as [NamedNodes, NamedNodes]
  const missing = (child: SchemaNode): SchemaNode =>
    child.repetition === REPETITION.REQUIRED ? { ...child, repetition: REPETITION.OPTIONAL } : child
  const children = left.children.map((child) => {
    const other = others.get(child.name)
    return other ? uniteNodes(child, other, [...path, child.name], source) : missing(child)
  })
  for (const child of right.children) if (!known.has(child.name)) children.push(missing(child))
  return children
}

type NamedNodes = Map<string, SchemaNode>

function uniteNodes(left: SchemaNode, right: SchemaNode, path: string[], source: string): SchemaNode {
  const [one, other] = [typeName(left), typeName(right)]
  const repetition = Math.max(left.repetition, right.repetition)
  if (left.repetition !== right.repetition && repetition === REPETITION.REPEATED) {
    refuse(path, 'is repeated in one source and not in another', source)
  }
  const ids = [left, right].map(({ fields }) => fields.get(ELEMENT.FIELD_ID))
  if (ids[0] && ids[1] && `${ids[0].bytes}` !== `${ids[1].bytes}`) {
    refuse(path, 'has another field id than before, so it is another column of that name', source)
  }
  const fieldId = ids[0] ?? ids[1]
  if (isAlwaysNull(left) !== isAlwaysNull(right)) {
    const typed = isAlwaysNull(left) ? right : left
    return withFieldId({ ...typed, repetition: Math.max(repetition, REPETITION.OPTIONAL) }, fieldId)
  }
  const node = withFieldId({ ...left, repetition }, fieldId)
  if (left.physical === undefined && right.physical === undefined) {
    if (one !== other) refuseTypes(path, one, other, source)
    if (one === 'list' || one === 'map') checkCollections(left, right, one, path, source)
    const form = left.form?.key === right.form?.key ? left.form : undefined
    return {
      ...node,
      fields: withBothAnnotations(node, right),
      form,
      children: uniteChildren(left, right, path, source),
    }
  }
  if (one === other) {
    return isAlwaysNull(left) ? node : { ...node, fields: withBothAnnotations(node, right) }
  }
  const wider = widerType(left, right)
  if (!wider) refuseTypes(path, one, other, source)
  const fields = new Map(node.fields)
  for (const id of [ELEMENT.TYPE, ELEMENT.CONVERTED, ELEMENT.LOGICAL]) {
    const field = wider.fields.get(id)
    if (field) fields.set(id, field)
    else fields.delete(id)
  }
  return { ...node, fields, physical: wider.physical }
}

/** Members of a list or map are matched by position: in a form that is not known, another name is not another column. */
function checkCollections(left: SchemaNode, right: SchemaNode, kind: string, path: string[], source: string): void {
  if (left.form && right.form) return
  const inner = [left, right].map(({ children }) => children.map((child) => [child.name, child.children.map(nameOf)]))
  if (!left.form && !right.form && JSON.stringify(inner[0]) === JSON.stringify(inner[1])) return
  const names = (left.form ? right : left).children.map(nameOf)
  const group = shorten(names.join(', '), MAX_TYPE_LENGTH)
  refuse(
    path,
    `is a ${kind} by a repeated group ${group} whose element readers do not agree on, in one source only`,
    source,
  )
}

const nameOf = ({ name }: SchemaNode) => name

function withFieldId(node: SchemaNode, fieldId: ElementField | undefined): SchemaNode {
  return fieldId ? { ...node, fields: new Map(node.fields).set(ELEMENT.FIELD_ID, fieldId) } : node
}

/** Keeps both annotations of a type that one source names in the old way and the other in the new, for readers of either. */
export function withBothAnnotations(node: SchemaNode, other: SchemaNode): Map<number, ElementField> {
  const fields = new Map(node.fields)
  for (const id of [ELEMENT.CONVERTED, ELEMENT.SCALE, ELEMENT.PRECISION, ELEMENT.LOGICAL]) {
    const field = other.fields.get(id)
    if (field && !fields.has(id)) fields.set(id, field)
  }
  // the outer group of a map may have the old name of the type
  const converted = other.fields.get(ELEMENT.CONVERTED)
  if (converted && numberField(node, ELEMENT.CONVERTED) === CONVERTED.MAP_KEY_VALUE)
    fields.set(ELEMENT.CONVERTED, converted)
  return fields
}

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

function changesOf(united: SchemaNode, schemas: readonly NamedSchema[]): SchemaChange[] {
  const written = leafPaths(toWrittenForm(united))
  const columns = leafPaths(united).map((leaf, at) => {
    return {
      leaf,
      column: shorten(written[at]!.names.join('.'), MAX_PATH_LENGTH),
      types: new Set<string>(),
      paths: new Set<string>(),
    }
  })
  const added = new Set(columns)
  const nullable = new Set<(typeof columns)[number]>()
  for (const [number, { schema }] of schemas.entries()) {
    const tree = readTree(schema)
    const paths = leafPaths(tree)
    const found = new Map(leafPaths(toStandardForm(tree)).map((leaf, at) => [pathKey(leaf.names), { leaf, at }]))
    for (const column of columns) {
      const { names, repetitions } = column.leaf
      const own = found.get(pathKey(names))
      if (own) {
        column.paths.add(shorten(paths[own.at]!.names.join('.'), MAX_PATH_LENGTH))
        if (`${own.leaf.repetitions}` !== `${repetitions}`) nullable.add(column)
      }
      const typed = own ?? nullAbove(names, found)
      if (typed) column.types.add(shorten(typeName(typed.leaf.node), MAX_TYPE_LENGTH))
      if (typed && number === 0) added.delete(column)
    }
  }
  return columns.flatMap((entry): SchemaChange[] => {
    const { leaf, column, types, paths } = entry
    const to = shorten(typeName(leaf.node), MAX_TYPE_LENGTH)
    return [
      ...(added.has(entry) ? [{ column, change: 'added' } as const] : []),
      ...(nullable.has(entry) ? [{ column, change: 'nullable' } as const] : []),
      ...[...types].filter((from) => from !== to).map((from) => ({ column, change: 'widened', from, to }) as const),
      ...[...paths]
        .filter((from) => from !== column)
        .map((from) => ({ column, change: 'renamed', from, to: column }) as const),
    ]
  })
}

/** The column of nulls that stands in a source where the union has a group. */
function nullAbove<Found>(names: readonly string[], found: ReadonlyMap<string, Found>): Found | undefined {
  for (let depth = names.length - 1; depth > 0; depth--) {
    const above = found.get(pathKey(names.slice(0, depth)))
    if (above) return above
  }
  return undefined
}
