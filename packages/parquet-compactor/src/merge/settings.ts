import type { Codec, CodecName } from '../codecs/codec.ts'
import { CODEC_NUMBERS, canCompress } from '../codecs/compression.ts'
import { ByteBuffer } from '../format/byte-buffer.ts'
import { ParquetError } from '../parquet-error.ts'
import type { ChunkWriterLimits } from '../write/chunk-writer.ts'
import type { MergeOptions } from './merge-options.ts'

const MIB = 1024 * 1024

/** part of the memory budget that the page indexes of one large file may take, and the bloom filters of one row group */
export const INDEX_SHARE = 32

export interface Settings {
  targetRowGroupBytes: number
  codec: 'keep' | CodecName
  codecs: Partial<Record<CodecName, Codec>>
  maxReadsInFlight: number
  partBytes: number
  smallFileBytes: number
  minPageBytes: number
  pages: 'splice' | 'check' | 'rewrite'
  schema: 'strict' | 'union'
  memoryBudgetBytes: number
  schemaFingerprint: string | undefined
  signal: AbortSignal | undefined
  /** for the page that is being read */
  scratch: ByteBuffer
}

export function checkOptions(options: MergeOptions): Settings {
  const number = (name: keyof MergeOptions, fallback: number, least: number): number => {
    const value = options[name] ?? fallback
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < least) {
      throw new ParquetError('bad_option', `${name} must be an integer of at least ${least}`)
    }
    return value
  }
  const { codec = 'keep', codecs = {}, pages = 'splice', schema = 'strict' } = options
  if (schema !== 'strict' && schema !== 'union') throw new ParquetError('bad_option', 'schema must be strict or union')
  if (codec !== 'keep' && CODEC_NUMBERS[codec] === undefined)
    throw new ParquetError('bad_option', `unknown codec ${codec}`)
  if (codec !== 'keep' && !canCompress(codec, codecs)) {
    throw new ParquetError('bad_option', `codec ${codec} cannot be written without a compress function`)
  }
  return {
    targetRowGroupBytes: number('targetRowGroupBytes', 16 * MIB, 1),
    codec,
    codecs,
    maxReadsInFlight: number('maxReadsInFlight', 6, 1),
    partBytes: number('partBytes', MIB, 1),
    smallFileBytes: number('smallFileBytes', MIB, 1),
    minPageBytes: number('minPageBytes', 4 * 1024, 0),
    pages,
    schema,
    memoryBudgetBytes: number('memoryBudgetBytes', 48 * MIB, MIB),
    schemaFingerprint: options.schemaFingerprint,
    signal: options.signal,
    scratch: new ByteBuffer(),
  }
}

/** @param share bytes that the open page of a column may hold, and its dictionary again */
export function chunkLimits(share: number): ChunkWriterLimits {
  const clamp = (least: number, most: number) => Math.floor(Math.min(most, Math.max(least, share)))
  return {
    pageBytes: clamp(8 * 1024, MIB),
    pageLevels: Math.floor(Math.min(64 * 1024, Math.max(1024, share / 6))),
    dictionaryBytes: clamp(16 * 1024, MIB),
    scratch: new ByteBuffer(),
    compressed: new ByteBuffer(),
  }
}
