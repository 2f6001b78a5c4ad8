import type { DistinctValues } from '../footer/bloom-filter.ts'
import { ByteBuffer } from '../format/byte-buffer.ts'
import type { ValueTable } from '../format/value-table.ts'
import type { LeafColumn } from '../schema/schema.ts'

const EMPTY = 0xffffffff

/** The distinct values of one column chunk, in the order they came; stored as a dictionary page in PLAIN encoding. */
export class Dictionary {
  count = 0
  /** the dictionary page: length-prefixed byte arrays, or values of fixed width */
  readonly plain = new ByteBuffer()
  readonly #width: number
  #starts = new Uint32Array(16)
  #lengths = new Uint32Array(16)
  #hashes = new Uint32Array(16)
  #slots = new Uint32Array(16).fill(EMPTY)

  constructor(leaf: Pick<LeafColumn, 'width'>) {
    this.#width = leaf.width
  }

  /** @returns the index of the value, which is added if it is new */
  intern(bytes: Uint8Array, start: number, length: number): number {
    let hash = length ^ 0x9e3779b9
    for (let i = start, end = start + length; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193)
    hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b)
    hash = (hash ^ (hash >>> 13)) >>> 0
    const mask = this.#slots.length - 1
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const index = this.#slots[slot]!
      if (index === EMPTY) {
        this.#slots[slot] = this.count
        return this.#add(bytes, start, length, hash)
      }
      if (this.#hashes[index] === hash && this.#lengths[index] === length && this.#equals(index, bytes, start))
        return index
    }
  }

  #equals(index: number, bytes: Uint8Array, start: number): boolean {
    const own = this.plain.bytes
    for (let a = this.#starts[index]!, b = start, end = a + this.#lengths[index]!; a < end; a++, b++) {
      if (own[a] !== bytes[b]) return false
    }
    return true
  }

  #add(bytes: Uint8Array, start: number, length: number, hash: number): number {
    const index = this.count++
    if (index === this.#starts.length) this.#grow()
    if (this.#width === 0) this.plain.uint32(length)
    this.#starts[index] = this.plain.length
    this.#lengths[index] = length
    this.#hashes[index] = hash
    this.plain.append(bytes, start, start + length)
    if (this.count * 2 > this.#slots.length) this.#rehash()
    return index
  }

  #grow(): void {
    const size = this.#starts.length * 2
    const grown = (old: Uint32Array): Uint32Array<ArrayBuffer> => {
      const bigger = new Uint32Array(size)
      bigger.set(old)
      return bigger
    }
    this.#starts = grown(this.#starts)
    this.#lengths = grown(this.#lengths)
    this.#hashes = grown(this.#hashes)
  }

  #rehash(): void {
    const slots = new Uint32Array(this.#slots.length * 4).fill(EMPTY)
    const mask = slots.length - 1
    for (let index = 0; index < this.count; index++) {
      let slot = this.#hashes[index]! & mask
      while (slots[slot] !== EMPTY) slot = (slot + 1) & mask
      slots[slot] = index
    }
    this.#slots = slots
  }

  /** a view of the values, valid until the next `intern` */
  table(): ValueTable {
    const table: ValueTable = { count: this.count, bytes: this.plain.view() }
    return this.#width > 0 ? table : { ...table, starts: this.#starts, lengths: this.#lengths }
  }

  /** valid until the next one is added */
  values(): DistinctValues {
    return { plain: this.plain.view(), count: this.count }
  }

  /** bytes that all of this holds */
  get heldBytes(): number {
    return this.plain.bytes.length + this.#starts.length * 12 + this.#slots.length * 4
  }
}
