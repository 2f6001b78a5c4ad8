import { ENCODING, PAGE } from '../format/format.ts'
import { ThriftWriter } from '../format/thrift-writer.ts'

/** Declared lengths of a page body, before and after compression. */
export interface PageLengths {
  uncompressedBytes: number
  compressedBytes: number
  /** checksum of the compressed body, where the page is to have one */
  crc?: number | undefined
}

/** @returns a PageHeader for a data page of version 1 */
export function dataPageHeader(levels: number, encoding: number, lengths: PageLengths): Uint8Array<ArrayBuffer> {
  const writer = begin(PAGE.DATA, lengths)
  writer.open(5)
  writer.i32(1, levels)
  writer.i32(2, encoding)
  writer.i32(3, ENCODING.RLE)
  writer.i32(4, ENCODING.RLE)
  return end(writer)
}

/** @returns a PageHeader for a dictionary page */
export function dictionaryPageHeader(entries: number, lengths: PageLengths): Uint8Array<ArrayBuffer> {
  const writer = begin(PAGE.DICTIONARY, lengths)
  writer.open(7)
  writer.i32(1, entries)
  writer.i32(2, ENCODING.PLAIN)
  return end(writer)
}

function begin(kind: number, { uncompressedBytes, compressedBytes, crc }: PageLengths): ThriftWriter {
  const writer = new ThriftWriter()
  writer.open()
  writer.i32(1, kind)
  writer.i32(2, uncompressedBytes)
  writer.i32(3, compressedBytes)
  if (crc !== undefined) writer.i32(4, crc | 0)
  return writer
}

function end(writer: ThriftWriter): Uint8Array<ArrayBuffer> {
  writer.close()
  writer.close()
  return writer.out.take()
}
