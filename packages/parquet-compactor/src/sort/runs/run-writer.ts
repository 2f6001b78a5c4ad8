import { ByteBuffer } from '../../format/byte-buffer.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import { throwIfAborted } from '../../read/file-reader.ts'
import type { ScratchRoom } from '../../read/scratch.ts'
import { ChunkWriter, type ChunkWriterLimits } from '../../write/chunk-writer.ts'
import { appendSlots } from '../gather/append-slots.ts'
import type { RowTarget } from '../gather/gather-rows.ts'
import type { GatheredColumn, GatheredGroup } from '../gather/gathered-group.ts'
import { GatheredLists } from '../gather/gathered-lists.ts'
import type { PieceOrigin } from '../keys/value-piece.ts'
import type { SampledRows } from '../rank/rank-rows.ts'
import type { RunChunk, RunSet } from './run-set.ts'

/** readers of the output have no use for what the chunks of a run would carry */
const NOTHING_CARRIED = { isAny: false, bloomFilter: false, sizes: false }

/** Writes rows that were gathered to the scratch: a run, cut into pieces of equal numbers of rows. */
export class RunWriter implements RowTarget {
  rowsLeft = 0
  readonly #runs: RunSet
  readonly #room: ScratchRoom
  readonly #rowsOfPiece: number
  readonly #limits: ChunkWriterLimits
  /** rows of the run that have been written */
  #row = 0
  readonly #signal: AbortSignal | undefined
  /** key of the first row of each piece that is to be written, and the number of the first of them */
  #keys: Uint8Array[] = []
  #firstKey = 0
  // one is filled while the other is written
  #filling = new ByteBuffer()
  #writing = new ByteBuffer()
  readonly #pages = new ByteBuffer()

  constructor(
    runs: RunSet,
    room: ScratchRoom,
    rowsOfPiece: number,
    limits: ChunkWriterLimits,
    signal: AbortSignal | undefined,
  ) {
    this.#runs = runs
    this.#room = room
    this.#rowsOfPiece = rowsOfPiece
    this.#limits = limits
    this.#signal = signal
  }

  beginRun(rows: number): void {
    this.#runs.beginRun()
    this.rowsLeft = rows
    this.#row = 0
    this.#keys = []
    this.#firstKey = 0
  }

  /** Pass ranked rows of the run in hand on, and note the keys of them. */
  async *note(parts: AsyncIterable<SampledRows>): AsyncGenerator<SampledRows> {
    for await (const part of parts) {
      const written = Math.floor(this.#row / this.#rowsOfPiece) - this.#firstKey
      this.#keys.splice(0, written)
      this.#firstKey += written
      this.#keys.push(...part.keys)
      yield part
    }
  }

  async write(group: GatheredGroup, rows: number, kernel: Kernel): Promise<void> {
    const origin = originOf(group)
    for (let from = 0; from < rows; ) {
      throwIfAborted(this.#signal)
      const count = Math.min(rows - from, this.#rowsOfPiece - (this.#row % this.#rowsOfPiece))
      const out = this.#filling
      out.clear()
      const chunks: RunChunk[] = []
      for (const column of group.columns) chunks.push(await this.#append(column, from, count, kernel, out))
      const offset = this.#room.byteLength
      await this.#room.append(out.view())
      ;[this.#filling, this.#writing] = [this.#writing, out]
      const key = this.#keys[Math.floor(this.#row / this.#rowsOfPiece) - this.#firstKey]!
      this.#runs.add(offset, count, chunks, origin, key)
      from += count
      this.#row += count
    }
    this.rowsLeft -= rows
  }

  async #append(
    column: GatheredColumn,
    from: number,
    rows: number,
    kernel: Kernel,
    out: ByteBuffer,
  ): Promise<RunChunk> {
    const before = out.length
    if (!(column instanceof GatheredLists)) {
      appendSlots(kernel, column, from, rows, this.#limits, out, this.#pages)
      return { bytes: out.length - before, levels: rows }
    }
    const writer = new ChunkWriter(column.leaf, 'none', {}, this.#limits, NOTHING_CARRIED)
    await column.copyRows(rows, writer)
    const { pages, levels } = await writer.finish()
    for (const page of pages) out.append(page)
    return { bytes: out.length - before, levels }
  }
}

function originOf({ columns, pieces }: GatheredGroup): PieceOrigin {
  return {
    pieces,
    dictionaryBytes: columns.map((column) => (column instanceof GatheredLists ? 0 : column.dictionaryBytes)),
    hasChecksums: columns.map(({ hasChecksums }) => hasChecksums),
  }
}
