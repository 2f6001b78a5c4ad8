import { ParquetError } from '../parquet-error.ts'

/** Types of the Thrift compact protocol. */
export const THRIFT = {
  STOP: 0,
  TRUE: 1,
  FALSE: 2,
  I8: 3,
  I16: 4,
  I32: 5,
  I64: 6,
  DOUBLE: 7,
  BINARY: 8,
  LIST: 9,
  SET: 10,
  MAP: 11,
  STRUCT: 12,
  UUID: 13,
} as const

/** Deeper than any field of parquet.thrift; a footer that nests deeper is hostile. */
const MAX_DEPTH = 16

/**
 * Reads the Thrift compact protocol in one pass without building objects. Bounded: every list is checked against the
 * bytes that remain (an element takes at least one), nesting against `MAX_DEPTH`, so the work is linear in the input.
 * All failures are `bad_footer`; readers of page headers translate.
 */
export class ThriftReader {
  readonly bytes: Uint8Array
  /** next byte to read */
  offset: number
  readonly end: number
  /** type of the field `nextField` has just read */
  fieldType = 0
  #fieldId = 0
  /** ids of the fields whose structs are open */
  readonly #stack = new Int32Array(MAX_DEPTH)
  #depth = 0

  readonly #place: number

  /** @param place of the first byte in the file, for messages */
  constructor(bytes: Uint8Array, offset = 0, end = bytes.byteLength, place = 0) {
    this.bytes = bytes
    this.offset = offset
    this.end = end
    this.#place = place
  }

  fail(detail: string): never {
    throw new ParquetError('bad_footer', `thrift at byte ${this.#place + this.offset}: ${detail}`)
  }

  byte(): number {
    if (this.offset >= this.end) this.fail('ends early')
    return this.bytes[this.offset++]!
  }

  /** Enter a struct: fields are numbered from zero again until `nextField` returns 0. */
  enterStruct(): void {
    if (this.#depth >= MAX_DEPTH) this.fail('nested too deeply')
    this.#stack[this.#depth++] = this.#fieldId
    this.#fieldId = 0
  }

  /**
   * Fields whose id is not positive are passed over: parquet.thrift has none, but the extension that
   * BinaryProtocolExtensions.md of parquet-format describes is written as 32767 without zigzag, which reads as -16384.
   * @returns the id of the next field, or 0 at the end of the struct, which is then left
   */
  nextField(): number {
    for (;;) {
      const header = this.byte()
      const type = header & 15
      this.fieldType = type
      if (type === THRIFT.STOP) {
        this.#fieldId = this.#depth > 0 ? this.#stack[--this.#depth]! : 0
        return 0
      }
      const delta = header >> 4
      const id = delta ? this.#fieldId + delta : this.#i16()
      // ids have 16 bits, whatever the varint had
      this.#fieldId = (id << 16) >> 16
      if (this.#fieldId > 0) return this.#fieldId
      this.skip()
    }
  }

  #i16(): number {
    const value = this.#varint()
    return (value >>> 1) ^ -(value & 1)
  }

  /** an unsigned varint below 2^32 */
  #varint(): number {
    const first = this.byte()
    if (first < 128) return first
    const second = this.byte()
    if (second < 128) return (first & 127) | (second << 7)
    const low = (first & 127) | ((second & 127) << 7)
    const third = this.byte()
    if (third < 128) return low | (third << 14)
    const fourth = this.byte()
    const most = low | ((third & 127) << 14) | ((fourth & 127) << 21)
    if (fourth < 128) return most
    const fifth = this.byte()
    if (fifth > 15) this.fail('varint exceeds 32 bits')
    return most + fifth * 2 ** 28
  }

  #expect(type: number): void {
    if (this.fieldType !== type) this.fail(`field of type ${this.fieldType} where ${type} belongs`)
  }

  i32(): number {
    this.#expect(THRIFT.I32)
    return this.#zigzag32()
  }

  #zigzag32(): number {
    const value = this.#varint()
    return (value >>> 1) ^ -(value & 1)
  }

  /** a 64-bit integer that must be a safe one, as all lengths, counts and offsets are */
  i64(): number {
    this.#expect(THRIFT.I64)
    return this.elementI64()
  }

  #zigzag64(): number | bigint {
    // as far as 28 bits go without floating point
    const first = this.byte()
    if (first < 128) return (first >>> 1) ^ -(first & 1)
    let whole = first & 127
    for (let shift = 7; shift < 28; shift += 7) {
      const byte = this.byte()
      whole |= (byte & 127) << shift
      if (byte < 128) return (whole >>> 1) ^ -(whole & 1)
    }
    let low = whole
    let scale = 2 ** 28
    for (let shift = 28; shift < 49; shift += 7) {
      const byte = this.byte()
      low += (byte & 127) * scale
      scale *= 128
      if (byte < 128) return low % 2 ? -(low + 1) / 2 : low / 2
    }
    let high = 0n
    for (let shift = 49n; shift < 70n; shift += 7n) {
      const byte = this.byte()
      high |= BigInt(byte & 127) << shift
      if (byte < 128) {
        const value = BigInt.asUintN(64, high | BigInt(low))
        return (value >> 1n) ^ -(value & 1n)
      }
    }
    return this.fail('varint exceeds 64 bits')
  }

  double(): number {
    this.#expect(THRIFT.DOUBLE)
    if (this.end - this.offset < 8) this.fail('ends early')
    this.offset += 8
    return new DataView(this.bytes.buffer, this.bytes.byteOffset + this.offset - 8, 8).getFloat64(0, true)
  }

  boolean(): boolean {
    if (this.fieldType !== THRIFT.TRUE && this.fieldType !== THRIFT.FALSE) this.fail('boolean expected')
    return this.fieldType === THRIFT.TRUE
  }

  i8(): number {
    this.#expect(THRIFT.I8)
    return (this.byte() << 24) >> 24
  }

  /** a view into the input */
  binary(): Uint8Array {
    this.#expect(THRIFT.BINARY)
    return this.#binary()
  }

  #binary(): Uint8Array {
    const length = this.#varint()
    if (length > this.end - this.offset) this.fail('binary exceeds the input')
    this.offset += length
    return this.bytes.subarray(this.offset - length, this.offset)
  }

  /** Pass over a binary, which ends at `offset` then. @returns its length */
  skipBinary(): number {
    this.#expect(THRIFT.BINARY)
    const length = this.#varint()
    if (length > this.end - this.offset) this.fail('binary exceeds the input')
    this.offset += length
    return length
  }

  /** @returns the number of elements; they follow as bare values of the type asked for (`TRUE` for booleans) */
  list(elementType: number): number {
    this.#expect(THRIFT.LIST)
    const { size, type: found } = this.#listHeader()
    // a list of booleans is named by either of them
    const type = found === THRIFT.FALSE ? THRIFT.TRUE : found
    if (size > 0 && type !== elementType) this.fail(`list of type ${type} where ${elementType} belongs`)
    return size
  }

  #listHeader(): { size: number; type: number } {
    const header = this.byte()
    const size = header >> 4 === 15 ? this.#varint() : header >> 4
    if (size > this.end - this.offset) this.fail('list exceeds the input')
    return { size, type: header & 15 }
  }

  /** Pass over bytes that are known. @returns false, and stays, if others follow */
  skipIfEqual(known: Uint8Array): boolean {
    if (known.length > this.end - this.offset) return false
    const { bytes, offset } = this
    for (let i = 0; i < known.length; i++) if (bytes[offset + i] !== known[i]) return false
    this.offset = offset + known.length
    return true
  }

  /** an element of a list of i32 */
  elementI32(): number {
    return this.#zigzag32()
  }

  /** an element of a list of i64, safe as those of `i64` */
  elementI64(): number {
    const number = this.#zigzag64()
    if (typeof number === 'number') return number
    if (number > Number.MAX_SAFE_INTEGER || number < Number.MIN_SAFE_INTEGER) this.fail('integer out of range')
    return Number(number)
  }

  /** an element of a list of booleans, which some writers have with 0 for false and others with 2 */
  elementBoolean(): boolean {
    return this.byte() === THRIFT.TRUE
  }

  /** an element of a list of binary */
  elementBinary(): Uint8Array {
    return this.#binary()
  }

  /** enter the struct of the field just read */
  struct(): void {
    this.#expect(THRIFT.STRUCT)
    this.enterStruct()
  }

  /** the value of the field just read, as it is encoded */
  raw(): Uint8Array {
    const start = this.offset
    this.skip()
    return this.bytes.subarray(start, this.offset)
  }

  /** pass over the value of the field just read */
  skip(): void {
    this.#skip(this.fieldType, this.#depth, false)
  }

  #skip(type: number, depth: number, inList: boolean): void {
    if (depth > MAX_DEPTH) this.fail('nested too deeply')
    switch (type) {
      case THRIFT.TRUE:
      case THRIFT.FALSE:
        if (inList) this.byte()
        return
      case THRIFT.I8:
        this.byte()
        return
      case THRIFT.I16:
      case THRIFT.I32:
      case THRIFT.I64:
        this.#zigzag64()
        return
      case THRIFT.DOUBLE:
        if (this.end - this.offset < 8) this.fail('ends early')
        this.offset += 8
        return
      case THRIFT.BINARY:
        this.#binary()
        return
      case THRIFT.UUID:
        if (this.end - this.offset < 16) this.fail('ends early')
        this.offset += 16
        return
      case THRIFT.LIST:
      case THRIFT.SET: {
        const { size, type: elementType } = this.#listHeader()
        for (let i = 0; i < size; i++) this.#skip(elementType, depth + 1, true)
        return
      }
      case THRIFT.MAP: {
        const size = this.#varint()
        if (size > this.end - this.offset) this.fail('map exceeds the input')
        if (!size) return
        const types = this.byte()
        for (let i = 0; i < size; i++) {
          this.#skip(types >> 4, depth + 1, true)
          this.#skip(types & 15, depth + 1, true)
        }
        return
      }
      case THRIFT.STRUCT:
        for (;;) {
          const header = this.byte()
          if ((header & 15) === THRIFT.STOP) return
          if (header >> 4 === 0) this.#i16()
          this.#skip(header & 15, depth + 1, false)
        }
      default:
        this.fail(`unknown type ${type}`)
    }
  }
}
