import { CODEC_NAMES } from '../../codecs/compression.ts'
import { ByteBuffer } from '../../format/byte-buffer.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import { ParquetError } from '../../parquet-error.ts'
import { inColumn } from '../../read/chunk-reader.ts'
import type { FileReader } from '../../read/file-reader.ts'
import { nameSource } from '../../read/inspect.ts'
import { chunkPlace } from '../../read/open-chunk.ts'
import type { LevelBatch, RowSink } from '../../read/row-stream.ts'
import type { LeafColumn } from '../../schema/schema.ts'
import { takePages } from '../../splice/coalesce-chunk.ts'
import { type Piece, type PieceSettings, readColumn } from '../keys/value-piece.ts'

/** A chunk larger than this part of what a page may take is not copied whole, but read in windows. */
const COPIED_SHARE = 4

/** One flat column of the rows that are gathered: its values stand in slots in the kernel's memory. */
export class GatheredSlots {
  readonly leaf: LeafColumn
  readonly number: number
  hasChecksums = false
  /** bytes of the largest input dictionary, before values went through the spill file */
  inputDictionaryBytes = 0
  readonly #kernel: Kernel

  /** @param number of the column in the kernel */
  constructor(leaf: LeafColumn, number: number, kernel: Kernel) {
    this.leaf = leaf
    this.number = number
    this.#kernel = kernel
  }

  /** bytes of the largest dictionary that values came by */
  get dictionaryBytes(): number {
    return Math.max(this.inputDictionaryBytes, this.#kernel.slots.largestInput(this.number))
  }

  /**
   * Take the picked rows of a piece.
   * @returns false where the kernel's room is used up
   */
  async take(piece: Piece, file: FileReader, column: number, settings: PieceSettings): Promise<boolean> {
    const kernel = this.#kernel
    const taken = await this.#takeChunk(piece, file, column, settings)
    if (taken) return true
    if (kernel.slots.isArenaFull()) return false
    // an irregular chunk is read value by value from its start; the same rows go into the same slots
    kernel.beginSlotColumn(this.number, this.leaf, settings.maxPageBytes)
    const sink = new DecodedSink(this.leaf, kernel)
    await readColumn(piece, file, column, this.leaf, sink, settings)
    this.hasChecksums ||= sink.hasChecksums
    const isWhole = kernel.slots.endSlotColumn()
    if (kernel.slots.isArenaFull()) return false
    if (!isWhole) {
      const { name } = piece.source
      throw new ParquetError('row_count_mismatch', `${name}: column ${this.leaf.name}`, {
        source: name,
        column: this.leaf.name,
      })
    }
    return true
  }

  async #takeChunk(piece: Piece, file: FileReader, column: number, settings: PieceSettings): Promise<boolean> {
    const { footer, rowGroup, rows } = piece
    if (footer.adapted?.columns[column]) return false
    const kernel = this.#kernel
    const place = chunkPlace(footer, rowGroup * footer.schema.leaves.length + column)
    if (place.values !== rows || place.bytes > settings.maxPageBytes / COPIED_SHARE) return false
    try {
      const bytes = file.held(place.offset, place.bytes) ?? (await file.read(place.offset, place.bytes))
      kernel.beginSlotColumn(this.number, this.leaf, settings.maxPageBytes)
      const taken = kernel.take(bytes, place.values, CODEC_NAMES[place.codec]!, settings.maxPageBytes)
      const rest = await takePages(taken, place.codec, place.offset, { ...settings, kernel })
      if (rest === 'checksums') this.hasChecksums = true
      return kernel.slots.endSlotColumn() !== 0 && rest !== 'odd'
    } catch (error) {
      throw nameSource(inColumn(error, this.leaf), piece.source.name)
    }
  }
}

/** Hands values that were decoded here over to the kernel, in PLAIN encoding. */
class DecodedSink implements RowSink {
  readonly isPageFull = false
  hasChecksums = false
  readonly #leaf: LeafColumn
  readonly #kernel: Kernel
  readonly #values = new ByteBuffer()

  constructor(leaf: LeafColumn, kernel: Kernel) {
    this.#leaf = leaf
    this.#kernel = kernel
  }

  async flushPage(): Promise<void> {}

  addChecksums(): void {
    this.hasChecksums = true
  }

  append({ definition, levelFrom, levelTo, values: { table, indices }, valueFrom, valueTo }: LevelBatch): void {
    const kernel = this.#kernel
    // the rest of the chunk is of no use
    if (kernel.slots.isArenaFull()) return
    const { width } = this.#leaf
    const values = this.#values
    values.clear()
    for (let i = valueFrom; i < valueTo; i++) {
      const at = indices ? indices[i]! : i
      const start = table.starts ? table.starts[at]! : at * width
      const length = table.lengths ? table.lengths[at]! : width
      if (width === 0) values.uint32(length)
      values.append(table.bytes, start, start + length)
    }
    const levels = definition?.subarray(levelFrom, levelTo)
    if (kernel.putDecoded(levelTo - levelFrom, levels, valueTo - valueFrom, values.view())) return
    if (!kernel.slots.isArenaFull()) {
      throw new ParquetError('corrupt_data', `column ${this.#leaf.name}: rows that cannot be taken over`, {
        column: this.#leaf.name,
      })
    }
  }
}
