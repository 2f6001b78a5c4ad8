import type { ValueTable } from '../../format/value-table.ts'

/** Compare two byte arrays of a table, unsigned; a prefix comes first. */
export function compareTexts({ bytes, starts, lengths }: ValueTable, a: number, b: number): number {
  const [left, right] = [starts![a]!, starts![b]!]
  const length = Math.min(lengths![a]!, lengths![b]!)
  for (let i = 0; i < length; i++) {
    const difference = bytes[left + i]! - bytes[right + i]!
    if (difference !== 0) return difference
  }
  return lengths![a]! - lengths![b]!
}

/** bytes that fit into a double exactly */
const PREFIX_BYTES = 6

/** @returns the place of each text in their order, and the text at each place; the texts are distinct */
export function rankTexts(table: ValueTable): { ranks: Uint32Array; order: Uint32Array } {
  const { count, bytes, starts, lengths } = table
  // most pairs are decided by their first bytes, without a look at the texts
  const prefixes = new Float64Array(count)
  const order = new Uint32Array(count)
  for (let i = 0; i < count; i++) {
    let prefix = 0
    for (let b = 0; b < PREFIX_BYTES; b++) prefix = prefix * 256 + (b < lengths![i]! ? bytes[starts![i]! + b]! : 0)
    prefixes[i] = prefix
    order[i] = i
  }
  order.sort((a, b) => prefixes[a]! - prefixes[b]! || compareTexts(table, a, b))
  const ranks = new Uint32Array(count)
  for (let place = 0; place < count; place++) ranks[order[place]!] = place
  return { ranks, order }
}
