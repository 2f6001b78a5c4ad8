/// <reference path="./hyparquet-compressors.d.ts" />
import { decompressBrotli } from 'hyparquet-compressors/src/brotli.js'
import { BrotliOutput } from 'hyparquet-compressors/src/brotli.streams.js'

/** The buffer that the decoder last wrote to, by its stream. */
const buffers = new WeakMap<object, Uint8Array>()
let writtenBytes = 0

// Where a page holds more than was asked for, the decoder replaces the stream's buffer by a larger one, up to any size;
// where it holds less, nothing tells. The stream sees both.
Object.defineProperties(BrotliOutput.prototype, {
  buffer: {
    get(this: object) {
      return buffers.get(this)
    },
    set(this: object, buffer: Uint8Array) {
      if (buffers.has(this)) throw new Error('more bytes than the page declares')
      buffers.set(this, buffer)
    },
  },
  pos: {
    get: () => writtenBytes,
    set(position: number) {
      writtenBytes = position
    },
  },
})

/**
 * @returns exactly `length` bytes; the decoder holds a window of up to 16 MiB beside them
 * @throws Error where the page holds more or fewer
 */
export function decodeBrotli(bytes: Uint8Array, length: number): Uint8Array {
  const page = decompressBrotli(bytes, length)
  if (writtenBytes !== length) throw new Error(`${writtenBytes} bytes where the page declares ${length}`)
  return page
}
