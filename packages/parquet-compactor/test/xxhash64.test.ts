import { xxhash64 as reference } from 'hyparquet/src/xxhash.js'
import { expect, test } from 'vitest'
import { xxhash64 } from '../src/format/xxhash64.ts'

function hash(bytes: Uint8Array, start = 0, end = bytes.length): bigint {
  const into = new Uint32Array(2)
  xxhash64(bytes, start, end, into, 0)
  return (BigInt(into[0]!) << 32n) | BigInt(into[1]!)
}

test.each([
  ['', 0xef46db3751d8e999n],
  ['a', 0xd24ec4f1a98c6e5bn],
  ['abc', 0x44bc2cf5ad770999n],
  ['Call me Ishmael. Some years ago--never mind how long precisely-', 0x02a2e85470d6fd96n],
])('of %j is that of the reference implementation', (text, expected) => {
  expect(hash(new TextEncoder().encode(text))).toBe(expected)
})

test('of every length up to three stripes, anywhere in a buffer, is that of another implementation', () => {
  const bytes = Uint8Array.from({ length: 200 }, (_, i) => (i * i * 31 + (i >> 2)) & 255)
  for (let start = 0; start < 5; start++) {
    for (let length = 0; length <= 100; length++) {
      expect(hash(bytes, start, start + length), `${length} bytes at ${start}`).toBe(
        reference(bytes.slice(start, start + length)),
      )
    }
  }
})
