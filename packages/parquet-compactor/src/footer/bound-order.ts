import { uint32At } from '../format/format.ts'
import type { LeafColumn } from '../schema/schema.ts'
import { boundsOf, EXACTNESS, HAS_BOUNDS, haveTypeOrder, IN_TYPE_ORDER } from './chunk-bounds.ts'
import type { Footer } from './footer.ts'
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
    // beyond 0 and 1 readers disagree: some take the lowest bit, some any bit
    if (this.order === 'boolean' && max[0]! > 1) return undefined
    return this.compare(min, max) > 0 ? undefined : { min, max }
  }

  /** Check bounds of a chunk as its footer has them. */
  usableOfChunk(footer: Footer, chunk: number): Bounds | undefined {
    const { min, max, areDeprecated } = boundsOf(footer, chunk)
    // those of numbers with a fraction were often wrong where there was a NaN
    if (areDeprecated && !this.order.startsWith('int')) return undefined
    return this.usable(min, max, haveTypeOrder(footer, chunk))
  }

  /**
   * Whether sound bounds of a chunk lie within others, told without an object or a view: for thousands of chunks.
   * @returns false also where that is not sure
   */
  isWithin(footer: Footer, chunk: number, outer: Bounds): boolean {
    const state = footer.boundsState[chunk]!
    if ((state & ~(EXACTNESS | IN_TYPE_ORDER)) !== HAS_BOUNDS) return false
    if ((state & IN_TYPE_ORDER) === 0 && !this.#isSigned) return false
    const { boundsBytes: bytes, boundsAt } = footer
    const from = boundsAt[chunk * 2]!
    const middle = boundsAt[chunk * 2 + 1]!
    const end = boundsAt[chunk * 2 + 2]!
    const width = this.#width
    if (width > 0 && (middle - from !== width || end - middle !== width)) return false
    const { min, max } = outer
    switch (this.order) {
      case 'int32':
        return isBetween(
          uint32At(min, 0) | 0,
          uint32At(bytes, from) | 0,
          uint32At(bytes, middle) | 0,
          uint32At(max, 0) | 0,
        )
      case 'uint32':
        return isBetween(uint32At(min, 0), uint32At(bytes, from), uint32At(bytes, middle), uint32At(max, 0))
      case 'float':
        return isBetween(float32At(min, 0), float32At(bytes, from), float32At(bytes, middle), float32At(max, 0))
      case 'double':
        return isBetween(float64At(min, 0), float64At(bytes, from), float64At(bytes, middle), float64At(max, 0))
      case 'int64':
      case 'uint64': {
        const sign = this.order === 'int64' ? 0 : 0x80000000
        return (
          compare64(min, 0, bytes, from, sign) <= 0 &&
          compare64(bytes, from, bytes, middle, sign) <= 0 &&
          compare64(bytes, middle, max, 0, sign) <= 0
        )
      }
      default:
        return (
          compareRanges(min, 0, min.length, bytes, from, middle) <= 0 &&
          compareRanges(bytes, from, middle, bytes, middle, end) <= 0 &&
          compareRanges(bytes, middle, end, max, 0, max.length) <= 0
        )
    }
  }

  /** the orders that files without a named one keep to as well */
  get #isSigned(): boolean {
    return this.order.startsWith('int') || this.order === 'float' || this.order === 'double'
  }

  #zero(zero: number): Uint8Array {
    const bytes = new Uint8Array(this.#width)
    const view = new DataView(bytes.buffer)
    if (this.#width === 4) view.setFloat32(0, zero, true)
    else view.setFloat64(0, zero, true)
    return bytes
  }

  #float(bytes: Uint8Array): number {
    return this.order === 'float' ? float32At(bytes, 0) : float64At(bytes, 0)
  }

  /** @returns below 0 if `a` comes first, above 0 if `b` does */
  compare(a: Uint8Array, b: Uint8Array): number {
    if (this.order === 'bytes' || this.order === 'boolean') return compareBytes(a, b)
    if (this.order === 'float' || this.order === 'double') {
      const [x, y] = [this.#float(a), this.#float(b)]
      return x < y ? -1 : x > y ? 1 : 0
    }
    switch (this.order) {
      case 'int32':
        return (uint32At(a, 0) | 0) - (uint32At(b, 0) | 0)
      case 'uint32':
        return uint32At(a, 0) - uint32At(b, 0)
      case 'int64':
        return (uint32At(a, 4) | 0) - (uint32At(b, 4) | 0) || uint32At(a, 0) - uint32At(b, 0)
      case 'uint64':
        return uint32At(a, 4) - uint32At(b, 4) || uint32At(a, 0) - uint32At(b, 0)
    }
  }
}

// a view for each of thousands of bounds would cost more than the comparison
const words = new Uint32Array(2)
const float32 = new Float32Array(words.buffer)
const float64 = new Float64Array(words.buffer)

function float32At(bytes: Uint8Array, offset: number): number {
  words[0] = uint32At(bytes, offset)
  return float32[0]!
}

function float64At(bytes: Uint8Array, offset: number): number {
  words[0] = uint32At(bytes, offset)
  words[1] = uint32At(bytes, offset + 4)
  return float64[0]!
}

/** false where any is NaN */
function isBetween(least: number, low: number, high: number, greatest: number): boolean {
  return least <= low && low <= high && high <= greatest
}

/** @param sign flips the upper half of unsigned numbers, so that signed halves compare as they do */
function compare64(a: Uint8Array, aAt: number, b: Uint8Array, bAt: number, sign: number): number {
  const high = (uint32At(a, aAt + 4) ^ sign) - (uint32At(b, bAt + 4) ^ sign)
  return high || uint32At(a, aAt) - uint32At(b, bAt)
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  return compareRanges(a, 0, a.length, b, 0, b.length)
}

function compareRanges(a: Uint8Array, aAt: number, aEnd: number, b: Uint8Array, bAt: number, bEnd: number): number {
  for (let i = aAt, j = bAt; i < aEnd && j < bEnd; i++, j++) if (a[i] !== b[j]) return a[i]! - b[j]!
  return aEnd - aAt - (bEnd - bAt)
}
