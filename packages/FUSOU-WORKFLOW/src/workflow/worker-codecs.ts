import { Buffer } from 'node:buffer'
import {
  brotliCompressSync,
  brotliDecompressSync,
  constants,
  createZstdCompress,
  gunzipSync,
  gzipSync,
  zstdDecompressSync,
} from 'node:zlib'
import type { Codec, CodecName } from '@fusou/parquet-compactor'

/** Beyond this quality brotli takes ten times as long for a few per cent. */
const BROTLI_QUALITY = 5

/** Codecs that the runtime has built in: many times faster than JavaScript, and they notice damage that it does not. */
export const workerCodecs: Partial<Record<CodecName, Codec>> = {
  zstd: {
    compress: zstdCompress,
    decompress: (bytes, uncompressedLength) =>
      zstdDecompressSync(bytes, { maxOutputLength: outputLimit(uncompressedLength) }),
  },
  gzip: {
    compress: (bytes) => gzipSync(bytes),
    decompress: (bytes, uncompressedLength) => gunzipSync(bytes, { maxOutputLength: outputLimit(uncompressedLength) }),
  },
  brotli: {
    compress: (bytes) => brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY } }),
    decompress: (bytes, uncompressedLength) =>
      brotliDecompressSync(bytes, { maxOutputLength: outputLimit(uncompressedLength) }),
  },
}

/**
 * workerd counts the buffer it has made ready, not the bytes in it, so the exact length is refused as too much. The
 * merger checks the length itself; this bounds what a lying page can make the runtime allocate.
 */
const outputLimit = (uncompressedLength: number) => 2 * uncompressedLength + 128 * 1024

/**
 * workerd fails with "Unexpected end of file" where the output does not fit into one chunk, in the one-shot function
 * always; so by the stream, with a chunk of the largest size that zstd can need (ZSTD_compressBound).
 */
function zstdCompress(bytes: Uint8Array): Promise<Uint8Array> {
  const length = bytes.byteLength
  const options = {
    chunkSize: length + (length >>> 8) + 1024,
    // readers make room for exactly what the frame declares, and zstd for no more than that
    pledgedSrcSize: length,
    params: { [constants.ZSTD_c_compressionLevel]: 1 },
  }
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = []
    createZstdCompress(options)
      .on('data', (chunk: Uint8Array) => chunks.push(chunk))
      .on('error', reject)
      .on('end', () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)))
      .end(bytes)
  })
}
