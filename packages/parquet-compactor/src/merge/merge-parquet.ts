import type { CodecName } from '../codecs/codec.ts'
import { DropTally } from '../drop-reasons.ts'
import { type CarriedColumn, CarriedColumnsSurvey } from '../footer/carried-columns.ts'
import { workBytes } from '../footer/declared-work.ts'
import { footerLength, TAIL_BYTES } from '../footer/footer.ts'
import { encodeSortingColumns, mergeSorting } from '../footer/sorting-columns.ts'
import { ByteBuffer } from '../format/byte-buffer.ts'
import { Kernel } from '../kernel/kernel.ts'
import { ParquetError } from '../parquet-error.ts'
import { MergePlanner, type PlannedRowGroup } from '../plan/plan-merge.ts'
import { throwIfAborted } from '../read/file-reader.ts'
import type { InputFile } from '../read/input-file.ts'
import { nameSource } from '../read/inspect.ts'
import { openChunk } from '../read/open-chunk.ts'
import { readAhead } from '../read/read-ahead.ts'
import { ScratchRoom } from '../read/scratch.ts'
import type { Sink, Source } from '../read/source.ts'
import { type Schema, schemaFingerprint } from '../schema/schema.ts'
import { type Selection, selectRows } from '../sort/select-rows.ts'
import type { RowGroupSource } from '../splice/carry-chunk.ts'
import { SamplingSchedule } from '../splice/sampling-schedule.ts'
import { FileWriter } from '../write/file-writer.ts'
import { PartWriter } from '../write/part-writer.ts'
import type { MergeOptions, MergeReport } from './merge-options.ts'
import { ProgressCount } from './merge-progress.ts'
import { MergeTally } from './merge-tally.ts'
import { openInput, openRowGroup } from './open-input.ts'
import { chooseCodecs, footerBytesFor, footerRoomOf, type ReadInputs, rangesOf, readInputs } from './read-inputs.ts'
import { RowGroupBuilder } from './row-group-builder.ts'
import { checkOptions, chunkLimits, type Settings, sortSettings } from './settings.ts'
import { writeSelected } from './write-gathered.ts'
import { beginKeeping, type ColumnSettings, keepMember, writeRowGroup } from './write-row-group.ts'

/** A report is logged and stored, whatever the schemas. */
const MAX_REPORTED_CHANGES = 100

/**
 * Merge files of one schema into one file: sources in the given order, the rows of each in theirs. Pages are copied still
 * compressed where the plan allows it, and values as bytes elsewhere; they never become JavaScript values, so every
 * physical and logical type comes out as it went in.
 *
 * Reads each footer first, and fails before anything is written if a footer is bad or a schema differs. A failure later
 * leaves the sink with part of a file, which the caller throws away. All that is held stays below `memoryBudgetBytes` for
 * any number of sources, but for some hundred bytes for each source.
 *
 * @throws ParquetError `schema_mismatch`, `corrupt_data`, `read_failed`, …: see `PARQUET_ERRORS`; the message names the source
 */
export async function mergeParquet(
  sources: readonly Source[],
  sink: Sink,
  options: MergeOptions = {},
): Promise<MergeReport> {
  const kernel = Kernel.acquire(options.kernel)
  try {
    return await mergeWith(kernel, sources, sink, options)
  } finally {
    kernel.release()
  }
}

async function mergeWith(
  kernel: Kernel,
  sources: readonly Source[],
  sink: Sink,
  options: MergeOptions,
): Promise<MergeReport> {
  const settings = checkOptions(options)
  const found = await readInputs(sources, settings, footerBytesFor(options, settings))
  const codecs = await chooseCodecs(found, settings)
  const selection = await selectRows(found.inputs, found.schema, options, sortSettings(settings))
  const parts = new PartWriter(sink, settings.partBytes)
  const output = new FileWriter(parts, found.schema, settings.shares.outputIndexes, settings.shares.footers)
  try {
    return await writeOutput(kernel, { found, codecs, output }, selection, settings, options)
  } catch (error) {
    await parts.abandon()
    throw error
  }
}

async function writeOutput(
  kernel: Kernel,
  { found, codecs, output }: Pick<Merge, 'found' | 'codecs' | 'output'>,
  selection: Selection | undefined,
  settings: Settings,
  options: MergeOptions,
): Promise<MergeReport> {
  const { inputs, keyValues, schema, schemaChanges } = found
  const rowsIn = inputs.reduce((sum, { rows }) => sum + rows, 0)
  const tally = new MergeTally()
  const planner = new MergePlanner(schema, { ...settings, codecs })
  const carried = new CarriedColumnsSurvey(schema)
  for await (const range of rangesOf(found, settings)) {
    carried.add(range)
    if (!selection) planner.add(range)
  }
  await output.begin()
  const drops = new DropTally()
  const columns = columnSettings(settings, codecs, carried.finish(), drops, kernel)
  if (selection && selection.sortingColumns.length > 0) {
    const sorting = encodeSortingColumns(selection.sortingColumns)
    columns.sortingOf = () => sorting
  }
  const progress = new ProgressCount(inputs, options.onProgress)
  const group = new RowGroupBuilder(output, schema, columns, settings)
  const scratch = options.scratch && new ScratchRoom(options.scratch)
  const merge: Merge = { found, codecs, output, group, tally, progress, columns }
  if (selection) {
    await writeSelected(selection, settings, options.kernel, { schema, scratch, ...merge }, async (run) => {
      const own = new MergePlanner(schema, { ...settings, codecs })
      for (const { range } of run) own.add(range!)
      await writeInOrder(run, own.finish(), settings, merge)
      await group.flush()
    })
  } else {
    await writeInOrder(inputs, planner.finish(), settings, merge)
  }
  await group.flush()
  progress.report(output.offset)
  const rowsWanted = selection?.rows ?? rowsIn
  if (output.rowCount !== rowsWanted) {
    throw new ParquetError('row_count_mismatch', `${rowsWanted} rows are due, ${output.rowCount} were written`)
  }
  drops.add('page_index_memory', output.chunksWithoutIndex)
  drops.add('description_memory', output.chunksWithoutDescription)
  const metadata = keyValues.finish(output.rowCount, schemaChanges.length > 0)
  await output.end(metadata.pairs)
  return {
    files: inputs.length,
    rowsIn,
    rowsOut: output.rowCount,
    bytesIn: inputs.reduce((sum, { source }) => sum + source.byteLength, 0),
    bytesOut: output.offset,
    workBytes: workBytes(output.work),
    rowGroupsIn: inputs.reduce((sum, { rowGroups }) => sum + rowGroups, 0),
    rowGroupsOut: output.rowGroupCount,
    schemaFingerprint: await schemaFingerprint(schema),
    columnChunks: tally.report,
    keyValueMetadata: metadata.report,
    duplicateRows: rowsIn - rowsWanted,
    ...(selection && { rowGroupsKept: selection.kept, rowGroupsMerged: selection.merged }),
    ...(selection && scratch && { scratchBytes: scratch.byteLength }),
    schemaChanges: schemaChanges.slice(0, MAX_REPORTED_CHANGES),
    ...(schemaChanges.length > MAX_REPORTED_CHANGES && {
      schemaChangesOmitted: schemaChanges.length - MAX_REPORTED_CHANGES,
    }),
    dropped: drops.counts,
  }
}

/** State that all row groups of the output share. */
interface Merge {
  found: ReadInputs
  codecs: CodecName[]
  output: FileWriter
  group: RowGroupBuilder
  tally: MergeTally
  progress: ProgressCount
  columns: ColumnSettings
}

/** Write the rows of inputs one after another, pages as they are where the plan allows it. */
async function writeInOrder(
  inputs: readonly InputFile[],
  plan: readonly PlannedRowGroup[],
  settings: Settings,
  { found, output, group, tally, progress, columns }: Merge,
): Promise<void> {
  const { schema, rangeOf } = found
  /** the row group of the plan that is being filled, how many members it has seen, and those it holds */
  let planned = 0
  let seen = 0
  let members: RowGroupSource[] = []
  let isKept = false
  // page indexes are for pages that are not read
  const mayPass = plan.some(({ isStreamed }) => !isStreamed)
  const withRows = inputs.filter(({ rows }) => rows > 0)
  const open = (input: InputFile) => openInput(input, mayPass, rangeOf, settings)
  const { maxReadsInFlight, smallFileBytes, shares } = settings
  const room = {
    bytes: shares.filesAhead,
    of(input: InputFile) {
      const { byteLength } = input.source
      return (byteLength <= smallFileBytes ? byteLength : 0) + footerRoomOf(input)
    },
  }
  for await (const { file, range, indexes } of readAhead(withRows, maxReadsInFlight, open, room)) {
    const { footer } = range
    for (let index = range.from; index < range.to; index++) {
      const rows = footer.rowsOfGroup[index]!
      progress.add(file.source, rows)
      const next = plan[planned]
      if (rows > 0 && next) {
        const member = await openRowGroup(file, indexes, footer, index, next, settings)
        if (seen++ === 0) isKept = beginKeeping(next, columns)
        if (next.isStreamed) await copyRowGroup(member, schema, group, settings)
        else members.push(isKept ? keepMember(member, columns) : withoutFooter(member))
        if (seen === next.members) {
          if (next.isStreamed) {
            tally.addStreamed(next)
          } else {
            await group.flush()
            await writeRowGroup(members, next, schema, output, columns, tally)
          }
          members = []
          seen = 0
          planned++
        }
      }
      if (members.length === 0) progress.report(output.offset)
    }
  }
}

/** The footer of a tiny file is often larger than its rows, and was read. */
function withoutFooter(member: RowGroupSource): RowGroupSource {
  const { file } = member
  const { byteLength } = file.source
  const tail = file.held(byteLength - TAIL_BYTES, TAIL_BYTES)
  if (tail) file.trim(byteLength - footerLength(byteLength, tail))
  return member
}

/** Decode a row group and hand its rows to the builder. */
async function copyRowGroup(
  member: RowGroupSource,
  schema: Schema,
  group: RowGroupBuilder,
  settings: Settings,
): Promise<void> {
  const { file, footer, rowGroup } = member
  // without its bytes, which it must not hold until the row group ends
  const carried = { footer, rowGroup, carried: [] }
  const rows = footer.rowsOfGroup[rowGroup]!
  const columns = schema.leaves.length
  let bytes = 0
  for (let chunk = rowGroup * columns; chunk < (rowGroup + 1) * columns; chunk++) bytes += footer.chunkBytes[chunk]!
  const { codecs, shares, scratch } = settings
  const reading = { codecs, maxPageBytes: shares.page, scratch }
  const readers = schema.leaves.map((leaf, column) => openChunk(file, footer, rowGroup, column, leaf, reading))
  // a large row group is cut, so that the output's can end within it
  const slices = Math.max(1, Math.ceil(bytes / (settings.targetRowGroupBytes / 4)))
  const rowsPerSlice = Math.min(Math.max(1, Math.ceil(rows / slices)), settings.targetRowGroupRows)
  try {
    for (let done = 0; done < rows; done += rowsPerSlice) {
      throwIfAborted(settings.signal)
      await group.append(Math.min(rowsPerSlice, rows - done), readers, [carried])
    }
    for (const reader of readers) if (reader.mayHaveMore) await reader.expectEnd()
  } catch (error) {
    throw error instanceof ParquetError && error.code === 'write_failed' ? error : nameSource(error, file.source.name)
  }
}

function columnSettings(
  settings: Settings,
  codecs: CodecName[],
  carriedColumns: CarriedColumn[],
  drops: DropTally,
  kernel: Kernel,
): ColumnSettings {
  return {
    ...settings,
    carriedColumns,
    drops,
    sampling: new SamplingSchedule(),
    sortingOf: mergeSorting,
    columnCodecs: codecs,
    maxPageBytes: settings.shares.page,
    kernel,
    remapped: new ByteBuffer(),
    limits: chunkLimits(settings.shares.outputPage),
  }
}
