import { expect, test } from 'vitest'
import { ByteBuffer } from '../../src/format/byte-buffer.ts'
import { checksum } from '../../src/format/checksum.ts'
import { uint32At } from '../../src/format/format.ts'
import { bitWidth } from '../../src/format/hybrid-runs.ts'

test('a buffer makes room only when it must, and then for twice as much', () => {
  const buffer = new ByteBuffer(8)
  const first = buffer.bytes
  buffer.append(Uint8Array.of(1, 2, 3))
  buffer.reserve(5)
  expect(buffer.bytes).toBe(first)
  buffer.reserve(6)
  expect([buffer.bytes.length, ...buffer.view()]).toEqual([16, 1, 2, 3])
  buffer.reserve(100)
  expect([buffer.bytes.length, ...buffer.view()]).toEqual([103, 1, 2, 3])
  expect(new ByteBuffer().bytes).toHaveLength(64)
})

test('a byte that no longer fits makes the buffer grow', () => {
  const buffer = new ByteBuffer(1)
  for (const byte of [9, 8, 7]) buffer.push(byte)
  expect([...buffer.take()]).toEqual([9, 8, 7])
})

test.each([0, 1, 23, 24, 25, 100])('a range of %i bytes is appended, whatever lies around it', (size) => {
  const source = Uint8Array.from({ length: size + 10 }, (_, i) => i + 1)
  const buffer = new ByteBuffer(4)
  buffer.push(200)
  buffer.append(source, 3, 3 + size)
  buffer.append(source)
  expect([...buffer.view()]).toEqual([200, ...source.subarray(3, 3 + size), ...source])
})

test('what is taken is no longer in the buffer, and is not changed by it', () => {
  const buffer = new ByteBuffer()
  buffer.fill(5, 3)
  const taken = buffer.take()
  buffer.fill(6, 2)
  expect([[...taken], [...buffer.view()], buffer.length]).toEqual([[5, 5, 5], [6, 6], 2])
  buffer.clear()
  expect(buffer.view()).toHaveLength(0)
})

test('numbers of 32 bits are little-endian, above 2^31 too', () => {
  const buffer = new ByteBuffer(1)
  buffer.uint32(0x89abcdef)
  expect([...buffer.view()]).toEqual([0xef, 0xcd, 0xab, 0x89])
  expect(uint32At(Uint8Array.of(0, 0xef, 0xcd, 0xab, 0x89), 1)).toBe(0x89abcdef)
})

test.each([
  [0, [0]],
  [127, [127]],
  [128, [128, 1]],
  [16_383, [255, 127]],
  [16_384, [128, 128, 1]],
  [2 ** 32, [128, 128, 128, 128, 16]],
  [Number.MAX_SAFE_INTEGER, [255, 255, 255, 255, 255, 255, 255, 15]],
])('the varint of %i', (value, bytes) => {
  const buffer = new ByteBuffer()
  buffer.varint(value)
  expect([...buffer.view()]).toEqual(bytes)
})

test.each([
  [0, 0],
  [1, 1],
  [2, 2],
  [3, 2],
  [4, 3],
  [255, 8],
  [256, 9],
  [2 ** 31, 32],
])('numbers up to %i take %i bits', (max, bits) => {
  expect(bitWidth(max)).toBe(bits)
})

test('the checksum is that of gzip, over a range too', () => {
  const bytes = new TextEncoder().encode('x123456789x')
  expect(checksum(bytes, 1, 10)).toBe(0xcbf43926)
  expect(checksum(bytes.subarray(1, 10))).toBe(0xcbf43926)
  expect(checksum(new Uint8Array())).toBe(0)
})
