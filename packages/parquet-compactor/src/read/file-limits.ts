import { checkWork } from '../footer/declared-work.ts'
import type { FileFooter } from '../footer/footer.ts'
import { ParquetError } from '../parquet-error.ts'

/** Bounds on the declarations of one file. */
export interface FileLimits {
  /** metadata, its length and the magic; checked before the footer is read. Default: no limit */
  maxFooterBytes?: number
  /** columns and groups of the schema, which take about 700 bytes of memory each. Default: no limit */
  maxColumns?: number
  /** bytes of key-value metadata, keys and values together. Default: no limit */
  maxKeyValueBytes?: number
  /** see `workBytes` of `ParquetSummary`. Default: no limit */
  maxWorkBytes?: number
}

/** @throws ParquetError `over_limit` */
export function checkFooterBytes(footerBytes: number, { maxFooterBytes = Number.POSITIVE_INFINITY }: FileLimits): void {
  if (footerBytes <= maxFooterBytes) return
  throw new ParquetError('over_limit', `a footer of ${footerBytes} bytes, where ${maxFooterBytes} are allowed`)
}

/** @throws ParquetError `over_limit` */
export function checkLimits(footer: FileFooter, limits: FileLimits): void {
  const { maxKeyValueBytes = Number.POSITIVE_INFINITY, maxWorkBytes = Number.POSITIVE_INFINITY } = limits
  const keyValueBytes = footer.keyValues.reduce((sum, { key, value }) => sum + key.length + (value?.length ?? 0), 0)
  if (keyValueBytes > maxKeyValueBytes) {
    const allowed = `where ${maxKeyValueBytes} are allowed`
    throw new ParquetError('over_limit', `${keyValueBytes} bytes of key-value metadata, ${allowed}`)
  }
  checkWork(footer.work, maxWorkBytes)
}
