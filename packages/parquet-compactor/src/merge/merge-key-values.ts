import { type KeyValue, keyText } from '../footer/footer.ts'
import { shorten } from '../format/shorten.ts'
import { readArrowSchema } from '../key-values/arrow-schema.ts'
import type { DroppedKey, KeyDropReason, KeyValueReport } from '../key-values/key-drop-reasons.ts'
import { KEY_GROUPS, KEY_RULES } from '../key-values/key-rules.ts'
import { geoColumns } from '../key-values/unite-geo.ts'
import { nameText, type Schema } from '../schema/schema.ts'

/** Bytes of keys and values that a footer of the output has at the most; readers load a footer before anything else. */
export const MAX_KEY_VALUE_BYTES = 1024 * 1024

/** part of that, beside it, for the names of keys that were dropped */
const NAMES_FRACTION = 1 / 8

/** keys that a report names, since it is logged and stored */
const MAX_REPORTED_KEYS = 32
const MAX_REPORTED_KEY_LENGTH = 128

interface Entry {
  pair: KeyValue
  /** files with rows that have it */
  files: number
  bytes: number
}

/**
 * Key-value metadata of all inputs, united key by key: by the rule of the standard that a key belongs to, and where there is none,
 * the value stays if it is the same in all files that have the key. A key that is there twice in one file counts once.
 * All that is held is less than `maxBytes` and an eighth.
 */
export class KeyValueMerge {
  readonly #maxBytes: number
  readonly #entries = new Map<string, Entry>()
  readonly #dropped = new Map<string, KeyDropReason>()
  readonly #meanings: (string | undefined)[] = KEY_GROUPS.map(() => undefined)
  readonly #areMixed = KEY_GROUPS.map(() => false)
  readonly #columnsWithoutGeo = new Set<string>()
  #schemaWithoutGeo: Schema | undefined
  #filesWithRows = 0
  #heldBytes = 0
  /** names for the report, of those counted here that are not in `#dropped` */
  readonly #unknown = new Map<string, KeyDropReason>()
  #droppedUnknown = 0
  #nameBytes = 0
  /** a key was dropped that is not remembered: a new one may be that */
  #isClosed = false

  constructor(maxBytes = MAX_KEY_VALUE_BYTES) {
    this.#maxBytes = maxBytes
  }

  /** @param file its rows, and their schema */
  add(keyValues: readonly KeyValue[], { rows, schema }: { rows: number; schema: Schema }): void {
    const own = new Map<string, KeyValue>()
    for (const pair of keyValues) {
      const key = keyText(pair.key)
      if (!own.has(key)) own.set(key, pair)
    }
    for (const [key, pair] of own) this.#addPair(key, pair, rows > 0)
    // a file without rows has nothing to say of them
    if (rows === 0) return
    this.#filesWithRows++
    if (!own.has('geo') && schema !== this.#schemaWithoutGeo) {
      this.#schemaWithoutGeo = schema
      for (const { path } of schema.leaves) this.#columnsWithoutGeo.add(nameText(path[0]!))
    }
    for (const [at, group] of KEY_GROUPS.entries()) {
      const values = new Map(group.keys.flatMap((key) => (own.has(key) ? [[key, valueText(own.get(key)!)]] : [])))
      const meaning = group.meaning(values)
      this.#meanings[at] ??= meaning
      if (meaning !== this.#meanings[at]) this.#areMixed[at] = true
      if (!this.#areMixed[at]) continue
      for (const key of group.keys) if (this.#entries.has(key)) this.#drop(key, 'values_differ')
    }
  }

  #addPair(key: string, pair: KeyValue, hasRows: boolean): void {
    if (this.#dropped.has(key)) return
    const isOfGroup = KEY_GROUPS.some(({ keys }) => keys.includes(key))
    if (isOfGroup && !hasRows) return
    const entry = this.#entries.get(key)
    if (!entry) {
      this.#keep(key, pair, hasRows ? 1 : 0)
      return
    }
    if (hasRows) entry.files++
    // the first says how values are read; `add` compares what all of them say
    if (isOfGroup || isSameBytes(entry.pair.value, pair.value)) return
    const rule = KEY_RULES.get(key)
    if (rule?.isOfRows && !hasRows) return
    if (rule?.isOfRows && entry.files === 1) {
      // those before are of files without rows
      entry.pair = { key: entry.pair.key, value: pair.value }
      this.#resize(key, entry)
      return
    }
    const united = isTooLarge(pair, this.#maxBytes) ? undefined : rule?.unite?.(valueText(entry.pair), valueText(pair))
    if (united === undefined) this.#drop(key, 'values_differ')
    else this.#replace(key, entry, united)
  }

  #keep(key: string, pair: KeyValue, files: number): void {
    const bytes = bytesOf(pair)
    if (this.#isClosed) {
      this.#dropUnknown(key, 'too_large')
      return
    }
    if (this.#heldBytes + bytes > this.#maxBytes) {
      this.#drop(key, 'too_large')
      return
    }
    this.#heldBytes += bytes
    this.#entries.set(key, { pair: { key: pair.key, value: pair.value }, files, bytes })
  }

  #replace(key: string, entry: Entry, value: string): void {
    entry.pair = { key: entry.pair.key, value: new TextEncoder().encode(value) }
    this.#resize(key, entry)
  }

  #resize(key: string, entry: Entry): void {
    this.#heldBytes += bytesOf(entry.pair) - entry.bytes
    entry.bytes = bytesOf(entry.pair)
    if (this.#heldBytes > this.#maxBytes) this.#drop(key, 'too_large')
  }

  /** Dropped keys are remembered, so that the value of a later file does not stand for all. */
  #drop(key: string, reason: KeyDropReason): void {
    const entry = this.#entries.get(key)
    if (entry) this.#heldBytes -= entry.bytes
    this.#entries.delete(key)
    const nameBytes = key.length * 2
    if (this.#nameBytes + nameBytes > this.#maxBytes * NAMES_FRACTION) {
      this.#isClosed = true
      this.#dropUnknown(key, reason)
      return
    }
    this.#nameBytes += nameBytes
    this.#dropped.set(key, reason)
  }

  #dropUnknown(key: string, reason: KeyDropReason): void {
    this.#droppedUnknown++
    const name = shorten(key, MAX_REPORTED_KEY_LENGTH)
    if (this.#unknown.size < MAX_REPORTED_KEYS && !this.#unknown.has(name)) this.#unknown.set(name, reason)
  }

  /** Pairs for the output. @param rows rows of the output @param isSchemaChanged whether a union changed the schema of some input */
  finish(rows: number, isSchemaChanged: boolean): { pairs: KeyValue[]; report: KeyValueReport } {
    for (const [key, entry] of this.#entries) {
      const rule = KEY_RULES.get(key)
      if (!rule) continue
      if (rule.isOfSchema && isSchemaChanged) this.#drop(key, 'schema_changed')
      else if (rule.isOfRows && this.#isMissing(key, entry)) this.#drop(key, 'missing_in_some')
      else if (rule.finish) {
        const value = rule.finish(valueText(entry.pair), rows)
        if (value === undefined) this.#drop(key, 'malformed')
        else this.#replace(key, entry, value)
      }
    }
    this.#repeatInArrowSchema(rows)
    const pairs = [...this.#entries.values()].map(({ pair }) => pair)
    const dropped: DroppedKey[] = []
    for (const [key, reason] of [...this.#dropped, ...this.#unknown]) {
      if (dropped.length === MAX_REPORTED_KEYS) break
      dropped.push({ key: shorten(key, MAX_REPORTED_KEY_LENGTH), reason })
    }
    return {
      pairs,
      report: { written: pairs.length, dropped, droppedCount: this.#dropped.size + this.#droppedUnknown },
    }
  }

  #isMissing(key: string, entry: Entry): boolean {
    if (entry.files === this.#filesWithRows) return false
    // a file without the columns of geometries, as a union takes it, has nothing to say of them
    return key !== 'geo' || geoColumns(valueText(entry.pair)).some((name) => this.#columnsWithoutGeo.has(name))
  }

  /** The Arrow schema repeats the other pairs, and Arrow's readers in C++ take them from there alone. */
  #repeatInArrowSchema(rows: number): void {
    const entry = this.#entries.get('ARROW:schema')
    const schema = entry && readArrowSchema(valueText(entry.pair))
    if (!schema) return
    const pairs = [...schema.metadata].flatMap(([key, value]): [string, string][] => {
      if (this.#dropped.has(key)) return []
      const kept = this.#entries.get(key)
      const rule = KEY_RULES.get(key)
      const united = kept ? valueText(kept.pair) : rule?.finish ? rule.finish(value, rows) : value
      return united === undefined ? [] : [[key, united]]
    })
    const isSame =
      pairs.length === schema.metadata.size && pairs.every(([key, value]) => schema.metadata.get(key) === value)
    if (!isSame) this.#replace('ARROW:schema', entry, schema.withMetadata(pairs))
  }
}

const bytesOf = ({ key, value }: KeyValue): number => key.length + (value?.length ?? 0)

const isTooLarge = (pair: KeyValue, maxBytes: number): boolean => bytesOf(pair) > maxBytes

function valueText({ value }: KeyValue): string {
  return new TextDecoder().decode(value ?? new Uint8Array())
}

function isSameBytes(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  if (!a || !b) return a === b
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}
