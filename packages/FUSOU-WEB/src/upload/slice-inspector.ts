import { createHash, type Hash } from 'node:crypto'
import { FusouError, UPLOAD_LIMITS, type UploadedSlice } from '@fusou/catalog'
import { footerLength, inspectParquet, type ParquetSummary, type Source } from '@fusou/parquet-compactor'
import { refuseParquet } from './refuse-parquet.ts'
import type { Slice } from './table-offsets.ts'
import { holdFooter } from './upload-memory.ts'

/** Kept of the end of each slice: nearly every footer fits. One window is held at a time. */
export const TAIL_WINDOW_BYTES = 128 * 1024
const HEAD_BYTES = 4

export type InspectedSlice = Omit<UploadedSlice, 'periodTag'>

/**
 * Hashes an object and checks the footer of each of its slices while the bytes pass by. Memory: the window of one slice.
 * A slice is checked as soon as its last byte has passed, so a bad one ends the upload early.
 */
export class SliceInspector {
  readonly #slices: readonly Slice[]
  /** none where one slice is the object */
  readonly #objectHash: Hash | undefined
  readonly #digests: string[] = []
  /** a footer longer than the window is told by its length */
  readonly #summaries: (ParquetSummary | { footerBytes: number })[] = []
  #position = 0
  #current: SliceWindow

  /** @param slices in order, end to end from byte 0 */
  constructor(slices: readonly Slice[]) {
    this.#slices = slices
    if (slices.length > 1) this.#objectHash = createHash('sha256')
    this.#current = new SliceWindow(slices[0]!)
  }

  /**
   * Take the next bytes of the object; never more than the slices have.
   * @throws FusouError `invalid_parquet`, `unsupported_parquet`
   */
  async take(bytes: Uint8Array): Promise<void> {
    this.#objectHash?.update(bytes)
    for (let at = 0; at < bytes.byteLength; ) {
      const { slice } = this.#current
      const part = bytes.subarray(at, at + slice.offset + slice.length - this.#position)
      this.#current.take(part)
      at += part.byteLength
      this.#position += part.byteLength
      if (this.#position === slice.offset + slice.length) await this.#closeSlice()
    }
  }

  /** Hash and rows of an object of one slice once they are known; nothing before, and nothing for more slices. */
  known(): Record<string, string> | undefined {
    const [summary, ...more] = this.#summaries
    if (summary === undefined || !('rowCount' in summary) || more.length > 0 || this.#slices.length !== 1)
      return undefined
    return { sha256: this.#digests[0]!, rows: String(summary.rowCount), fingerprint: summary.schemaFingerprint }
  }

  async #closeSlice(): Promise<void> {
    const { digest, summary } = await this.#current.close()
    this.#digests.push(digest)
    this.#summaries.push(summary)
    const next = this.#slices[this.#digests.length]
    if (next) this.#current = new SliceWindow(next)
  }

  /**
   * What was found, once all bytes have passed.
   * @param readObject reads a range of the stored object; called only for footers longer than the window
   * @throws FusouError `invalid_parquet`, `unsupported_parquet`, `overloaded`
   */
  async finish(
    readObject: (offset: number, length: number) => Promise<Uint8Array>,
  ): Promise<{ sha256: string; slices: InspectedSlice[] }> {
    const slices: InspectedSlice[] = []
    for (const [index, slice] of this.#slices.entries()) {
      const found = this.#summaries[index]!
      const { rowCount, rowGroupCount, schemaFingerprint, workBytes } =
        'rowCount' in found ? found : await readFooter(slice, found.footerBytes, readObject)
      slices.push({
        ...slice,
        rows: rowCount,
        rowGroups: rowGroupCount,
        sha256: this.#digests[index]!,
        fingerprint: schemaFingerprint,
        workBytes,
      })
    }
    return { sha256: this.#objectHash?.digest('hex') ?? this.#digests[0]!, slices }
  }
}

/** The head, the tail and the hash of the slice that passes by. */
class SliceWindow {
  readonly slice: Slice
  readonly #hash: Hash = createHash('sha256')
  readonly #head: Uint8Array
  readonly #tail: Uint8Array
  #position = 0

  constructor(slice: Slice) {
    this.slice = slice
    this.#head = new Uint8Array(Math.min(HEAD_BYTES, slice.length))
    this.#tail = new Uint8Array(Math.min(TAIL_WINDOW_BYTES, slice.length))
  }

  take(part: Uint8Array): void {
    this.#hash.update(part)
    copyOverlap(part, this.#position, this.#head, 0)
    copyOverlap(part, this.#position, this.#tail, this.slice.length - this.#tail.byteLength)
    this.#position += part.byteLength
  }

  /** @returns only the length of a footer that is longer than the window */
  async close(): Promise<{ digest: string; summary: ParquetSummary | { footerBytes: number } }> {
    const { table, length } = this.slice
    const footerBytes = await refuseParquet(table, () => footerLength(length, this.#tail))
    const { maxFooterBytes } = UPLOAD_LIMITS
    if (footerBytes > maxFooterBytes) {
      const detail = `a footer of ${footerBytes} bytes, where ${maxFooterBytes} are allowed`
      throw new FusouError(
        'unsupported_parquet',
        `${table}: ${detail}; write fewer row groups or columns, or less key-value metadata`,
      )
    }
    const fits = footerBytes <= this.#tail.byteLength
    const source = { ...sourceOf(this.slice), read: readsNothing }
    return {
      digest: this.#hash.digest('hex'),
      summary: fits ? await inspect(source, this.#tail, this.#head) : { footerBytes },
    }
  }
}

const sourceOf = ({ table, length }: Slice) => ({ name: table, byteLength: length })

/** Long footers are read when there is memory for them: those of all uploads of the isolate have one budget. */
async function readFooter(
  slice: Slice,
  footerBytes: number,
  readObject: (offset: number, length: number) => Promise<Uint8Array>,
): Promise<ParquetSummary> {
  using _ = await holdFooter(footerBytes)
  return await inspect({ ...sourceOf(slice), read: (offset, length) => readObject(slice.offset + offset, length) })
}

/** A file without columns has rows that no reader gets, and any number of them. */
async function inspect(source: Source, tail?: Uint8Array, head?: Uint8Array): Promise<ParquetSummary> {
  const summary = await refuseParquet(source.name, () => inspectParquet(source, tail, head, UPLOAD_LIMITS))
  if (summary.columnCount === 0)
    throw new FusouError('unsupported_parquet', `${source.name}: the schema has no columns`)
  return summary
}

const readsNothing = () => Promise.reject(new FusouError('internal', 'the window holds what the footer needs'))

/** Copy what two pieces of one file share; each is given with its offset in the file. */
function copyOverlap(from: Uint8Array, fromOffset: number, to: Uint8Array, toOffset: number): void {
  const start = Math.max(fromOffset, toOffset)
  const end = Math.min(fromOffset + from.byteLength, toOffset + to.byteLength)
  if (start < end) to.set(from.subarray(start - fromOffset, end - fromOffset), start - toOffset)
}
