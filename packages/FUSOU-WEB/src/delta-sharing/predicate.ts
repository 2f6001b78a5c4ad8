import { FusouError } from '@fusou/catalog'
import { z } from 'zod'
import { compareValues, literalValue } from './column-value.ts'
import type { ColumnStatistics } from './file-statistics.ts'

/** What the rows of a file may give for a predicate. Rows for which it is null are neither. */
interface Outcomes {
  readonly canBeTrue: boolean
  readonly canBeFalse: boolean
}
/** By the name of a column at the top; undefined where there is none of this name, or nothing is known. */
type Lookup = (column: string) => ColumnStatistics | undefined

/** Whether a file may have rows for which a predicate is true. */
export type FileFilter = (statistics: Lookup) => boolean

const ANYTHING: Outcomes = { canBeTrue: true, canBeFalse: true }
/** Deeper ones are not looked into. */
const MAX_DEPTH = 50

const Node = z.object({
  op: z.string(),
  children: z.array(z.unknown()).max(1000).optional(),
  name: z.string().optional(),
  value: z.string().optional(),
})

/**
 * `jsonPredicateHints` of a query. A hint only leaves files out: what is not understood leaves out none.
 * @throws FusouError `invalid_request` where it is no JSON
 */
export function parsePredicate(text: string): FileFilter {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw new FusouError('invalid_request', 'in the body: jsonPredicateHints: is not JSON', { cause })
  }
  return (statistics) => evaluate(json, statistics, 0).canBeTrue
}

function evaluate(json: unknown, statistics: Lookup, depth: number): Outcomes {
  const node = Node.safeParse(json).data
  if (!node || depth > MAX_DEPTH) return ANYTHING
  const { op, children = [] } = node
  switch (op) {
    case 'and':
    case 'or': {
      const parts = children.map((child) => evaluate(child, statistics, depth + 1))
      if (parts.length === 0) return ANYTHING
      const [every, some] = ['every', 'some'] as const
      const [forTrue, forFalse] = op === 'and' ? [every, some] : [some, every]
      return {
        canBeTrue: parts[forTrue](({ canBeTrue }) => canBeTrue),
        canBeFalse: parts[forFalse](({ canBeFalse }) => canBeFalse),
      }
    }
    case 'not': {
      if (children.length !== 1) return ANYTHING
      const { canBeTrue, canBeFalse } = evaluate(children[0], statistics, depth + 1)
      return { canBeTrue: canBeFalse, canBeFalse: canBeTrue }
    }
    case 'isNull': {
      const column = columnOf(children[0], statistics)
      if (children.length !== 1 || column?.nulls === undefined) return ANYTHING
      return { canBeTrue: column.nulls > 0, canBeFalse: column.nulls < column.rows }
    }
    default:
      return children.length === 2 ? compare(op, children, statistics) : ANYTHING
  }
}

function columnOf(json: unknown, statistics: Lookup): ColumnStatistics | undefined {
  const node = Node.safeParse(json).data
  return node?.op === 'column' && node.name !== undefined ? statistics(node.name) : undefined
}

/** A comparison with the literal before the column is one with the column first. */
const TURNED: Record<string, string> = {
  equal: 'equal',
  lessThan: 'greaterThan',
  lessThanOrEqual: 'greaterThanOrEqual',
  greaterThan: 'lessThan',
  greaterThanOrEqual: 'lessThanOrEqual',
}

function compare(op: string, [left, right]: readonly unknown[], statistics: Lookup): Outcomes {
  const literal = Node.safeParse(right).data
  if (!Object.hasOwn(TURNED, op)) return ANYTHING
  if (literal?.op === 'column') {
    return Node.safeParse(left).data?.op === 'literal' ? compare(TURNED[op]!, [right, left], statistics) : ANYTHING
  }
  const column = columnOf(left, statistics)
  if (!column || literal?.op !== 'literal' || literal.value === undefined) return ANYTHING
  // a comparison with null is null
  if (column.nulls === column.rows) return { canBeTrue: false, canBeFalse: false }
  const value = literalValue(column.type, literal.value)
  if (value === undefined || column.min === undefined || column.max === undefined) return ANYTHING
  const [low, high] = [compareValues(column.min, value), compareValues(column.max, value)]
  switch (op) {
    case 'equal':
      return { canBeTrue: low <= 0 && high >= 0, canBeFalse: low !== 0 || high !== 0 }
    case 'lessThan':
      return { canBeTrue: low < 0, canBeFalse: high >= 0 }
    case 'lessThanOrEqual':
      return { canBeTrue: low <= 0, canBeFalse: high > 0 }
    case 'greaterThan':
      return { canBeTrue: high > 0, canBeFalse: low <= 0 }
    default:
      return { canBeTrue: high >= 0, canBeFalse: low < 0 }
  }
}
