import { ParquetError } from '../parquet-error.ts'
import type { InputFile } from '../read/input-file.ts'
import type { Schema } from '../schema/schema.ts'
import { RowGatherer, type RowGroupTarget } from '../sort/gather-rows.ts'
import { GatheredLists } from '../sort/gathered-lists.ts'
import { type Selection, writeSelection } from '../sort/select-rows.ts'
import { writeSlots } from '../sort/write-slots.ts'
import { carryChunk } from '../splice/carry-chunk.ts'
import { isTrap, Kernel } from '../splice/kernel.ts'
import { ChunkWriter } from '../write/chunk-writer.ts'
import type { FileWriter } from '../write/file-writer.ts'
import type { ProgressCount } from './merge-progress.ts'
import type { MergeTally } from './merge-tally.ts'
import { chunkLimits, type Settings, sortSettings } from './settings.ts'
import type { ColumnSettings } from './write-row-group.ts'

/** part of the budget from which the limits of pages and dictionaries are taken: one column is written at a time */
const WRITE_SHARE = 1 / 16

/** What all row groups of the output share. */
interface GatheredMerge {
  schema: Schema
  output: FileWriter
  columns: ColumnSettings
  tally: MergeTally
  progress: ProgressCount
}

/**
 * Write the steps of a selection one after another.
 * @param inOrder writes rows of inputs as they are, to the end of a row group
 */
export async function writeSelected(
  selection: Selection,
  settings: Settings,
  givenKernel: object | undefined,
  { schema, output, columns, tally, progress }: GatheredMerge,
  inOrder: (inputs: InputFile[]) => Promise<void>,
): Promise<void> {
  const target = gatheredTarget(output, schema, columns, settings.shares.sorting)
  const gathering = {
    ...sortSettings(settings),
    maxPageBytes: columns.maxPageBytes,
    newKernel: () => Kernel.acquire(givenKernel),
  }
  const pieces = selection.steps.flatMap((step) => step.pieces)
  const gatherer = new RowGatherer(schema, pieces, selection.rows, target, gathering)
  try {
    await writeSelection(selection, settings.targetRowGroupBytes, {
      async inOrder(inputs) {
        await gatherer.flush()
        await inOrder(inputs)
      },
      async gather(own, rank) {
        await gatherer.gather(own, rank)
        tally.add('rewritten', 'rows_reordered', own.length * schema.leaves.length)
        for (const piece of own) progress.add(piece.source, piece.rows)
        progress.report(output.offset)
      },
    })
    await gatherer.end()
  } catch (error) {
    if (!isTrap(error)) throw error
    throw new ParquetError('memory_budget', 'rows that are put in order take more than the kernel gets', {
      cause: error,
    })
  }
}

/** Writes rows that were gathered as row groups, a column at a time. */
function gatheredTarget(
  output: FileWriter,
  schema: Schema,
  columns: ColumnSettings,
  memoryBudgetBytes: number,
): RowGroupTarget {
  const limits = chunkLimits(memoryBudgetBytes * WRITE_SHARE)
  const { codecs, columnCodecs, carriedColumns, drops, sortingOf } = columns
  return {
    async writeRowGroup(from, rows, gathered, kernel, pieces) {
      const members = pieces.map(({ footer, rowGroup }) => ({ footer, rowGroup, carried: [] }))
      const before = output.offset
      output.beginRowGroup()
      for (const [number, column] of gathered.entries()) {
        const carried = carriedColumns[number]!
        const codec = columnCodecs[number]!
        const writing = { codec, codecs, limits, compressed: limits.compressed, carried }
        const chunk =
          column instanceof GatheredLists
            ? await writeLists(column, rows, new ChunkWriter(column.leaf, codec, codecs, limits, carried))
            : await writeSlots(kernel, column, from, rows, writing)
        await output.writeChunk(carryChunk(chunk, number, members, false, carried, drops, kernel))
      }
      await output.endRowGroup(rows, sortingOf(members, schema, drops))
      return output.offset - before
    },
  }
}

async function writeLists(column: GatheredLists, rows: number, writer: ChunkWriter) {
  if (column.hasChecksums) writer.addChecksums()
  await column.copyRows(rows, writer)
  return writer.finish()
}
