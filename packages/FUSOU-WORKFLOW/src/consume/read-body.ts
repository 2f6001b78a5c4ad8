import { type ParsedJson, parseJson } from '@fusou/catalog'

/** Messages sent by hand often come as text; what is no JSON stays what it is and fails its schema. */
export function readBody(body: unknown): ParsedJson {
  const text = body instanceof ArrayBuffer ? new TextDecoder().decode(body) : body
  if (typeof text !== 'string') return { value: text, repeated: [] }
  try {
    return parseJson(text)
  } catch {
    return { value: text, repeated: [] }
  }
}
