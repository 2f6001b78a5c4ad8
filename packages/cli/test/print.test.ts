import { expect, test } from 'vitest'
import { bytes, fields, table } from '../src/print.ts'

test('a table has its columns under each other, numbers to the right', () => {
  const rows = [
    { name: 'waves', rows: 1_234_567, note: null },
    { name: 'a long name', rows: 8, note: 'x' },
  ]
  expect(table(rows, ['name', 'rows', 'note'])).toBe(
    ['name              rows  note', 'waves        1,234,567  -', 'a long name          8  x', ''].join('\n'),
  )
  expect(table([], ['name'])).toBe('nothing\n')
})

test('fields have their values under each other, also lists and nothing', () => {
  expect(fields({ id: 'd', scopes: ['read'], keyId: null, size: 1000 })).toBe(
    ['id      d', 'scopes  ["read"]', 'keyId   -', 'size    1,000', ''].join('\n'),
  )
})

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1.00 KB'],
  [12_345, '12.3 KB'],
  [1_500_000_000, '1.50 GB'],
])('%i bytes are %s', (number, text) => {
  expect(bytes(number)).toBe(text)
})
