import type { CodecName, Codecs } from '../codecs/codec.ts'
import type { DropTally } from '../drop-reasons.ts'
import type { CarriedColumn } from '../footer/carried-columns.ts'
import { extrasOf } from '../footer/chunk-extras.ts'
import { mergeSorting, type SortingColumns } from '../footer/sorting-columns.ts'
import type { ByteBuffer } from '../format/byte-buffer.ts'
import type { Kernel } from '../kernel/kernel.ts'
import { isTrap } from '../kernel/kernel-module.ts'
import { type PlannedRowGroup, type PlanReason, spanOf } from '../plan/plan-merge.ts'
import { inColumn } from '../read/chunk-reader.ts'
import { FileReader, throwIfAborted } from '../read/file-reader.ts'
import { nameSource } from '../read/inspect.ts'
import { chunkPlace, openChunk } from '../read/open-chunk.ts'
import type { LeafColumn, Schema } from '../schema/schema.ts'
import type { RowGroupSource } from '../splice/carry-chunk.ts'
import { carriedChunk, carryChunk } from '../splice/carry-chunk.ts'
import { type CheckedChunk, checkChunks, coalesceChunk } from '../splice/coalesce-chunk.ts'
import type { SamplingSchedule } from '../splice/sampling-schedule.ts'
import { MAX_SPLICED_PAGES, NotSpliceable, scanChunk } from '../splice/scan-chunk.ts'
import { type SplicePart, spliceChunk } from '../splice/splice-chunk.ts'
import { ChunkWriter, type ChunkWriterLimits } from '../write/chunk-writer.ts'
import type { FileWriter } from '../write/file-writer.ts'
import type { FinishedChunk } from '../write/finished-chunk.ts'
import type { MergeTally } from './merge-tally.ts'
import { areRowsSorted } from './verify-sorting.ts'

const TINY_CHUNK_BYTES = 1024

/** In fewer rows a dictionary gains nothing that is worth a look at the values. */
const SAMPLED_ROWS = 8192

export interface ColumnSettings {
  codecs: Codecs
  /** codec of each column of the output */
  columnCodecs: readonly CodecName[]
  minPageBytes: number
  maxPageBytes: number
  pages: 'splice' | 'check' | 'rewrite'
  signal: AbortSignal | undefined
  kernel: Kernel
  /** for the page that is being read */
  scratch: ByteBuffer
  /** for indices that change */
  remapped: ByteBuffer
  limits: ChunkWriterLimits
  /** for each column */
  carriedColumns: readonly CarriedColumn[]
  drops: DropTally
  sampling: SamplingSchedule
  /** how the rows of a row group of the output are sorted, by the row groups that they come from */
  sortingOf: typeof mergeSorting
}

/**
 * Write one row group of the output column by column, so that one column at a time is held beside the members.
 * @throws ParquetError naming the source and the column
 */
export async function writeRowGroup(
  members: readonly RowGroupSource[],
  planned: PlannedRowGroup,
  schema: Schema,
  output: FileWriter,
  settings: ColumnSettings,
  tally: MergeTally,
): Promise<void> {
  output.beginRowGroup()
  for (const [column, leaf] of schema.leaves.entries()) {
    throwIfAborted(settings.signal)
    const { action, reason } = planned.columns[column]!
    let rewriteReason: PlanReason = reason
    let chunk: FinishedChunk | undefined
    const isSampled = action === 'splice' && leaf.maxRepetition === 0 && planned.rows >= SAMPLED_ROWS
    const mayRepeat = isSampled && settings.sampling.isDue(column)
    if (action === 'coalesce' || mayRepeat) {
      const joined = await coalesce(members, planned, column, leaf, mayRepeat, settings)
      if (mayRepeat) settings.sampling.note(column, !(joined instanceof NotSpliceable))
      if (joined instanceof NotSpliceable) {
        rewriteReason = joined.reason
      } else {
        tally.add('coalesced', mayRepeat ? 'repeated_values' : reason, members.length)
        chunk = joined
      }
    }
    const isPassed = !chunk && action !== 'rewrite' && action !== 'coalesce'
    const isChecked = settings.pages === 'check'
    // whether a filter that passes has all of the values, only a look at each of them would tell
    const hasFilter = isChecked && settings.carriedColumns[column]!.bloomFilter
    const checked = isPassed && isChecked && !hasFilter ? await check(members, column, leaf, settings) : undefined
    if (isPassed && isChecked && !checked) {
      rewriteReason = hasFilter ? 'filter_of_values' : 'unexpected_pages'
    } else if (isPassed) {
      const spliced = await splice(members, checked, column, leaf, settings)
      if (spliced instanceof NotSpliceable) {
        rewriteReason = spliced.reason
      } else {
        const isRemapped = spliced.reason === 'several_dictionaries'
        const done = action === 'copy' ? 'copied' : isRemapped ? 'remapped' : 'spliced'
        tally.add(done, action === 'copy' ? reason : spliced.reason, members.length)
        chunk = spliced
      }
    }
    if (!chunk) {
      tally.add('rewritten', rewriteReason, members.length)
      chunk = await rewrite(members, column, leaf, settings)
    }
    const { carriedColumns, drops } = settings
    const carried = carriedColumns[column]!
    if (carried.isAny || members.length === 1) {
      chunk = carryChunk(chunk, column, members, true, carried, drops, settings.kernel)
    }
    await output.writeChunk(chunk)
  }
  await output.endRowGroup(planned.rows, await sortingOf(members, schema, settings))
}

/** The declared order of the rows; where pages are checked, a declaration of an input is verified before it is repeated. */
async function sortingOf(
  members: readonly RowGroupSource[],
  schema: Schema,
  settings: ColumnSettings,
): Promise<SortingColumns | undefined> {
  const sorting = settings.sortingOf(members, schema, settings.drops)
  if (!sorting || settings.sortingOf !== mergeSorting || settings.pages === 'splice') return sorting
  if (await areRowsSorted(members, sorting, schema, settings)) return sorting
  settings.drops.add('sorting_columns_unsure')
  return undefined
}

async function splice(
  members: readonly RowGroupSource[],
  checkedChunks: readonly CheckedChunk[] | undefined,
  column: number,
  leaf: LeafColumn,
  settings: ColumnSettings,
): ReturnType<typeof spliceChunk> {
  const parts: SplicePart[] = []
  let pages = 0
  for (const [index, member] of members.entries()) {
    const { file, footer, rowGroup } = member
    const part = carriedChunk(member, column)
    const place = chunkPlace(footer, part.chunk)
    settings.codecs.work?.reading(file.source.name)
    const scanned = await named(file, leaf, async () => {
      const bytes = await file.read(place.offset, place.bytes)
      const rows = footer.rowsOfGroup[rowGroup]!
      return scanChunk(bytes, leaf, place, rows, settings.codecs, settings.maxPageBytes)
    })
    if (scanned instanceof NotSpliceable) return scanned
    pages += scanned.pages.length
    if (pages > MAX_SPLICED_PAGES) return new NotSpliceable('small_pages')
    const checked = checkedChunks?.[index]
    if (checked && checked.pages.length !== scanned.pages.length) return new NotSpliceable('unexpected_pages')
    parts.push({
      ...part,
      scanned,
      place,
      checked,
      within: (work) => {
        settings.codecs.work?.reading(file.source.name)
        return named(file, leaf, work)
      },
    })
  }
  const isUnread = (part: SplicePart) => {
    const { columnIndex } = extrasOf(part.footer, part.chunk)
    return columnIndex !== undefined && !part.held(columnIndex)
  }
  if (parts.some(isUnread)) settings.drops.add('page_index_unread')
  return spliceChunk(leaf, parts, {
    codec: settings.columnCodecs[column]!,
    codecs: settings.codecs,
    minPageBytes: settings.minPageBytes,
    limits: settings.limits,
    dictionaryBytes: settings.limits.dictionaryBytes,
    maxPageBytes: settings.maxPageBytes,
    scratch: settings.scratch,
    compressed: settings.limits.compressed,
    remapped: settings.remapped,
  })
}

/**
 * Where chunks are tiny, the kernel keeps them from when they are read: to hand them over one by one would take longer than
 * the work, and their files need not be held.
 * @returns whether it does, for this row group
 */
export function beginKeeping(planned: PlannedRowGroup, settings: ColumnSettings): boolean {
  const { kernel } = settings
  const { columns, members, bytes, spanBytes, isStreamed } = planned
  const areTiny = bytes < members * columns.length * TINY_CHUNK_BYTES
  // then bloom filters are made of values; that of a single member would be taken over from its file
  const areJoined = members > 1 && columns.every(({ action }) => action === 'coalesce')
  const isDense = spanBytes <= bytes * 1.25
  const isKept = !isStreamed && areTiny && areJoined && isDense
  return withoutTrap(kernel, () => {
    kernel.beginGroup(isKept ? spanBytes : 0, members)
    return isKept
  })
}

/** @returns the member without its bytes, if the kernel keeps them; should they be needed otherwise, they are read again */
export function keepMember(member: RowGroupSource, { kernel, signal }: ColumnSettings): RowGroupSource {
  const { file, footer, rowGroup } = member
  const { start, end } = spanOf(footer, rowGroup, footer.schema.leaves.length)
  const bytes = file.held(start, end - start)
  const isKept = bytes !== undefined && withoutTrap(kernel, () => kernel.keep(bytes, start))
  return isKept ? { file: new FileReader(file.source, signal), footer, rowGroup, carried: [] } : member
}

function withoutTrap(kernel: Kernel, work: () => boolean): boolean {
  try {
    return work()
  } catch (error) {
    if (!isTrap(error)) throw error
    kernel.hasTrapped = true
    return false
  }
}

async function coalesce(
  members: readonly RowGroupSource[],
  planned: PlannedRowGroup,
  column: number,
  leaf: LeafColumn,
  onlyIfRepeated: boolean,
  settings: ColumnSettings,
): ReturnType<typeof coalesceChunk> {
  const { kernel, columnCodecs, codecs, maxPageBytes, scratch, limits } = settings
  if (kernel.hasTrapped) return new NotSpliceable('kernel_trapped')
  try {
    const joined = await coalesceChunk(leaf, members, column, planned.sums[column]!, {
      kernel,
      codec: columnCodecs[column]!,
      codecs,
      maxPageBytes,
      onlyIfRepeated,
      wantsValues: settings.carriedColumns[column]!.bloomFilter,
      limits,
      scratch,
      compressed: limits.compressed,
    })
    // the last look at what the kernel made of them
    const isWhole = joined instanceof NotSpliceable || joined.levels === planned.rows
    return isWhole ? joined : new NotSpliceable('unexpected_pages')
  } catch (error) {
    if (!isTrap(error)) throw error
    // its memory is in an unknown state; reading value by value needs none of it
    kernel.hasTrapped = true
    return new NotSpliceable('kernel_trapped')
  }
}

async function check(
  members: readonly RowGroupSource[],
  column: number,
  leaf: LeafColumn,
  settings: ColumnSettings,
): Promise<CheckedChunk[] | undefined> {
  const { kernel } = settings
  if (kernel.hasTrapped) return undefined
  try {
    return await checkChunks(leaf, members, column, settings)
  } catch (error) {
    if (!isTrap(error)) throw error
    kernel.hasTrapped = true
    return undefined
  }
}

async function rewrite(
  members: readonly RowGroupSource[],
  column: number,
  leaf: LeafColumn,
  settings: ColumnSettings,
): Promise<FinishedChunk> {
  const { codecs, columnCodecs, limits, maxPageBytes, scratch } = settings
  const writer = new ChunkWriter(leaf, columnCodecs[column]!, codecs, limits, settings.carriedColumns[column]!)
  for (const { file, footer, rowGroup } of members) {
    const reader = openChunk(file, footer, rowGroup, column, leaf, { codecs, maxPageBytes, scratch })
    try {
      await reader.copyRows(footer.rowsOfGroup[rowGroup]!, writer)
      if (reader.mayHaveMore) await reader.expectEnd()
    } catch (error) {
      throw nameSource(error, file.source.name)
    }
  }
  return writer.finish()
}

/** Failures within say in which file and column they happened. */
async function named<Result>(file: FileReader, leaf: LeafColumn, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    throw nameSource(inColumn(error, leaf), file.source.name)
  }
}
