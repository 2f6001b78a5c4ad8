import { ByteBuffer } from '../src/format/byte-buffer.ts'
import { PHYSICAL } from '../src/format/format.ts'
import { ThriftWriter } from '../src/format/thrift-writer.ts'

export interface HandmadePage {
  /** number in `PAGE`; default a data page of version 1 */
  kind?: number
  values: number
  encoding?: number
  definitionEncoding?: number
  body: Uint8Array
  /** what the header declares; default the truth */
  uncompressedBytes?: number
  compressedBytes?: number
  crc?: number
  /** of version 2 */
  nulls?: number
  /** bytes of definition levels at the head of the body, of version 2; default 0 */
  definitionBytes?: number
  /** of version 2; default left out, which says true */
  isCompressed?: boolean
}

export interface HandmadeFile {
  physical?: number
  typeLength?: number
  repetition?: number
  codec?: number
  pages?: HandmadePage[]
  rows?: number
  /** num_values of the column chunk; default `rows` */
  values?: number
  /** num_rows of the file; default `rows` */
  fileRows?: number
  /** added to the data page offset, for footers that lie */
  offsetShift?: number
  compressedShift?: number
  rootChildren?: number
  chunks?: number
  encrypted?: boolean
  statistics?: { min: Uint8Array; max: Uint8Array; areDeprecated?: boolean }
  sorting?: { column: number; descending: boolean }[]
}

/** A file of one column "v" and one row group, written by hand so that each part can lie. */
export function handmade(file: HandmadeFile): Uint8Array {
  const { rows = 1, physical = PHYSICAL.INT32, pages = [] } = file
  const out = new ByteBuffer()
  out.append(magic)
  for (const page of pages) {
    const header = new ThriftWriter(out)
    const kind = page.kind ?? 0
    header.open()
    header.i32(1, kind)
    header.i32(2, page.uncompressedBytes ?? page.body.length)
    header.i32(3, page.compressedBytes ?? page.body.length)
    if (page.crc !== undefined) header.i32(4, page.crc | 0)
    header.open(kind === 3 ? 8 : kind === 2 ? 7 : 5)
    header.i32(1, page.values)
    if (kind === 3) {
      header.i32(2, page.nulls ?? 0)
      header.i32(3, page.values)
      header.i32(4, page.encoding ?? 0)
      header.i32(5, page.definitionBytes ?? 0)
      header.i32(6, 0)
      if (page.isCompressed !== undefined) header.boolean(7, page.isCompressed)
    } else {
      header.i32(2, page.encoding ?? 0)
    }
    if (kind === 0) {
      header.i32(3, page.definitionEncoding ?? 3)
      header.i32(4, 3)
    }
    header.close()
    header.close()
    out.append(page.body)
  }
  const dataEnd = out.length
  const footer = new ThriftWriter(out)
  footer.open()
  footer.i32(1, 1)
  const isBare = file.rootChildren === 0 && file.chunks === 0
  footer.list(2, 12, isBare ? 1 : 2)
  footer.open()
  footer.binary(4, text('root'))
  footer.i32(5, file.rootChildren ?? 1)
  footer.close()
  if (!isBare) {
    footer.open()
    footer.i32(1, physical)
    if (file.typeLength !== undefined) footer.i32(2, file.typeLength)
    footer.i32(3, file.repetition ?? 0)
    footer.binary(4, text('v'))
    footer.close()
  }
  footer.i64(3, file.fileRows ?? rows)
  footer.list(4, 12, 1)
  footer.open()
  footer.list(1, 12, file.chunks ?? 1)
  for (let chunk = 0; chunk < (file.chunks ?? 1); chunk++) {
    footer.open()
    footer.i64(2, 0)
    footer.open(3)
    footer.i32(1, physical)
    footer.list(2, 5, 1)
    footer.elementI32(0)
    footer.list(3, 8, 1)
    footer.elementBinary(text('v'))
    footer.i32(4, file.codec ?? 0)
    footer.i64(5, file.values ?? rows)
    footer.i64(6, dataEnd - 4)
    footer.i64(7, dataEnd - 4 + (file.compressedShift ?? 0))
    footer.i64(9, 4 + (file.offsetShift ?? 0))
    if (file.statistics) {
      footer.open(12)
      const { min, max, areDeprecated } = file.statistics
      if (areDeprecated) {
        footer.binary(1, max)
        footer.binary(2, min)
      }
      footer.i64(3, 0)
      if (!areDeprecated) {
        footer.binary(5, max)
        footer.binary(6, min)
      }
      footer.close()
    }
    footer.close()
    footer.close()
  }
  footer.i64(2, dataEnd - 4)
  footer.i64(3, rows)
  if (file.sorting && file.sorting.length > 0) {
    footer.list(4, 12, file.sorting.length)
    for (const { column, descending } of file.sorting) {
      footer.open()
      footer.i32(1, column)
      footer.boolean(2, descending)
      footer.boolean(3, false)
      footer.close()
    }
  }
  footer.close()
  if (file.encrypted) {
    footer.open(8)
    footer.close()
  }
  footer.close()
  const length = out.length - dataEnd
  out.uint32(length)
  out.append(magic)
  return out.take()
}

const text = (value: string) => new TextEncoder().encode(value)
const magic = text('PAR1')
