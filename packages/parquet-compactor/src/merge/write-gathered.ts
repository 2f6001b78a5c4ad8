import { Kernel } from '../kernel/kernel.ts'
import { isTrap } from '../kernel/kernel-module.ts'
import { ParquetError } from '../parquet-error.ts'
import { throwIfAborted } from '../read/file-reader.ts'
import type { InputFile } from '../read/input-file.ts'
import type { ScratchRoom } from '../read/scratch.ts'
import type { Schema } from '../schema/schema.ts'
import { RowGatherer, type RowTarget } from '../sort/gather/gather-rows.ts'
import type { GatheredGroup } from '../sort/gather/gathered-group.ts'
import { GatheredLists } from '../sort/gather/gathered-lists.ts'
import { writeSlots } from '../sort/gather/write-slots.ts'
import type { Piece } from '../sort/keys/value-piece.ts'
import type { Selection } from '../sort/select-rows.ts'
import { writeSelection } from '../sort/write-selection.ts'
import { type CarriedRowGroup, carryChunk } from '../splice/carry-chunk.ts'
import { ChunkWriter, type ChunkWriterLimits } from '../write/chunk-writer.ts'
import type { FileWriter } from '../write/file-writer.ts'
import type { ProgressCount } from './merge-progress.ts'
import type { MergeTally } from './merge-tally.ts'
import { chunkLimits, type Settings, sortSettings } from './settings.ts'
import type { ColumnSettings } from './write-row-group.ts'

/** part of the budget from which the limits of pages and dictionaries are taken: one column is written at a time */
const WRITE_SHARE = 1 / 16

/** State that all row groups of the output share. */
interface GatheredMerge {
  schema: Schema
  output: FileWriter
  columns: ColumnSettings
  tally: MergeTally
  progress: ProgressCount
  scratch: ScratchRoom | undefined
}

/**
 * Write the steps of a selection one after another.
 * @param inOrder writes rows of inputs as they are, to the end of a row group
 */
export async function writeSelected(
  selection: Selection,
  settings: Settings,
  givenKernel: object | undefined,
  { schema, output, columns, tally, progress, scratch }: GatheredMerge,
  inOrder: (inputs: InputFile[]) => Promise<void>,
): Promise<void> {
  const pieces = selection.steps.flatMap((step) => step.pieces)
  const sum = (of: (piece: Piece) => number) => pieces.reduce((total, piece) => total + of(piece), 0)
  const bytesOfRow =
    sum(({ bytes }) => bytes) /
    Math.max(
      1,
      sum(({ rows }) => rows),
    )
  const limits = chunkLimits(settings.shares.sorting * WRITE_SHARE)
  const target = new GatheredTarget(output, schema, columns, settings, limits, selection.rows, bytesOfRow)
  const gathering = {
    ...sortSettings(settings),
    maxPageBytes: columns.maxPageBytes,
    newKernel: () => Kernel.acquire(givenKernel),
  }
  const gatherer = new RowGatherer(schema, pieces, gathering)
  const runRoom = scratch && { schema, room: scratch, limits }
  try {
    await writeSelection(selection, settings.targetRowGroupBytes, {
      async inOrder(inputs) {
        await gatherer.flush()
        await inOrder(inputs)
      },
      async gather(own, gather) {
        await gather({ gatherer, target, runRoom })
        tally.add('rewritten', 'rows_reordered', own.length * schema.leaves.length)
        for (const piece of own) progress.add(piece.source, piece.rows)
        progress.report(output.offset)
      },
    })
    await gatherer.end()
  } catch (error) {
    await scratch?.abandon()
    if (!isTrap(error)) throw error
    throw new ParquetError('memory_budget', 'rows that are put in order take more than the kernel gets', {
      cause: error,
    })
  }
}

/** Writes rows that were gathered as row groups, a column at a time. */
class GatheredTarget implements RowTarget {
  rowsLeft: number
  readonly #output: FileWriter
  readonly #schema: Schema
  readonly #columns: ColumnSettings
  readonly #settings: Settings
  readonly #limits: ChunkWriterLimits
  /** bytes a row takes in the output: an estimate until the first row group is written */
  #bytesOfRow: number

  constructor(
    output: FileWriter,
    schema: Schema,
    columns: ColumnSettings,
    settings: Settings,
    limits: ChunkWriterLimits,
    rows: number,
    bytesOfRow: number,
  ) {
    this.#output = output
    this.#schema = schema
    this.#columns = columns
    this.#settings = settings
    this.#limits = limits
    this.rowsLeft = rows
    this.#bytesOfRow = bytesOfRow
  }

  async write(group: GatheredGroup, rows: number, kernel: Kernel): Promise<void> {
    const { targetRowGroupBytes, targetRowGroupRows, signal } = this.#settings
    const wanted = Math.min(Math.max(1, targetRowGroupBytes / this.#bytesOfRow), targetRowGroupRows)
    const rowGroups = Math.max(1, Math.round(rows / wanted))
    const most = Math.ceil(rows / rowGroups)
    const members = group.pieces.map(({ footer, rowGroup }) => ({ footer, rowGroup, carried: [] }))
    const before = this.#output.offset
    for (let from = 0; from < rows; from += most) {
      throwIfAborted(signal)
      await this.#writeRowGroup(group, from, Math.min(most, rows - from), members, kernel)
    }
    this.#bytesOfRow = (this.#output.offset - before) / rows
    this.rowsLeft -= rows
  }

  async #writeRowGroup(
    { columns }: GatheredGroup,
    from: number,
    rows: number,
    members: readonly CarriedRowGroup[],
    kernel: Kernel,
  ): Promise<void> {
    const { codecs, columnCodecs, carriedColumns, drops, sortingOf } = this.#columns
    const limits = this.#limits
    this.#output.beginRowGroup()
    for (const [number, column] of columns.entries()) {
      const carried = carriedColumns[number]!
      const codec = columnCodecs[number]!
      const writing = { codec, codecs, limits, compressed: limits.compressed, carried }
      const chunk =
        column instanceof GatheredLists
          ? await writeLists(column, rows, new ChunkWriter(column.leaf, codec, codecs, limits, carried))
          : await writeSlots(kernel, column, from, rows, writing)
      await this.#output.writeChunk(carryChunk(chunk, number, members, false, carried, drops, kernel))
    }
    await this.#output.endRowGroup(rows, sortingOf(members, this.#schema, drops))
  }
}

async function writeLists(column: GatheredLists, rows: number, writer: ChunkWriter) {
  if (column.hasChecksums) writer.addChecksums()
  await column.copyRows(rows, writer)
  return writer.finish()
}
