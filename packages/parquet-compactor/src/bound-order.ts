import { boundsOf } from './chunk-bounds.ts'
import type { Footer } from './footer.ts'
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
    const view = viewOf(bytes)
    if (this.#width === 4) view.setFloat32(0, zero, true)
    else view.setFloat64(0, zero, true)
    return bytes
  }

  #float(bytes: Uint8Array): number {
    return this.order === 'float' ? viewOf(bytes).getFloat32(0, true) : viewOf(bytes).getFloat64(0, true)
  }

  /** @returns below 0 if `a` comes first, above 0 if `b` does */
  compare(a: Uint8Array, b: Uint8Array): number {
    if (this.order === 'bytes' || this.order === 'boolean') return compareBytes(a, b)
    if (this.order === 'float' || this.order === 'double') {
      const [x, y] = [this.#float(a), this.#float(b)]
      return x < y ? -1 : x > y ? 1 : 0
    }
    const [left, right] = [viewOf(a), viewOf(b)]
    switch (this.order) {
      case 'signed32':
        return left.getInt32(0, true) - right.getInt32(0, true)
      case 'unsigned32':
        return left.getUint32(0, true) - right.getUint32(0, true)
      case 'signed64':
        return left.getInt32(4, true) - right.getInt32(4, true) || left.getUint32(0, true) - right.getUint32(0, true)
      case 'unsigned64':
        return left.getUint32(4, true) - right.getUint32(4, true) || left.getUint32(0, true) - right.getUint32(0, true)
    }
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!
  return a.length - b.length
}
