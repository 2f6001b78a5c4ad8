import { ByteBuffer } from '../format/byte-buffer.ts'
import { corrupt } from '../format/page-header.ts'
import type { ValueTable } from '../format/value-table.ts'
import type { LevelBatch, RowSink } from '../read/row-stream.ts'
import { Dictionary } from '../write/dictionary.ts'
import type { KeyKind, SortKey } from './key-order.ts'
import { compareTexts, rankTexts } from './key-texts.ts'

const NONE = 0xffffffff
/** NaN comes behind every number */
const NOT_A_NUMBER = 0xffffffff

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
  static bytesOfRow(kind: KeyKind): number {
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
    const { kind, leaf } = this.key
    if (this.#texts) {
      this.#putTexts(table, indices, from, to, row)
      return
    }
    const { bytes } = table
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const [high, low, lowest] = this.words as [Uint32Array, Uint32Array, Uint32Array]
    const shift = row - from
    const at = (i: number): number => (indices ? indices[i]! : i)
    switch (kind) {
      case 'boolean':
        for (let i = from; i < to; i++) high[i + shift] = bytes[at(i)]!
        return
      case 'int32':
        for (let i = from; i < to; i++) high[i + shift] = view.getInt32(at(i) * 4, true) ^ 0x80000000
        return
      case 'uint32':
        for (let i = from; i < to; i++) high[i + shift] = view.getUint32(at(i) * 4, true)
        return
      case 'int64':
      case 'uint64': {
        const flip = kind === 'int64' ? 0x80000000 : 0
        for (let i = from; i < to; i++) {
          const start = at(i) * 8
          high[i + shift] = view.getUint32(start + 4, true) ^ flip
          low[i + shift] = view.getUint32(start, true)
        }
        return
      }
      case 'float16':
        for (let i = from; i < to; i++) high[i + shift] = orderedFloat(view.getUint16(at(i) * 2, true) << 16, 0x7c00)
        return
      case 'float':
        for (let i = from; i < to; i++) high[i + shift] = orderedFloat(view.getUint32(at(i) * 4, true), 0x7f80)
        return
      case 'double':
        for (let i = from; i < to; i++) {
          const start = at(i) * 8
          const upper = view.getUint32(start + 4, true)
          const lower = view.getUint32(start, true)
          const isZero = lower === 0 && (upper & 0x7fffffff) === 0
          const magnitude = upper & 0x7fffffff
          const isNumber = magnitude < 0x7ff00000 || (magnitude === 0x7ff00000 && lower === 0)
          const isNegative = upper >= 0x80000000 && !isZero
          high[i + shift] = isNumber ? (isNegative ? ~upper : upper | 0x80000000) : NOT_A_NUMBER
          low[i + shift] = isNumber ? (isNegative ? ~lower : lower) : NOT_A_NUMBER
        }
        return
      case 'int96':
        for (let i = from; i < to; i++) {
          const start = at(i) * leaf.width
          high[i + shift] = view.getUint32(start + 8, true) ^ 0x80000000
          low[i + shift] = view.getUint32(start + 4, true)
          lowest[i + shift] = view.getUint32(start, true)
        }
    }
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

/** @param bits in the upper part of the word @param infinity upper half of the bits of infinity */
function orderedFloat(bits: number, infinity: number): number {
  const magnitude = bits & 0x7fffffff
  if (magnitude > infinity * 65536) return NOT_A_NUMBER
  if (magnitude === 0) return 0x80000000
  return bits < 0 || bits >= 0x80000000 ? ~bits : bits | 0x80000000
}

/** Length and sign first, without the bytes that only repeat the sign: then unsigned bytes are in order. */
function appendDecimal(bytes: Uint8Array, start: number, length: number, out: ByteBuffer): void {
  const sign = length > 0 && bytes[start]! >= 128 ? 255 : 0
  let from = start
  const end = start + length
  while (from < end - 1 && bytes[from] === sign && bytes[from + 1]! >> 7 === sign >> 7) from++
  if (end - from > 127) corrupt(`a decimal of ${length} bytes`)
  out.push(sign === 0 ? 128 + end - from : 128 - (end - from))
  out.append(bytes, from, end)
}
