/** Bytes that grow at the end. `take` gives the bytes away and starts again, so nothing handed out is ever reused. */
export class ByteBuffer {
  bytes: Uint8Array<ArrayBuffer>
  length = 0

  /** @param capacity of the first buffer; up to 64 bytes V8 keeps on its own heap, where it is cheapest */
  constructor(capacity = 64) {
    this.bytes = new Uint8Array(capacity)
  }

  /** make room for `more` bytes after the end */
  reserve(more: number): void {
    const needed = this.length + more
    if (needed <= this.bytes.length) return
    const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2))
    grown.set(this.bytes.subarray(0, this.length))
    this.bytes = grown
  }

  push(byte: number): void {
    if (this.length === this.bytes.length) this.reserve(1)
    this.bytes[this.length++] = byte
  }

  append(source: Uint8Array, from = 0, to = source.length): void {
    const size = to - from
    this.reserve(size)
    if (size < 24) {
      for (let i = from, at = this.length; i < to; i++) this.bytes[at++] = source[i]!
    } else {
      this.bytes.set(source.subarray(from, to), this.length)
    }
    this.length += size
  }

  /** append `count` times the same byte */
  fill(byte: number, count: number): void {
    this.reserve(count)
    this.bytes.fill(byte, this.length, this.length + count)
    this.length += count
  }

  uint32(value: number): void {
    this.reserve(4)
    this.bytes[this.length++] = value & 255
    this.bytes[this.length++] = (value >>> 8) & 255
    this.bytes[this.length++] = (value >>> 16) & 255
    this.bytes[this.length++] = value >>> 24
  }

  /** an unsigned LEB128 varint of a safe integer */
  varint(value: number): void {
    let rest = value
    while (rest > 127) {
      this.push((rest % 128) | 128)
      rest = Math.floor(rest / 128)
    }
    this.push(rest)
  }

  view(): Uint8Array<ArrayBuffer> {
    return this.bytes.subarray(0, this.length)
  }

  clear(): void {
    this.length = 0
  }

  /** the bytes so far, in a buffer of their own */
  take(): Uint8Array<ArrayBuffer> {
    const taken = this.bytes.slice(0, this.length)
    this.length = 0
    return taken
  }
}
