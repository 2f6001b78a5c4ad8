import { ByteBuffer } from '../../format/byte-buffer.ts'
import type { PageValues, ValueTable } from '../../format/value-table.ts'
import type { LeafColumn } from '../../schema/schema.ts'
import { Dictionary } from '../../write/dictionary.ts'

/** Which values are taken, and where they go. */
export interface Picks {
  places: Int32Array
  slots: Int32Array
  /** the picks that are meant */
  from: number
  to: number
}

/**
 * Values put into numbered slots in any order. As long as all come by dictionary, a slot is an index into the union of the
 * dictionaries; from the first plain page on it is the value itself.
 */
export class GatheredValues {
  readonly #width: number
  #capacity: number
  #union: Dictionary | undefined
  /** for each slot, the entry of the joined dictionary, or the offset of the value */
  #slots = new Uint32Array()
  #lengths = new Uint32Array()
  /** values of fixed width one after another, or any bytes that slots point into */
  #fixed = new Uint8Array()
  #fixedView = new DataView(this.#fixed.buffer)
  #texts: ByteBuffer | undefined
  #mode: 'empty' | 'indices' | 'plain' = 'empty'
  #translated: ValueTable | undefined
  #translation = new Int32Array()

  constructor(leaf: LeafColumn, capacity: number) {
    this.#width = leaf.width
    this.#capacity = capacity
  }

  get heldBytes(): number {
    const own = this.#slots.byteLength + this.#lengths.byteLength + this.#fixed.byteLength
    return own + (this.#texts?.bytes.byteLength ?? 0) + (this.#union?.heldBytes ?? 0) + this.#translation.byteLength
  }

  /** Forget all values; what was allocated is used again. */
  clear(): void {
    this.#mode = 'empty'
    this.#union = undefined
    this.#translated = undefined
    this.#texts?.clear()
  }

  /** Make room for slots up to `capacity`. */
  grow(capacity: number): void {
    if (capacity <= this.#capacity) return
    this.#capacity = Math.max(capacity, this.#capacity * 2)
    if (this.#slots.length > 0) this.#slots = resized(this.#slots, this.#capacity)
    if (this.#lengths.length > 0) this.#lengths = resized(this.#lengths, this.#capacity)
    if (this.#fixed.length > 0) this.#allocateFixed()
  }

  #allocateFixed(): void {
    const grown = new Uint8Array(this.#capacity * this.#width)
    grown.set(this.#fixed)
    this.#fixed = grown
    this.#fixedView = new DataView(grown.buffer)
  }

  /** Put some values of a page into slots: for each pick, value `places[pick]` + `shift` into slot `slots[pick]`. */
  put(values: PageValues, { places, slots, from, to }: Picks, shift: number): void {
    if (from === to) return
    const { table, indices } = values
    if (indices && this.#mode !== 'plain') {
      this.#putIndices(table, indices, places, slots, from, to, shift)
      return
    }
    this.#becomePlain()
    if (this.#width > 0) this.#putFixed(table, indices, places, slots, from, to, shift)
    else this.#putTexts(table, indices, places, slots, from, to, shift)
  }

  #putIndices(
    table: ValueTable,
    indices: Uint32Array,
    places: Int32Array,
    slots: Int32Array,
    from: number,
    to: number,
    shift: number,
  ): void {
    if (this.#mode === 'empty') {
      this.#mode = 'indices'
      if (this.#slots.length < this.#capacity) this.#slots = new Uint32Array(this.#capacity)
      this.#union = new Dictionary({ width: this.#width })
    }
    if (this.#translated !== table) {
      this.#translated = table
      if (this.#translation.length < table.count) this.#translation = new Int32Array(table.count * 2)
      this.#translation.fill(-1, 0, table.count)
    }
    const translation = this.#translation
    const own = this.#slots
    const union = this.#union!
    const { bytes, starts, lengths } = table
    const width = this.#width
    for (let pick = from; pick < to; pick++) {
      const entry = indices[places[pick]! + shift]!
      let index = translation[entry]!
      if (index < 0) {
        index = union.intern(bytes, starts ? starts[entry]! : entry * width, lengths ? lengths[entry]! : width)
        translation[entry] = index
      }
      own[slots[pick]!] = index
    }
  }

  #becomePlain(): void {
    if (this.#mode === 'plain') return
    const mode = this.#mode
    const union = this.#union?.table()
    this.#mode = 'plain'
    this.#union = undefined
    this.#translated = undefined
    this.#translation = new Int32Array()
    const hasEntries = mode === 'indices' && union && union.count > 0
    if (this.#width > 0) {
      if (this.#fixed.length < this.#capacity * this.#width) this.#allocateFixed()
      if (!hasEntries) return
      const width = this.#width
      for (let slot = 0, at = 0; slot < this.#capacity; slot++) {
        const start = this.#slots[slot]! * width
        for (let b = 0; b < width; b++) this.#fixed[at++] = union.bytes[start + b]!
      }
      return
    }
    this.#texts ??= new ByteBuffer(1024)
    if (this.#slots.length < this.#capacity) this.#slots = new Uint32Array(this.#capacity)
    if (this.#lengths.length < this.#capacity) this.#lengths = new Uint32Array(this.#capacity)
    if (!hasEntries) return
    this.#texts.append(union.bytes)
    // slots that hold nothing yet point anywhere, until they are filled
    for (let slot = 0; slot < this.#capacity; slot++) {
      const entry = this.#slots[slot]!
      this.#slots[slot] = union.starts![entry]!
      this.#lengths[slot] = union.lengths![entry]!
    }
  }

  #putFixed(
    table: ValueTable,
    indices: Uint32Array | undefined,
    places: Int32Array,
    slots: Int32Array,
    from: number,
    to: number,
    shift: number,
  ): void {
    const width = this.#width
    const { bytes } = table
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const own = this.#fixedView
    for (let pick = from; pick < to; pick++) {
      const place = places[pick]! + shift
      const slot = slots[pick]!
      const at = (indices ? indices[place]! : place) * width
      if (width === 4) {
        own.setUint32(slot * 4, view.getUint32(at, true), true)
      } else if (width === 8) {
        own.setUint32(slot * 8, view.getUint32(at, true), true)
        own.setUint32(slot * 8 + 4, view.getUint32(at + 4, true), true)
      } else {
        for (let b = 0; b < width; b++) this.#fixed[slot * width + b] = bytes[at + b]!
      }
    }
  }

  #putTexts(
    table: ValueTable,
    indices: Uint32Array | undefined,
    places: Int32Array,
    slots: Int32Array,
    from: number,
    to: number,
    shift: number,
  ): void {
    const { bytes, starts, lengths } = table
    const texts = this.#texts!
    for (let pick = from; pick < to; pick++) {
      const place = places[pick]! + shift
      const slot = slots[pick]!
      const at = indices ? indices[place]! : place
      const start = starts![at]!
      const length = lengths![at]!
      this.#slots[slot] = texts.length
      this.#lengths[slot] = length
      texts.append(bytes, start, start + length)
    }
  }

  /** @returns the first `count` slots as values of a page */
  values(count: number): PageValues {
    if (this.#mode === 'indices') return { count, table: this.#union!.table(), indices: this.#slots }
    const table: ValueTable = { count, bytes: this.#texts?.view() ?? this.#fixed }
    return { count, table: this.#width > 0 ? table : { ...table, starts: this.#slots, lengths: this.#lengths } }
  }
}

export function resized(old: Uint32Array, length: number): Uint32Array<ArrayBuffer> {
  const grown = new Uint32Array(length)
  grown.set(old)
  return grown
}
