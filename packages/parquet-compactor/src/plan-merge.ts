import { CODEC_NUMBERS } from './compression.ts'
import type { Footer } from './footer.ts'
import { ENCODING } from './format.ts'
import type { CodecName } from './merge-options.ts'
import type { Schema } from './schema.ts'

/**
 * What becomes of a column of an output row group:
 * `copy`    the chunk of one input row group, as it is
 * `splice`  the pages of several chunks one after another, still compressed
 * `remap`   the same under one dictionary that joins theirs; only pages of changed indices are written anew
 * `coalesce` pages are unpacked and joined into large ones, under one dictionary where values repeat; values stay as bytes
 * `rewrite` levels and values are decoded and written anew
 */
export type ColumnAction = 'copy' | 'splice' | 'remap' | 'coalesce' | 'rewrite'

export const PLAN_REASONS = {
  large_row_group: 'the row group is large enough as it is',
  no_dictionary: 'no chunk has a dictionary',
  one_dictionary: 'one chunk has a dictionary',
  several_dictionaries: 'dictionaries are joined',
  pages_checked: 'every page is to be read and checked',
  codec_changes: 'the output has another codec',
  unknown_encoding: 'an encoding is not known',
  mixed_page_versions: 'pages of both versions',
  small_pages: 'pages are smaller than minPageBytes',
  huge_row_group: 'the row group is larger than four times the target',
  chunk_over_budget: 'a chunk does not fit into half of the memory budget',
  row_group_rewritten: 'another column of the large row group must be written anew',
  large_dictionary: 'the joined dictionary would be too large',
  page_order: 'pages stand in an unusual order',
  repeated_values: 'values repeat, so that a dictionary makes them smaller',
  filter_of_values: 'its bloom filter is made of values that no dictionary holds',
  unexpected_pages: 'pages are not as the footer or the usual encodings let expect',
  kernel_trapped: 'the kernel ran out of memory, or has a defect',
  rows_reordered: 'rows are sorted or left out',
  schema_changes: 'the column has another type in the output, or is missing',
} as const

export type PlanReason = keyof typeof PLAN_REASONS

export interface PlannedColumn {
  action: ColumnAction
  reason: PlanReason
}

/**
 * Input row groups that go together. Where every column is rewritten, rows stream through and the output's row groups end
 * where they are full, so several such groups may make one row group, or one several.
 */
export interface PlannedRowGroup {
  /** row groups of the inputs, in order; those without rows are passed over and not counted */
  members: number
  rows: number
  /** compressed bytes of the members */
  bytes: number
  columns: PlannedColumn[]
  /** whether every column is rewritten */
  isStreamed: boolean
}

export interface PlanSettings {
  pages: 'splice' | 'rewrite'
  targetRowGroupBytes: number
  minPageBytes: number
  memoryBudgetBytes: number
  /** codec of each column of the output */
  codecs: readonly CodecName[]
}

/** A row group of at least this part of the target is left alone. */
const LARGE_ENOUGH = 0.5
/** A row group of more than so many targets is cut. */
const TOO_LARGE = 4

const KNOWN_ENCODINGS = Object.values(ENCODING).reduce<number>((bits, encoding) => bits | (1 << encoding), 0)

type Member = { footer: Footer; rowGroup: number; bytes: number }

/**
 * Decide from footers alone what becomes of each row group and column. Pages may yet tell another story than the footer;
 * then a column that was to be spliced is rewritten, and the report says so.
 * @param footers of the inputs, in the order of the output
 */
export function planMerge(footers: readonly Footer[], schema: Schema, settings: PlanSettings): PlannedRowGroup[] {
  const plan: PlannedRowGroup[] = []
  const { targetRowGroupBytes } = settings
  let members: Member[] = []
  let bytes = 0
  const close = () => {
    if (members.length > 0) plan.push(planRowGroup(members, bytes, schema, settings))
    members = []
    bytes = 0
  }
  for (const footer of footers) {
    for (let rowGroup = 0; rowGroup < footer.rowGroupCount; rowGroup++) {
      if (footer.rowsOfGroup[rowGroup] === 0) continue
      const own = rowGroupBytes(footer, rowGroup, schema.leaves.length)
      const member = { footer, rowGroup, bytes: own }
      if (own >= targetRowGroupBytes * LARGE_ENOUGH) {
        close()
        plan.push(planLargeRowGroup(member, schema, settings))
        continue
      }
      if (bytes + own > targetRowGroupBytes) close()
      members.push(member)
      bytes += own
    }
  }
  close()
  return plan
}

function rowGroupBytes(footer: Footer, rowGroup: number, columns: number): number {
  let bytes = 0
  for (let chunk = rowGroup * columns; chunk < (rowGroup + 1) * columns; chunk++) bytes += footer.chunkBytes[chunk]!
  return bytes
}

function planLargeRowGroup(member: Member, schema: Schema, settings: PlanSettings): PlannedRowGroup {
  const { footer, rowGroup, bytes } = member
  const whole = (reason: PlanReason): PlannedRowGroup => ({
    members: 1,
    rows: footer.rowsOfGroup[rowGroup]!,
    bytes,
    columns: schema.leaves.map(() => ({ action: 'rewrite', reason })),
    isStreamed: true,
  })
  if (bytes > settings.targetRowGroupBytes * TOO_LARGE) return whole('huge_row_group')
  const columns = schema.leaves.map((_, column): PlannedColumn => {
    const chunk = rowGroup * schema.leaves.length + column
    if (footer.chunkBytes[chunk]! > settings.memoryBudgetBytes / 2) {
      return { action: 'rewrite', reason: 'chunk_over_budget' }
    }
    const obstacle = obstacleOf([member], column, schema, settings)
    if (!obstacle) return { action: 'copy', reason: 'large_row_group' }
    return { action: canCoalesce([member], column, schema) ? 'coalesce' : 'rewrite', reason: obstacle }
  })
  if (columns.every(({ action }) => action !== 'rewrite')) {
    return { members: 1, rows: footer.rowsOfGroup[rowGroup]!, bytes, columns, isStreamed: columns.length === 0 }
  }
  // one at a time would mean to hold all of it
  return {
    ...whole('row_group_rewritten'),
    columns: columns.map((column) =>
      column.action === 'rewrite' ? column : { action: 'rewrite', reason: 'row_group_rewritten' },
    ),
  }
}

function planRowGroup(members: Member[], bytes: number, schema: Schema, settings: PlanSettings): PlannedRowGroup {
  const columns = schema.leaves.map((_, column) => planColumn(members, column, schema, settings))
  return {
    members: members.length,
    rows: members.reduce((sum, { footer, rowGroup }) => sum + footer.rowsOfGroup[rowGroup]!, 0),
    bytes,
    columns,
    isStreamed: columns.every(({ action }) => action === 'rewrite'),
  }
}

function planColumn(members: Member[], column: number, schema: Schema, settings: PlanSettings): PlannedColumn {
  const obstacle = obstacleOf(members, column, schema, settings)
  const anew = canCoalesce(members, column, schema) ? 'coalesce' : 'rewrite'
  if (obstacle) return { action: anew, reason: obstacle }
  let pages = 0
  let dataBytes = 0
  let dictionaries = 0
  for (const { footer, rowGroup } of members) {
    const chunk = rowGroup * schema.leaves.length + column
    pages += footer.chunkPages[chunk]! || 1
    dataBytes += footer.chunkBytes[chunk]! - footer.chunkDictionaryBytes[chunk]!
    dictionaries += footer.chunkHasDictionary[chunk]!
  }
  if (dataBytes < pages * settings.minPageBytes) return { action: anew, reason: 'small_pages' }
  if (dictionaries > 1) return { action: anew === 'coalesce' ? anew : 'remap', reason: 'several_dictionaries' }
  return { action: 'splice', reason: dictionaries === 1 ? 'one_dictionary' : 'no_dictionary' }
}

/** Encodings whose pages can be joined without a look at single values. */
const JOINED_ENCODINGS =
  (1 << ENCODING.PLAIN) |
  (1 << ENCODING.PLAIN_DICTIONARY) |
  (1 << ENCODING.RLE) |
  (1 << ENCODING.RLE_DICTIONARY) |
  (1 << ENCODING.BIT_PACKED)

/** Flat columns with known bounds: those of the output come from the footers then. */
function canCoalesce(members: Member[], column: number, schema: Schema): boolean {
  const leaf = schema.leaves[column]!
  if (leaf.maxRepetition > 0) return false
  return members.every(({ footer, rowGroup }) => {
    if (footer.adapted?.columns[column]) return false
    const chunk = rowGroup * schema.leaves.length + column
    return (footer.chunkEncodings[chunk]! & ~JOINED_ENCODINGS) === 0
  })
}

/** @returns why the pages cannot pass as they are, if footers tell */
function obstacleOf(members: Member[], column: number, schema: Schema, settings: PlanSettings): PlanReason | undefined {
  if (settings.pages === 'rewrite') return 'pages_checked'
  const codec = CODEC_NUMBERS[settings.codecs[column]!]
  let versions = 0
  for (const { footer, rowGroup } of members) {
    if (footer.adapted?.columns[column]) return 'schema_changes'
    const chunk = rowGroup * schema.leaves.length + column
    if (footer.chunkCodec[chunk] !== codec) return 'codec_changes'
    if ((footer.chunkEncodings[chunk]! & ~KNOWN_ENCODINGS) !== 0) return 'unknown_encoding'
    versions |= footer.chunkVersions[chunk]!
  }
  return versions === 3 ? 'mixed_page_versions' : undefined
}

/** The plan as text: a line for each row group, and one for each way its columns go. */
export function printPlan(plan: readonly PlannedRowGroup[], schema: { leaves: readonly { name: string }[] }): string {
  const lines: string[] = []
  for (const [index, { members, rows, bytes, columns, isStreamed }] of plan.entries()) {
    const from = `${members} row group${members === 1 ? '' : 's'}, ${rows} rows, ${bytes} bytes`
    lines.push(`row group ${index}: ${from}${isStreamed ? ', streamed' : ''}`)
    const ways = new Map<string, string[]>()
    for (const [column, { action, reason }] of columns.entries()) {
      const way = `${action} (${PLAN_REASONS[reason]})`
      ways.set(way, [...(ways.get(way) ?? []), schema.leaves[column]!.name])
    }
    for (const [way, names] of ways) lines.push(`  ${way}: ${names.join(', ')}`)
  }
  return lines.join('\n')
}
