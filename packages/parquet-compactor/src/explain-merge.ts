import type { CodecName, MergeOptions } from './merge-options.ts'
import { checkOptions, chooseCodecs, readInputs } from './merge-parquet.ts'
import { type PlannedRowGroup, planMerge } from './plan-merge.ts'
import type { Source } from './source.ts'

export interface MergePlan {
  files: number
  rows: number
  /** sum of the lengths of the sources */
  bytes: number
  /** leaf columns by their dotted names, and the codec each gets */
  leaves: { name: string; codec: CodecName }[]
  /** what becomes of the row groups of the inputs; `printPlan(rowGroups, plan)` is the same as text */
  rowGroups: PlannedRowGroup[]
}

/**
 * What `mergeParquet` would do with the same arguments. Footers are read and checked, pages are not, so a column that is
 * to be spliced here may yet be rewritten there.
 * @throws ParquetError as `mergeParquet` does before it writes: `schema_mismatch`, `bad_footer`, …
 */
export async function explainMerge(sources: readonly Source[], options: MergeOptions = {}): Promise<MergePlan> {
  const settings = checkOptions(options)
  const { inputs, schema } = await readInputs(sources, settings)
  const codecs = chooseCodecs(inputs, schema, settings)
  const footers = inputs.map(({ footer }) => footer)
  return {
    files: inputs.length,
    rows: footers.reduce((sum, { rowCount }) => sum + rowCount, 0),
    bytes: sources.reduce((sum, { byteLength }) => sum + byteLength, 0),
    leaves: schema.leaves.map(({ name }, column) => ({ name, codec: codecs[column]! })),
    rowGroups: planMerge(footers, schema, { ...settings, codecs }),
  }
}
