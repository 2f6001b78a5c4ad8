import { LOGICAL, PHYSICAL } from '../format/format.ts'
import type { ValueTable } from '../format/value-table.ts'
import type { LeafColumn } from '../schema/schema.ts'
import { type ValueOrder, valueOrderOf } from '../schema/value-order.ts'

/** Longer bounds are left out: a shortened one is no value of the column, and not every reader looks at the flag. */
const MAX_BOUND_BYTES = 256

/** An order in which all readers compare bounds. */
export type Order = Exclude<ValueOrder, 'float16' | 'int96' | 'decimal'>

/** The order in which readers compare bounds (parquet.thrift, ColumnOrder); undefined where they disagree. */
export function orderOf(leaf: LeafColumn): Order | undefined {
  if (leaf.logicalType === LOGICAL.UNKNOWN) return undefined
  const order = valueOrderOf(leaf)
  return order === 'float16' || order === 'int96' || order === 'decimal' ? undefined : order
}

/** whether values of the column may be no number, and are told apart from those that are */
export function isFloat({ physical }: LeafColumn): boolean {
  return physical === PHYSICAL.FLOAT || physical === PHYSICAL.DOUBLE
}

const NO_BYTES = new Uint8Array()

/** Collects the bounds of a column chunk or page. */
export class Statistics {
  readonly #order: Order | undefined
  readonly #width: number
  /** values that are no number */
  nans = 0
  #isEmpty = true
  #min = 0
  #max = 0
  // upper halves of 64-bit integers
  #minHigh = 0
  #maxHigh = 0
  #minBytes: Uint8Array = NO_BYTES
  #maxBytes: Uint8Array = NO_BYTES

  constructor(leaf: LeafColumn) {
    this.#order = orderOf(leaf)
    this.#width = leaf.width
  }

  /** @param references how often each entry stands in the page; those that do not are passed over. Default: once */
  add(table: ValueTable, from: number, to: number, references?: Uint32Array): void {
    const view = new DataView(table.bytes.buffer, table.bytes.byteOffset, table.bytes.byteLength)
    const order = this.#order
    if (order === undefined) return
    for (let i = from; i < to; i++) {
      const count = references ? references[i]! : 1
      if (count === 0) continue
      switch (order) {
        case 'boolean':
          this.#number(table.bytes[i]!, count)
          break
        case 'int32':
          this.#number(view.getInt32(i * 4, true), count)
          break
        case 'uint32':
          this.#number(view.getUint32(i * 4, true), count)
          break
        case 'float':
          this.#number(view.getFloat32(i * 4, true), count)
          break
        case 'double':
          this.#number(view.getFloat64(i * 8, true), count)
          break
        case 'int64':
          this.#halves(view.getInt32(i * 8 + 4, true), view.getUint32(i * 8, true))
          break
        case 'uint64':
          this.#halves(view.getUint32(i * 8 + 4, true), view.getUint32(i * 8, true))
          break
        case 'bytes': {
          const start = table.starts ? table.starts[i]! : i * this.#width
          this.#bytes(table.bytes, start, start + (table.lengths ? table.lengths[i]! : this.#width))
        }
      }
    }
  }

  /** Add what another one of the same column has seen. */
  include(other: Statistics): void {
    this.nans += other.nans
    if (other.#isEmpty) return
    if (this.#order === 'int64' || this.#order === 'uint64') {
      this.#halves(other.#minHigh, other.#min)
      this.#halves(other.#maxHigh, other.#max)
    } else if (this.#order === 'bytes') {
      this.#bytes(other.#minBytes, 0, other.#minBytes.length)
      this.#bytes(other.#maxBytes, 0, other.#maxBytes.length)
    } else {
      this.#number(other.#min)
      this.#number(other.#max)
    }
  }

  #number(value: number, count = 1): void {
    if (Number.isNaN(value)) {
      this.nans += count
      return
    }
    if (this.#isEmpty) {
      this.#isEmpty = false
      this.#min = value
      this.#max = value
    } else if (value < this.#min) this.#min = value
    else if (value > this.#max) this.#max = value
  }

  #halves(high: number, low: number): void {
    if (this.#isEmpty || high < this.#minHigh || (high === this.#minHigh && low < this.#min)) {
      this.#minHigh = high
      this.#min = low
    }
    if (this.#isEmpty || high > this.#maxHigh || (high === this.#maxHigh && low > this.#max)) {
      this.#maxHigh = high
      this.#max = low
    }
    this.#isEmpty = false
  }

  #bytes(bytes: Uint8Array, start: number, whole: number): void {
    // Values that are longer and equal so far need no order: with either of them there are no bounds.
    const end = Math.min(whole, start + MAX_BOUND_BYTES + 1)
    if (this.#isEmpty || compare(bytes, start, end, this.#minBytes) < 0) this.#minBytes = bytes.slice(start, end)
    if (this.#isEmpty || compare(bytes, start, end, this.#maxBytes) > 0) this.#maxBytes = bytes.slice(start, end)
    this.#isEmpty = false
  }

  /**
   * @returns the bounds in PLAIN encoding without a length, or undefined where there are none that are right. Bounds beside a NaN
   *          are none: for some readers it is greater than every number, for others it has no order
   */
  bounds(): { min: Uint8Array; max: Uint8Array } | undefined {
    if (this.#isEmpty || this.nans > 0) return undefined
    const encode = (write: (view: DataView) => void): Uint8Array => {
      const bytes = new Uint8Array(this.#width)
      write(new DataView(bytes.buffer))
      return bytes
    }
    // a zero bound covers both zeros (parquet.thrift, ColumnOrder)
    const min = this.#min === 0 ? -0 : this.#min
    const max = this.#max === 0 ? 0 : this.#max
    switch (this.#order) {
      case undefined:
        return undefined
      case 'boolean':
        return { min: Uint8Array.of(this.#min), max: Uint8Array.of(this.#max) }
      case 'int32':
      case 'uint32':
        return {
          min: encode((v) => v.setUint32(0, this.#min, true)),
          max: encode((v) => v.setUint32(0, this.#max, true)),
        }
      case 'float':
        return { min: encode((v) => v.setFloat32(0, min, true)), max: encode((v) => v.setFloat32(0, max, true)) }
      case 'double':
        return { min: encode((v) => v.setFloat64(0, min, true)), max: encode((v) => v.setFloat64(0, max, true)) }
      case 'int64':
      case 'uint64': {
        const halves = (low: number, high: number) =>
          encode((v) => {
            v.setUint32(0, low, true)
            v.setUint32(4, high, true)
          })
        return { min: halves(this.#min, this.#minHigh), max: halves(this.#max, this.#maxHigh) }
      }
      case 'bytes':
        if (Math.max(this.#minBytes.length, this.#maxBytes.length) > MAX_BOUND_BYTES) return undefined
        return { min: this.#minBytes, max: this.#maxBytes }
    }
  }
}

function compare(bytes: Uint8Array, start: number, end: number, other: Uint8Array): number {
  const length = Math.min(end - start, other.length)
  for (let i = 0; i < length; i++) {
    const difference = bytes[start + i]! - other[i]!
    if (difference !== 0) return difference
  }
  return end - start - other.length
}
