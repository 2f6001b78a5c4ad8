/**
 * Bounds of what one file may declare, and of what one merge may take, so that neither fills the memory of an isolate nor
 * exceeds the CPU time of a Worker. What an upload passes a merge takes.
 */

/**
 * Work of one merge, in bytes as if it were all bytes to unpack (`workBytes` of `inspectParquet`). A Worker may compute for 300 s.
 * The slowest codec, brotli in JavaScript, unpacked and wrote 25 MB/s on a core that was shared by eight others, zstd
 * and gzip 40: so 2 GiB take 85 s at the most, and footers that lie stop a merge at twice that.
 */
export const MAX_MERGE_WORK_BYTES = 2 * 2 ** 30

/** Work of one uploaded file: any two are merged. `fusou.small_file_work()` of the database is the same number. */
export const MAX_FILE_WORK_BYTES = MAX_MERGE_WORK_BYTES / 2

/** Memory that all merges of an isolate may hold together, of its 128 MB; each takes all of it. */
export const MERGE_MEMORY_BYTES = 64 * 2 ** 20

/**
 * A footer has some 100 bytes for each column chunk: 10,000 columns in eight row groups fit, or 100 columns in 800. It is
 * an eighth of the memory of a merge, which holds it and the numbers in it.
 */
export const MAX_FOOTER_BYTES = MERGE_MEMORY_BYTES / 8

/** Columns and groups of one schema: at 700 bytes each it takes 11 MiB of the memory of a merge, and as much while it is read. */
const MAX_COLUMNS = 16_384

/** Key-value metadata of one file: schemas of Arrow and pandas with thousands of columns have less. */
const MAX_KEY_VALUE_BYTES = MERGE_MEMORY_BYTES / 32

/** Bounds on the declarations of an uploaded file, as options of `inspectParquet`. */
export const UPLOAD_LIMITS = {
  maxFooterBytes: MAX_FOOTER_BYTES,
  maxColumns: MAX_COLUMNS,
  maxKeyValueBytes: MAX_KEY_VALUE_BYTES,
  maxWorkBytes: MAX_FILE_WORK_BYTES,
} as const

/** The same for the inputs of a merge together, as options of `mergeParquet`. */
export const MERGE_LIMITS = { ...UPLOAD_LIMITS, maxWorkBytes: MAX_MERGE_WORK_BYTES } as const
