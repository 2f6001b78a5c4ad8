import type { LeafColumn } from '../schema/schema.ts'
import { BoundOrder, type Bounds } from './bound-order.ts'
import { boundsOf, type ChunkStatistics } from './chunk-bounds.ts'
import type { Footer } from './footer.ts'

type KnownBounds = Bounds & Pick<ChunkStatistics, 'minIsExact' | 'maxIsExact'>

/** Bounds and counts of several chunks together, from their footers. */
export class BoundsMerge {
  /** -1 once a chunk does not tell */
  nulls = 0
  readonly #order: BoundOrder | undefined
  #isKnown: boolean
  #merged: KnownBounds | undefined

  constructor(leaf: LeafColumn) {
    this.#order = BoundOrder.of(leaf)
    this.#isKnown = this.#order !== undefined
  }

  /** @returns bounds of this chunk that can be trusted, if it has any */
  add(footer: Footer, chunk: number): Bounds | undefined {
    const values = footer.chunkValues[chunk]!
    const nulls = footer.chunkNulls[chunk]!
    const areNullsKnown = nulls >= 0 && nulls <= values
    this.nulls = this.nulls < 0 || !areNullsKnown ? -1 : this.nulls + nulls
    if (!this.#order || (areNullsKnown && nulls === values)) return undefined
    const { minIsExact, maxIsExact } = boundsOf(footer, chunk)
    const own = this.#order.usableOfChunk(footer, chunk)
    if (!own) {
      this.#isKnown = false
      this.#merged = undefined
    } else if (this.#isKnown) {
      this.#include(this.#order, { ...own, minIsExact, maxIsExact })
    }
    return own
  }

  /** The same as `add`, and quicker where most chunks lie within those before; nulls are not counted. */
  include(footer: Footer, chunk: number): void {
    if (!this.#isKnown || (this.#merged && this.#order?.isWithin(footer, chunk, this.#merged))) return
    const { nulls } = this
    this.add(footer, chunk)
    this.nulls = nulls
  }

  /** Add what another one of the same column has seen, but for its nulls. */
  absorb(other: BoundsMerge): void {
    if (!other.#isKnown) {
      this.#isKnown = false
      this.#merged = undefined
    } else if (this.#isKnown && other.#merged && this.#order) {
      this.#include(this.#order, { ...other.#merged })
    }
  }

  #include(order: BoundOrder, own: KnownBounds): void {
    const merged = this.#merged
    if (!merged) {
      this.#merged = own
      return
    }
    if (order.compare(own.min, merged.min) < 0) {
      merged.min = own.min
      merged.minIsExact = own.minIsExact
    }
    if (order.compare(own.max, merged.max) > 0) {
      merged.max = own.max
      merged.maxIsExact = own.maxIsExact
    }
  }

  /** @returns undefined where a chunk has no bounds, or none whose order is sure */
  bounds(): KnownBounds | undefined {
    return this.#merged
  }
}
