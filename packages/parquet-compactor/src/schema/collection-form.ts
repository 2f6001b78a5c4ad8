/**
 * Lists and maps in one form. The names of their inner levels mean nothing (LogicalTypes.md), and old writers left a level out:
 *
 *   list.element, list.item, bag.array_element, …   repeated group of one field: the field is the element
 *   repeated int32 array; repeated group {a, b}     two levels: what is repeated is the element, which is never null
 *   key_value, map, entries; key, value; keys, …    repeated group of two fields
 *
 * `toStandardForm` rewrites a tree to `list.element` and `key_value.key`, `key_value.value` and remembers the form it had, so
 * that schemas are matched level by level; leaves stay in their order. `toWrittenForm` is the way back, where all sources have
 * one form. A repeated group of one field is left as it is where readers disagree whether the group or its field is the element.
 */
import { REPETITION } from '../format/format.ts'
import { THRIFT } from '../format/thrift-reader.ts'
import { ThriftWriter } from '../format/thrift-writer.ts'
import { ELEMENT, type ElementField, type SchemaNode } from './schema-tree.ts'
import { typeName } from './type-name.ts'

/** How a list or map was written; equal `key`s are one form. */
export interface CollectionForm {
  key: string
  /** nodes of the inner levels as they were written, without what is below: the repeated one first */
  written: SchemaNode[]
  /** two levels: the repeated node is the element */
  isTwoLevel: boolean
}

export function toStandardForm(node: SchemaNode): SchemaNode {
  const [repeated] = node.children
  const kind = node.physical === undefined ? typeName(node) : undefined
  const isCollection = node.children.length === 1 && repeated?.repetition === REPETITION.REPEATED
  if (isCollection && kind === 'list') return standardList(node, repeated)
  if (isCollection && kind === 'map' && repeated.children.length === 2) {
    const [key, value] = repeated.children.map(toStandardForm)
    const written = [repeated, key!, value!]
    const middle = standardNode(repeated, 'key_value', [named(key!, 'key'), named(value!, 'value')])
    return { ...node, children: [middle], form: { key: formKey(written), written, isTwoLevel: false } }
  }
  return { ...node, children: node.children.map(toStandardForm) }
}

function standardList(node: SchemaNode, repeated: SchemaNode): SchemaNode {
  const isTwoLevel = repeated.physical !== undefined || repeated.children.length > 1
  if (!isTwoLevel && isAmbiguous(node, repeated)) return { ...node, children: node.children.map(toStandardForm) }
  if (isTwoLevel) {
    const element = { ...toStandardForm(repeated), repetition: REPETITION.REQUIRED }
    const middle = standardNode({ ...repeated, physical: undefined, fields: new Map() }, 'list', [
      named(element, 'element'),
    ])
    return { ...node, children: [middle], form: { key: formKey([repeated]), written: [repeated], isTwoLevel } }
  }
  const element = toStandardForm(repeated.children[0]!)
  const written = [repeated, element]
  const middle = standardNode(repeated, 'list', [named(element, 'element')])
  return { ...node, children: [middle], form: { key: formKey(written), written, isTwoLevel } }
}

/** LogicalTypes.md has the group as the element by these names and annotations; DuckDB and others have its field. */
function isAmbiguous(node: SchemaNode, repeated: SchemaNode): boolean {
  const [only] = repeated.children
  const isNamedAsElement = repeated.name === 'array' || repeated.name === `${node.name}_tuple`
  return isNamedAsElement || only?.repetition === REPETITION.REPEATED || typeName(repeated) !== 'group'
}

/** The schema as it is written: a list or map whose sources agree keeps their form, another has the standard one. */
export function toWrittenForm(node: SchemaNode): SchemaNode {
  const children = node.children.map(toWrittenForm)
  const { form, ...plain } = node
  const [middle] = children
  if (!form || !middle) return { ...plain, children }
  const [repeated, ...inner] = form.written
  if (form.isTwoLevel) {
    const [element] = middle.children
    // null elements need the level that this form lacks
    if (element!.repetition !== REPETITION.REQUIRED) return { ...plain, children }
    return { ...plain, children: [{ ...renamed(element!, repeated!), repetition: REPETITION.REPEATED }] }
  }
  const written = middle.children.map((child, at) => renamed(child, inner[at]!))
  const fields = new Map(repeated!.fields)
  return { ...plain, children: [{ ...middle, name: repeated!.name, fields, children: written }] }
}

/** Identifies the form of a node: names and annotations of its inner levels. */
function formKey(written: readonly SchemaNode[]): string {
  return JSON.stringify(
    written.map(({ name, fields, physical }, at) => {
      const annotations = at === 0 && physical === undefined ? [ELEMENT.CONVERTED, ELEMENT.LOGICAL] : []
      return [name, ...annotations.map((id) => `${fields.get(id)?.bytes ?? ''}`)]
    }),
  )
}

function standardNode(node: SchemaNode, name: string, children: SchemaNode[]): SchemaNode {
  const fieldId = node.fields.get(ELEMENT.FIELD_ID)
  const fields = new Map<number, ElementField>(fieldId ? [[ELEMENT.FIELD_ID, fieldId]] : [])
  return named({ ...node, repetition: REPETITION.REPEATED, fields, children }, name)
}

function named(node: SchemaNode, name: string): SchemaNode {
  const writer = new ThriftWriter()
  writer.elementBinary(new TextEncoder().encode(name))
  const fields = new Map(node.fields).set(ELEMENT.NAME, { type: THRIFT.BINARY, bytes: writer.out.take() })
  return { ...node, name, fields }
}

/** @returns the node with the name that the other has */
function renamed(node: SchemaNode, other: SchemaNode): SchemaNode {
  return { ...node, name: other.name, fields: new Map(node.fields).set(ELEMENT.NAME, other.fields.get(ELEMENT.NAME)!) }
}
