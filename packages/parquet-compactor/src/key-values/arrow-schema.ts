import { ByteBuffer } from '../format/byte-buffer.ts'

/**
 * The value of `ARROW:schema`: base64 of an IPC message, a flatbuffer that has the types which a Parquet schema cannot tell, as time
 * zones, durations and dictionaries. Beside the fields it repeats the key-value metadata of the file (arrow, Schema.fbs and Message.fbs).
 */
export interface ArrowSchema {
  /** every property of every field as text; equal texts are equal fields */
  fields: string
  /** pairs of key and value beside the fields, as text */
  metadata: Map<string, string>
  /** the same schema with other metadata, as base64; only for one that has some */
  withMetadata(pairs: readonly (readonly [key: string, value: string])[]): string
}

/** more are not compared, as a small buffer can name the same field over and over */
const MAX_FIELDS = 100_000
const MAX_DEPTH = 64
const SCHEMA_MESSAGE = 1
const CONTINUATION = 0xffffffff

/** Slots of the tables of the union Type, by its number; those left out have none. */
const TYPE_SLOTS: Record<number, readonly ('i32' | 'i16' | 'u8' | 'text' | 'numbers')[]> = {
  2: ['i32', 'u8'],
  3: ['i16'],
  7: ['i32', 'i32', 'i32'],
  8: ['i16'],
  9: ['i16', 'i32'],
  10: ['i16', 'text'],
  11: ['i16'],
  14: ['i16', 'numbers'],
  15: ['i32'],
  16: ['i32'],
  17: ['u8'],
  18: ['i16'],
}
const KNOWN_TYPES = 26

/** @returns undefined for what is no such message */
export function readArrowSchema(base64: string): ArrowSchema | undefined {
  try {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
    const buffer = new FlatBuffer(bytes, new DataView(bytes.buffer).getUint32(0, true) === CONTINUATION ? 8 : 4)
    return buffer.readMessage()
  } catch {
    // a place outside of the buffer, or no base64
    return undefined
  }
}

class FlatBuffer {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #start: number
  #fields = 0

  constructor(bytes: Uint8Array, start: number) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer)
    this.#start = start
  }

  readMessage(): ArrowSchema | undefined {
    const message = this.#follow(this.#start)
    const [type, header] = [this.#slot(message, 1), this.#slot(message, 2)]
    if (!type || !header || this.#view.getUint8(type) !== SCHEMA_MESSAGE) return undefined
    const schema = this.#follow(header)
    const fields = this.#tables(this.#slot(schema, 1)).map((field) => this.#field(field, 0))
    const metadataSlot = this.#slot(schema, 2)
    const metadata = new Map(this.#pairs(metadataSlot))
    return {
      fields: JSON.stringify([this.#number(schema, 0, 'i16'), fields]),
      metadata,
      withMetadata: (pairs) => this.#withPairs(metadataSlot, pairs),
    }
  }

  #field(table: number, depth: number): unknown {
    if (depth > MAX_DEPTH || ++this.#fields > MAX_FIELDS) throw new RangeError('too many fields')
    const type = this.#number(table, 2, 'u8') ?? 0
    if (type > KNOWN_TYPES) throw new RangeError('unknown type')
    const [typeSlot, dictionary] = [this.#slot(table, 3), this.#slot(table, 4)]
    const typeTable = typeSlot ? this.#follow(typeSlot) : undefined
    const parameters =
      typeTable === undefined ? [] : (TYPE_SLOTS[type] ?? []).map((kind, at) => this.#value(typeTable, at, kind))
    return [
      this.#text(this.#slot(table, 0)),
      this.#number(table, 1, 'u8'),
      type,
      parameters,
      dictionary ? this.#dictionary(this.#follow(dictionary)) : null,
      this.#tables(this.#slot(table, 5)).map((child) => this.#field(child, depth + 1)),
      this.#pairs(this.#slot(table, 6)).sort(([a], [b]) => (a < b ? -1 : 1)),
    ]
  }

  /** without its id, which is a number within the file */
  #dictionary(table: number): unknown {
    const index = this.#slot(table, 1)
    const own = index ? this.#follow(index) : undefined
    return [
      own === undefined ? null : [this.#number(own, 0, 'i32'), this.#number(own, 1, 'u8')],
      this.#number(table, 2, 'u8'),
    ]
  }

  #value(table: number, slot: number, kind: 'i32' | 'i16' | 'u8' | 'text' | 'numbers'): unknown {
    if (kind === 'text') return this.#text(this.#slot(table, slot))
    if (kind !== 'numbers') return this.#number(table, slot, kind)
    const at = this.#slot(table, slot)
    if (!at) return null
    const vector = this.#follow(at)
    return Array.from({ length: this.#length(vector) }, (_, i) => this.#view.getInt32(vector + 4 + i * 4, true))
  }

  #follow(at: number): number {
    return at + this.#view.getUint32(at, true)
  }

  /** @returns where the value of a slot stands; 0 where the table has none */
  #slot(table: number, slot: number): number {
    const vtable = table - this.#view.getInt32(table, true)
    if (4 + slot * 2 >= this.#view.getUint16(vtable, true)) return 0
    const offset = this.#view.getUint16(vtable + 4 + slot * 2, true)
    return offset && table + offset
  }

  #number(table: number, slot: number, kind: 'i32' | 'i16' | 'u8'): number | null {
    const at = this.#slot(table, slot)
    if (!at) return null
    if (kind === 'u8') return this.#view.getUint8(at)
    return kind === 'i16' ? this.#view.getInt16(at, true) : this.#view.getInt32(at, true)
  }

  #text(at: number): string | null {
    if (!at) return null
    const start = this.#follow(at)
    return new TextDecoder().decode(this.#bytes.subarray(start + 4, start + 4 + this.#length(start)))
  }

  #length(vector: number): number {
    const length = this.#view.getUint32(vector, true)
    if (length > this.#bytes.length) throw new RangeError('vector beyond the buffer')
    return length
  }

  #tables(at: number): number[] {
    if (!at) return []
    const vector = this.#follow(at)
    return Array.from({ length: this.#length(vector) }, (_, i) => this.#follow(vector + 4 + i * 4))
  }

  #pairs(at: number): [key: string, value: string][] {
    return this.#tables(at).map((pair) => [
      this.#text(this.#slot(pair, 0)) ?? '',
      this.#text(this.#slot(pair, 1)) ?? '',
    ])
  }

  /** Places in a flatbuffer point forward, so that the new pairs stand behind all else, and the slot points there. */
  #withPairs(slot: number, pairs: readonly (readonly [key: string, value: string])[]): string {
    if (!slot) throw new RangeError('a schema without metadata')
    const out = new ByteBuffer()
    out.append(this.#bytes)
    const align = () => {
      while (out.length % 4 !== 0) out.push(0)
    }
    align()
    // the slots of a KeyValue: 8 bytes of them, a table of 12, key and value behind its own place
    const vtable = out.length
    out.append(Uint8Array.of(8, 0, 12, 0, 4, 0, 8, 0))
    const vector = out.length
    const tables = vector + 4 + pairs.length * 4
    out.uint32(pairs.length)
    for (let i = 0; i < pairs.length; i++) out.uint32(tables + i * 12 - (vector + 4 + i * 4))
    const texts = pairs.flat().map((text) => new TextEncoder().encode(text))
    let next = tables + pairs.length * 12
    for (let i = 0; i < pairs.length; i++) {
      const table = tables + i * 12
      out.uint32(table - vtable)
      for (let member = 0; member < 2; member++) {
        out.uint32(next - (table + 4 + member * 4))
        next += textBytes(texts[i * 2 + member]!)
      }
    }
    for (const text of texts) {
      out.uint32(text.length)
      out.append(text)
      out.push(0)
      align()
    }
    while ((out.length - this.#start) % 8 !== 0) out.push(0)
    const bytes = out.take()
    const view = new DataView(bytes.buffer, bytes.byteOffset)
    view.setUint32(slot, vector - slot, true)
    // the length of the message stands before it
    view.setUint32(this.#start - 4, bytes.length - this.#start, true)
    return base64Of(bytes)
  }
}

/** a text with its length and the zero that ends it, to a multiple of four */
const textBytes = (text: Uint8Array): number => Math.ceil((4 + text.length + 1) / 4) * 4

function base64Of(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += String.fromCharCode(byte)
  return btoa(text)
}
