const DIGIT_BITS = 11
/** in one step rather than two */
const ONLY_DIGIT_BITS = 13
/** Up to so many rows are told apart by two digits, if they are spread evenly. */
const ROWS_OF_TWO_DIGITS = 2 ** 19

/** Sorts row numbers, by one digit of their words after another, from the least significant on. */
export class RadixSort {
  order: Uint32Array
  #room: Uint32Array | undefined

  /** @param rows in the order in which equal rows are to stay; used as room */
  constructor(rows: Uint32Array) {
    this.order = rows
  }

  /**
   * Sort by `high`, and by the first bits of `low` as far as they are wanted to tell rows apart.
   * @param skip rows that have none
   * @returns how many of the bits of `low` that is
   */
  byFirstBits(high: Uint32Array, low: Uint32Array | undefined, skip: Uint8Array | undefined): number {
    const { least, bits: highBits } = rangeOf(high, this.order, skip)
    const wanted = DIGIT_BITS * (this.order.length <= ROWS_OF_TWO_DIGITS ? 2 : 3)
    const lowBits = low ? Math.min(32, wanted) - highBits : 0
    if (!low || lowBits <= 0) {
      this.#byBits(high, least, highBits)
      return 0
    }
    const digits = Math.ceil((highBits + lowBits) / DIGIT_BITS)
    const digitBits = Math.ceil((highBits + lowBits) / digits)
    for (let digit = 0; digit < digits; digit++) this.#byTwo(high, least, low, lowBits, digit * digitBits, digitBits)
    return lowBits
  }

  byWord(words: Uint32Array): void {
    const { least, bits } = rangeOf(words, this.order, undefined)
    this.#byBits(words, least, bits)
  }

  /** @param areLast whether rows that have a flag come behind the others */
  byFlag(flags: Uint8Array, areLast: boolean): void {
    const least = areLast ? 0 : 1
    this.#byDigit(flags, least, 0, 1)
  }

  #byBits(words: Uint32Array, least: number, bits: number): void {
    const digits = bits <= ONLY_DIGIT_BITS ? 1 : Math.ceil(bits / DIGIT_BITS)
    const digitBits = Math.ceil(bits / digits)
    for (let shift = 0; shift < bits; shift += digitBits) this.#byDigit(words, least, shift, digitBits)
  }

  /** Sort by a digit of bits of `high` and, behind these, `lowBits` of `low`. */
  #byTwo(high: Uint32Array, least: number, low: Uint32Array, lowBits: number, shift: number, bits: number): void {
    const { order } = this
    const starts = new Uint32Array(1 << bits)
    const mask = starts.length - 1
    const drop = 32 - lowBits
    for (let i = 0; i < order.length; i++) {
      const row = order[i]!
      starts[((((high[row]! - least) << lowBits) | (low[row]! >>> drop)) >>> shift) & mask]!++
    }
    if (!beginDigits(starts, order.length)) return
    const room = this.#room ?? new Uint32Array(order.length)
    for (let i = 0; i < order.length; i++) {
      const row = order[i]!
      room[starts[((((high[row]! - least) << lowBits) | (low[row]! >>> drop)) >>> shift) & mask]!++] = row
    }
    this.order = room
    this.#room = order
  }

  #byDigit(words: Uint32Array | Uint8Array, least: number, shift: number, bits: number): void {
    const { order } = this
    const starts = new Uint32Array(1 << bits)
    const mask = starts.length - 1
    for (let i = 0; i < order.length; i++) starts[((words[order[i]!]! - least) >>> shift) & mask]!++
    if (!beginDigits(starts, order.length)) return
    const room = this.#room ?? new Uint32Array(order.length)
    for (let i = 0; i < order.length; i++) {
      const row = order[i]!
      room[starts[((words[row]! - least) >>> shift) & mask]!++] = row
    }
    this.order = room
    this.#room = order
  }
}

/** Turn counts of digits into where the first row of each goes. @returns false where all rows have the same */
function beginDigits(counts: Uint32Array, rows: number): boolean {
  let next = 0
  for (let digit = 0; digit < counts.length; digit++) {
    const count = counts[digit]!
    if (count === rows) return false
    counts[digit] = next
    next += count
  }
  return true
}

/** @returns the least word, and how many bits tell the others from it */
function rangeOf(words: Uint32Array, rows: Uint32Array, skip: Uint8Array | undefined): { least: number; bits: number } {
  let [least, greatest] = [0xffffffff, 0]
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!
    if (skip?.[row]) continue
    const word = words[row]!
    if (word < least) least = word
    if (word > greatest) greatest = word
  }
  return least > greatest ? { least: 0, bits: 0 } : { least, bits: 32 - Math.clz32(greatest - least) }
}
