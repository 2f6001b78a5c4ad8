import { FusouError } from '@fusou/catalog'
import { z } from 'zod'

/** One member of the dictionary: an algorithm, and a byte sequence in base64 between colons (RFC 9530, RFC 8941). */
const MEMBER = /^\s*([a-z][a-z0-9-]*)=:([A-Za-z0-9+/]*={0,2}):\s*$/

/**
 * The SHA-256 that a request declares of its body, in hex; undefined without one.
 * @throws FusouError `invalid_request`, naming the header
 */
export function declaredSha256(request: Request): string | undefined {
  const text = request.headers.get('content-digest')
  if (text === null) return undefined
  const members = text.split(',').map((member) => MEMBER.exec(member))
  const found = members.filter((member) => member?.[1] === 'sha-256')
  const digest = found.length === 1 && members.every((member) => member !== null) && decode(found[0]![2]!)
  if (digest && digest.byteLength === 32) return digest.toHex()
  const message = 'must be sha-256=:<32 bytes in base64>:'
  throw new FusouError('invalid_request', `Content-Digest: ${message}`, {
    cause: new z.ZodError([{ code: 'custom', path: ['Content-Digest'], message, input: undefined }]),
  })
}

function decode(base64: string): Uint8Array | undefined {
  try {
    return Uint8Array.fromBase64(base64)
  } catch {
    return undefined
  }
}
