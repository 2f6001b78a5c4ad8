import { MAGIC, MAGIC_ENCRYPTED, uint32At } from '../format/format.ts'
import { ParquetError } from '../parquet-error.ts'
import { nameText, type Schema } from '../schema/schema.ts'
import type { ColumnAdaptation } from './adapt-footer.ts'
import type { PackedBounds } from './chunk-bounds.ts'
import type { PackedExtras } from './chunk-extras.ts'
import type { DeclaredWork } from './declared-work.ts'
import type { FooterTable } from './footer-table.ts'
import type { SortingColumns } from './sorting-columns.ts'

/** "PAR1", the length of the metadata, "PAR1": the least a Parquet file has. */
export const MIN_FILE_BYTES = 12
/** length of the metadata and "PAR1", at the end of the file */
export const TAIL_BYTES = 8

/**
 * What checked footers say of the row groups of one or more files of one schema. Numbers of column chunks are in typed
 * arrays, `leaves` entries a row group: with objects, thousands of small files would not fit in a Worker. The arrays may be
 * longer than what is in them.
 */
export interface Footer extends PackedBounds, PackedExtras {
  schema: Schema
  rowsOfGroup: Float64Array
  /** first byte of the chunk, its dictionary page included */
  chunkOffset: Float64Array
  chunkBytes: Float64Array
  /** levels in the chunk: values, nulls and empty lists */
  chunkValues: Float64Array
  chunkCodec: Uint8Array
  /** nulls by the statistics; -1 where they do not say */
  chunkNulls: Float64Array
  /** bit e stands for encoding e of the chunk, bit 15 for any that is not known */
  chunkEncodings: Uint16Array
  /** data pages by the encoding statistics; 0 where there are none */
  chunkPages: Uint32Array
  /** page versions by the encoding statistics: bit 0 for version 1, bit 1 for version 2 */
  chunkVersions: Uint8Array
  /** 1 where the chunk has a dictionary page */
  chunkHasDictionary: Uint8Array
  /** bytes of the chunk before its first data page, as far as the footer tells */
  chunkDictionaryBytes: Float64Array
  /** SortingColumn lists of the row groups as they are encoded; undefined where there is none */
  sortingOfGroup: readonly (SortingColumns | undefined)[]
  /** where files have another schema than `schema`: their own footers, and how the columns that differ are read */
  adapted?: { source: Footer; columns: readonly (ColumnAdaptation | undefined)[] }
}

/** Row groups of one file, which follow one another. */
export interface RowGroupRange {
  footer: Footer
  from: number
  to: number
}

export interface KeyValue {
  key: Uint8Array
  value: Uint8Array | undefined
}

/** The checked footer of one file. */
export interface FileFooter extends RowGroupRange {
  footer: FooterTable
  rowCount: number
  work: DeclaredWork
  /** bytes of metadata, length and magic */
  footerBytes: number
  keyValues: KeyValue[]
}

/**
 * @param tail the last 8 bytes of the file or more
 * @returns bytes of the footer: metadata, length and magic
 * @throws ParquetError `not_parquet`, `encrypted`, or `bad_footer` when it would not fit in the file
 */
export function footerLength(fileLength: number, tail: Uint8Array): number {
  if (fileLength === 0) throw new ParquetError('not_parquet', 'the file is empty')
  if (fileLength < MIN_FILE_BYTES) throw new ParquetError('not_parquet', `a file of ${fileLength} bytes is too short`)
  if (tail.byteLength < TAIL_BYTES)
    throw new ParquetError('bad_option', `a tail of ${tail.byteLength} bytes is too short`)
  const magic = uint32At(tail, tail.byteLength - 4)
  if (magic === MAGIC_ENCRYPTED) throw new ParquetError('encrypted', 'the footer is encrypted')
  if (magic !== MAGIC) throw new ParquetError('not_parquet', 'the file does not end with PAR1')
  const length = uint32At(tail, tail.byteLength - TAIL_BYTES) + TAIL_BYTES
  if (length > fileLength - 4) {
    throw new ParquetError('bad_footer', `a footer of ${length} bytes in a file of ${fileLength}`)
  }
  return length
}

export function keyText(key: Uint8Array): string {
  return nameText(key)
}
