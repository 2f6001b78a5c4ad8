import { z } from 'zod'

/** Fields of one object that are named; the rest is counted by the caller's own bound on faults. */
const MAX_UNKNOWN_FIELDS = 20
const MAX_NAME_CHARACTERS = 64

export interface FieldFault {
  readonly path: readonly PropertyKey[]
  readonly message: string
}

/**
 * The fields of a value that its schema has no place for, at any depth that the schema describes, each with the known
 * field that its name is near to. A field that is ignored in silence is an order that is not carried out: `tableId`
 * where `table` is meant would merge every table.
 */
export function findUnknownFields(schema: z.ZodType, value: unknown, path: readonly PropertyKey[] = []): FieldFault[] {
  const plain = unwrap(schema)
  if (plain instanceof z.ZodArray && Array.isArray(value)) {
    const faults: FieldFault[] = []
    for (let index = 0; index < value.length && faults.length < MAX_UNKNOWN_FIELDS; index++)
      faults.push(...findUnknownFields(plain.element as z.ZodType, value[index], [...path, index]))
    return faults
  }
  if (!(plain instanceof z.ZodObject) || typeof value !== 'object' || value === null || Array.isArray(value)) return []
  const shape = plain.shape as Record<string, z.ZodType>
  const known = Object.keys(shape)
  return Object.keys(value)
    .slice(0, known.length + MAX_UNKNOWN_FIELDS)
    .flatMap((name) => {
      if (Object.hasOwn(shape, name))
        return findUnknownFields(shape[name]!, (value as Record<string, unknown>)[name], [...path, name])
      return [{ path: [...path, name.slice(0, MAX_NAME_CHARACTERS)], message: describeUnknown(name, known) }]
    })
}

/** The schema under defaults, optionality and preprocessing. */
function unwrap(schema: z.ZodType): z.ZodType {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable || schema instanceof z.ZodDefault)
    return unwrap(schema.unwrap() as z.ZodType)
  if (schema instanceof z.ZodPipe) {
    const { in: before, out } = schema
    return unwrap((before instanceof z.ZodTransform ? out : before) as z.ZodType)
  }
  return schema
}

/** The message about an unknown field. */
export function describeUnknown(name: string, known: readonly string[]): string {
  const near = nearestName(name, known)
  if (near !== undefined) return `is unknown; did you mean ${near}?`
  return known.length === 0 ? 'is unknown; none is taken here' : `is unknown; known are ${known.join(', ')}`
}

function nearestName(name: string, known: readonly string[]): string | undefined {
  const plain = normalize(name.slice(0, MAX_NAME_CHARACTERS))
  const ranked = known
    .map((candidate) => ({ candidate, distance: distance(plain, normalize(candidate)) }))
    .sort((a, b) => a.distance - b.distance)
  const [best] = ranked
  if (best && best.distance <= Math.max(1, Math.floor(best.candidate.length / 3))) return best.candidate
  return known.find((candidate) => {
    const other = normalize(candidate)
    return plain.length >= 3 && other.length >= 3 && (plain.startsWith(other) || other.startsWith(plain))
  })
}

const normalize = (name: string) => name.toLowerCase().replaceAll(/[_\-\s]/g, '')

/** Edit distance of Levenshtein. */
function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index)
  for (let i = 1; i <= one.length; i++) {
    const next = [i]
    for (let j = 1; j <= other.length; j++)
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (one[i - 1] === other[j - 1] ? 0 : 1)))
    row = next
  }
  return row[other.length]!
}
