import { ByteBuffer } from './byte-buffer.ts'
import { THRIFT } from './thrift-reader.ts'

/** Writes the Thrift compact protocol; fields of a struct must come in ascending order. */
export class ThriftWriter {
  readonly out: ByteBuffer
  #lastField = 0
  #stack: number[] = []

  /** @param lastField the last field of a struct that is open already, to go on behind it */
  constructor(out = new ByteBuffer(), lastField = 0) {
    this.out = out
    this.#lastField = lastField
  }

  #field(id: number, type: number): void {
    const delta = id - this.#lastField
    if (delta < 1 || delta > 15) throw new RangeError(`thrift field ${id} after ${this.#lastField}`)
    this.out.push((delta << 4) | type)
    this.#lastField = id
  }

  #zigzag(value: number): void {
    this.out.varint(value < 0 ? -value * 2 - 1 : value * 2)
  }

  i32(id: number, value: number): void {
    this.#field(id, THRIFT.I32)
    this.#zigzag(value)
  }

  i64(id: number, value: number): void {
    this.#field(id, THRIFT.I64)
    this.#zigzag(value)
  }

  double(id: number, value: number): void {
    this.#field(id, THRIFT.DOUBLE)
    this.out.append(new Uint8Array(Float64Array.of(value).buffer))
  }

  /** a field as it was read; a boolean is all in its type */
  raw(id: number, type: number, bytes: Uint8Array): void {
    this.#field(id, type)
    this.out.append(bytes)
  }

  boolean(id: number, value: boolean): void {
    this.#field(id, value ? THRIFT.TRUE : THRIFT.FALSE)
  }

  binary(id: number, value: Uint8Array): void {
    this.#field(id, THRIFT.BINARY)
    this.elementBinary(value)
  }

  list(id: number, elementType: number, size: number): void {
    this.#field(id, THRIFT.LIST)
    if (size < 15) {
      this.out.push((size << 4) | elementType)
    } else {
      this.out.push(0xf0 | elementType)
      this.out.varint(size)
    }
  }

  elementI32(value: number): void {
    this.#zigzag(value)
  }

  elementI64(value: number): void {
    this.#zigzag(value)
  }

  elementBinary(value: Uint8Array): void {
    this.out.varint(value.length)
    this.out.append(value)
  }

  /** open a struct that is a field; without an id, the root or an element of a list */
  open(id?: number): void {
    if (id !== undefined) this.#field(id, THRIFT.STRUCT)
    this.#stack.push(this.#lastField)
    this.#lastField = 0
  }

  close(): void {
    this.out.push(THRIFT.STOP)
    this.#lastField = this.#stack.pop() ?? 0
  }
}
