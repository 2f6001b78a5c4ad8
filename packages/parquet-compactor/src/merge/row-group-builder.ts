import { mergeSorting, type SortingColumns } from '../footer/sorting-columns.ts'
import { ParquetError } from '../parquet-error.ts'
import type { RowReader } from '../read/row-stream.ts'
import type { Schema } from '../schema/schema.ts'
import { type CarriedRowGroup, carryChunk } from '../splice/carry-chunk.ts'
import { ChunkWriter, type ChunkWriterLimits } from '../write/chunk-writer.ts'
import type { FileWriter } from '../write/file-writer.ts'
import type { FinishedChunk } from '../write/finished-chunk.ts'
import { chunkLimits, type Settings } from './settings.ts'
import type { ColumnSettings } from './write-row-group.ts'

/** Collects rows into a row group of the output and writes it when it is large enough. */
export class RowGroupBuilder {
  rows = 0
  readonly #output: FileWriter
  readonly #schema: Schema
  readonly #columns: ColumnSettings
  readonly #settings: Settings
  readonly #limits: ChunkWriterLimits
  /** made with the first rows */
  #writers: ChunkWriter[] = []
  /** row groups that the rows come from, without their bytes */
  readonly #members = new Set<CarriedRowGroup>()

  constructor(output: FileWriter, schema: Schema, columns: ColumnSettings, settings: Settings) {
    this.#output = output
    this.#schema = schema
    this.#columns = columns
    this.#settings = settings
    // an eighth of the budget for open pages, an eighth for dictionaries
    this.#limits = chunkLimits(settings.memoryBudgetBytes / 8 / Math.max(1, schema.leaves.length))
  }

  #newWriters(): ChunkWriter[] {
    const { columnCodecs, codecs, carriedColumns } = this.#columns
    return this.#schema.leaves.map(
      (leaf, column) => new ChunkWriter(leaf, columnCodecs[column]!, codecs, this.#limits, carriedColumns[column]!),
    )
  }

  /** @param members row groups of the inputs whose rows they are */
  async append(rows: number, readers: readonly RowReader[], members: readonly CarriedRowGroup[]): Promise<void> {
    if (this.rows === 0) this.#writers = this.#newWriters()
    for (const member of members) this.#members.add(member)
    const { targetRowGroupBytes, targetRowGroupRows, memoryBudgetBytes } = this.#settings
    let bytes = 0
    let held = 0
    let added = 0
    for (let column = 0; column < readers.length; column++) {
      const writer = this.#writers[column]!
      const before = writer.estimatedBytes
      await readers[column]!.copyRows(rows, writer)
      readers[column]!.release()
      bytes += writer.estimatedBytes
      held += writer.heldBytes
      added += writer.estimatedBytes - before
      if (added <= memoryBudgetBytes / 2) continue
      // only pages that unpack to very many times their length bring a cut of a row group so far
      const most = `where ${memoryBudgetBytes / 2} may be held`
      throw new ParquetError('over_limit', `${rows} rows of a row group, rewritten, take ${added} bytes, ${most}`)
    }
    this.rows += rows
    const isFull = bytes >= targetRowGroupBytes || this.rows >= targetRowGroupRows
    if (isFull || held >= memoryBudgetBytes / 2) await this.flush()
  }

  /** Rows stream through unseen: where pages are looked at, no order is believed that nobody has looked at. */
  #sortingOf(members: readonly CarriedRowGroup[]): SortingColumns | undefined {
    const { drops, pages, sortingOf } = this.#columns
    const sorting = sortingOf(members, this.#schema, drops)
    if (!sorting || sortingOf !== mergeSorting || pages === 'splice') return sorting
    drops.add('sorting_columns_unsure')
    return undefined
  }

  async flush(): Promise<void> {
    if (this.rows === 0) return
    const { carriedColumns, drops, kernel } = this.#columns
    const members = [...this.#members]
    const chunks: FinishedChunk[] = []
    for (const [column, writer] of this.#writers.entries()) {
      const chunk = await writer.finish()
      chunks.push(carryChunk(chunk, column, members, false, carriedColumns[column]!, drops, kernel))
    }
    await this.#output.writeRowGroup(this.rows, chunks, this.#sortingOf(members))
    this.rows = 0
    this.#members.clear()
    this.#writers = []
  }
}
