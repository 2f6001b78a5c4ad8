/** Messages sent by hand often come as text; what is no JSON stays what it is and fails its schema. */
export function readBody(body: unknown): unknown {
  const text = body instanceof ArrayBuffer ? new TextDecoder().decode(body) : body
  if (typeof text !== 'string') return text
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
