import { ByteBuffer } from '../src/format/byte-buffer.ts'
import { PHYSICAL, REPETITION } from '../src/format/format.ts'
import { THRIFT } from '../src/format/thrift-reader.ts'
import { ThriftWriter } from '../src/format/thrift-writer.ts'

export interface HostilePage {
  /** number in `PAGE`: 0 is a data page of version 1, 2 a dictionary */
  kind?: number
  values: number
  encoding?: number
  body: Uint8Array
  /** default the length of the body */
  uncompressedBytes?: number
}

export interface HostileFile {
  columns?: number
  physical?: number
  repetition?: number
  codec?: number
  /** of each column chunk of the one row group that has pages */
  pages?: readonly HostilePage[]
  /** num_rows of each row group; default one of the values of the pages */
  rows?: readonly number[]
  /** num_values of each column chunk; default the rows */
  values?: number
  /** num_rows of the file; default the sum */
  fileRows?: number
  /** total_uncompressed_size of each column chunk; default what the pages declare */
  uncompressedBytes?: number
  /** key-value metadata of each column chunk: one value of so many bytes */
  chunkKeyValueBytes?: number
  keyValues?: readonly (readonly [key: string, value: string])[]
}

/** A file whose footer counts are consistent with each other, whatever they claim; every column has the same chunk. */
export function hostileFile(file: HostileFile): Uint8Array<ArrayBuffer> {
  const { columns = 1, physical = PHYSICAL.INT32, repetition = REPETITION.REQUIRED, codec = 0, pages = [] } = file
  const out = new ByteBuffer()
  out.append(MAGIC)
  for (const page of pages) writePage(out, page)
  const dataBytes = out.length - 4
  const pageValues = pages.reduce((sum, { kind = 0, values }) => sum + (kind === 2 ? 0 : values), 0)
  const { rows = [pageValues] } = file
  const uncompressedBytes =
    file.uncompressedBytes ?? pages.reduce((sum, page) => sum + (page.uncompressedBytes ?? page.body.length), 0)
  const dataEnd = out.length
  const footer = new ThriftWriter(out)
  footer.open()
  footer.i32(1, 1)
  footer.list(2, THRIFT.STRUCT, 1 + columns)
  footer.open()
  footer.binary(4, text('root'))
  footer.i32(5, columns)
  footer.close()
  for (let column = 0; column < columns; column++) {
    footer.open()
    footer.i32(1, physical)
    footer.i32(3, repetition)
    footer.binary(4, text(`c${column}`))
    footer.close()
  }
  footer.i64(3, file.fileRows ?? rows.reduce((sum, count) => sum + count, 0))
  footer.list(4, THRIFT.STRUCT, rows.length)
  for (const count of rows) {
    footer.open()
    footer.list(1, THRIFT.STRUCT, columns)
    for (let column = 0; column < columns; column++) {
      footer.open()
      footer.i64(2, 0)
      footer.open(3)
      footer.i32(1, physical)
      footer.list(2, THRIFT.I32, 1)
      footer.elementI32(0)
      footer.list(3, THRIFT.BINARY, 1)
      footer.elementBinary(text(`c${column}`))
      footer.i32(4, codec)
      footer.i64(5, file.values ?? count)
      footer.i64(6, uncompressedBytes)
      footer.i64(7, dataBytes)
      if (file.chunkKeyValueBytes !== undefined) {
        footer.list(8, THRIFT.STRUCT, 1)
        footer.open()
        footer.binary(1, text('k'))
        footer.binary(2, new Uint8Array(file.chunkKeyValueBytes))
        footer.close()
      }
      footer.i64(9, 4)
      footer.close()
      footer.close()
    }
    footer.i64(2, uncompressedBytes)
    footer.i64(3, count)
    footer.close()
  }
  if (file.keyValues) {
    footer.list(5, THRIFT.STRUCT, file.keyValues.length)
    for (const [key, value] of file.keyValues) {
      footer.open()
      footer.binary(1, text(key))
      footer.binary(2, text(value))
      footer.close()
    }
  }
  footer.close()
  out.uint32(out.length - dataEnd)
  out.append(MAGIC)
  return out.take()
}

function writePage(out: ByteBuffer, { kind = 0, values, encoding = 0, body, uncompressedBytes }: HostilePage): void {
  const header = new ThriftWriter(out)
  header.open()
  header.i32(1, kind)
  header.i32(2, uncompressedBytes ?? body.length)
  header.i32(3, body.length)
  header.open(kind === 2 ? 7 : 5)
  header.i32(1, values)
  header.i32(2, encoding)
  if (kind === 0) {
    header.i32(3, 3)
    header.i32(4, 3)
  }
  header.close()
  header.close()
  out.append(body)
}

/** A run of `count` equal levels or indices of one byte, as a page has it behind what says its length. */
export function run(count: number, value: number): Uint8Array {
  const bytes = new ByteBuffer()
  bytes.varint(count * 2)
  bytes.push(value)
  return bytes.take()
}

/** Levels of version 1: their length, then one run. */
export function levelRun(count: number, level: number): Uint8Array {
  const runs = run(count, level)
  return Uint8Array.of(runs.length, 0, 0, 0, ...runs)
}

const text = (value: string) => new TextEncoder().encode(value)
const MAGIC = text('PAR1')
