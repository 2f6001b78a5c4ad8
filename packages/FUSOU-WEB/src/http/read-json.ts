import { FusouError } from '@fusou/catalog'

export const MAX_JSON_BYTES = 64 * 1024

/**
 * @returns undefined when there is no body
 * @throws FusouError `unsupported_media_type`, `body_too_large`, `invalid_json`
 */
export async function readJson(request: Request): Promise<unknown> {
  const tooLarge = () => new FusouError('body_too_large', `a JSON body may have ${MAX_JSON_BYTES} bytes`)
  if (Number(request.headers.get('content-length') ?? 0) > MAX_JSON_BYTES) throw tooLarge()
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false })
  let text = ''
  let bytes = 0
  try {
    for await (const chunk of request.body ?? []) {
      bytes += chunk.byteLength
      if (bytes > MAX_JSON_BYTES) throw tooLarge()
      text += decoder.decode(chunk, { stream: true })
    }
    text += decoder.decode()
  } catch (cause) {
    if (cause instanceof FusouError) throw cause
    throw new FusouError('invalid_json', 'the body is cut off or not UTF-8', { cause })
  }
  if (text.trim() === '') return undefined
  const type = request.headers.get('content-type') ?? ''
  if (!/^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i.test(type))
    throw new FusouError('unsupported_media_type', `send application/json, not ${type === '' ? 'nothing' : type}`)
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new FusouError('invalid_json', 'the body does not parse', { cause })
  }
}
