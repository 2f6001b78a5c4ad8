import type { CodecName } from '../codecs/codec.ts'
import { CODEC_NUMBERS } from '../codecs/compression.ts'
import type { Footer, RowGroupRange } from '../footer/footer.ts'
import { USUAL_BYTES_OF_CHUNK } from '../footer/footer-table.ts'
import { ENCODING } from '../format/format.ts'
import type { Schema } from '../schema/schema.ts'

/**
 * What becomes of a column of an output row group:
 * `copy`    the chunk of one input row group, as it is
 * `splice`  the pages of several chunks one after another, still compressed
 * `remap`   the same under one dictionary that joins theirs; only pages of changed indices are rewritten
 * `coalesce` pages are unpacked and joined into large ones, under one dictionary where values repeat; values stay as bytes
 * `rewrite` levels and values are decoded and rewritten
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
  row_group_rewritten: 'another column of the large row group must be rewritten',
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
  /** the same with what stands between their chunks */
  spanBytes: number
  columns: PlannedColumn[]
  /** sums over the members, by column, from their footers */
  sums: ColumnSums[]
  /** whether every column is rewritten */
  isStreamed: boolean
}

/** Sums over the chunks of one column. */
export class ColumnSums {
  /** compressed */
  bytes = 0
  levels = 0
  /** that are not null, as far as the footers tell */
  values = 0
  pages = 0
  /** how many chunks have one */
  dictionaries = 0
  /** compressed, of all and of the largest */
  dictionaryBytes = 0
  largestDictionary = 0
  /** bits as in `Footer` */
  encodings = 0
  versions = 0
  /** bit c stands for codec c */
  codecs = 0
  /** the column is otherwise in some file, or missing */
  isAdapted = false

  add(footer: Footer, chunk: number, column: number): void {
    const dictionaryBytes = footer.chunkDictionaryBytes[chunk]!
    const levels = footer.chunkValues[chunk]!
    const nulls = footer.chunkNulls[chunk]!
    this.bytes += footer.chunkBytes[chunk]!
    this.levels += levels
    this.values += nulls > 0 ? levels - nulls : levels
    this.pages += footer.chunkPages[chunk]! || 1
    this.dictionaries += footer.chunkHasDictionary[chunk]!
    this.dictionaryBytes += dictionaryBytes
    if (dictionaryBytes > this.largestDictionary) this.largestDictionary = dictionaryBytes
    this.encodings |= footer.chunkEncodings[chunk]!
    this.versions |= footer.chunkVersions[chunk]!
    this.codecs |= 1 << footer.chunkCodec[chunk]!
    if (footer.adapted?.columns[column]) this.isAdapted = true
  }
}

export interface PlanSettings {
  pages: 'splice' | 'check' | 'rewrite'
  targetRowGroupBytes: number
  targetRowGroupRows: number
  minPageBytes: number
  memoryBudgetBytes: number
  /** codec of each column of the output */
  codecs: readonly CodecName[]
}

/** A row group of at least this part of the target is left alone. */
const LARGE_ENOUGH = 0.5
/** part of the memory budget that the footers of members of one row group may take */
const FOOTER_SHARE = 8
/** A row group of more than so many targets is cut. */
const TOO_LARGE = 4

const KNOWN_ENCODINGS = Object.values(ENCODING).reduce<number>((bits, encoding) => bits | (1 << encoding), 0)

/**
 * Decides from footers alone what becomes of each row group and column. Pages may yet tell another story than the footer;
 * then a column that was to be spliced is rewritten, and the report says so. Nothing of a footer is kept.
 */
export class MergePlanner {
  readonly #schema: Schema
  readonly #settings: PlanSettings
  readonly #plan: PlannedRowGroup[] = []
  #open: OpenRowGroup

  constructor(schema: Schema, settings: PlanSettings) {
    this.#schema = schema
    this.#settings = settings
    this.#open = new OpenRowGroup(schema)
  }

  /** @param range of the inputs, in the order of the output */
  add({ footer, from, to }: RowGroupRange): void {
    const { targetRowGroupBytes, targetRowGroupRows, memoryBudgetBytes } = this.#settings
    const columns = this.#schema.leaves.length
    // the footers of members are held while these are joined
    const mostMembers = memoryBudgetBytes / FOOTER_SHARE / Math.max(1, columns * USUAL_BYTES_OF_CHUNK)
    for (let rowGroup = from; rowGroup < to; rowGroup++) {
      const rows = footer.rowsOfGroup[rowGroup]!
      if (rows === 0) continue
      const bytes = rowGroupBytes(footer, rowGroup, columns)
      const isLarge = bytes >= targetRowGroupBytes * LARGE_ENOUGH || rows >= targetRowGroupRows * LARGE_ENOUGH
      const { bytes: openBytes, rows: openRows, members } = this.#open
      const isFull = openBytes + bytes > targetRowGroupBytes || openRows + rows > targetRowGroupRows
      if (isLarge || isFull || members >= mostMembers) this.#close()
      this.#open.add(footer, rowGroup, bytes)
      if (isLarge) this.#close(planLargeRowGroup)
    }
  }

  #close(how = planRowGroup): void {
    if (this.#open.members === 0) return
    this.#plan.push(how(this.#open, this.#schema, this.#settings))
    this.#open = new OpenRowGroup(this.#schema)
  }

  finish(): PlannedRowGroup[] {
    this.#close()
    return this.#plan
  }
}

/** Sums over the members of one output row group, from their footers. */
class OpenRowGroup {
  members = 0
  rows = 0
  bytes = 0
  spanBytes = 0
  readonly sums: ColumnSums[]

  constructor(schema: Schema) {
    this.sums = schema.leaves.map(() => new ColumnSums())
  }

  add(footer: Footer, rowGroup: number, bytes: number): void {
    const columns = this.sums.length
    this.members++
    this.rows += footer.rowsOfGroup[rowGroup]!
    this.bytes += bytes
    const { start, end } = spanOf(footer, rowGroup, columns)
    this.spanBytes += end - start
    for (let column = 0, chunk = rowGroup * columns; column < columns; column++, chunk++) {
      this.sums[column]!.add(footer, chunk, column)
    }
  }
}

function rowGroupBytes(footer: Footer, rowGroup: number, columns: number): number {
  let bytes = 0
  for (let chunk = rowGroup * columns; chunk < (rowGroup + 1) * columns; chunk++) bytes += footer.chunkBytes[chunk]!
  return bytes
}

/** Where the chunks of a row group begin and end in their file. */
export function spanOf(footer: Footer, rowGroup: number, columns: number): { start: number; end: number } {
  let [start, end] = [Number.POSITIVE_INFINITY, 0]
  for (let chunk = rowGroup * columns; chunk < (rowGroup + 1) * columns; chunk++) {
    const offset = footer.chunkOffset[chunk]!
    start = Math.min(start, offset)
    end = Math.max(end, offset + footer.chunkBytes[chunk]!)
  }
  return end > 0 ? { start, end } : { start: 0, end: 0 }
}

function planLargeRowGroup(group: OpenRowGroup, schema: Schema, settings: PlanSettings): PlannedRowGroup {
  const { sums, bytes } = group
  const whole = (reason: PlanReason): PlannedRowGroup => ({
    ...group,
    columns: schema.leaves.map(() => ({ action: 'rewrite', reason })),
    isStreamed: true,
  })
  if (bytes > settings.targetRowGroupBytes * TOO_LARGE) return whole('huge_row_group')
  const columns = schema.leaves.map((_, column): PlannedColumn => {
    const own = sums[column]!
    if (own.bytes > settings.memoryBudgetBytes / 2) return { action: 'rewrite', reason: 'chunk_over_budget' }
    const obstacle = obstacleOf(own, 1, column, settings)
    if (!obstacle) return { action: 'copy', reason: 'large_row_group' }
    const fitsTwice = own.bytes <= settings.memoryBudgetBytes / 8
    return { action: fitsTwice && canCoalesce(own, column, schema) ? 'coalesce' : 'rewrite', reason: obstacle }
  })
  if (columns.every(({ action }) => action !== 'rewrite')) {
    return { ...whole('large_row_group'), columns, isStreamed: columns.length === 0 }
  }
  // one at a time would mean to hold all of it
  return {
    ...whole('row_group_rewritten'),
    columns: columns.map((column) =>
      column.action === 'rewrite' ? column : { action: 'rewrite', reason: 'row_group_rewritten' },
    ),
  }
}

function planRowGroup(group: OpenRowGroup, schema: Schema, settings: PlanSettings): PlannedRowGroup {
  const { sums, members } = group
  const columns = schema.leaves.map((_, column) => planColumn(sums[column]!, members, column, schema, settings))
  return { ...group, columns, isStreamed: columns.every(({ action }) => action === 'rewrite') }
}

function planColumn(
  sums: ColumnSums,
  members: number,
  column: number,
  schema: Schema,
  settings: PlanSettings,
): PlannedColumn {
  const obstacle = obstacleOf(sums, members, column, settings)
  const rewriting = canCoalesce(sums, column, schema) ? 'coalesce' : 'rewrite'
  if (obstacle) return { action: rewriting, reason: obstacle }
  const { pages, bytes, dictionaryBytes, dictionaries } = sums
  if (bytes - dictionaryBytes < pages * settings.minPageBytes) return { action: rewriting, reason: 'small_pages' }
  if (dictionaries > 1)
    return { action: rewriting === 'coalesce' ? rewriting : 'remap', reason: 'several_dictionaries' }
  return { action: 'splice', reason: dictionaries === 1 ? 'one_dictionary' : 'no_dictionary' }
}

/** Encodings whose pages can be joined without a look at single values. */
const JOINED_ENCODINGS =
  (1 << ENCODING.PLAIN) |
  (1 << ENCODING.PLAIN_DICTIONARY) |
  (1 << ENCODING.RLE) |
  (1 << ENCODING.RLE_DICTIONARY) |
  (1 << ENCODING.BIT_PACKED)

function canCoalesce({ isAdapted, encodings }: ColumnSums, column: number, schema: Schema): boolean {
  return schema.leaves[column]!.maxRepetition === 0 && !isAdapted && (encodings & ~JOINED_ENCODINGS) === 0
}

/** @returns why the pages cannot pass as they are, if footers tell */
function obstacleOf(
  { isAdapted, codecs, encodings, versions }: ColumnSums,
  members: number,
  column: number,
  settings: PlanSettings,
): PlanReason | undefined {
  if (settings.pages === 'rewrite') return 'pages_checked'
  if (isAdapted) return 'schema_changes'
  if (codecs !== 1 << CODEC_NUMBERS[settings.codecs[column]!]) return 'codec_changes'
  if ((encodings & ~KNOWN_ENCODINGS) !== 0) return 'unknown_encoding'
  return members > 1 && versions === 3 ? 'mixed_page_versions' : undefined
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
