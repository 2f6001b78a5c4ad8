import type { ThriftWriter } from '../format/thrift-writer.ts'
import type { ScannedPage } from './scan-chunk.ts'

/** @param header of a page like it; lengths of header and compressed body are set */
export function writtenPage(writer: ThriftWriter, body: Uint8Array, header: ScannedPage['header']): ScannedPage {
  const bytes = new Uint8Array(writer.out.length + body.length)
  bytes.set(writer.out.view())
  bytes.set(body, writer.out.length)
  return {
    header: { ...header, headerBytes: writer.out.length, compressedBytes: body.length },
    bytes,
    body: bytes.subarray(writer.out.length),
  }
}
