import { join } from 'node:path'

/** Three million flights of 2001. Not among the exports of vega-datasets, so named by its path. */
export const FLIGHTS = join(import.meta.dirname, '../../node_modules/vega-datasets/data/flights-3m.parquet')
