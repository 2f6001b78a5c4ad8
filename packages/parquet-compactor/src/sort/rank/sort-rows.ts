import type { KeyColumn } from '../keys/key-column.ts'
import { RadixSort } from './radix-sort.ts'

/** bytes a row that `sortRows` wants beside the keys */
export const SORT_BYTES_OF_ROW = 8

/** Up to so many rows that are equal in the first bits are put in order by comparing them one by one. */
const FEW_EQUAL = 24
/** fraction of rows that may have equal first words; with more of them, all rows are sorted by every word */
const MOST_EQUAL_SHARE = 1 / 16

/**
 * Sort row numbers by finished keys; rows of equal keys stay as they are. By the first bits of the first key, more than tell all
 * rows apart where they are spread evenly; the few rows that are equal in these are compared. Where they are not few,
 * by every word, from the last key to the first.
 * @param rows in the order in which equal rows are to stay; used as room
 */
export function sortRows(keys: readonly KeyColumn[], rows: Uint32Array): Uint32Array {
  const [first] = keys
  if (!first || rows.length < 2) return rows
  const radix = new RadixSort(rows)
  const byNulls = ({ nulls, key }: KeyColumn) => nulls && radix.byFlag(nulls, !key.areNullsFirst)
  const lowBits = radix.byFirstBits(first.words[0]!, first.words[1], first.nulls)
  byNulls(first)
  if (keys.length === 1 && first.words.length === 1) return radix.order
  if (sortEqual(keys, radix.order, lowBits)) return radix.order
  for (const key of keys.toReversed()) {
    for (const words of key.words.toReversed()) radix.byWord(words)
    byNulls(key)
  }
  return radix.order
}

/**
 * Put rows in order that are equal in the first word and `lowBits` of the second.
 * @returns false where they are too many
 */
function sortEqual(keys: readonly KeyColumn[], order: Uint32Array, lowBits: number): boolean {
  const compare = compareBy(keys)
  const { words, nulls } = keys[0]!
  const high = words[0]!
  const low = lowBits > 0 ? words[1]! : high
  const drop = lowBits > 0 ? 32 - lowBits : 0
  let left = order.length * MOST_EQUAL_SHARE
  for (let from = 0, to = 0; from < order.length; from = to) {
    const first = order[from]!
    const [ownHigh, ownLow, isNull] = [high[first]!, low[first]! >>> drop, nulls?.[first]]
    for (to = from + 1; to < order.length; to++) {
      const row = order[to]!
      if (high[row] !== ownHigh || low[row]! >>> drop !== ownLow || nulls?.[row] !== isNull) break
    }
    if (to - from > FEW_EQUAL) {
      left -= to - from
      if (left < 0) return false
      order.subarray(from, to).sort(compare)
      continue
    }
    for (let i = from + 1; i < to; i++) {
      const row = order[i]!
      let at = i
      for (; at > from && compare(order[at - 1]!, row) > 0; at--) order[at] = order[at - 1]!
      order[at] = row
    }
  }
  return true
}

/** Words of finished keys are in order as they are. */
function compareBy(keys: readonly KeyColumn[]): (a: number, b: number) => number {
  const parts = keys.flatMap(({ words, nulls, key }) => {
    const values = words.map((own) => ({ own, isReversed: false }))
    return nulls ? [{ own: nulls, isReversed: key.areNullsFirst }, ...values] : values
  })
  return (a, b) => {
    for (let i = 0; i < parts.length; i++) {
      const { own, isReversed } = parts[i]!
      const difference = own[a]! - own[b]!
      if (difference !== 0) return isReversed ? -difference : difference
    }
    return 0
  }
}
