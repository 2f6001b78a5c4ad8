import { boundsOf, type ChunkStatistics } from './chunk-bounds.ts'
import type { Footer } from './footer.ts'
import type { LeafColumn } from './schema.ts'
import { type Order, orderOf } from './statistics.ts'

/** What the footers say of the values of several chunks together. */
export class BoundsMerge {
  /** -1 once a chunk does not tell */
  nulls = 0
  readonly #order: Order | undefined
  readonly #width: number
  #isKnown: boolean
  #merged: Omit<ChunkStatistics, 'nulls'> | undefined

  constructor(leaf: LeafColumn) {
    this.#order = orderOf(leaf)
    this.#width = leaf.width
    this.#isKnown = this.#order !== undefined
  }

  add(footer: Footer, chunk: number): void {
    const values = footer.chunkValues[chunk]!
    const nulls = footer.chunkNulls[chunk]!
    const areNullsKnown = nulls >= 0 && nulls <= values
    this.nulls = this.nulls < 0 || !areNullsKnown ? -1 : this.nulls + nulls
    if (!this.#isKnown || (areNullsKnown && nulls === values)) return
    this.#widen(this.#usable(footer, chunk))
  }

  /** Add what another one of the same column has seen, but for its nulls. */
  absorb(other: BoundsMerge): void {
    if (this.#isKnown && (other.#merged || !other.#isKnown)) this.#widen(other.#merged)
  }

  #widen(own: Omit<ChunkStatistics, 'nulls'> | undefined): void {
    if (!own) {
      this.#isKnown = false
      this.#merged = undefined
      return
    }
    if (!this.#merged) {
      this.#merged = { ...own }
      return
    }
    if (this.#compare(own.min!, this.#merged.min!) < 0) {
      this.#merged.min = own.min
      this.#merged.minIsExact = own.minIsExact
    }
    if (this.#compare(own.max!, this.#merged.max!) > 0) {
      this.#merged.max = own.max
      this.#merged.maxIsExact = own.maxIsExact
    }
  }

  /** @returns undefined where a chunk has no bounds, or none whose order is sure */
  bounds(): Omit<ChunkStatistics, 'nulls'> | undefined {
    return this.#merged
  }

  #usable(footer: Footer, chunk: number): Omit<ChunkStatistics, 'nulls'> | undefined {
    const own = boundsOf(footer, chunk)
    const { min, max } = own
    if (!min || !max) return undefined
    const isSigned = this.#order?.startsWith('signed') || this.#order === 'float' || this.#order === 'double'
    if (!isSigned && !footer.boundsHaveOrder) return undefined
    if (this.#width > 0 && (min.length !== this.#width || max.length !== this.#width)) return undefined
    if (this.#order === 'float' || this.#order === 'double') {
      const [low, high] = [this.#float(min), this.#float(max)]
      if (Number.isNaN(low) || Number.isNaN(high) || low > high) return undefined
      // a zero bound covers both zeros (parquet.thrift, ColumnOrder)
      return { ...own, min: low === 0 ? this.#zero(-0) : min, max: high === 0 ? this.#zero(0) : max }
    }
    return this.#compare(min, max) > 0 ? undefined : own
  }

  #zero(zero: number): Uint8Array {
    const bytes = new Uint8Array(this.#width)
    const view = new DataView(bytes.buffer)
    if (this.#width === 4) view.setFloat32(0, zero, true)
    else view.setFloat64(0, zero, true)
    return bytes
  }

  #float(bytes: Uint8Array): number {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    return this.#order === 'float' ? view.getFloat32(0, true) : view.getFloat64(0, true)
  }

  #compare(a: Uint8Array, b: Uint8Array): number {
    const [left, right] = [a, b].map((bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)) as [
      DataView,
      DataView,
    ]
    switch (this.#order) {
      case 'signed32':
        return left.getInt32(0, true) - right.getInt32(0, true)
      case 'unsigned32':
        return left.getUint32(0, true) - right.getUint32(0, true)
      case 'signed64':
        return left.getInt32(4, true) - right.getInt32(4, true) || left.getUint32(0, true) - right.getUint32(0, true)
      case 'unsigned64':
        return left.getUint32(4, true) - right.getUint32(4, true) || left.getUint32(0, true) - right.getUint32(0, true)
      case 'float':
      case 'double': {
        const [x, y] = [this.#float(a), this.#float(b)]
        return x < y ? -1 : x > y ? 1 : 0
      }
      default: {
        const length = Math.min(a.length, b.length)
        for (let i = 0; i < length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!
        return a.length - b.length
      }
    }
  }
}
