import { workBytes } from '../footer/declared-work.ts'
import { type FileFooter, footerLength, MIN_FILE_BYTES, TAIL_BYTES } from '../footer/footer.ts'
import type { FooterTables } from '../footer/footer-table.ts'
import { readFooter } from '../footer/read-footer.ts'
import { MAGIC, MAGIC_ENCRYPTED, uint32At } from '../format/format.ts'
import { ParquetError } from '../parquet-error.ts'
import { type Schema, schemaFingerprint } from '../schema/schema.ts'
import { checkFooterBytes, checkLimits, type FileLimits } from './file-limits.ts'
import { readRange, type Source } from './source.ts'

export interface ParquetSummary {
  rowCount: number
  rowGroupCount: number
  /** leaf columns */
  columnCount: number
  /** SHA-256 in hex, see `schemaFingerprint` */
  schemaFingerprint: string
  /** metadata, its length and the magic at the end of the file */
  footerBytes: number
  /** pages with their headers before compression, as the footer declares */
  uncompressedBytes: number
  /** values, nulls and empty lists of all columns, as the footer declares */
  valueCount: number
  /**
   * What it takes to merge the file, as if it were all bytes to unpack: its uncompressed bytes and its footer, one for each
   * value, and 4,096 for each column chunk. Merges whose inputs have the same sum take about the same time.
   */
  workBytes: number
}

export type FooterInspection =
  | { complete: true; summary: ParquetSummary }
  /** the footer is longer than the tail: call again with the last `tailBytes` bytes of the file */
  | { complete: false; tailBytes: number }

/**
 * Check a footer that is already in memory. The head of the file is checked only if the tail reaches it.
 * @param fileLength length of the whole file in bytes
 * @param tail       its last bytes, at least 8 or all of it
 * @throws ParquetError `not_parquet`, `bad_footer`, `encrypted`
 */
export async function inspectFooter(fileLength: number, tail: Uint8Array): Promise<FooterInspection> {
  const bytes = footerLength(fileLength, tail)
  if (tail.byteLength === fileLength) checkHead(tail)
  if (bytes > tail.byteLength) return { complete: false, tailBytes: bytes }
  return { complete: true, summary: await summarize(readFooter(fileLength, tail.subarray(tail.byteLength - bytes))) }
}

/**
 * Check the head and the footer of a file; the pages are not read.
 * @param tail its last bytes if they are in memory already; more is read only if the footer is longer
 * @param head its first bytes, at least 4, if they are in memory already
 * @param limits what the file may declare
 * @throws ParquetError `not_parquet`, `truncated`, `bad_footer`, `encrypted`, `over_limit`, `read_failed`; the message names the source
 */
export async function inspectParquet(
  source: Source,
  tail?: Uint8Array,
  head?: Uint8Array,
  limits: FileLimits = {},
): Promise<ParquetSummary> {
  const { footer } = await loadFooter(source, { tail, head, limits })
  return summarize(footer)
}

async function summarize({ footer, from, to, rowCount, footerBytes, work }: FileFooter): Promise<ParquetSummary> {
  const { schema } = footer
  return {
    rowCount,
    rowGroupCount: to - from,
    columnCount: schema.leaves.length,
    schemaFingerprint: await schemaFingerprint(schema),
    footerBytes,
    uncompressedBytes: work.uncompressedBytes,
    valueCount: work.values,
    workBytes: workBytes(work),
  }
}

/** Bytes read first from an unknown file: most footers fit, and a small file comes whole. */
export const FIRST_TAIL_BYTES = 64 * 1024

/** Parts of a file that are in memory before its footer is read. */
export interface KnownFile {
  /** its last bytes */
  tail?: Uint8Array | undefined
  /** its first bytes, at least 4 */
  head?: Uint8Array | undefined
  /** a schema that it may have */
  schema?: Schema | undefined
  limits?: FileLimits
}

/** @returns the footer, and the tail that was read for it */
export async function loadFooter(
  source: Source,
  known: KnownFile = {},
  tables?: FooterTables,
): Promise<{ footer: FileFooter; tail: Uint8Array }> {
  const { tail, footerBytes } = await loadTail(source, known)
  return parseFooter(source, tail, footerBytes, known, tables)
}

/**
 * Read the end of a file.
 * @returns the tail that was known or a first one, and the length of the footer, which may be more
 */
export async function loadTail(
  source: Source,
  { tail: knownTail, head: knownHead, limits = {} }: KnownFile,
): Promise<{ tail: Uint8Array; footerBytes: number }> {
  const { byteLength } = source
  try {
    if (byteLength === 0) throw new ParquetError('not_parquet', 'the file is empty')
    if (byteLength < MIN_FILE_BYTES) throw new ParquetError('not_parquet', `a file of ${byteLength} bytes is too short`)
    const first = Math.min(byteLength, FIRST_TAIL_BYTES)
    const tail =
      knownTail && knownTail.byteLength >= TAIL_BYTES
        ? knownTail.subarray(-byteLength)
        : await readRange(source, byteLength - first, first)
    const head = tail.byteLength === byteLength ? tail : (knownHead ?? (await readRange(source, 0, 4)))
    checkHead(head, tail)
    const footerBytes = footerLength(byteLength, tail)
    checkFooterBytes(footerBytes, limits)
    return { tail, footerBytes }
  } catch (error) {
    throw nameSource(error, source.name)
  }
}

/** Parse the footer at the end of `tail`, which is read to its beginning if it is longer. */
export async function parseFooter(
  source: Source,
  tail: Uint8Array,
  footerBytes: number,
  { schema, limits = {} }: KnownFile,
  tables?: FooterTables,
): Promise<{ footer: FileFooter; tail: Uint8Array }> {
  const { byteLength, name } = source
  try {
    let own = tail
    if (footerBytes > tail.byteLength) {
      const missing = await readRange(source, byteLength - footerBytes, footerBytes - tail.byteLength)
      own = new Uint8Array(footerBytes)
      own.set(missing)
      own.set(tail, missing.byteLength)
    }
    const footer = readFooter(byteLength, own.subarray(own.byteLength - footerBytes), schema, tables, limits.maxColumns)
    checkLimits(footer, limits)
    return { footer, tail: own }
  } catch (error) {
    throw nameSource(error, name)
  }
}

function checkHead(head: Uint8Array, tail?: Uint8Array): void {
  const magic = head.byteLength >= 4 ? uint32At(head, 0) : 0
  if (magic === MAGIC_ENCRYPTED) throw new ParquetError('encrypted', 'the file is encrypted')
  if (magic !== MAGIC) throw new ParquetError('not_parquet', 'the file does not begin with PAR1')
  if (
    tail &&
    uint32At(tail, tail.byteLength - 4) !== MAGIC &&
    uint32At(tail, tail.byteLength - 4) !== MAGIC_ENCRYPTED
  ) {
    throw new ParquetError('truncated', 'the file begins with PAR1 but does not end with it')
  }
}

/** Name the source in an error that names none yet. */
export function nameSource(error: unknown, name: string): unknown {
  const isNamed = !(error instanceof ParquetError) || error.code === 'aborted' || error.source !== undefined
  return isNamed ? error : error.at(name, { source: name })
}
