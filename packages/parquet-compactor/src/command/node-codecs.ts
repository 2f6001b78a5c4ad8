import * as zlib from 'node:zlib'
import type { Codec, CodecName } from '../codecs/codec.ts'
import { isOneZstdFrame } from '../codecs/zstd-frame.ts'
import { ParquetError } from '../parquet-error.ts'
import { CommandError } from './command-error.ts'

/** Node has zstd from 22.15 and 23.8 on. */
const HAS_ZSTD = typeof zlib.zstdCompressSync === 'function'

/** beyond this quality brotli takes ten times as long for a few per cent */
const BROTLI_QUALITY = 5

const NEEDS_NEWER_NODE = `this Node (${process.version}) cannot write zstd: use Node 22.15 or later, or another --codec`

/** One buffer of the right length, and an error for a page that holds more. node:zlib takes no chunk below 64 bytes. */
const exactly = (length: number) => ({ maxOutputLength: Math.max(1, length), chunkSize: Math.max(64, length) })

/** A buffer that is full makes node:zlib look for more in another one: of a frame that is whole, nothing more can come. */
const exactlyZstd = (bytes: Uint8Array, length: number) => ({
  maxOutputLength: Math.max(1, length),
  chunkSize: Math.max(64, isOneZstdFrame(bytes, length) ? length + 1 : length),
})

/** The quickest level, and one buffer of the largest size that zstd can need (ZSTD_compressBound). */
const fast = (length: number) => ({
  chunkSize: length + (length >>> 8) + 1024,
  params: { [zlib.constants.ZSTD_c_compressionLevel]: 1 },
})

/** Codecs of node:zlib, which are several times faster than the built-in ones. */
export const NODE_CODECS: Partial<Record<CodecName, Codec>> = {
  gzip: {
    compress: (bytes) => zlib.gzipSync(bytes),
    decompress: (bytes, length) => zlib.gunzipSync(bytes, exactly(length)),
  },
  brotli: {
    compress: (bytes) =>
      zlib.brotliCompressSync(bytes, {
        params: {
          [zlib.constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY,
          [zlib.constants.BROTLI_PARAM_SIZE_HINT]: bytes.byteLength,
        },
      }),
    decompress: (bytes, length) => zlib.brotliDecompressSync(bytes, exactly(length)),
  },
  zstd: HAS_ZSTD
    ? {
        compress: (bytes) => zlib.zstdCompressSync(bytes, fast(bytes.byteLength)),
        decompress: (bytes, length) => zlib.zstdDecompressSync(bytes, exactlyZstd(bytes, length)),
      }
    : {
        // pages of zstd files can still pass as they are
        compress: () => {
          throw new ParquetError('bad_option', NEEDS_NEWER_NODE)
        },
      },
}

/** @throws CommandError `codec_unavailable` */
export function checkCodec(codec: string): void {
  if (codec === 'zstd' && !HAS_ZSTD) throw new CommandError('codec_unavailable', NEEDS_NEWER_NODE)
}
