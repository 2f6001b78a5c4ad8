import { ParquetError } from '../parquet-error.ts'
import { reason, type Source } from './source.ts'

/**
 * Room outside of memory for rows that are to be read again, a temporary file for example. Empty at first, and of one merge; once
 * that has ended, nothing is written any more.
 */
export interface Scratch {
  /**
   * Append bytes: called with some at a time, never before the previous call has settled. They are the scratch's only until its
   * promise settles: then they are overwritten.
   */
  write(bytes: Uint8Array): Promise<void>
  /**
   * @param offset first byte, counted from the first that was written
   * @param length bytes to read, of which all have been written; several reads may be under way
   * @returns exactly `length` bytes
   */
  read(offset: number, length: number): Promise<Uint8Array>
}

/** The content of a spill file as a source. */
export class ScratchRoom implements Source {
  readonly name = 'scratch'
  /** written so far, or about to be */
  byteLength = 0
  readonly #scratch: Scratch
  #writing: Promise<void> = Promise.resolve()

  constructor(scratch: Scratch) {
    this.#scratch = scratch
  }

  /**
   * Append bytes, once those before have been written.
   * @returns as soon as it has begun: until the next call or `settle` the bytes must stay as they are
   * @throws ParquetError `write_failed`, also for bytes before
   */
  async append(bytes: Uint8Array): Promise<void> {
    await this.#writing
    this.byteLength += bytes.byteLength
    this.#writing = this.#write(bytes)
    // it is thrown where it is waited for; until then it must not count as unhandled
    this.#writing.catch(() => {})
  }

  async #write(bytes: Uint8Array): Promise<void> {
    try {
      await this.#scratch.write(bytes)
    } catch (cause) {
      throw new ParquetError('write_failed', `${this.name}: ${reason(cause)}`, { cause })
    }
  }

  /** Wait until all bytes have been written. */
  async settle(): Promise<void> {
    await this.#writing
  }

  /** Wait until nothing is under way, after a failure that is thrown elsewhere. */
  async abandon(): Promise<void> {
    await Promise.allSettled([this.#writing])
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    const bytes = await this.#scratch.read(offset, length)
    if (bytes.byteLength === length) return bytes
    // a spill file was whole when it was written: a short read may succeed if it is repeated
    const detail = `${this.name}: asked ${length} bytes at ${offset}, got ${bytes.byteLength}`
    throw new ParquetError('read_failed', detail, { source: this.name })
  }
}
