import type { CodecName } from '../codecs/codec.ts'
import { type PlannedRowGroup, planMerge } from '../plan/plan-merge.ts'
import type { Source } from '../read/source.ts'
import { printSortPlan } from '../sort/plan-sort.ts'
import { type Selection, selectRows } from '../sort/select-rows.ts'
import type { MergeOptions } from './merge-options.ts'
import { chooseCodecs, readInputs } from './read-inputs.ts'
import { checkOptions } from './settings.ts'

export interface MergePlan {
  files: number
  rows: number
  /** sum of the lengths of the sources */
  bytes: number
  /** leaf columns by their dotted names, and the codec each gets */
  leaves: { name: string; codec: CodecName }[]
  /**
   * What becomes of the row groups of the inputs; `printPlan(rowGroups, plan)` is the same as text. With `sortBy` or `dedupeBy`
   * it is empty: which row groups are joined is known only once rows are chosen.
   */
  rowGroups: PlannedRowGroup[]
  /** with `sortBy` or `dedupeBy` */
  selection?: PlannedSelection
}

export interface PlannedSelection {
  /** of the output */
  rows: number
  /** in the order of the output: row groups that stay as they are, and those whose rows are merged */
  steps: { isMerged: boolean; rowGroups: number; rows: number }[]
  /** the same as text */
  text: string
}

/**
 * What `mergeParquet` would do with the same arguments. Footers are read and checked, pages are not, so a column that is
 * to be spliced here may yet be rewritten there. With `sortBy` and `dedupeBy` the columns are read that these name.
 * @throws ParquetError as `mergeParquet` does before it writes: `schema_mismatch`, `bad_footer`, …
 */
export async function explainMerge(sources: readonly Source[], options: MergeOptions = {}): Promise<MergePlan> {
  const settings = checkOptions(options)
  const { inputs, schema } = await readInputs(sources, settings)
  const codecs = chooseCodecs(inputs, schema, settings)
  const footers = inputs.map(({ footer }) => footer)
  const selection = await selectRows(inputs, schema, options, settings)
  return {
    files: inputs.length,
    rows: footers.reduce((sum, { rowCount }) => sum + rowCount, 0),
    bytes: sources.reduce((sum, { byteLength }) => sum + byteLength, 0),
    leaves: schema.leaves.map(({ name }, column) => ({ name, codec: codecs[column]! })),
    rowGroups: selection ? [] : planMerge(footers, schema, { ...settings, codecs }),
    ...(selection && { selection: explainSelection(selection) }),
  }
}

function explainSelection({ steps, rows }: Selection): PlannedSelection {
  const members = steps.flatMap(({ pieces }) => pieces)
  let next = 0
  const clusters = steps.flatMap(({ kind, pieces }) => {
    const own = pieces.map(() => next++)
    return kind === 'gather' ? { members: own, isMerged: true } : own.map((at) => ({ members: [at], isMerged: false }))
  })
  return {
    rows,
    steps: steps.map(({ kind, pieces }) => ({
      isMerged: kind === 'gather',
      rowGroups: pieces.length,
      rows: pieces.reduce((sum, piece) => sum + piece.rows, 0),
    })),
    text: printSortPlan(clusters, members),
  }
}
