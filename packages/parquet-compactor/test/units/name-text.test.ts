import { expect, test } from 'vitest'
import { nameText } from '../../src/schema/schema.ts'

test.each([
  [[0x61], 'a'],
  [[0xc3, 0xbc], 'ü'],
  [[], ''],
  // a byte order mark is part of the name: without it another column would have the same one
  [[0xef, 0xbb, 0xbf, 0x61], '\ufeffa'],
  [[0xff], '\0ff'],
  [[0x61, 0xc3], '\x0061c3'],
  // the encoding of a surrogate is no UTF-8
  [[0xed, 0xa0, 0x80], '\0eda080'],
  [[0x0a, 0xff], '\x000aff'],
])('the name of the bytes %j is %j', (bytes, name) => {
  expect(nameText(Uint8Array.from(bytes))).toBe(name)
})
