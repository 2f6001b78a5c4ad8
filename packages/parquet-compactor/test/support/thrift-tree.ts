/** A struct of the Thrift compact protocol as a tree that tests change and write again. */
export type ThriftStruct = Map<number, ThriftValue>

export type ThriftValue =
  | { type: 'boolean'; value: boolean }
  | { type: 'i8' | 'i16' | 'i32' | 'i64'; value: bigint }
  | { type: 'double'; value: Uint8Array }
  | { type: 'binary'; value: Uint8Array }
  | { type: 'list' | 'set'; element: number; values: ThriftValue[] }
  | { type: 'map'; key: number; element: number; entries: [ThriftValue, ThriftValue][] }
  | { type: 'struct'; fields: ThriftStruct }

const INTEGERS = { 3: 'i8', 4: 'i16', 5: 'i32', 6: 'i64' } as const
const CODES = {
  boolean: 1,
  i8: 3,
  i16: 4,
  i32: 5,
  i64: 6,
  double: 7,
  binary: 8,
  list: 9,
  set: 10,
  map: 11,
  struct: 12,
} as const

export const i32 = (value: number): ThriftValue => ({ type: 'i32', value: BigInt(value) })
export const i64 = (value: number | bigint): ThriftValue => ({ type: 'i64', value: BigInt(value) })
export const boolean = (value: boolean): ThriftValue => ({ type: 'boolean', value })
export const binary = (value: Uint8Array | string): ThriftValue => ({
  type: 'binary',
  value: typeof value === 'string' ? new TextEncoder().encode(value) : value,
})
export const struct = (fields: Record<number, ThriftValue>): ThriftValue => ({
  type: 'struct',
  fields: new Map(Object.entries(fields).map(([id, value]) => [Number(id), value])),
})
export const list = (values: ThriftValue[]): ThriftValue => ({
  type: 'list',
  element: values[0] ? CODES[values[0].type] : CODES.struct,
  values,
})

export function fieldsOf(value: ThriftValue | undefined): ThriftStruct {
  if (value?.type !== 'struct') throw new Error('no struct')
  return value.fields
}

export function valuesOf(value: ThriftValue | undefined): ThriftValue[] {
  if (value?.type !== 'list') throw new Error('no list')
  return value.values
}

export function numberOf(value: ThriftValue | undefined): number {
  if (!value || typeof (value as { value: unknown }).value !== 'bigint') throw new Error('no number')
  return Number((value as { value: bigint }).value)
}

/** Read a sound struct. @returns the byte behind it, too */
export function readThrift(bytes: Uint8Array, from: number): { fields: ThriftStruct; end: number } {
  let at = from
  const nextByte = (): number => {
    const byte = bytes[at++]
    if (byte === undefined) throw new Error('the struct ends too early')
    return byte
  }
  const varint = (): bigint => {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = nextByte()
      value |= BigInt(byte & 127) << shift
      if (byte < 128) return value
    }
  }
  const zigzag = (): bigint => {
    const value = varint()
    return (value >> 1n) ^ -(value & 1n)
  }
  const readBytes = (length: number) => {
    at += length
    return bytes.slice(at - length, at)
  }
  const readValue = (type: number, isElement: boolean): ThriftValue => {
    if (type <= 2) return boolean(isElement ? nextByte() === 1 : type === 1)
    if (type === 3) return { type: 'i8', value: BigInt(nextByte()) }
    if (type <= 6) return { type: INTEGERS[type as 4 | 5 | 6], value: zigzag() }
    if (type === 7) return { type: 'double', value: readBytes(8) }
    if (type === 8) return { type: 'binary', value: readBytes(Number(varint())) }
    if (type === 9 || type === 10) {
      const header = nextByte()
      const size = header >> 4 === 15 ? Number(varint()) : header >> 4
      return {
        type: type === 9 ? 'list' : 'set',
        element: header & 15,
        values: Array.from({ length: size }, () => readValue(header & 15, true)),
      }
    }
    if (type === 11) {
      const size = Number(varint())
      const types = size === 0 ? 0 : nextByte()
      const [key, element] = [types >> 4, types & 15]
      const entries = Array.from({ length: size }, (): [ThriftValue, ThriftValue] => [
        readValue(key, true),
        readValue(element, true),
      ])
      return { type: 'map', key, element, entries }
    }
    if (type === 12) return { type: 'struct', fields: readStruct() }
    throw new Error(`thrift type ${type}`)
  }
  const readStruct = (): ThriftStruct => {
    const fields: ThriftStruct = new Map()
    let id = 0
    for (;;) {
      const header = nextByte()
      if ((header & 15) === 0) return fields
      id = header >> 4 === 0 ? Number(zigzag()) : id + (header >> 4)
      fields.set(id, readValue(header & 15, false))
    }
  }
  return { fields: readStruct(), end: at }
}

/** @returns the struct with its fields in the order of their ids */
export function writeThrift(fields: ThriftStruct): Uint8Array {
  const out: number[] = []
  const varint = (value: bigint) => {
    let rest = BigInt.asUintN(64, value)
    for (; rest > 127n; rest >>= 7n) out.push(Number(rest & 127n) | 128)
    out.push(Number(rest))
  }
  const zigzag = (value: bigint) => varint((value << 1n) ^ (value >> 63n))
  const writeValue = (value: ThriftValue, isElement: boolean): void => {
    if (value.type === 'boolean') isElement && out.push(value.value ? 1 : 2)
    else if (value.type === 'i8') out.push(Number(value.value) & 255)
    else if (value.type === 'double') out.push(...value.value)
    else if (value.type === 'binary') {
      varint(BigInt(value.value.length))
      for (const byte of value.value) out.push(byte)
    } else if ('values' in value) {
      const { length } = value.values
      out.push((Math.min(length, 15) << 4) | value.element)
      if (length >= 15) varint(BigInt(length))
      for (const element of value.values) writeValue(element, true)
    } else if (value.type === 'map') {
      varint(BigInt(value.entries.length))
      if (value.entries.length > 0) out.push((value.key << 4) | value.element)
      for (const entry of value.entries.flat()) writeValue(entry, true)
    } else if (value.type === 'struct') writeStruct(value.fields)
    else zigzag(value.value)
  }
  const writeStruct = (struct: ThriftStruct) => {
    let last = 0
    for (const [id, value] of [...struct].sort(([a], [b]) => a - b)) {
      const code = value.type === 'boolean' && !value.value ? 2 : CODES[value.type]
      if (id - last > 0 && id - last < 16) out.push(((id - last) << 4) | code)
      else {
        out.push(code)
        zigzag(BigInt(id))
      }
      writeValue(value, false)
      last = id
    }
    out.push(0)
  }
  writeStruct(fields)
  return Uint8Array.from(out)
}
