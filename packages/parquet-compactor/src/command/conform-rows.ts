import { isDeepStrictEqual } from 'node:util'
import type { FileMetaData, SchemaElement } from 'hyparquet'
import { CommandError } from './command-error.ts'

type Row = unknown[]

/** An element of a schema with those below it. */
interface Node {
  element: SchemaElement
  children: Node[]
}

/**
 * How rows of an input look in an output whose schema is the union of several: columns by name, what is missing null,
 * numbers of the wider type. Written apart from the engine, which this is to verify.
 * @returns undefined where rows stay as they are
 * @throws CommandError `verify_failed` where the schemas differ and may not, or the output lacks a column
 */
export function rowConformer(
  path: string,
  input: FileMetaData['schema'],
  output: FileMetaData['schema'],
  mayDiffer: boolean,
): ((row: Row) => Row) | undefined {
  // the root says only who wrote the file
  if (isDeepStrictEqual(input.slice(1), output.slice(1))) return undefined
  const [from, to] = [treeOf(input), treeOf(output)]
  const lost = from.children.find(({ element }) => !childOf(to, element.name))
  if (!mayDiffer || lost) {
    throw new CommandError('verify_failed', `${path}: its schema is not that of the output`)
  }
  const places = to.children.map(({ element }) =>
    from.children.findIndex((child) => child.element.name === element.name),
  )
  return (row) =>
    places.map((place, column) => {
      const wanted = to.children[column]!
      return place < 0 ? missing(wanted) : conform(row[place], from.children[place]!, wanted)
    })
}

function treeOf(schema: FileMetaData['schema']): Node {
  let at = 0
  const read = (): Node => {
    const element = schema[at++]!
    return { element, children: Array.from({ length: element.num_children ?? 0 }, read) }
  }
  return read()
}

function childOf(node: Node, name: string): Node | undefined {
  return node.children.find(({ element }) => element.name === name)
}

function conform(value: unknown, from: Node, to: Node): unknown {
  // hyparquet has null for an empty list of two levels, and undefined for one that is null
  const isEmptyList = value === null && isAnnotated(from, 'LIST') && from.children[0]!.children.length === 0
  if (isEmptyList && to.children[0]?.children.length !== 0) return []
  // it has null in structs and undefined in lists
  if (value === null || value === undefined) return null
  if (isAnnotated(from, 'LIST') && isAnnotated(to, 'LIST')) {
    const [own, wanted] = [elementOf(from), elementOf(to)]
    const items = isWrapped(from) ? (value as Record<string, unknown>)[from.children[0]!.element.name] : value
    const conformed = (items as unknown[] | null | undefined)?.map((item) => conform(item, own, wanted)) ?? []
    return isWrapped(to) ? { [to.children[0]!.element.name]: conformed } : conformed
  }
  if (Array.isArray(value)) return value.map((item) => conform(item, from, to))
  if (to.children.length === 0) return widen(value, from.element, to.element)
  const fields = value as Record<string, unknown>
  if (isAnnotated(from, 'MAP')) {
    const [own, wanted] = [from, to].map((map) => map.children[0]!.children[1]!)
    return Object.fromEntries(Object.entries(fields).map(([key, item]) => [key, conform(item, own!, wanted!)]))
  }
  return Object.fromEntries(
    to.children.map((child) => {
      const own = childOf(from, child.element.name)
      return [child.element.name, own ? conform(fields[child.element.name], own, child) : missing(child)]
    }),
  )
}

/** A repeated field is never null: without elements it is an empty list, which hyparquet has for groups and not for values. */
function missing({ element, children }: Node): unknown {
  return element.repetition_type === 'REPEATED' && children.length > 0 ? [] : null
}

function isAnnotated({ element, children }: Node, type: 'LIST' | 'MAP'): boolean {
  return element.converted_type === type && children.length === 1 && children[0]!.element.repetition_type === 'REPEATED'
}

/** hyparquet makes a struct of a list whose repeated group has several members, as old writers have lists of structs. */
const isWrapped = (list: Node): boolean => list.children[0]!.children.length > 1

/** The element of a list: the repeated node itself, or its only member. */
function elementOf(list: Node): Node {
  const repeated = list.children[0]!
  return repeated.children.length === 1 ? repeated.children[0]! : repeated
}

function widen(value: unknown, from: SchemaElement, to: SchemaElement): unknown {
  if (from.type !== 'INT32' || to.type !== 'INT64') return value
  const { converted_type, logical_type } = from
  const isUnsigned =
    converted_type?.startsWith('UINT') || (logical_type?.type === 'INTEGER' && logical_type.isSigned === false)
  return BigInt(isUnsigned ? (value as number) >>> 0 : (value as number))
}
