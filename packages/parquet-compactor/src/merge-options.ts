import type { PlanReason } from './plan-merge.ts'

/** Compress and decompress functions of the caller, for example of node:zlib where it exists. */
export interface Codec {
  /** @returns the compressed bytes, in a buffer of their own */
  compress?(bytes: Uint8Array): Uint8Array | Promise<Uint8Array>
  /** @returns exactly `uncompressedLength` bytes; anything else is `corrupt_data` */
  decompress?(bytes: Uint8Array, uncompressedLength: number): Uint8Array | Promise<Uint8Array>
}

export type CodecName = 'none' | 'snappy' | 'gzip' | 'brotli' | 'lz4' | 'zstd' | 'lz4_raw'

export interface MergeOptions {
  /** wanted size of a row group of the output, in bytes of the file; default 16 MiB */
  targetRowGroupBytes?: number
  /**
   * Codec of the output. `keep` takes, for each column, the codec of the first source that has rows, and snappy where
   * that codec cannot be written. Built in for writing: none, snappy, gzip; others need `codecs`. Default `keep`.
   */
  codec?: 'keep' | CodecName
  /**
   * Chunks whose data pages are smaller than this on average, compressed, are written anew in larger pages; larger pages
   * pass as they are. Default 4 KiB.
   */
  minPageBytes?: number
  /**
   * `splice`: pages pass unread where they can, and what is corrupt inside a page passes with it. `rewrite`: every page is
   * decoded and checked, so that one bad file is found before its pages stand among those of others. Default `splice`.
   */
  pages?: 'splice' | 'rewrite'
  /** codecs of the caller, used before the built-in ones */
  codecs?: Partial<Record<CodecName, Codec>>
  /** reads under way at one time; default 6, the number of connections a Worker may hold */
  maxReadsInFlight?: number
  /** a file up to this length is read whole in one read; default 1 MiB */
  smallFileBytes?: number
  /**
   * Bound on what is held beside the output row group: buffers of pages, dictionaries, whole small files. A single page
   * that needs more than half of it is refused with `page_too_large`. Default 48 MiB.
   */
  memoryBudgetBytes?: number
  /** of the schema that every source has to have, see `schemaFingerprint`; without it, that of the first source */
  schemaFingerprint?: string
  signal?: AbortSignal
  /** called after each row group of the inputs */
  onProgress?(progress: MergeProgress): void
}

export interface MergeProgress {
  rowsDone: number
  rowsTotal: number
  filesDone: number
  filesTotal: number
  bytesOut: number
}

export interface MergeReport {
  files: number
  rowsIn: number
  rowsOut: number
  /** sum of the lengths of the sources */
  bytesIn: number
  bytesOut: number
  rowGroupsIn: number
  rowGroupsOut: number
  schemaFingerprint: string
  /** what became of the column chunks of the inputs */
  columnChunks: ColumnChunkReport
  /** key-value metadata: how many pairs were written, and the keys whose later values lost to the first */
  keyValueMetadata: { written: number; conflictingKeys: string[] }
}

/** Column chunks of the inputs that hold rows. */
export interface ColumnChunkReport {
  /** as they were, alone */
  copied: number
  /** their pages as they were, one chunk's behind another's */
  spliced: number
  /** the same under a joined dictionary, pages of changed indices written anew */
  remapped: number
  /** decoded and written anew */
  rewritten: number
  /** how many went which way for which reason; the keys are those of `PLAN_REASONS` */
  reasons: Partial<Record<PlanReason, number>>
}
