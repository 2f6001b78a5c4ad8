import type { CodecName, Codecs } from '../codecs/codec.ts'
import { CODEC_NUMBERS, canCompress } from '../codecs/compression.ts'
import { ByteBuffer } from '../format/byte-buffer.ts'
import { ParquetError } from '../parquet-error.ts'
import type { FileLimits } from '../read/file-limits.ts'
import { WorkMeter } from '../read/work-meter.ts'
import type { ChunkWriterLimits } from '../write/chunk-writer.ts'
import type { MergeOptions } from './merge-options.ts'

const MIB = 1024 * 1024

/**
 * How the memory budget is shared out, in bytes, beside the two parts for the sink. What is not named here, the pages of one column of the output, is no larger
 * than the row group that they come from, and hardly ever as large.
 */
export interface MemoryShares {
  /** members of a row group that is joined */
  rowGroup: number
  /** a page of the inputs, unpacked */
  page: number
  /** a page of the output, unpacked, and a dictionary */
  outputPage: number
  /** bytes for parsed footers, from the first look until their rows are due */
  footers: number
  /** the footer of one source */
  footer: number
  /** a footer beyond this is read only when those before it are done with */
  footerAhead: number
  /** key-value metadata of the output */
  keyValues: number
  /** the schema of one source */
  schema: number
  /** schemas that differ, where these are united */
  schemas: number
  /** the same where all must be known at one time, to sort or to leave rows out */
  allFooters: number
  /** rows that are gathered, and what is read for them */
  sorting: number
  /** keys that are sorted all at one time */
  sortedKeys: number
  /** small files that came with their footers */
  heldFiles: number
  /** files that wait for their turn */
  filesAhead: number
  /** page indexes of the output, which are written at its end */
  outputIndexes: number
  /** page indexes of one large file, and bloom filters of one of its row groups */
  inputIndexes: number
}

/** in memory, beside names: some ten objects */
export const BYTES_OF_COLUMN = 700

/** part of the budget that the two parts for the sink take, unless the caller wants larger ones */
const USUAL_PARTS_SHARE = 1 / 16

function shareOut(budget: number, partBytes: number): MemoryShares {
  // sorting takes all that parts of the usual size leave, and less beside larger parts
  const besideParts = budget - Math.max(0, 2 * partBytes - budget * USUAL_PARTS_SHARE)
  return {
    rowGroup: budget / 4,
    page: budget / 4,
    outputPage: budget / 64,
    footers: budget / 8,
    footer: budget / 8,
    footerAhead: budget / 256,
    keyValues: budget / 16,
    schema: budget / 2,
    schemas: budget / 4,
    allFooters: budget / 4,
    sorting: besideParts * 0.55,
    sortedKeys: besideParts * 0.75,
    heldFiles: budget / 16,
    filesAhead: budget / 16,
    outputIndexes: budget / 16,
    inputIndexes: budget / 32,
  }
}

export interface Settings {
  targetRowGroupBytes: number
  targetRowGroupRows: number
  codec: 'keep' | CodecName
  codecs: Codecs
  maxReadsInFlight: number
  partBytes: number
  smallFileBytes: number
  minPageBytes: number
  pages: 'splice' | 'check' | 'rewrite'
  schema: 'strict' | 'union'
  memoryBudgetBytes: number
  shares: MemoryShares
  limits: Required<FileLimits>
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
  const { codec = 'keep', codecs = {}, pages = 'splice', schema = 'strict', limits = {} } = options
  for (const [name, limit] of Object.entries(limits)) {
    if (!(limit >= 0)) throw new ParquetError('bad_option', `limits.${name} must be a number of at least 0`)
  }
  if (schema !== 'strict' && schema !== 'union') throw new ParquetError('bad_option', 'schema must be strict or union')
  if (codec !== 'keep' && CODEC_NUMBERS[codec] === undefined)
    throw new ParquetError('bad_option', `unknown codec ${codec}`)
  if (codec !== 'keep' && !canCompress(codec, codecs)) {
    throw new ParquetError('bad_option', `codec ${codec} cannot be written without a compress function`)
  }
  const memoryBudgetBytes = number('memoryBudgetBytes', 64 * MIB, MIB)
  // there are two: one is filled while the other is written
  const mostPartBytes = Math.floor(memoryBudgetBytes / 8)
  const partBytes = number('partBytes', Math.min(MIB, Math.floor((memoryBudgetBytes * USUAL_PARTS_SHARE) / 2)), 1)
  if (partBytes > mostPartBytes) {
    throw new ParquetError('bad_option', 'partBytes must be an eighth of memoryBudgetBytes at the most')
  }
  const shares = shareOut(memoryBudgetBytes, partBytes)
  const { maxWorkBytes = Number.POSITIVE_INFINITY } = limits
  return {
    targetRowGroupBytes: Math.min(number('targetRowGroupBytes', 16 * MIB, 1), shares.rowGroup),
    targetRowGroupRows: number('targetRowGroupRows', 2 ** 17, 1),
    codec,
    codecs: { ...codecs, work: new WorkMeter(maxWorkBytes, memoryBudgetBytes / 2) },
    maxReadsInFlight: number('maxReadsInFlight', 6, 1),
    partBytes,
    smallFileBytes: number('smallFileBytes', MIB, 1),
    minPageBytes: number('minPageBytes', 4 * 1024, 0),
    pages,
    schema,
    memoryBudgetBytes,
    shares,
    limits: {
      maxFooterBytes: shares.footer,
      maxColumns: Math.floor(shares.schema / BYTES_OF_COLUMN),
      maxKeyValueBytes: Number.POSITIVE_INFINITY,
      ...limits,
      maxWorkBytes,
    },
    schemaFingerprint: options.schemaFingerprint,
    signal: options.signal,
    scratch: new ByteBuffer(),
  }
}

/** Settings for sorting and gathering, whose budget is a fraction of the whole. */
export function sortSettings(settings: Settings): Settings & { keyBytes: number } {
  const { sorting, sortedKeys } = settings.shares
  return { ...settings, memoryBudgetBytes: Math.floor(sorting), keyBytes: Math.floor(sortedKeys) }
}

/** @param share bytes that the open page of a column may hold, and its dictionary again */
export function chunkLimits(share: number): ChunkWriterLimits {
  const clamp = (least: number, most: number) => Math.floor(Math.min(most, Math.max(least, share)))
  return {
    pageBytes: clamp(8 * 1024, MIB),
    // as many rows as a row group has by default: readers pay for each page
    pageLevels: Math.floor(Math.min(128 * 1024, Math.max(1024, share / 6))),
    dictionaryBytes: clamp(16 * 1024, MIB),
    scratch: new ByteBuffer(),
    compressed: new ByteBuffer(),
  }
}
