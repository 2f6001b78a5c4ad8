import { FusouError, type ParsedJson, parseJson } from '@fusou/catalog'
import { declaredLength } from './body-headers.ts'
import { readChunks } from './read-chunks.ts'

export const MAX_JSON_BYTES = 64 * 1024

/**
 * A JSON body, with a declared length or without one.
 * @returns undefined when there is no body
 * @throws FusouError `unsupported_media_type`, `body_too_large`, `invalid_json`, `request_timeout`
 */
export async function readJson(request: Request): Promise<ParsedJson | undefined> {
  const tooLarge = () => new FusouError('body_too_large', `a JSON body may have ${MAX_JSON_BYTES} bytes`)
  if ((declaredLength(request) ?? 0) > MAX_JSON_BYTES) throw tooLarge()
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false })
  let text = ''
  let bytes = 0
  try {
    for await (const chunk of request.body === null ? [] : readChunks(request.body)) {
      bytes += chunk.byteLength
      if (bytes > MAX_JSON_BYTES) throw tooLarge()
      text += decoder.decode(chunk, { stream: true })
    }
    text += decoder.decode()
  } catch (cause) {
    if (cause instanceof FusouError && cause.code !== 'length_mismatch') throw cause
    throw new FusouError('invalid_json', 'the body is cut off or not UTF-8', { cause })
  }
  if (text.trim() === '') return undefined
  const type = request.headers.get('content-type') ?? ''
  if (!/^application\/(?:[\w.-]+\+)?json\s*(?:;\s*charset="?utf-8"?\s*)?$/i.test(type))
    throw new FusouError(
      'unsupported_media_type',
      `send application/json in UTF-8, not ${type === '' ? 'nothing' : type.slice(0, 100)}`,
    )
  try {
    return parseJson(text)
  } catch (cause) {
    throw new FusouError('invalid_json', 'the body does not parse', { cause })
  }
}
