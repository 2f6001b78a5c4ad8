/**
 * The same JSON with U+FFFD for what PostgreSQL cannot hold in text or jsonb, the NUL character and half a surrogate
 * pair: a dead letter or an error text is kept with a mark in it rather than refused for good.
 * See "JSON Types" in the PostgreSQL manual.
 */
export function storable<Json>(value: Json): Json {
  if (typeof value === 'string') return value.toWellFormed().replaceAll('\0', '\ufffd') as Json
  if (Array.isArray(value)) return value.map(storable) as Json
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [storable(name), storable(member)])) as Json
  }
  return value
}
