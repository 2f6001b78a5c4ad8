import { THRIFT, ThriftReader } from '../format/thrift-reader.ts'
import { ParquetError } from '../parquet-error.ts'
import { nameText, readSchema, type Schema } from '../schema/schema.ts'
import { type DeclaredWork, MAX_FILE_ROWS, MAX_VALUES_PER_BYTE } from './declared-work.ts'
import { type FileFooter, type KeyValue, TAIL_BYTES } from './footer.ts'
import { type FooterTable, FooterTables } from './footer-table.ts'
import { readChunk } from './read-chunk.ts'
import { readKeyValue } from './read-key-value.ts'
import { readSortingColumn, type SortingColumns } from './sorting-columns.ts'
import { hasSoundBounds, mayJoinDeltaPages } from './written-by.ts'

/**
 * Parse and check a footer.
 * @param footer exactly the last `footerLength` bytes of the file
 * @param known  a schema that this one may be, element by element: then it is not read again
 * @param maxColumns columns and groups of the schema
 * @param tables where its row groups go, behind those of other files
 * @throws ParquetError `bad_footer`, `encrypted` or `over_limit`
 */
export function readFooter(
  fileLength: number,
  footer: Uint8Array,
  known?: Schema,
  tables = new FooterTables(),
  maxColumns?: number,
): FileFooter {
  const dataEnd = fileLength - footer.byteLength
  const reader: ThriftReader = new ThriftReader(footer, 0, footer.byteLength - TAIL_BYTES, dataEnd)
  let schema: Schema | undefined
  let rowCount: number | undefined
  let table: FooterTable | undefined
  let [firstGroup, firstChunk] = [0, 0]
  let [valuesBefore, uncompressedBefore] = [0, 0]
  const keyValues: KeyValue[] = []
  let createdBy = ''
  let orders: boolean | undefined
  reader.enterStruct()
  for (let id = reader.nextField(); id !== 0; id = reader.nextField()) {
    if (id === 2) {
      if (schema) reader.fail('two schemas')
      schema = readSchema(reader, known, maxColumns)
    } else if (id === 3) {
      rowCount = reader.i64()
    } else if (id === 4) {
      if (table) reader.fail('two lists of row groups')
      if (!schema) reader.fail('row groups before the schema')
      table = tables.tableFor(schema)
      firstGroup = table.rowGroups
      firstChunk = table.chunks
      valuesBefore = table.values
      uncompressedBefore = table.uncompressedBytes
      readRowGroups(reader, table, dataEnd)
    } else if (id === 5) {
      for (let left = reader.list(THRIFT.STRUCT); left > 0; left--) keyValues.push(readKeyValue(reader))
    } else if (id === 6) {
      createdBy = nameText(reader.binary())
    } else if (id === 7) {
      orders = readColumnOrders(reader)
    } else if (id === 8) {
      throw new ParquetError('encrypted', 'the file has encrypted columns')
    } else {
      reader.skip()
    }
  }
  if (!schema) reader.fail('no schema')
  if (!table) reader.fail('no row groups')
  if (rowCount === undefined || rowCount < 0) reader.fail('num_rows missing or negative')
  let rowsInGroups = 0
  for (let group = firstGroup; group < table.rowGroups; group++) rowsInGroups += table.rowsOfGroup[group]!
  if (rowsInGroups !== rowCount) {
    throw new ParquetError('bad_footer', `num_rows is ${rowCount} but the row groups have ${rowsInGroups}`)
  }
  const columns = schema.leaves.length
  // without columns nothing but the footer stands behind the rows
  const maxRows = columns === 0 ? Math.min(MAX_FILE_ROWS, fileLength * MAX_VALUES_PER_BYTE) : MAX_FILE_ROWS
  if (rowCount > maxRows) throw new ParquetError('over_limit', `${rowCount} rows, where ${maxRows} are allowed`)
  const work: DeclaredWork = {
    footerBytes: footer.byteLength,
    columnChunks: table.chunks - firstChunk,
    values: columns === 0 ? rowCount : table.values - valuesBefore,
    uncompressedBytes: table.uncompressedBytes - uncompressedBefore,
  }
  // DuckDB leaves the orders out and yet keeps to them
  if ((orders ?? createdBy.startsWith('DuckDB')) && hasSoundBounds(createdBy)) table.markOrder(firstChunk)
  if (mayJoinDeltaPages(createdBy)) table.markDeltaPages(firstChunk)
  return {
    footer: table,
    from: firstGroup,
    to: table.rowGroups,
    rowCount,
    work,
    footerBytes: footer.byteLength,
    keyValues,
  }
}

/** @returns whether every column has the order of its type, which is the first of the union ColumnOrder */
function readColumnOrders(reader: ThriftReader): boolean {
  let areKnown = true
  for (let left = reader.list(THRIFT.STRUCT); left > 0; left--) {
    reader.enterStruct()
    for (let id = reader.nextField(); id !== 0; id = reader.nextField()) {
      if (id !== 1) areKnown = false
      reader.skip()
    }
  }
  return areKnown
}

function readRowGroups(reader: ThriftReader, table: FooterTable, dataEnd: number): void {
  const { leaves } = table.schema
  let totalBytes = 0
  for (let left = reader.list(THRIFT.STRUCT); left > 0; left--) {
    const firstChunk = table.chunks
    let rows: number | undefined
    let chunks = -1
    let sorting: SortingColumns | undefined
    reader.enterStruct()
    for (let id = reader.nextField(); id !== 0; id = reader.nextField()) {
      if (id === 1) {
        if (chunks >= 0) reader.fail('two lists of columns')
        chunks = reader.list(THRIFT.STRUCT)
        if (chunks !== leaves.length) {
          reader.fail(`a row group has ${chunks} column chunks, the schema ${leaves.length} leaves`)
        }
        for (let column = 0; column < chunks; column++) readChunk(reader, leaves[column]!, dataEnd, table)
      } else if (id === 3) {
        rows = reader.i64()
      } else if (id === 4) {
        sorting = readSorting(reader, leaves.length)
      } else {
        reader.skip()
      }
    }
    if (chunks < 0) reader.fail('a row group without columns')
    if (rows === undefined || rows < 0) reader.fail('num_rows of a row group missing or negative')
    for (let column = 0; column < chunks; column++) {
      const values = table.chunkValues[firstChunk + column]!
      totalBytes += table.chunkBytes[firstChunk + column]!
      const { maxRepetition, name } = leaves[column]!
      if (maxRepetition === 0 ? values !== rows : values < rows) {
        reader.fail(`column ${name} has ${values} values in a row group of ${rows} rows`)
      }
    }
    table.addRowGroup(rows, sorting)
  }
  // also keeps a small file from naming the same bytes many times over
  if (totalBytes > dataEnd) reader.fail(`column chunks of ${totalBytes} bytes in ${dataEnd} bytes of data`)
}

function readSorting(reader: ThriftReader, columns: number): SortingColumns {
  const count = reader.list(THRIFT.STRUCT)
  const start = reader.offset
  for (let left = count; left > 0; left--) {
    const { column } = readSortingColumn(reader)
    if (column < 0 || column >= columns) reader.fail(`rows sorted by column ${column} of ${columns}`)
  }
  return { count, elements: reader.bytes.slice(start, reader.offset) }
}
