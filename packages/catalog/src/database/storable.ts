/**
 * The same JSON with U+FFFD for what PostgreSQL cannot hold in text or jsonb, the NUL character and half a surrogate
 * pair: a dead letter or an error text is kept with a mark in it rather than refused for good.
 * See "JSON Types" in the PostgreSQL manual.
 */
export function storable<Json>(value: Json): Json {
  if (typeof value === 'string') return storableText(value) as Json
  if (Array.isArray(value)) return value.map(storable) as Json
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [storable(name), storable(member)])) as Json
  }
  return value
}

const storableText = (text: string) => text.toWellFormed().replaceAll('\0', '\ufffd')

export type StorableJson = null | boolean | number | string | StorableJson[] | { [name: string]: StorableJson }

/** Deeper values are replaced by a mark: recursive readers of JSON, PostgreSQL among them, bound their stack. */
export const MAX_STORABLE_DEPTH = 64
/**
 * Characters of JSON that a storable value has at the most. A message has 128 KB; what takes more is a value that repeats
 * itself by references or a list that is mostly holes, and ends with a mark.
 */
export const MAX_STORABLE_CHARACTERS = 256 * 1024

/**
 * JSON that PostgreSQL can hold of any value that a queue can carry, which is whatever can be cloned: plain JSON stays as
 * it is; dates, big integers, maps, sets, bytes and errors become what a reader makes out of them best; cycles, depth and
 * length end with a mark in brackets.
 * @param maxBytes of the JSON in UTF-8; without it MAX_STORABLE_CHARACTERS is the bound
 */
export function toStorableJson(value: unknown, maxBytes?: number): StorableJson {
  let characters = MAX_STORABLE_CHARACTERS
  for (;;) {
    const stored = convertBounded(value, characters)
    if (maxBytes === undefined || new TextEncoder().encode(JSON.stringify(stored)).byteLength <= maxBytes) return stored
    characters = Math.floor(characters / 2)
  }
}

function convertBounded(value: unknown, maxCharacters: number): StorableJson {
  let left = maxCharacters
  const spend = (text: string): string => {
    const kept = storableText(text.length > left ? `${text.slice(0, Math.max(0, left))}[cut]` : text)
    left -= kept.length + 4
    return kept
  }
  const list = (members: Iterable<unknown>, above: readonly object[]): StorableJson[] => {
    const stored: StorableJson[] = []
    for (const member of members) {
      if (left <= 0) return [...stored, '[cut]']
      stored.push(convert(member, above))
    }
    return stored
  }
  const record = (entries: Iterable<readonly [string, unknown]>, above: readonly object[]): StorableJson => {
    const stored: [string, StorableJson][] = []
    for (const [name, member] of entries) {
      if (left <= 0) return Object.fromEntries([...stored, ['[cut]', true]])
      stored.push([spend(name), convert(member, above)])
    }
    return Object.fromEntries(stored)
  }
  const convert = (member: unknown, above: readonly object[]): StorableJson => {
    left -= 4
    if (typeof member === 'string') return spend(member)
    if (typeof member === 'number') return Number.isFinite(member) ? member : String(member)
    if (typeof member === 'boolean' || member === null || member === undefined) return member ?? null
    if (typeof member !== 'object') return spend(String(member))
    if (above.includes(member)) return '[circular]'
    if (above.length >= MAX_STORABLE_DEPTH) return '[deeper]'
    const inside = [...above, member]
    if (Array.isArray(member)) return list(member, inside)
    if (member instanceof Date) return Number.isNaN(member.getTime()) ? '[invalid date]' : member.toISOString()
    if (member instanceof Map) return { '[map]': list(member.entries(), inside) }
    if (member instanceof Set) return { '[set]': list(member, inside) }
    if (member instanceof ArrayBuffer || ArrayBuffer.isView(member)) return spend(bytesAsText(member))
    if (member instanceof Error) return { '[error]': spend(`${member.name}: ${member.message}`) }
    if (member instanceof RegExp || member instanceof Number || member instanceof String || member instanceof Boolean)
      return spend(String(member))
    return record(Object.entries(member), inside)
  }
  return convert(value, [])
}

function bytesAsText(bytes: ArrayBuffer | ArrayBufferView): string {
  const view = ArrayBuffer.isView(bytes)
    ? new Uint8Array(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength)
    : new Uint8Array(bytes)
  return new TextDecoder().decode(view.subarray(0, MAX_STORABLE_CHARACTERS))
}
