import type { CodecName } from '../codecs/codec.ts'
import { MergePlanner, type PlannedRowGroup } from '../plan/plan-merge.ts'
import type { Source } from '../read/source.ts'
import { printSortPlan } from '../sort/rank/plan-sort.ts'
import { type Selection, selectRows } from '../sort/select-rows.ts'
import type { MergeOptions } from './merge-options.ts'
import { chooseCodecs, footerBytesFor, rangesOf, readInputs } from './read-inputs.ts'
import { checkOptions, sortSettings } from './settings.ts'

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
  /** rows of the output */
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
  const found = await readInputs(sources, settings, footerBytesFor(options, settings))
  const { inputs, schema } = found
  const codecs = await chooseCodecs(found, settings)
  const selection = await selectRows(inputs, schema, options, sortSettings(settings))
  const planner = new MergePlanner(schema, { ...settings, codecs })
  if (!selection) for await (const range of rangesOf(found, settings)) planner.add(range)
  return {
    files: inputs.length,
    rows: inputs.reduce((sum, { rows }) => sum + rows, 0),
    bytes: sources.reduce((sum, { byteLength }) => sum + byteLength, 0),
    leaves: schema.leaves.map(({ name }, column) => ({ name, codec: codecs[column]! })),
    rowGroups: planner.finish(),
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
