import { PHYSICAL } from '../format/format.ts'
import type { Schema } from '../schema/schema.ts'
import { EXTRA } from './chunk-extras.ts'
import type { RowGroupRange } from './footer.ts'

/** Which optional structures the chunks of a column have in the inputs; the output gets the same. */
export interface CarriedColumn {
  /** some chunk has what concerns chunks that are joined */
  isAny: boolean
  /** some chunk has one */
  bloomFilter: boolean
  /** every chunk has them */
  sizes: boolean
}

const JOINED = EXTRA.NANS | EXTRA.BLOOM_FILTER | EXTRA.KEY_VALUES | EXTRA.SIZES | EXTRA.GEOSPATIAL

/** Looks at all chunks of the inputs. */
export class CarriedColumnsSurvey {
  readonly #schema: Schema
  readonly #some: Uint8Array
  readonly #every: Uint8Array

  constructor(schema: Schema) {
    this.#schema = schema
    this.#some = new Uint8Array(schema.leaves.length)
    this.#every = new Uint8Array(schema.leaves.length).fill(0xff)
  }

  add({ footer: { chunkExtras, chunkValues }, from, to }: RowGroupRange): void {
    const columns = this.#schema.leaves.length
    for (let chunk = from * columns, column = 0; chunk < to * columns; chunk++) {
      this.#some[column]! |= chunkExtras[chunk]!
      if (chunkValues[chunk]! > 0) this.#every[column]! &= chunkExtras[chunk]!
      if (++column === columns) column = 0
    }
  }

  finish(): CarriedColumn[] {
    return this.#schema.leaves.map(({ physical }, column) => {
      const some = this.#some[column]!
      return {
        isAny: (some & JOINED) !== 0,
        // how a BOOLEAN is hashed, the format does not say
        bloomFilter: physical !== PHYSICAL.BOOLEAN && (some & EXTRA.BLOOM_FILTER) !== 0,
        sizes: (this.#every[column]! & some & EXTRA.SIZES) !== 0,
      }
    })
  }
}
