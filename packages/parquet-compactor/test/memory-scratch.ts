import type { Scratch } from '../src/index.ts'

/** A scratch in memory that checks what the library promises: one write at a time, no read beyond what has been written. */
export class MemoryScratch implements Scratch {
  readonly #parts: Uint8Array[] = []
  readonly #starts: number[] = []
  #isWriting = false
  byteLength = 0
  reads = 0
  bytesRead = 0

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#isWriting) throw new Error('two writes at one time')
    this.#isWriting = true
    // the bytes are the scratch's until it is done
    await new Promise((resolve) => setImmediate(resolve))
    this.#starts.push(this.byteLength)
    this.#parts.push(bytes.slice())
    this.byteLength += bytes.byteLength
    this.#isWriting = false
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    if (offset + length > this.byteLength) throw new Error('it has not been written yet')
    this.reads++
    this.bytesRead += length
    const part = this.#starts.findLastIndex((start) => start <= offset)
    const from = offset - this.#starts[part]!
    return this.#parts[part]!.slice(from, from + length)
  }
}
