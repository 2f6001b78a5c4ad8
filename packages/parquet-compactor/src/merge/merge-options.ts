import type { Codec, CodecName } from '../codecs/codec.ts'
import type { DropReason } from '../drop-reasons.ts'
import type { KeyValueReport } from '../key-values/key-drop-reasons.ts'
import type { PlanReason } from '../plan/plan-merge.ts'
import type { FileLimits } from '../read/file-limits.ts'
import type { Scratch } from '../read/scratch.ts'
import type { SchemaChange } from '../schema/unite-schemas.ts'
import type { SortColumn } from '../sort/keys/key-order.ts'

export interface MergeOptions {
  /** wanted size of a row group of the output, in bytes of the file; default 16 MiB, a quarter of `memoryBudgetBytes` at most */
  targetRowGroupBytes?: number
  /**
   * Wanted rows of a row group of the output, which ends where this or `targetRowGroupBytes` is reached. Readers prune and share out
   * work by row groups. Default 131,072.
   */
  targetRowGroupRows?: number
  /**
   * Codec of the output. `keep` takes, for each column, the codec of the first source that has rows, and snappy where
   * that codec cannot be written. Built in for writing: none, snappy, gzip; others need `codecs`. Default `keep`.
   */
  codec?: 'keep' | CodecName
  /**
   * Chunks whose data pages are smaller than this on average, compressed, are rewritten in larger pages; larger pages
   * pass as they are. Default 4 KiB.
   */
  minPageBytes?: number
  /**
   * `splice`: pages pass unread where they can, and what is corrupt inside a page passes with it. `check`: the same, but
   * every page that passes is unpacked and looked through, so that a file which is corrupt inside is found before its pages
   * stand among those of others. `rewrite`: every page is rewritten. Default `splice`.
   */
  pages?: 'splice' | 'check' | 'rewrite'
  /**
   * The compiled module `@fusou/parquet-compactor/kernel.wasm`, for runtimes that compile no WebAssembly where this library
   * is loaded; default is a copy that comes with the code
   */
  kernel?: object
  /** codecs of the caller, used before the built-in ones */
  codecs?: Partial<Record<CodecName, Codec>>
  /** reads under way at one time; default 6, the number of connections a Worker may hold */
  maxReadsInFlight?: number
  /** bytes that the sink gets at a time, for example the size of the parts of an upload; an eighth of `memoryBudgetBytes` at most, default 1 MiB or a quarter of that */
  partBytes?: number
  /** a file up to this length is read whole in one read; default 1 MiB */
  smallFileBytes?: number
  /**
   * Bound on all that is held at one time: what footers say, files that wait, the row group in work, pages, the kernel, the
   * part for the sink, page indexes of the output; but not on `sources` themselves. A row group of the output ends at a quarter
   * of it at the latest; a single page that unpacks to more than a quarter is refused with `page_too_large`, unless it
   * passes as it is. Default 64 MiB.
   */
  memoryBudgetBytes?: number
  /**
   * Sort the rows by these columns, the first being the most significant; rows of equal keys keep their order. Numbers and
   * times by value, decimals and float16 too, booleans false first, anything else byte by byte, as DuckDB's ORDER BY does:
   * -0 equals 0, NaN is greater than every number. Row groups whose ranges do not overlap are only put in order; the
   * values of the others are merged, which takes 12 to 24 bytes a row of `memoryBudgetBytes`, or `memory_budget` is
   * thrown. Columns of lists, and types without an order (intervals, geometry), are refused with `bad_option`.
   */
  sortBy?: readonly SortColumn[]
  /**
   * Room outside of memory, for `sortBy` where many row groups overlap: rows are written there once in sorted runs, which are then
   * merged, instead of reading the row groups again for each part of the output. What is written is about what the rows
   * take uncompressed. The caller makes it, empty, for one merge, and throws it away afterwards.
   */
  scratch?: Scratch
  /**
   * Of rows that are equal in these columns one stays, the others are left out. Nulls equal each other; so do -0 and 0, NaNs,
   * and decimals of one value. Values are compared whole, never by a hash alone.
   */
  dedupeBy?: readonly string[]
  /** which of equal rows stays, in the order of the sources; default `last` */
  keep?: 'first' | 'last'
  /**
   * `strict`: sources of another schema than the first are refused. `union`: columns are matched by name. A column that is
   * missing somewhere becomes nullable; integers widen to the smallest type that holds both (8 to 64 bits, signed and
   * unsigned, unsigned into wider signed), float to double. Anything else is refused with `schema_mismatch` naming both.
   * Default `strict`.
   */
  schema?: 'strict' | 'union'
  /** fingerprint of the schema that every source must have, see `schemaFingerprint`; default: that of the first source */
  schemaFingerprint?: string
  /**
   * What sources may declare: one beyond a limit is refused with `over_limit`, before anything is written. `maxWorkBytes` holds for
   * each source, which the error names, and for all together, when it names none: then merge fewer at a time. Pages that
   * unpack to more than footers declare, or to far more when they are rewritten, stop at twice that. Defaults: a
   * footer takes an eighth of `memoryBudgetBytes`, the columns of a source half of it at 700 bytes each; key-value metadata and
   * work have no limit.
   */
  limits?: FileLimits
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
  /** work of merging the output again, see `workBytes` of `ParquetSummary` */
  workBytes: number
  rowGroupsIn: number
  rowGroupsOut: number
  schemaFingerprint: string
  /** how the column chunks of the inputs were carried over */
  columnChunks: ColumnChunkReport
  /** how key-value metadata was merged, with the keys that the output lacks and the reason: `KEY_DROP_REASONS` */
  keyValueMetadata: KeyValueReport
  /**
   * What helps readers and got lost: how many column chunks of the output lack it (row groups, for sorting columns), by the
   * keys of `DROP_REASONS`
   */
  dropped: Partial<Record<DropReason, number>>
  /** rows left out because of `dedupeBy` */
  duplicateRows: number
  /** where `sortBy` or `dedupeBy` was given: row groups of the inputs that stayed as they are, and those merged by values */
  rowGroupsKept?: number
  rowGroupsMerged?: number
  /** the same where a `scratch` was given: bytes that were written to it */
  scratchBytes?: number
  /** changes by the `union` of schemas, the first hundred */
  schemaChanges: SchemaChange[]
  /** how many changes there are beyond these */
  schemaChangesOmitted?: number
}

/** Column chunks of the inputs that hold rows. */
export interface ColumnChunkReport {
  /** as they were, alone */
  copied: number
  /** their pages as they were, one chunk's behind another's */
  spliced: number
  /** the same under a joined dictionary, pages of changed indices rewritten */
  remapped: number
  /** their pages unpacked and joined into larger ones, under one dictionary where values repeat */
  coalesced: number
  /** decoded and rewritten */
  rewritten: number
  /** how many went which way for which reason; the keys are those of `PLAN_REASONS` */
  reasons: Partial<Record<PlanReason, number>>
}
