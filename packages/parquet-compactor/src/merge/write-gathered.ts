import type { Schema } from '../schema/schema.ts'
import type { RowGroupTarget } from '../sort/gather-rows.ts'
import { GatheredLists } from '../sort/gathered-lists.ts'
import { writeSlots } from '../sort/write-slots.ts'
import { carryChunk } from '../splice/carry-chunk.ts'
import { ChunkWriter } from '../write/chunk-writer.ts'
import type { FileWriter } from '../write/file-writer.ts'
import { chunkLimits } from './settings.ts'
import type { ColumnSettings } from './write-row-group.ts'

/** part of the budget from which the limits of pages and dictionaries are taken: one column is written at a time */
const WRITE_SHARE = 1 / 16

/** Writes rows that were gathered as row groups, a column at a time. */
export function gatheredTarget(
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
        await output.writeChunk(carryChunk(chunk, number, members, false, carried, drops))
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
