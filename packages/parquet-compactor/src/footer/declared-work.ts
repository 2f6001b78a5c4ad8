import { ParquetError } from '../parquet-error.ts'

/** The work of merging a file, as its footer declares it. */
export interface DeclaredWork {
  /** metadata, its length and the magic */
  footerBytes: number
  /** leaf columns × row groups */
  columnChunks: number
  /** values, nulls and empty lists of all column chunks; rows where there are no columns */
  values: number
  /** pages with their headers before compression */
  uncompressedBytes: number
}

/**
 * A value of a list, or one whose column is rewritten, takes about as long as a byte that is unpacked, even if a run
 * stores millions of them in a few bytes.
 */
const BYTES_OF_VALUE = 1
/**
 * A column chunk of a tiny file takes some 10 µs, as 1 KiB does to be unpacked and packed again; and what is planned for it
 * and written of it into the footer stays in memory to the end.
 */
const BYTES_OF_CHUNK = 4096

/** @returns the work as if it were all bytes to unpack: one figure that limits and plans add up */
export function workBytes({ footerBytes, columnChunks, values, uncompressedBytes }: DeclaredWork): number {
  return footerBytes + uncompressedBytes + values * BYTES_OF_VALUE + columnChunks * BYTES_OF_CHUNK
}

export const NO_WORK: DeclaredWork = { footerBytes: 0, columnChunks: 0, values: 0, uncompressedBytes: 0 }

export function addWork(one: DeclaredWork, other: DeclaredWork): DeclaredWork {
  return {
    footerBytes: one.footerBytes + other.footerBytes,
    columnChunks: one.columnChunks + other.columnChunks,
    values: one.values + other.values,
    uncompressedBytes: one.uncompressedBytes + other.uncompressedBytes,
  }
}

/** @throws ParquetError `over_limit`, with the figures */
export function checkWork(work: DeclaredWork, maxWorkBytes: number): void {
  const bytes = workBytes(work)
  if (bytes <= maxWorkBytes) return
  const { columnChunks, values, uncompressedBytes } = work
  throw new ParquetError(
    'over_limit',
    `${uncompressedBytes} uncompressed bytes, ${values} values and ${columnChunks} column chunks are work of ${bytes} bytes, ` +
      `where ${maxWorkBytes} are allowed`,
  )
}

/**
 * Rows and values for each byte of a file. A run of equal values has any length, but pages that readers accept hold a few
 * million values in some 20 bytes; beyond this a count is a lie, or meant to keep readers busy.
 */
export const MAX_VALUES_PER_BYTE = 2 ** 20

/** Sums of the counts of 4,096 files stay exact. */
export const MAX_FILE_ROWS = 2 ** 40
