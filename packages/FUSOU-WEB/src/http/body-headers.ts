import { FusouError } from '@fusou/catalog'
import { z } from 'zod'

/**
 * @returns the length that the request declares; undefined for one in chunks
 * @throws FusouError `invalid_request`, naming the header
 */
export function declaredLength(request: Request): number | undefined {
  const text = request.headers.get('content-length')
  if (text === null) return undefined
  if (!/^\d{1,15}$/.test(text)) {
    const message = 'must be one whole number'
    throw new FusouError('invalid_request', `Content-Length: ${message}`, {
      cause: new z.ZodError([{ code: 'custom', path: ['Content-Length'], message, input: undefined }]),
    })
  }
  return Number(text)
}

/**
 * No body is taken in a content coding: Parquet pages are compressed already and JSON bodies are small, and the bounds of
 * this API are of the bytes as sent.
 * @throws FusouError `unsupported_media_type`, naming the coding
 */
export function refuseContentCoding(request: Request): void {
  const coding = request.headers.get('content-encoding')
  if (coding === null || /^\s*(?:identity)?\s*$/i.test(coding)) return
  throw new FusouError(
    'unsupported_media_type',
    `Content-Encoding: ${coding.slice(0, 100)} is not taken; send the body as it is, without Content-Encoding`,
  )
}
