import { type FileFooter, footerLength, MIN_FILE_BYTES, TAIL_BYTES } from '../footer/footer.ts'
import type { FooterTables } from '../footer/footer-table.ts'
import { readFooter } from '../footer/read-footer.ts'
import { MAGIC, MAGIC_ENCRYPTED, uint32At } from '../format/format.ts'
import { ParquetError } from '../parquet-error.ts'
import { type Schema, schemaFingerprint } from '../schema/schema.ts'
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
 * @throws ParquetError `not_parquet`, `truncated`, `bad_footer`, `encrypted`, `read_failed`; the message names the source
 */
export async function inspectParquet(source: Source, tail?: Uint8Array, head?: Uint8Array): Promise<ParquetSummary> {
  const { footer } = await loadFooter(source, tail, head)
  return summarize(footer)
}

async function summarize({ footer, from, to, rowCount, footerBytes }: FileFooter): Promise<ParquetSummary> {
  const { schema } = footer
  return {
    rowCount,
    rowGroupCount: to - from,
    columnCount: schema.leaves.length,
    schemaFingerprint: await schemaFingerprint(schema),
    footerBytes,
  }
}

/** What is read of an unknown file at first: most footers fit, and a small file comes whole. */
export const FIRST_TAIL_BYTES = 64 * 1024

/** @returns the footer, and the tail that was read for it */
export async function loadFooter(
  source: Source,
  knownTail?: Uint8Array,
  knownHead?: Uint8Array,
  knownSchema?: Schema,
  tables?: FooterTables,
): Promise<{ footer: FileFooter; tail: Uint8Array }> {
  const { byteLength } = source
  try {
    if (byteLength === 0) throw new ParquetError('not_parquet', 'the file is empty')
    if (byteLength < MIN_FILE_BYTES) throw new ParquetError('not_parquet', `a file of ${byteLength} bytes is too short`)
    const first = Math.min(byteLength, FIRST_TAIL_BYTES)
    let tail =
      knownTail && knownTail.byteLength >= TAIL_BYTES
        ? knownTail.subarray(-byteLength)
        : await readRange(source, byteLength - first, first)
    const head = tail.byteLength === byteLength ? tail : (knownHead ?? (await readRange(source, 0, 4)))
    checkHead(head, tail)
    const length = footerLength(byteLength, tail)
    if (length > tail.byteLength) {
      const missing = await readRange(source, byteLength - length, length - tail.byteLength)
      const joined = new Uint8Array(length)
      joined.set(missing)
      joined.set(tail, missing.byteLength)
      tail = joined
    }
    return { footer: readFooter(byteLength, tail.subarray(tail.byteLength - length), knownSchema, tables), tail }
  } catch (error) {
    throw nameSource(error, source.name)
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
