import { ParquetError } from '../parquet-error.ts'
import { readRange, type Source } from './source.ts'

/** fraction of a buffer below which its content is copied, so that the rest can be released */
const WORTH_A_COPY = 0.75

/** Reads of one source, some of whose bytes may be in memory already. */
export class FileReader {
  readonly source: Source
  readonly #signal: AbortSignal | undefined
  #held: Uint8Array = new Uint8Array()
  #heldOffset = 0

  constructor(source: Source, signal: AbortSignal | undefined) {
    this.source = source
    this.#signal = signal
  }

  hold(offset: number, bytes: Uint8Array): void {
    this.#heldOffset = offset
    this.#held = bytes
  }

  has(offset: number, length: number): boolean {
    return offset >= this.#heldOffset && offset + length <= this.#heldOffset + this.#held.byteLength
  }

  /** read a range and keep it until the next one is held */
  async prime(offset: number, length: number): Promise<void> {
    if (!this.has(offset, length)) this.hold(offset, await this.read(offset, length))
  }

  /** Let go of what is held behind `end`, if that is worth a copy of the rest. */
  trim(end: number): void {
    const kept = end - this.#heldOffset
    if (kept < 0 || kept > this.#held.byteLength * WORTH_A_COPY) return
    this.#held = this.#held.slice(0, kept)
  }

  /** the range that is in memory */
  get heldBytes(): Uint8Array {
    return this.#held
  }

  get heldOffset(): number {
    return this.#heldOffset
  }

  /** @returns undefined if not all of the range is in memory */
  held(offset: number, length: number): Uint8Array | undefined {
    if (!this.has(offset, length)) return undefined
    return this.#held.subarray(offset - this.#heldOffset, offset - this.#heldOffset + length)
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    const held = this.held(offset, length)
    if (held) return held
    throwIfAborted(this.#signal)
    return await readRange(this.source, offset, length)
  }
}

export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new ParquetError('aborted', 'the caller stopped the merge', { cause: signal.reason })
}
