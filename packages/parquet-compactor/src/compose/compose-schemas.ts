import { REPETITION } from '../format/format.ts'
import { shorten } from '../format/shorten.ts'
import { THRIFT } from '../format/thrift-reader.ts'
import { ParquetError } from '../parquet-error.ts'
import { toStandardForm, toWrittenForm } from '../schema/collection-form.ts'
import type { Schema } from '../schema/schema.ts'
import { ELEMENT, readTree, type SchemaNode, writeTree } from '../schema/schema-tree.ts'
import { typeName } from '../schema/type-name.ts'
import { withBothAnnotations } from '../schema/unite-schemas.ts'

/** A node of the composed schema; lists and maps are in standard form. */
export interface ComposedNode extends SchemaNode {
  children: ComposedNode[]
  /** the first source that has it, for messages */
  source: string
}

/** A file whose schema joins the composed one. */
export interface JoiningFile {
  schema: Schema
  source: string
  hasRows: boolean
  /** a source before it that has rows; undefined if there is none yet */
  sourceWithRows: string | undefined
}

/** A path, types of geometries and names of sources may be as long as the footer. */
const MAX_TEXT_LENGTH = 200
const REPETITIONS = ['REQUIRED', 'OPTIONAL', 'REPEATED']
/** what a composed file needs, where levels or types differ */
const ADVICE = "merge them with schema: 'union' first"

const ROOT_NAME = new TextEncoder().encode('\x06schema')

/**
 * The schema of a file that holds the chunks of all as they are: columns matched by path, in the order in which they first
 * appear. Readers decode a chunk by the schema alone, so each node on the way to a column must be the same in all files; only
 * a whole subtree may be missing, where pages of nulls can stand for it.
 * @param composed of the files before; undefined for the first one
 * @returns a tree of its own; `composed` stays as it is
 * @throws ParquetError `schema_mismatch`, with the column, both sources and what differs
 */
export function composeSchemas(composed: ComposedNode | undefined, file: JoiningFile): ComposedNode {
  const tree = standardTree(file.schema)
  const root: ComposedNode = composed ?? { ...tree, children: [], source: file.source }
  return { ...root, children: composeChildren(root, tree, [], false, file) }
}

/** The schema of a file with lists and maps in standard form. The root may have a repetition or a type, which mean nothing. */
export function standardTree(schema: Schema): SchemaNode {
  const fields = new Map([[ELEMENT.NAME, { type: THRIFT.BINARY, bytes: ROOT_NAME }]])
  const children = readTree(schema).children.map(toStandardForm)
  return { name: 'schema', repetition: -1, physical: undefined, fields, children }
}

/** The composed schema as it is written. */
export function writeComposed(composed: ComposedNode): Schema {
  return writeTree(toWrittenForm(composed))
}

function withSource(node: SchemaNode, source: string): ComposedNode {
  return { ...node, source, children: node.children.map((child) => withSource(child, source)) }
}

function refuse(path: readonly string[], detail: string, source: string): never {
  const column = shorten(path.join('.'), MAX_TEXT_LENGTH * 2)
  throw new ParquetError('schema_mismatch', `${source}: column ${column} ${detail}`, { source, column })
}

function byName<Node extends SchemaNode>(
  children: readonly Node[],
  path: readonly string[],
  source: string,
): Map<string, Node> {
  const nodes = new Map<string, Node>()
  for (const child of children) {
    if (nodes.has(child.name)) {
      refuse([...path, child.name], 'is there twice, so that names do not tell columns apart', source)
    }
    nodes.set(child.name, child)
  }
  return nodes
}

/** @param isNullable whether a group on the path may be null or repeated */
function composeChildren(
  left: ComposedNode,
  right: SchemaNode,
  path: readonly string[],
  isNullable: boolean,
  file: JoiningFile,
): ComposedNode[] {
  const { source, hasRows, sourceWithRows } = file
  const known = byName(left.children, path, left.source)
  const others = byName(right.children, path, source)
  const children = left.children.map((child) => {
    const below = [...path, child.name]
    const other = others.get(child.name)
    if (other) return composeNodes(child, other, below, isNullable, file)
    checkMembers(left, below, source, child.source, source)
    if (hasRows) checkMissing(child, below, isNullable, { source, present: child.source, absent: source })
    return child
  })
  for (const child of right.children) {
    if (known.has(child.name)) continue
    const below = [...path, child.name]
    checkNames(child, below, source)
    checkMembers(left, below, source, source, left.source)
    if (sourceWithRows !== undefined) {
      checkMissing(child, below, isNullable, { source, present: source, absent: sourceWithRows })
    }
    children.push(withSource(child, source))
  }
  return children
}

/** @throws ParquetError where a name is there twice in a subtree */
function checkNames(node: SchemaNode, path: readonly string[], source: string): void {
  byName(node.children, path, source)
  for (const child of node.children) checkNames(child, [...path, child.name], source)
}

/** The members of a list, a map or a variant are its encoding: with others it would be another one. */
function checkMembers(
  group: SchemaNode,
  path: readonly string[],
  source: string,
  present: string,
  absent: string,
): void {
  const name = typeName(group)
  if (name === 'group') return
  refuse(path, `is a member of a ${name} in ${text(present)} and missing in that of ${text(absent)}: ${ADVICE}`, source)
}

/** Checks that pages of nulls can stand for a subtree that a file with rows lacks. */
function checkMissing(
  node: SchemaNode,
  path: readonly string[],
  isNullable: boolean,
  { source, present, absent }: { source: string; present: string; absent: string },
): void {
  if (node.repetition === REPETITION.REQUIRED) {
    refuse(path, `is REQUIRED in ${text(present)} and missing in ${text(absent)}: ${ADVICE}`, source)
  }
  if (isNullable) {
    const detail = `is in ${text(present)} and missing in ${text(absent)}, where a group around it may be null or repeated`
    refuse(path, `${detail}, which only its pages could tell: ${ADVICE}`, source)
  }
}

function composeNodes(
  left: ComposedNode,
  right: SchemaNode,
  path: readonly string[],
  isNullable: boolean,
  file: JoiningFile,
): ComposedNode {
  const differ = (is: string, was: string): never =>
    refuse(path, `is ${text(is)}, in ${text(left.source)} it is ${text(was)}: ${ADVICE}`, file.source)
  const [was, is] = [typeName(left), typeName(right)]
  if (was !== is || left.physical !== right.physical) differ(is, was)
  if (left.repetition !== right.repetition) differ(REPETITIONS[right.repetition]!, REPETITIONS[left.repetition]!)
  for (const id of new Set([...left.fields.keys(), ...right.fields.keys()])) {
    // annotations are compared by what they mean; later versions of the format may add others
    if (id <= ELEMENT.LOGICAL || isSameField(left, right, id)) continue
    refuse(path, `has another property ${id} than in ${text(left.source)}: ${ADVICE}`, file.source)
  }
  const fields = withBothAnnotations(left, right)
  if (!isSameField(left, right, ELEMENT.FIELD_ID)) fields.delete(ELEMENT.FIELD_ID)
  const form = left.form?.key === right.form?.key ? left.form : undefined
  const isBelowNullable = isNullable || left.repetition !== REPETITION.REQUIRED
  return { ...left, fields, form, children: composeChildren(left, right, path, isBelowNullable, file) }
}

function isSameField(left: SchemaNode, right: SchemaNode, id: number): boolean {
  return `${left.fields.get(id)?.bytes}` === `${right.fields.get(id)?.bytes}`
}

const text = (value: string): string => shorten(value, MAX_TEXT_LENGTH)
