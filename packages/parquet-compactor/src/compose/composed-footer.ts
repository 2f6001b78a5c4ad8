import { EXTRA, extrasOf } from '../footer/chunk-extras.ts'
import { footerLength } from '../footer/footer.ts'
import type { FooterTable } from '../footer/footer-table.ts'
import { BoundsMerge } from '../footer/merge-bounds.ts'
import { readFooter } from '../footer/read-footer.ts'
import { isFloat } from '../footer/statistics.ts'
import { fieldsOf, type SchemaField } from '../schema/schema-fields.ts'
import { standardTree } from './compose-schemas.ts'

/** What a footer says of the values of one column in some row groups. */
export interface ColumnFacts {
  /** undefined where a chunk does not tell */
  nulls: number | undefined
  /** in PLAIN encoding, without a length; they may be shortened. Undefined where they could be wrong for some reader */
  bounds: { min: Uint8Array; max: Uint8Array } | undefined
}

export interface PartFacts {
  rows: number
  column(leaf: number): ColumnFacts
}

/**
 * Reads a tail that `FooterComposer` made: the columns that its files have together, and what is known of the rows of each
 * file. It holds the parsed footer, about three times its bytes.
 */
export class ComposedFooterReader {
  readonly fields: SchemaField[]
  readonly rowCount: number
  readonly #table: FooterTable
  #rowGroup = 0

  /** @throws ParquetError `bad_footer`, where it is none of a composer */
  constructor(tail: Uint8Array) {
    const bytes = footerLength(Number.MAX_SAFE_INTEGER, tail)
    // Addresses were checked when it was composed. Many chunks share one page of nulls, so that their sum proves nothing.
    const { footer, rowCount } = readFooter(Number.MAX_SAFE_INTEGER, tail.subarray(tail.byteLength - bytes))
    this.#table = footer
    this.rowCount = rowCount
    this.fields = fieldsOf(standardTree(footer.schema))
  }

  /** The row groups that come next: those of one file, as many as `FooterComposer.rowGroupCount` grew by. */
  next(rowGroups: number): PartFacts {
    const table = this.#table
    const [from, to] = [this.#rowGroup, this.#rowGroup + rowGroups]
    this.#rowGroup = to
    let rows = 0
    for (let group = from; group < to; group++) rows += table.rowsOfGroup[group]!
    return { rows, column: (leaf) => columnFacts(table, leaf, from, to) }
  }
}

function columnFacts(table: FooterTable, leaf: number, from: number, to: number): ColumnFacts {
  const { leaves } = table.schema
  const column = leaves[leaf]!
  const merge = new BoundsMerge(column)
  let mayHaveNaN = false
  for (let group = from; group < to; group++) {
    const chunk = group * leaves.length + leaf
    merge.add(table, chunk)
    // engines do not agree where a NaN lies in the order
    if (isFloat(column) && table.chunkNulls[chunk] !== table.chunkValues[chunk])
      mayHaveNaN ||= (table.chunkExtras[chunk]! & EXTRA.NANS) === 0 || extrasOf(table, chunk).nans !== 0
  }
  return { nulls: merge.nulls < 0 ? undefined : merge.nulls, bounds: mayHaveNaN ? undefined : merge.bounds() }
}
