import { PHYSICAL } from '../format/format.ts'
import type { Schema } from '../schema/schema.ts'
import { EXTRA } from './chunk-extras.ts'
import type { Footer } from './footer.ts'

/** What the chunks of a column have in the inputs, so that those of the output are to have it too. */
export interface CarriedColumn {
  /** some chunk has what concerns chunks that are joined */
  isAny: boolean
  /** some chunk has one */
  bloomFilter: boolean
  /** every chunk has them */
  sizes: boolean
}

const JOINED = EXTRA.NANS | EXTRA.BLOOM_FILTER | EXTRA.KEY_VALUES | EXTRA.SIZES | EXTRA.GEOSPATIAL

export function carriedColumns(footers: readonly Footer[], schema: Schema): CarriedColumn[] {
  const columns = schema.leaves.length
  const some = new Uint8Array(columns)
  const every = new Uint8Array(columns).fill(0xff)
  for (const { chunkExtras, chunkValues } of footers) {
    for (let chunk = 0, column = 0; chunk < chunkExtras.length; chunk++) {
      some[column]! |= chunkExtras[chunk]!
      if (chunkValues[chunk]! > 0) every[column]! &= chunkExtras[chunk]!
      if (++column === columns) column = 0
    }
  }
  return schema.leaves.map(({ physical }, column) => ({
    isAny: (some[column]! & JOINED) !== 0,
    // how a BOOLEAN is hashed, the format does not say
    bloomFilter: physical !== PHYSICAL.BOOLEAN && (some[column]! & EXTRA.BLOOM_FILTER) !== 0,
    sizes: (every[column]! & some[column]! & EXTRA.SIZES) !== 0,
  }))
}
