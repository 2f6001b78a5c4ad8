import type { CodecName, Codecs } from '../codecs/codec.ts'
import { compress } from '../codecs/compression.ts'
import { storeInZstdFrame } from '../codecs/zstd-frame.ts'
import type { ByteBuffer } from '../format/byte-buffer.ts'

/** A call of zstd takes as long as to copy some 100 KB, and gains nothing on so few bytes. */
const TINY_BYTES = 64
/** after a page that did not shrink by a 32nd, so many are stored without a try, as the kernel does with snappy */
const STORED_PAGES = 15

/** Compresses the pages of one column, in order. */
export class PageCompressor {
  readonly #codec: CodecName
  readonly #codecs: Codecs
  readonly #scratch: ByteBuffer
  #toStore = 0

  constructor(codec: CodecName, codecs: Codecs, scratch: ByteBuffer) {
    this.#codec = codec
    this.#codecs = codecs
    this.#scratch = scratch
  }

  /** @returns bytes that stay as they are when the next page is compressed */
  async compress(page: Uint8Array<ArrayBuffer>, isDictionary: boolean): Promise<Uint8Array<ArrayBuffer>> {
    const isStored = this.#codec === 'zstd' && (page.length <= TINY_BYTES || (this.#toStore > 0 && !isDictionary))
    if (isStored && page.length > TINY_BYTES) this.#toStore--
    if (isStored) return storeInZstdFrame(page)
    const packed = await compress(this.#codec, page, this.#codecs, this.#scratch)
    // a dictionary tells nothing of the pages behind it
    if (!isDictionary && packed.length > page.length - page.length / 32) this.#toStore = STORED_PAGES
    // the codecs of the library may return their scratch, those of the caller a few bytes of a large buffer
    return packed.slice()
  }
}
