import { describe, expect, test } from 'vitest'
import { THRIFT, ThriftReader } from '../../src/format/thrift-reader.ts'
import { ThriftWriter } from '../../src/format/thrift-writer.ts'

/** A reader that stands behind the header of a field. */
function fieldOf(write: (writer: ThriftWriter) => void): ThriftReader {
  const writer = new ThriftWriter()
  writer.open()
  write(writer)
  writer.close()
  const reader = new ThriftReader(writer.out.take())
  reader.enterStruct()
  reader.nextField()
  return reader
}

/** A reader of these bytes as the value of a field of a type. */
function readerOf(type: number, ...bytes: number[]): ThriftReader {
  const reader = new ThriftReader(Uint8Array.of(0x10 | type, ...bytes))
  reader.enterStruct()
  expect(reader.nextField()).toBe(1)
  return reader
}

describe('numbers', () => {
  const EDGES = [0, 7, 14, 21, 28, 31]
    .flatMap((bits) => [2 ** bits - 1, 2 ** bits, 2 ** (bits - 1)])
    .filter((n) => n < 2 ** 31)
  const INT32 = [...new Set(EDGES.flatMap((n) => [Math.floor(n), -Math.floor(n) - 1]))]

  test.each(INT32)('i32 %i, as a field and in a list', (value) => {
    const field = fieldOf((writer) => writer.i32(1, value))
    expect(field.i32()).toBe(value)
    expect(field.nextField()).toBe(0)
    expect(field.offset).toBe(field.bytes.length)
    const list = fieldOf((writer) => {
      writer.list(1, THRIFT.I32, 1)
      writer.elementI32(value)
    })
    expect(list.list(THRIFT.I32)).toBe(1)
    expect(list.elementI32()).toBe(value)
    expect(list.nextField()).toBe(0)
  })

  const INT64 = [
    ...INT32,
    ...[31, 32, 35, 42, 48, 49, 51].flatMap((bits) => [2 ** bits - 1, 2 ** bits, -(2 ** bits), -(2 ** bits) - 1]),
  ]
  test.each([...INT64, Number.MAX_SAFE_INTEGER, -(2 ** 52)])('i64 %i', (value) => {
    const field = fieldOf((writer) => writer.i64(1, value))
    expect(field.i64()).toBe(value)
    expect(field.nextField()).toBe(0)
    const list = fieldOf((writer) => {
      writer.list(1, THRIFT.I64, 1)
      writer.elementI64(value)
    })
    expect(list.list(THRIFT.I64)).toBe(1)
    expect(list.elementI64()).toBe(value)
    const skipped = fieldOf((writer) => {
      writer.i64(1, value)
      writer.i32(2, 5)
    })
    skipped.skip()
    expect(skipped.nextField()).toBe(2)
    expect(skipped.i32()).toBe(5)
  })

  test('an i32 of more than 32 bits is refused, one of exactly 32 is not', () => {
    expect(readerOf(THRIFT.I32, 0xff, 0xff, 0xff, 0xff, 0x0f).i32()).toBe(-(2 ** 31))
    expect(readerOf(THRIFT.I32, 0xfe, 0xff, 0xff, 0xff, 0x0f).i32()).toBe(2 ** 31 - 1)
    expect(() => readerOf(THRIFT.I32, 0xff, 0xff, 0xff, 0xff, 0x10).i32()).toThrow('varint exceeds 32 bits')
  })

  test('an i64 that is no safe integer is refused on both sides, and one of eleven bytes', () => {
    // zigzag of 2^53 - 1 and of -(2^53 - 1), then one further
    const safe = [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f]
    expect(readerOf(THRIFT.I64, ...safe).i64()).toBe(Number.MAX_SAFE_INTEGER)
    const unsafe = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20]
    expect(() => readerOf(THRIFT.I64, ...unsafe).i64()).toThrow('integer out of range')
    expect(readerOf(THRIFT.I64, 0xfd, ...safe.slice(1)).i64()).toBe(-Number.MAX_SAFE_INTEGER)
    expect(() => readerOf(THRIFT.I64, 0xff, ...safe.slice(1)).i64()).toThrow('integer out of range')
    const nine = Array.from({ length: 9 }, () => 0xff)
    expect(() => readerOf(THRIFT.I64, ...nine, 0x01).i64()).toThrow('integer out of range')
    expect(() => readerOf(THRIFT.I64, ...nine, 0xff, 0x01).i64()).toThrow('varint exceeds 64 bits')
  })

  test('i8 has its sign, and doubles are whole', () => {
    expect(readerOf(THRIFT.I8, 0x80).i8()).toBe(-128)
    expect(readerOf(THRIFT.I8, 0x7f).i8()).toBe(127)
    const double = fieldOf((writer) => writer.double(1, -0.1))
    expect(double.double()).toBe(-0.1)
    expect(double.nextField()).toBe(0)
    expect(readerOf(THRIFT.DOUBLE, 0, 0, 0, 0, 0, 0, 0, 0x40).double()).toBe(2)
    expect(() => readerOf(THRIFT.DOUBLE, 0, 0, 0, 0, 0, 0, 0).double()).toThrow('ends early')
    expect(() => readerOf(THRIFT.DOUBLE, 0, 0, 0, 0, 0, 0, 0).skip()).toThrow('ends early')
  })
})

describe('fields', () => {
  test('have ids up to fifteen apart; a writer refuses others, and a reader takes a whole id', () => {
    const writer = new ThriftWriter()
    writer.open()
    writer.i32(15, 1)
    writer.i32(30, 2)
    expect(() => writer.i32(30, 3)).toThrow('thrift field 30 after 30')
    expect(() => writer.i32(46, 3)).toThrow('thrift field 46 after 30')
    writer.close()
    const reader = new ThriftReader(writer.out.take())
    reader.enterStruct()
    expect([reader.nextField(), reader.i32(), reader.nextField(), reader.i32(), reader.nextField()]).toEqual([
      15, 1, 30, 2, 0,
    ])
    const whole = new ThriftReader(Uint8Array.of(0x05, 0x80, 0x02, 0x0a, 0x00))
    whole.enterStruct()
    expect([whole.nextField(), whole.i32(), whole.nextField()]).toEqual([128, 5, 0])
  })

  test('of a type that does not belong are refused, and so is each kind of value behind the end', () => {
    const readers: [type: number, read: (reader: ThriftReader) => unknown][] = [
      [THRIFT.I32, (reader) => reader.i32()],
      [THRIFT.I64, (reader) => reader.i64()],
      [THRIFT.DOUBLE, (reader) => reader.double()],
      [THRIFT.I8, (reader) => reader.i8()],
      [THRIFT.BINARY, (reader) => reader.binary()],
      [THRIFT.BINARY, (reader) => reader.skipBinary()],
      [THRIFT.LIST, (reader) => reader.list(THRIFT.I32)],
    ]
    for (const [type, read] of readers) {
      expect(() => read(readerOf(THRIFT.STRUCT, 0))).toThrow(`field of type 12 where ${type} belongs`)
      expect(() => read(readerOf(type))).toThrow('ends early')
    }
    expect(() => readerOf(THRIFT.I32, 0).struct()).toThrow('field of type 5 where 12 belongs')
    expect(() => readerOf(THRIFT.I32, 0).boolean()).toThrow('boolean expected')
    expect([readerOf(THRIFT.TRUE).boolean(), readerOf(THRIFT.FALSE).boolean()]).toEqual([true, false])
    expect(() => readerOf(14, 0).skip()).toThrow('unknown type 14')
  })

  test('a failure names the byte where it happened, counted in the file', () => {
    const reader = new ThriftReader(Uint8Array.of(0, 0x15), 1, 2, 1000)
    reader.enterStruct()
    reader.nextField()
    expect(() => reader.i32()).toThrow('bad_footer: thrift at byte 1002: ends early')
  })

  test('a reader goes no further than its end, though more bytes follow', () => {
    const reader = new ThriftReader(Uint8Array.of(0x15, 2, 3), 0, 1)
    reader.enterStruct()
    reader.nextField()
    expect(() => reader.byte()).toThrow('ends early')
  })
})

describe('binaries and lists', () => {
  test('a binary may be empty or end with the input, and no longer', () => {
    expect(readerOf(THRIFT.BINARY, 0).binary()).toHaveLength(0)
    expect([...readerOf(THRIFT.BINARY, 2, 7, 8).binary()]).toEqual([7, 8])
    expect(() => readerOf(THRIFT.BINARY, 3, 7, 8).binary()).toThrow('binary exceeds the input')
    const skipping = readerOf(THRIFT.BINARY, 2, 7, 8, 0)
    expect(skipping.skipBinary()).toBe(2)
    expect(skipping.nextField()).toBe(0)
    expect(() => readerOf(THRIFT.BINARY, 3, 7, 8).skipBinary()).toThrow('binary exceeds the input')
  })

  test.each([0, 1, 14, 15, 16, 127, 128])('a list of %i texts', (size) => {
    const texts = Array.from({ length: size }, (_, i) => Uint8Array.of(i))
    const list = fieldOf((writer) => {
      writer.list(1, THRIFT.BINARY, size)
      for (const text of texts) writer.elementBinary(text)
      writer.i32(2, 9)
    })
    expect(list.list(THRIFT.BINARY)).toBe(size)
    expect(texts.map(() => list.elementBinary())).toEqual(texts)
    expect([list.nextField(), list.i32()]).toEqual([2, 9])
    const skipped = new ThriftReader(list.bytes)
    skipped.enterStruct()
    skipped.nextField()
    expect(skipped.raw()).toHaveLength(skipped.offset - 1)
    expect([skipped.nextField(), skipped.i32(), skipped.nextField()]).toEqual([2, 9, 0])
  })

  test('a list of more elements than bytes remain is refused, one of as many is not', () => {
    expect(readerOf(THRIFT.LIST, 0x28 - 0x05 + 0x02, 0, 0).list(THRIFT.I32)).toBe(2)
    expect(() => readerOf(THRIFT.LIST, 0x35, 0, 0).list(THRIFT.I32)).toThrow('list exceeds the input')
    expect(() => readerOf(THRIFT.MAP, 3, 0x55, 0).skip()).toThrow('map exceeds the input')
  })

  test('a list of another type is refused unless it is empty; booleans have two names and two forms', () => {
    expect(() => readerOf(THRIFT.LIST, 0x16, 0).list(THRIFT.I32)).toThrow('list of type 6 where 5 belongs')
    expect(readerOf(THRIFT.LIST, 0x06).list(THRIFT.I32)).toBe(0)
    for (const [type, no] of [
      [THRIFT.TRUE, 0],
      [THRIFT.FALSE, 2],
    ] as const) {
      const list = readerOf(THRIFT.LIST, 0x20 | type, 1, no)
      expect([list.list(THRIFT.TRUE), list.elementBoolean(), list.elementBoolean()]).toEqual([2, true, false])
      const skipped = readerOf(THRIFT.LIST, 0x20 | type, 1, no, 0)
      skipped.skip()
      expect(skipped.nextField()).toBe(0)
    }
  })

  test('maps, sets and structs are passed over whole', () => {
    const map = readerOf(THRIFT.MAP, 2, 0x58, 1, 1, 65, 2, 2, 66, 67, 0)
    map.skip()
    expect([map.nextField(), map.offset]).toEqual([0, map.bytes.length])
    const empty = readerOf(THRIFT.MAP, 0, 0)
    empty.skip()
    expect([empty.nextField(), empty.offset]).toEqual([0, 3])
    const set = readerOf(THRIFT.SET, 0x23, 7, 8, 0)
    set.skip()
    expect([set.nextField(), set.offset]).toEqual([0, 5])
    // a struct with a boolean, a field with a whole id and a struct
    const struct = readerOf(THRIFT.STRUCT, 0x11, 0x05, 0x40, 0x02, 0x1c, 0x13, 0x09, 0x00, 0x00, 0x15, 0x04, 0x00)
    struct.skip()
    expect([struct.nextField(), struct.i32(), struct.nextField()]).toEqual([2, 2, 0])
  })

  test('values that nest fifteen deep below a field are passed over, deeper ones refused', () => {
    const nested = (depth: number) => {
      const lists = Array.from({ length: depth - 1 }, () => 0x19)
      return readerOf(THRIFT.LIST, ...lists, 0x15, 0, 0)
    }
    const deepest = nested(15)
    deepest.skip()
    expect(deepest.nextField()).toBe(0)
    expect(() => nested(16).skip()).toThrow('nested too deeply')
  })

  test('structs open sixteen deep, and each counts its fields by itself', () => {
    const open = (depth: number) => {
      const reader = new ThriftReader(new Uint8Array(depth).fill(0x1c))
      reader.enterStruct()
      for (let level = 1; level < depth; level++) {
        expect(reader.nextField()).toBe(1)
        reader.struct()
      }
    }
    open(16)
    expect(() => open(18)).toThrow('nested too deeply')
    const reader = fieldOf((writer) => {
      writer.i32(3, 1)
      writer.open(4)
      writer.i32(1, 2)
      writer.close()
      writer.i32(5, 3)
    })
    expect([reader.i32(), reader.nextField()]).toEqual([1, 4])
    reader.struct()
    expect([reader.nextField(), reader.i32(), reader.nextField()]).toEqual([1, 2, 0])
    expect([reader.nextField(), reader.i32(), reader.nextField()]).toEqual([5, 3, 0])
  })

  test('bytes that are known are passed over only if all of them follow', () => {
    const reader = new ThriftReader(Uint8Array.of(1, 2, 3, 4), 0, 3)
    expect(reader.skipIfEqual(Uint8Array.of(1, 3))).toBe(false)
    expect(reader.offset).toBe(0)
    expect(reader.skipIfEqual(Uint8Array.of(1, 2, 3, 4))).toBe(false)
    expect(reader.skipIfEqual(Uint8Array.of(1, 2))).toBe(true)
    expect([reader.offset, reader.skipIfEqual(Uint8Array.of(3)), reader.offset]).toEqual([2, true, 3])
  })
})

test('a writer goes on behind the last field of an open struct, and copies a field as it was read', () => {
  const writer = new ThriftWriter(undefined, 3)
  writer.raw(4, THRIFT.BINARY, Uint8Array.of(1, 65))
  writer.boolean(5, false)
  writer.boolean(6, true)
  writer.binary(7, Uint8Array.of(66))
  writer.close()
  expect([...writer.out.take()]).toEqual([0x18, 1, 65, 0x12, 0x11, 0x18, 1, 66, 0])
  // nothing is open any more: fields are counted from the beginning
  writer.i32(1, 0)
  expect([...writer.out.take()]).toEqual([0x15, 0])
})
