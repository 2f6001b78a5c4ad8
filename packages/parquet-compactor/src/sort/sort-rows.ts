import type { KeyColumn } from './key-column.ts'

const DIGIT_BITS = 11
const BUCKETS = 1 << DIGIT_BITS
const DIGIT_MASK = BUCKETS - 1

/** bytes a row that `sortRows` wants beside the keys */
export const SORT_BYTES_OF_ROW = 8

/**
 * Sort row numbers by finished keys; rows of equal keys stay as they are. A radix sort from the last key to the first:
 * digits in which all rows agree cost one look.
 * @param rows in the order in which equal rows are to stay; used as room
 */
export function sortRows(keys: readonly KeyColumn[], rows: Uint32Array): Uint32Array {
  let order = rows
  let room: Uint32Array | undefined
  const counts = new Uint32Array(BUCKETS)
  const byDigit = (digits: Uint32Array | Uint8Array, shift: number, flip: number) => {
    counts.fill(0)
    for (let i = 0; i < order.length; i++) counts[((digits[order[i]!]! ^ flip) >>> shift) & DIGIT_MASK]!++
    let next = 0
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      const count = counts[bucket]!
      if (count === order.length) return
      counts[bucket] = next
      next += count
    }
    room ??= new Uint32Array(order.length)
    for (let i = 0; i < order.length; i++) {
      const row = order[i]!
      room[counts[((digits[row]! ^ flip) >>> shift) & DIGIT_MASK]!++] = row
    }
    ;[order, room] = [room, order]
  }
  for (const { words, nulls, key } of keys.toReversed()) {
    for (const digits of words.toReversed()) {
      for (let shift = 0; shift < 32; shift += DIGIT_BITS) byDigit(digits, shift, 0)
    }
    if (nulls) byDigit(nulls, 0, key.areNullsFirst ? 1 : 0)
  }
  return order
}
