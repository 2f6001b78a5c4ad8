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
  const starts = new Uint32Array(BUCKETS)
  const byDigit = (digits: Uint32Array | Uint8Array, shift: number, flip: number, counts: Uint32Array) => {
    let next = 0
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      const count = counts[bucket]!
      if (count === order.length) return
      starts[bucket] = next
      next += count
    }
    room ??= new Uint32Array(order.length)
    for (let i = 0; i < order.length; i++) {
      const row = order[i]!
      room[starts[((digits[row]! ^ flip) >>> shift) & DIGIT_MASK]!++] = row
    }
    ;[order, room] = [room, order]
  }
  for (const { words, nulls, key, rows: all } of keys.toReversed()) {
    // rows are counted in the order in which they stand in memory, if that may be
    const counted = all === order.length ? undefined : order
    for (const digits of words.toReversed()) {
      const counts = countDigits(digits, all, counted)
      for (const [digit, own] of counts.entries()) byDigit(digits, digit * DIGIT_BITS, 0, own)
    }
    if (nulls) byDigit(nulls, 0, key.areNullsFirst ? 1 : 0, countFlags(nulls, order, key.areNullsFirst ? 1 : 0))
  }
  return order
}

/** @returns how often each value of each digit comes, the lowest first */
function countDigits(words: Uint32Array, count: number, rows: Uint32Array | undefined): Uint32Array[] {
  const [low, middle, high] = [new Uint32Array(BUCKETS), new Uint32Array(BUCKETS), new Uint32Array(BUCKETS)]
  const end = rows ? rows.length : count
  for (let i = 0; i < end; i++) {
    const word = words[rows ? rows[i]! : i]!
    low[word & DIGIT_MASK]!++
    middle[(word >>> DIGIT_BITS) & DIGIT_MASK]!++
    high[word >>> (2 * DIGIT_BITS)]!++
  }
  return [low, middle, high]
}

function countFlags(flags: Uint8Array, rows: Uint32Array, flip: number): Uint32Array {
  const counts = new Uint32Array(BUCKETS)
  for (let i = 0; i < rows.length; i++) counts[flags[rows[i]!]! ^ flip]!++
  return counts
}
