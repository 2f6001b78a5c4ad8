import { boundsOf } from './chunk-bounds.ts'
import type { Footer } from './footer.ts'
import { uint32At } from './format.ts'
import type { LeafColumn } from './schema.ts'
import { type Order, orderOf } from './statistics.ts'

export interface Bounds {
  min: Uint8Array
  max: Uint8Array
}

/** Compares bounds of one column as readers do. */
export class BoundOrder {
  readonly order: Order
  readonly #width: number

  private constructor(order: Order, width: number) {
    this.order = order
    this.#width = width
  }

  /** @returns undefined where readers disagree on the order of the column, so that no bound can be trusted */
  static of(leaf: LeafColumn): BoundOrder | undefined {
    const order = orderOf(leaf)
    return order && new BoundOrder(order, leaf.width)
  }

  /**
   * Check bounds as a file has them.
   * @param haveOrder whether the file says that its bounds are in the order of the type
   * @returns bounds that hold for every reader, or undefined if there are none or they cannot be trusted
   */
  usable(min: Uint8Array | undefined, max: Uint8Array | undefined, haveOrder: boolean): Bounds | undefined {
    if (!min || !max) return undefined
    if (!haveOrder && !this.#isSigned) return undefined
    if (this.#width > 0 && (min.length !== this.#width || max.length !== this.#width)) return undefined
    if (this.order === 'float' || this.order === 'double') {
      const [low, high] = [this.#float(min), this.#float(max)]
      if (Number.isNaN(low) || Number.isNaN(high) || low > high) return undefined
      // a zero bound covers both zeros (parquet.thrift, ColumnOrder)
      return { min: low === 0 ? this.#zero(-0) : min, max: high === 0 ? this.#zero(0) : max }
    }
    return this.compare(min, max) > 0 ? undefined : { min, max }
  }

  /** Check bounds of a chunk as its footer has them. */
  usableOfChunk(footer: Footer, chunk: number): Bounds | undefined {
    const { min, max, areDeprecated } = boundsOf(footer, chunk)
    // those of numbers with a fraction were often wrong where there was a NaN
    if (areDeprecated && !this.order.startsWith('signed')) return undefined
    return this.usable(min, max, footer.boundsHaveOrder)
  }

  /** the orders that files without a named one keep to as well */
  get #isSigned(): boolean {
    return this.order.startsWith('signed') || this.order === 'float' || this.order === 'double'
  }

  #zero(zero: number): Uint8Array {
    const bytes = new Uint8Array(this.#width)
    const view = new DataView(bytes.buffer)
    if (this.#width === 4) view.setFloat32(0, zero, true)
    else view.setFloat64(0, zero, true)
    return bytes
  }

  #float(bytes: Uint8Array): number {
    return this.order === 'float' ? float32At(bytes) : float64At(bytes)
  }

  /** @returns below 0 if `a` comes first, above 0 if `b` does */
  compare(a: Uint8Array, b: Uint8Array): number {
    if (this.order === 'bytes' || this.order === 'boolean') return compareBytes(a, b)
    if (this.order === 'float' || this.order === 'double') {
      const [x, y] = [this.#float(a), this.#float(b)]
      return x < y ? -1 : x > y ? 1 : 0
    }
    switch (this.order) {
      case 'signed32':
        return (uint32At(a, 0) | 0) - (uint32At(b, 0) | 0)
      case 'unsigned32':
        return uint32At(a, 0) - uint32At(b, 0)
      case 'signed64':
        return (uint32At(a, 4) | 0) - (uint32At(b, 4) | 0) || uint32At(a, 0) - uint32At(b, 0)
      case 'unsigned64':
        return uint32At(a, 4) - uint32At(b, 4) || uint32At(a, 0) - uint32At(b, 0)
    }
  }
}

// a view for each of thousands of bounds would cost more than the comparison
const words = new Uint32Array(2)
const float32 = new Float32Array(words.buffer)
const float64 = new Float64Array(words.buffer)

function float32At(bytes: Uint8Array): number {
  words[0] = uint32At(bytes, 0)
  return float32[0]!
}

function float64At(bytes: Uint8Array): number {
  words[0] = uint32At(bytes, 0)
  words[1] = uint32At(bytes, 4)
  return float64[0]!
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!
  return a.length - b.length
}
