import { shorten } from '../format/shorten.ts'
import type { Schema } from './schema.ts'
import { ELEMENT, numberField, readTree, type SchemaNode } from './schema-tree.ts'
import { typeName } from './type-name.ts'

const REPETITIONS = ['required', 'optional', 'repeated']

/** Names and types of geometries may be as long as the footer. */
const MAX_TEXT_LENGTH = 200

/** Where a schema first differs from that of the first source, in words. */
export function describeDifference(first: Schema, other: Schema): string {
  const [left, right] = [readTree(first), readTree(other)]
  if (left.children.length !== right.children.length) {
    return `${other.leaves.length} columns where the first source has ${first.leaves.length}`
  }
  return differenceBelow(left, right, []) ?? 'its schema is not that of the first source'
}

function differenceBelow(left: SchemaNode, right: SchemaNode, path: readonly string[]): string | undefined {
  for (const [at, child] of right.children.entries()) {
    const difference = differenceOf(left.children[at]!, child, [...path, child.name])
    if (difference) return difference
  }
  return undefined
}

function differenceOf(left: SchemaNode, right: SchemaNode, path: readonly string[]): string | undefined {
  const column = `column ${shorten(path.join('.'), MAX_TEXT_LENGTH)}`
  if (left.name !== right.name) {
    return `${column} where the first source has ${shorten(left.name, MAX_TEXT_LENGTH)}`
  }
  const [one, other] = [left, right].map((node) => shorten(typeName(node), MAX_TEXT_LENGTH))
  if (typeName(left) !== typeName(right)) return `${column} is ${other} where the first source has ${one}`
  if (left.repetition !== right.repetition) {
    const [was, is] = [left, right].map(({ repetition }) => REPETITIONS[repetition])
    return `${column} is ${is} where the first source has it ${was}`
  }
  const [wasId, id] = [left, right].map((node) => numberField(node, ELEMENT.FIELD_ID))
  if (wasId !== id) return `${column} has field id ${id ?? 'none'} where the first source has ${wasId ?? 'none'}`
  if (left.children.length !== right.children.length) {
    return `${column} has ${right.children.length} members where the first source has ${left.children.length}`
  }
  for (const field of new Set([...left.fields.keys(), ...right.fields.keys()])) {
    if (`${left.fields.get(field)?.bytes}` !== `${right.fields.get(field)?.bytes}`) {
      return `${column} is ${other} with other annotations than in the first source, which only a union takes for one type`
    }
  }
  return differenceBelow(left, right, path)
}
