import { checksum } from '../../src/format/checksum.ts'
import {
  fieldsOf,
  i32,
  i64,
  numberOf,
  readThrift,
  struct,
  type ThriftStruct,
  valuesOf,
  writeThrift,
} from './thrift-tree.ts'

const concat = (parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.concat(parts))

function footerStart(file: Uint8Array): number {
  return file.length - 8 - Buffer.from(file.buffer, file.byteOffset, file.length).readUInt32LE(file.length - 8)
}

function withFooter(data: Uint8Array, footer: Uint8Array): Uint8Array<ArrayBuffer> {
  const length = Buffer.alloc(4)
  length.writeUInt32LE(footer.length)
  return concat([data, footer, length, Buffer.from('PAR1')])
}

export function readFooterTree(file: Uint8Array): ThriftStruct {
  return readThrift(file, footerStart(file)).fields
}

/** Change the footer of a file. @param edit gets FileMetaData by field ids of parquet.thrift */
export function editFooter(file: Uint8Array, edit: (footer: ThriftStruct) => void): Uint8Array<ArrayBuffer> {
  const start = footerStart(file)
  const footer = readThrift(file, start).fields
  edit(footer)
  return withFooter(file.subarray(0, start), writeThrift(footer))
}

/** Change the bytes of the footer as they are encoded. */
export function editFooterBytes(file: Uint8Array, edit: (footer: Uint8Array) => Uint8Array): Uint8Array<ArrayBuffer> {
  const start = footerStart(file)
  return withFooter(file.subarray(0, start), edit(file.slice(start, file.length - 8)))
}

/** ColumnMetaData of each chunk, in the order of the footer. */
export function chunksOf(footer: ThriftStruct): ThriftStruct[] {
  return valuesOf(footer.get(4)).flatMap((group) =>
    valuesOf(fieldsOf(group).get(1)).map((chunk) => fieldsOf(fieldsOf(chunk).get(3))),
  )
}

/** Change the Statistics of each chunk of a column, whose fields are those of parquet.thrift. */
export function editStatistics(
  file: Uint8Array,
  column: string,
  edit: (statistics: ThriftStruct, chunk: ThriftStruct) => void,
): Uint8Array<ArrayBuffer> {
  return editFooter(file, (footer) => {
    let edited = 0
    for (const chunk of chunksOf(footer)) {
      const path = valuesOf(chunk.get(3)).map((name) => new TextDecoder().decode((name as { value: Uint8Array }).value))
      if (path.join('.') !== column) continue
      if (!chunk.has(12)) chunk.set(12, struct({}))
      edit(fieldsOf(chunk.get(12)), chunk)
      edited++
    }
    if (edited === 0) throw new Error(`there is no column ${column}`)
  })
}

/** A page that is edited: PageHeader by field ids, and the body behind it. */
export interface EditedPage {
  header: ThriftStruct
  body: Uint8Array
}

/** Change pages; the footer says where they are then. Page indexes and bloom filters are left out. */
export function editPages(file: Uint8Array, edit: (page: EditedPage) => EditedPage): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [file.subarray(0, 4)]
  let written = 4
  const footer = readFooterTree(file)
  for (const chunk of chunksOf(footer)) {
    const data = numberOf(chunk.get(9))
    const dictionary = chunk.has(11) ? numberOf(chunk.get(11)) : 0
    let at = dictionary > 0 ? Math.min(dictionary, data) : data
    const end = at + numberOf(chunk.get(7))
    const start = written
    if (dictionary > 0) chunk.set(11, i64(start))
    while (at < end) {
      if (at === data) chunk.set(9, i64(written))
      const page = readThrift(file, at)
      const bodyEnd = page.end + numberOf(page.fields.get(3))
      const { header, body } = edit({ header: page.fields, body: file.slice(page.end, bodyEnd) })
      const bytes = concat([writeThrift(header), body])
      parts.push(bytes)
      written += bytes.length
      at = bodyEnd
    }
    chunk.set(7, i64(written - start))
    chunk.delete(14)
    chunk.delete(15)
  }
  for (const group of valuesOf(footer.get(4))) {
    for (const chunk of valuesOf(fieldsOf(group).get(1))) for (const id of [4, 5, 6, 7]) fieldsOf(chunk).delete(id)
  }
  return withFooter(concat(parts), writeThrift(footer))
}

/** Give every page its checksum, as parquet-java and parquet-go do. */
export function withChecksums(file: Uint8Array): Uint8Array<ArrayBuffer> {
  return editPages(file, ({ header, body }) => ({ header: header.set(4, i32(checksum(body) | 0)), body }))
}
