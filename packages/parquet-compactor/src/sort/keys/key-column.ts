import { ByteBuffer } from '../../format/byte-buffer.ts'
import type { ValueTable } from '../../format/value-table.ts'
import type { LevelBatch, RowSink } from '../../read/row-stream.ts'
import type { ValueOrder } from '../../schema/value-order.ts'
import { Dictionary } from '../../write/dictionary.ts'
import type { SortKey } from './key-order.ts'
import { compareTexts, rankTexts } from './key-texts.ts'
import { appendDecimal, putWords } from './key-words.ts'

const NONE = 0xffffffff

/** words of 32 bits that a value takes; texts and decimals are numbered */
const WORDS = {
  boolean: 1,
  int32: 1,
  uint32: 1,
  int64: 2,
  uint64: 2,
  float16: 1,
  float: 1,
  double: 2,
  int96: 3,
  decimal: 1,
  bytes: 1,
} as const

/**
 * One column of the keys of many rows, as unsigned words in the wanted order, so that rows are compared and sorted without
 * their values: 4, 8 or 12 bytes a row. Byte arrays are kept once each and ranked in the end.
 */
export class KeyColumn implements RowSink {
  readonly isPageFull = false
  readonly key: SortKey
  rows = 0
  /** most significant first; of byte arrays the number of the text, and its rank after `finish` */
  readonly words: Uint32Array[]
  /** 1 for a row whose value is null; undefined while there is none */
  nulls: Uint8Array | undefined
  readonly #texts: Dictionary | undefined
  #translated: ValueTable | undefined
  #translation = new Uint32Array()
  readonly #decimal = new ByteBuffer(64)
  /** after `finish`: the text of each rank */
  #textOfRank: Uint32Array | undefined
  #isFinished = false

  constructor(key: SortKey, capacity: number) {
    this.key = key
    this.words = Array.from({ length: WORDS[key.kind] }, () => new Uint32Array(capacity))
    if (key.kind === 'bytes' || key.kind === 'decimal') this.#texts = new Dictionary({ width: 0 })
  }

  /** a flag for null comes on top */
  static bytesOfRow(kind: ValueOrder): number {
    return WORDS[kind] * 4
  }

  get textBytes(): number {
    return this.#texts?.heldBytes ?? 0
  }

  async flushPage(): Promise<void> {}

  append({ definition, levelFrom, levelTo, values, valueFrom, valueTo }: LevelBatch): void {
    const first = this.rows
    this.rows += levelTo - levelFrom
    if (!definition || valueTo - valueFrom === levelTo - levelFrom) {
      this.#put(values.table, values.indices, valueFrom, valueTo, first)
      return
    }
    this.nulls ??= new Uint8Array(this.words[0]!.length)
    const { nulls } = this
    const { maxDefinition } = this.key.leaf
    let value = valueFrom
    for (let level = levelFrom; level < levelTo; ) {
      const row = first + level - levelFrom
      if (definition[level] !== maxDefinition) {
        nulls[row] = 1
        level++
        continue
      }
      let end = level + 1
      while (end < levelTo && definition[end] === maxDefinition) end++
      this.#put(values.table, values.indices, value, value + end - level, row)
      value += end - level
      level = end
    }
  }

  /** Values `from` to `to` of a page become those of the rows from `row` on. */
  #put(table: ValueTable, indices: Uint32Array | undefined, from: number, to: number, row: number): void {
    if (this.#texts) {
      this.#putTexts(table, indices, from, to, row)
      return
    }
    putWords(this.key, table, indices, from, to, this.words, row - from)
  }

  #putTexts(table: ValueTable, indices: Uint32Array | undefined, from: number, to: number, row: number): void {
    const numbers = this.words[0]!
    const shift = row - from
    if (!indices) {
      for (let i = from; i < to; i++) numbers[i + shift] = this.#intern(table, i)
      return
    }
    if (this.#translated !== table) {
      this.#translated = table
      this.#translation = new Uint32Array(table.count).fill(NONE)
    }
    const translation = this.#translation
    for (let i = from; i < to; i++) {
      const entry = indices[i]!
      let number = translation[entry]!
      if (number === NONE) {
        number = this.#intern(table, entry)
        translation[entry] = number
      }
      numbers[i + shift] = number
    }
  }

  #intern({ bytes, starts, lengths }: ValueTable, at: number): number {
    const { width } = this.key.leaf
    const start = starts ? starts[at]! : at * width
    const length = lengths ? lengths[at]! : width
    if (this.key.kind === 'bytes') return this.#texts!.intern(bytes, start, length)
    const decimal = this.#decimal
    decimal.clear()
    appendDecimal(bytes, start, length, decimal)
    return this.#texts!.intern(decimal.bytes, 0, decimal.length)
  }

  /** Append some rows of another column of the same key; neither is finished. */
  appendRows(other: KeyColumn, rows: Uint32Array): void {
    const first = this.rows
    this.rows += rows.length
    if (this.rows > this.words[0]!.length) this.#grow()
    const { words, nulls } = other
    if (nulls) {
      this.nulls ??= new Uint8Array(this.words[0]!.length)
      for (let i = 0; i < rows.length; i++) this.nulls[first + i] = nulls[rows[i]!]!
    }
    if (this.#texts) {
      const table = other.#texts!.table()
      const numbers = words[0]!
      const present = nulls ? rows.filter((row) => nulls[row] === 0) : rows
      const translation = new Map<number, number>()
      for (const row of present) {
        const number = numbers[row]!
        if (!translation.has(number)) {
          translation.set(number, this.#texts.intern(table.bytes, table.starts![number]!, table.lengths![number]!))
        }
      }
      const own = this.words[0]!
      for (let i = 0; i < rows.length; i++) own[first + i] = translation.get(numbers[rows[i]!]!) ?? 0
      return
    }
    for (const [at, own] of this.words.entries()) {
      const from = words[at]!
      for (let i = 0; i < rows.length; i++) own[first + i] = from[rows[i]!]!
    }
  }

  #grow(): void {
    const room = Math.ceil(this.rows * 1.25)
    const grown = <Words extends Uint32Array | Uint8Array>(larger: Words, old: Words): Words => {
      larger.set(old)
      return larger
    }
    for (const [at, own] of this.words.entries()) this.words[at] = grown(new Uint32Array(room), own)
    if (this.nulls) this.nulls = grown(new Uint8Array(room), this.nulls)
  }

  /** A number that is less only where the key is: nothing is said where it is equal. Not after `finish`. */
  coarse(row: number): number {
    if (this.nulls?.[row]) return this.key.areNullsFirst ? -1 : 2 ** 32
    if (this.#texts) return 0
    const word = this.words[0]![row]!
    return this.key.isDescending ? ~word >>> 0 : word
  }

  /** Bring the words into the wanted order, after the last row. Nulls have the word 0. */
  finish(): void {
    const { isDescending } = this.key
    this.#translation = new Uint32Array()
    this.#translated = undefined
    const ranked = this.#texts && rankTexts(this.#texts.table())
    this.#textOfRank = ranked?.order
    this.#isFinished = true
    for (const words of this.words) {
      const ranks = ranked?.ranks
      if (ranks) for (let row = 0; row < this.rows; row++) words[row] = ranks[words[row]!]!
      if (isDescending) for (let row = 0; row < this.rows; row++) words[row] = ~words[row]!
      const { nulls } = this
      if (nulls) for (let row = 0; row < this.rows; row++) if (nulls[row]) words[row] = 0
    }
  }

  /**
   * Append the value of a row so that keys are in order where their bytes are: the same for every `KeyColumn` of the key.
   */
  encode(row: number, out: ByteBuffer): void {
    const { isDescending, areNullsFirst } = this.key
    if (this.nulls?.[row]) {
      out.push(areNullsFirst ? 0 : 2)
      return
    }
    out.push(1)
    const start = out.length
    if (this.#texts) {
      const { bytes, starts, lengths } = this.#texts.table()
      const word = this.words[0]![row]!
      const number = this.#textOfRank ? this.#textOfRank[isDescending ? ~word >>> 0 : word]! : word
      for (let at = starts![number]!, end = at + lengths![number]!; at < end; at++) {
        const byte = bytes[at]!
        out.push(byte)
        if (byte === 0) out.push(255)
      }
      out.push(0)
      out.push(0)
    } else {
      for (const words of this.words) for (let bits = 24; bits >= 0; bits -= 8) out.push((words[row]! >>> bits) & 255)
      if (this.#isFinished) return
    }
    if (isDescending) for (let at = start; at < out.length; at++) out.bytes[at] = ~out.bytes[at]!
  }

  /** compare two rows, not after `finish` */
  compare(a: number, b: number): number {
    const { isDescending, areNullsFirst } = this.key
    const [left, right] = [this.nulls?.[a] ?? 0, this.nulls?.[b] ?? 0]
    if (left !== right) return (left === 1) === areNullsFirst ? -1 : 1
    if (left === 1) return 0
    for (const words of this.words) {
      const [x, y] = [words[a]!, words[b]!]
      if (x === y) continue
      const order = this.#texts ? compareTexts(this.#texts.table(), x, y) : x - y
      return isDescending ? -order : order
    }
    return 0
  }
}
