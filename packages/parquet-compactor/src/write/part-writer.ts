import { ParquetError } from '../parquet-error.ts'
import { reason, type Sink } from '../read/source.ts'

const FIRST_PART_BYTES = 16 * 1024

/** Cuts what is written into parts of one size, and fills the next one while the sink writes the one before. */
export class PartWriter {
  readonly #sink: Sink
  readonly #partBytes: number
  /** the part that is being filled; it grows to `#partBytes`, which a small file never takes */
  #part = new Uint8Array()
  #filled = 0
  /** the part that the sink had last, and what became of it: the error, if it failed */
  #handedOver = new Uint8Array()
  #written: Promise<ParquetError | undefined> = Promise.resolve(undefined)
  /** bytes so far */
  offset = 0

  /** @param partBytes what the sink gets at a time; twice as much is held */
  constructor(sink: Sink, partBytes: number) {
    this.#sink = sink
    this.#partBytes = partBytes
  }

  /** @throws ParquetError `write_failed`, also for parts before */
  async write(bytes: Uint8Array): Promise<void> {
    this.offset += bytes.byteLength
    let from = 0
    while (from < bytes.byteLength) {
      if (this.#filled + bytes.byteLength - from > this.#part.length) this.#grow(this.#filled + bytes.byteLength - from)
      const to = Math.min(bytes.byteLength, from + this.#part.length - this.#filled)
      this.#part.set(from === 0 && to === bytes.byteLength ? bytes : bytes.subarray(from, to), this.#filled)
      this.#filled += to - from
      from = to
      if (this.#filled === this.#partBytes) await this.#handOver()
    }
  }

  /** Write what is left. */
  async end(): Promise<void> {
    if (this.#filled > 0) await this.#handOver()
    await this.#settle()
  }

  /** Nothing more is written: see that the sink is done with what it has. */
  async abandon(): Promise<void> {
    await this.#written
  }

  #grow(wanted: number): void {
    if (this.#part.length === this.#partBytes) return
    const isFirst = this.offset <= this.#partBytes
    const size = isFirst ? Math.max(wanted, this.#part.length * 4, FIRST_PART_BYTES) : this.#partBytes
    const grown = new Uint8Array(Math.min(this.#partBytes, size))
    grown.set(this.#part.subarray(0, this.#filled))
    this.#part = grown
  }

  async #handOver(): Promise<void> {
    await this.#settle()
    const part = this.#part
    this.#written = this.#hand(part.subarray(0, this.#filled))
    this.#part = this.#handedOver
    this.#handedOver = part
    this.#filled = 0
  }

  async #hand(bytes: Uint8Array): Promise<ParquetError | undefined> {
    try {
      await this.#sink.write(bytes)
      return undefined
    } catch (cause) {
      return new ParquetError('write_failed', reason(cause), { cause })
    }
  }

  async #settle(): Promise<void> {
    const failure = await this.#written
    if (failure) throw failure
  }
}
