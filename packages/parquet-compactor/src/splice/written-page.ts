import type { ScannedPage } from './scan-chunk.ts'

/** @param like header of a page like it; lengths of header and compressed body are set */
export function writtenPage(header: Uint8Array, body: Uint8Array, like: ScannedPage['header']): ScannedPage {
  const bytes = new Uint8Array(header.length + body.length)
  bytes.set(header)
  bytes.set(body, header.length)
  return {
    header: { ...like, headerBytes: header.length, compressedBytes: body.length },
    bytes,
    body: bytes.subarray(header.length),
  }
}
