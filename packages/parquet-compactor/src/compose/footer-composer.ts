import { type FileFooter, footerLength, type KeyValue, keyText } from '../footer/footer.ts'
import { FooterTables } from '../footer/footer-table.ts'
import { readFooter } from '../footer/read-footer.ts'
import type { KeyValueReport } from '../key-values/key-drop-reasons.ts'
import { KeyValueMerge, MAX_KEY_VALUE_BYTES } from '../merge/merge-key-values.ts'
import { ParquetError } from '../parquet-error.ts'
import { nameSource } from '../read/inspect.ts'
import type { Schema } from '../schema/schema.ts'
import { leafPaths, pathKey, type SchemaNode } from '../schema/schema-tree.ts'
import { type ComposedNode, composeSchemas, standardTree, writeComposed } from './compose-schemas.ts'
import { encodeRowGroups } from './encode-row-groups.ts'
import { RowGroupStore, refuseLimit, refuseTail } from './row-group-store.ts'
import { writeTail } from './write-tail.ts'

export interface ComposeOptions {
  /**
   * bytes of the tail: the composed footer, its length and magic, and the pages of nulls before it. Readers load it before
   * anything else, and some refuse one of more than 15 MB. Default 8 MiB
   */
  maxFooterBytes?: number
  /** row groups of all files; arrow-rs reads no more. At most, and by default, 32,767 */
  maxRowGroups?: number
  /** columns and groups of one file, and of the composed schema; each takes about 700 bytes of memory. Default 16,384 */
  maxColumns?: number
  /** key-value metadata of the composed file, in place of what files say under these keys. Default none */
  keyValues?: Readonly<Record<string, string>>
}

/** One file, or a slice of an object that is one. */
export interface ComposePart {
  /** for messages */
  source: string
  /** of its first byte: a safe integer, not negative */
  address: number
  /** length of the whole file in bytes */
  byteLength: number
  /** its last bytes, with the whole footer: see `footerLength` */
  tail: Uint8Array
}

export interface ComposedTail {
  /** pages of nulls, the footer, its length and PAR1: what `tailAddress` and the addresses behind it hold */
  bytes: Uint8Array
  rowCount: number
  rowGroupCount: number
  /** leaf columns */
  columnCount: number
  /** column chunks that are pages of nulls, since their file lacks the column */
  nullChunkCount: number
  /** metadata, its length and the magic */
  footerBytes: number
  keyValueMetadata: KeyValueReport
}

interface AddressRange {
  start: number
  end: number
}

interface LastFile {
  schema: Schema
  /** for each of its columns, the number in the store */
  columns: readonly number[]
  hasRows: boolean
}

/** A file whose row groups are in the store, before it is sure that there is room for them. */
interface JoiningFooter {
  footer: FileFooter
  composed: ComposedNode
  columns: readonly number[]
  newColumns: { path: string; encodedBytes: number }[]
  last: LastFile
}

const MAX_ROW_GROUPS = 32_767
const DEFAULT_FOOTER_BYTES = 8 * 1024 * 1024
const DEFAULT_COLUMNS = 16_384

/** Bytes of the composed footer as they are estimated while files come. */
const ROW_GROUP_BYTES = 40
/** of a column chunk without its path, from the first byte to the encodings */
const CHUNK_HEAD_BYTES = 13
/** of a column chunk of nulls behind its path */
const NULL_CHUNK_BYTES = 36
/** of an element of the schema beside its name, and its order */
const ELEMENT_BYTES = 32

/**
 * Composes the footer of one Parquet file out of files whose bytes lie anywhere in one space of addresses, close together or
 * far apart. The composed file is those files and, behind them, the tail that `finish` returns; no byte of a file is read or
 * moved. A reader that asks for the last bytes of the space finds a footer that names every column chunk at its address.
 *
 * Columns are matched by path. Where a file lacks a column that may be null, the footer names a page of nulls in the tail; what
 * readers would decode by the wrong schema is refused. Bounds and counts of chunks are kept by the rules for merged files,
 * bloom filters with their lengths; page indexes are left out.
 *
 * It holds what the composed footer will hold, in at most five times its bytes, and one parsed footer at a time. Some readers look
 * for PAR1 at address 0, which the first file has if it lies there; otherwise whoever serves the addresses should.
 *
 * @example
 * const composer = new FooterComposer({ keyValues: { version: '42' } })
 * let address = 0
 * for (const file of files) {
 *   const { byteLength } = file
 *   composer.add({ source: file.name, address, byteLength, tail: await file.readTail() })
 *   address += byteLength
 * }
 * // the files one behind the other, and these bytes behind them, are one Parquet file
 * const { bytes, rowCount } = composer.finish(address)
 */
export class FooterComposer {
  readonly #maxFooterBytes: number
  readonly #maxRowGroups: number
  readonly #maxColumns: number
  readonly #ownKeyValues: (KeyValue & { value: Uint8Array })[]
  readonly #store = new RowGroupStore()
  readonly #keyValues: KeyValueMerge
  /** columns by the path in standard form, numbered as they were first seen */
  readonly #columns = new Map<string, number>()
  /** of files that have rows */
  readonly #ranges: AddressRange[] = []
  #composed: ComposedNode | undefined
  /** the file before, whose schema the next one often has as well */
  #last: LastFile | undefined
  #firstCanonical: string | undefined
  #areSchemasEqual = true
  #sourceWithRows: string | undefined
  /** paths of all columns as they are encoded */
  #pathBytes = 0
  #isFinished = false

  /** @throws ParquetError `bad_option` */
  constructor(options: ComposeOptions = {}) {
    const {
      maxFooterBytes = DEFAULT_FOOTER_BYTES,
      maxRowGroups = MAX_ROW_GROUPS,
      maxColumns = DEFAULT_COLUMNS,
      keyValues = {},
    } = options
    checkInteger('maxFooterBytes', maxFooterBytes, 1, 2 ** 31 - 1)
    checkInteger('maxRowGroups', maxRowGroups, 1, MAX_ROW_GROUPS)
    checkInteger('maxColumns', maxColumns, 1, 2 ** 31 - 1)
    this.#maxFooterBytes = maxFooterBytes
    this.#maxRowGroups = maxRowGroups
    this.#maxColumns = maxColumns
    const encoder = new TextEncoder()
    this.#ownKeyValues = Object.entries(keyValues).map(([key, value]) => ({
      key: encoder.encode(key),
      value: encoder.encode(value),
    }))
    this.#keyValues = new KeyValueMerge(Math.min(MAX_KEY_VALUE_BYTES, Math.floor(maxFooterBytes / 8)))
  }

  /**
   * Add a file behind those before; its rows come behind theirs. Of a file without rows only the schema is taken. A file that is
   * refused leaves the composer as it was, so that the caller may leave it out.
   * @throws ParquetError what `inspectFooter` throws; `schema_mismatch` where its schema cannot be composed with those before;
   *   `unsupported_column` for pages that only readers who know their writer read; `over_limit` without a `source` where the
   *   composed file would be larger than its limits; `bad_option`
   */
  add(part: ComposePart): void {
    const { address, byteLength } = part
    if (this.#isFinished) throw new ParquetError('bad_option', 'the footer is finished')
    checkInteger('address', address, 0, Number.MAX_SAFE_INTEGER)
    checkInteger('byteLength', byteLength, 0, Number.MAX_SAFE_INTEGER)
    checkAddress(address + byteLength)
    const takeBack = this.#store.mark()
    try {
      const joining = this.#read(part)
      this.#checkLimits(joining)
      this.#join(joining, part)
    } catch (error) {
      takeBack()
      throw error
    }
  }

  /** row groups of the files so far */
  get rowGroupCount(): number {
    return this.#store.rowGroups.length
  }

  /**
   * Write the tail. The composer is done then.
   * @param tailAddress of its first byte, at or behind the end of every file; readers find the end of the tail as the end of the file
   * @throws ParquetError `over_limit`; `bad_option` where files overlap, with each other or the tail, or none was added
   */
  finish(tailAddress: number): ComposedTail {
    checkInteger('tailAddress', tailAddress, 0, Number.MAX_SAFE_INTEGER)
    if (this.#isFinished) throw new ParquetError('bad_option', 'the footer is finished')
    if (!this.#composed) throw new ParquetError('bad_option', 'there is no file to compose')
    checkRanges(this.#ranges, tailAddress)
    this.#isFinished = true
    const schema = writeComposed(this.#composed)
    const { rowCount, rowGroups } = this.#store
    const { pairs, report } = this.#keyValues.finish(rowCount, !this.#areSchemasEqual)
    const own = new Set(this.#ownKeyValues.map(({ key }) => keyText(key)))
    const { bytes, footerBytes, nullChunkCount } = writeTail({
      store: this.#store,
      schema,
      columns: pathsOf(this.#composed).map((path) => this.#columns.get(path)!),
      keyValues: [...pairs.filter(({ key }) => !own.has(keyText(key))), ...this.#ownKeyValues],
      tailAddress,
      maxBytes: this.#maxFooterBytes,
      expectedBytes: this.#expectedBytes(),
    })
    checkAddress(tailAddress + bytes.length)
    return {
      bytes,
      rowCount,
      rowGroupCount: rowGroups.length,
      columnCount: schema.leaves.length,
      nullChunkCount,
      footerBytes,
      keyValueMetadata: report,
    }
  }

  /** Read a file, and put its row groups into the store. @throws ParquetError with its source */
  #read({ source, address, byteLength, tail }: ComposePart): JoiningFooter {
    try {
      const footerBytes = footerLength(byteLength, tail)
      if (footerBytes > tail.byteLength) {
        throw new ParquetError(
          'bad_option',
          `a tail of ${tail.byteLength} bytes, where the footer takes ${footerBytes}`,
        )
      }
      const own = tail.subarray(tail.byteLength - footerBytes)
      const footer = readFooter(byteLength, own, this.#last?.schema, new FooterTables(), this.#maxColumns)
      const { schema } = footer.footer
      if (footer.rowCount > 0 && schema.leaves.length === 0) {
        throw new ParquetError('unsupported_column', `${footer.rowCount} rows without a column, which no pages tell of`)
      }
      const joining: JoiningFooter = { footer, ...this.#joinSchema(schema, source, footer.rowCount > 0) }
      const { columns } = joining
      encodeRowGroups(this.#store, { table: footer.footer, metadata: own, address, columns })
      return joining
    } catch (error) {
      throw nameSource(error, source)
    }
  }

  #joinSchema(schema: Schema, source: string, hasRows: boolean): Omit<JoiningFooter, 'footer'> {
    const last = this.#last
    if (this.#composed && last?.schema.canonical === schema.canonical && (last.hasRows || !hasRows)) {
      return { composed: this.#composed, columns: last.columns, newColumns: [], last }
    }
    const sourceWithRows = this.#sourceWithRows
    const composed = composeSchemas(this.#composed, { schema, source, hasRows, sourceWithRows })
    const newColumns: JoiningFooter['newColumns'] = []
    const columns = pathsOf(standardTree(schema)).map((path, leaf) => {
      const known = this.#columns.get(path)
      if (known !== undefined) return known
      newColumns.push({ path, encodedBytes: schema.leaves[leaf]!.encodedPath.length })
      return this.#columns.size + newColumns.length - 1
    })
    return { composed, columns, newColumns, last: { schema, columns, hasRows } }
  }

  /** @throws ParquetError `over_limit` without a source, since no single file is at fault */
  #checkLimits({ newColumns }: JoiningFooter): void {
    const { rowGroups, rowCount } = this.#store
    if (rowGroups.length > this.#maxRowGroups) {
      refuseLimit(`${rowGroups.length} row groups, where ${this.#maxRowGroups} are allowed`)
    }
    const columnCount = this.#columns.size + newColumns.length
    if (columnCount > this.#maxColumns) refuseLimit(`${columnCount} columns, where ${this.#maxColumns} are allowed`)
    if (!Number.isSafeInteger(rowCount)) refuseLimit(`${rowCount} rows, where 2^53 are allowed`)
    const bytes = this.#expectedBytes(newColumns)
    if (bytes > this.#maxFooterBytes) refuseTail(bytes, this.#maxFooterBytes)
  }

  /** Estimate the composed footer, from above for most files. */
  #expectedBytes(newColumns: JoiningFooter['newColumns'] = []): number {
    const { rowGroups, chunkColumn, encoded, sortingBytes } = this.#store
    const columnCount = this.#columns.size + newColumns.length
    const pathBytes = newColumns.reduce((sum, { encodedBytes }) => sum + encodedBytes, this.#pathBytes)
    const headBytes = pathBytes + columnCount * CHUNK_HEAD_BYTES
    const nullChunks = rowGroups.length * columnCount - chunkColumn.length
    return (
      pathBytes +
      columnCount * ELEMENT_BYTES +
      rowGroups.length * (ROW_GROUP_BYTES + headBytes) +
      encoded.length +
      nullChunks * NULL_CHUNK_BYTES +
      sortingBytes +
      this.#ownKeyValues.reduce((sum, { key, value }) => sum + key.length + value.length, 0)
    )
  }

  #join({ footer, composed, newColumns, last }: JoiningFooter, { source, address, byteLength }: ComposePart): void {
    const { schema } = footer.footer
    this.#composed = composed
    this.#last = last
    this.#firstCanonical ??= schema.canonical
    if (schema.canonical !== this.#firstCanonical) this.#areSchemasEqual = false
    for (const { path, encodedBytes } of newColumns) {
      this.#columns.set(path, this.#columns.size)
      this.#pathBytes += encodedBytes
    }
    this.#keyValues.add(footer.keyValues, { rows: footer.rowCount, schema })
    if (footer.rowCount === 0) return
    this.#sourceWithRows ??= source
    this.#ranges.push({ start: address, end: address + byteLength })
  }
}

function pathsOf(root: SchemaNode): string[] {
  return leafPaths(root).map(({ names }) => pathKey(names))
}

/** @throws ParquetError where a byte would belong to two files */
function checkRanges(ranges: AddressRange[], tailAddress: number): void {
  let last = 0
  for (const { start, end } of ranges.sort((a, b) => a.start - b.start)) {
    if (start < last)
      throw new ParquetError('bad_option', `a file begins at ${start}, where another one ends at ${last}`)
    last = end
  }
  if (tailAddress < last) throw new ParquetError('bad_option', `a tail at ${tailAddress}, where a file ends at ${last}`)
}

function checkAddress(end: number): void {
  if (end > Number.MAX_SAFE_INTEGER) refuseLimit(`bytes up to address ${end}, where addresses end before 2^53`)
}

function checkInteger(name: string, value: number, min: number, max: number): void {
  if (Number.isSafeInteger(value) && value >= min && value <= max) return
  throw new ParquetError('bad_option', `${name} is ${value}; it must be a whole number from ${min} to ${max}`)
}
