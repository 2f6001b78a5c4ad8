import type { WorkMeter } from '../read/work-meter.ts'

/** Compress and decompress functions of the caller, for example of node:zlib where it exists. */
export interface Codec {
  /** @returns the compressed bytes, in a buffer of their own */
  compress?(bytes: Uint8Array): Uint8Array | Promise<Uint8Array>
  /** @returns exactly `uncompressedLength` bytes; anything else is `corrupt_data` */
  decompress?(bytes: Uint8Array, uncompressedLength: number): Uint8Array | Promise<Uint8Array>
}

export type CodecName = 'none' | 'snappy' | 'gzip' | 'brotli' | 'lz4' | 'zstd' | 'lz4_raw'

/** Codecs of the caller, and the count of what a merge does with them. */
export type Codecs = Partial<Record<CodecName, Codec>> & { readonly work?: WorkMeter }
