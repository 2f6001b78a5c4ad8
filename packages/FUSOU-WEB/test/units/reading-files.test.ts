import { describe, expect, test } from 'vitest'
import { parseRange } from '../../src/files/byte-range.ts'
import { evaluatePreconditions } from '../../src/files/preconditions.ts'

describe('a Range of a file of 100 bytes', () => {
  test.each([
    [undefined, undefined],
    ['', undefined],
    ['bytes=-', undefined],
    ['items=0-1', undefined],
    ['bytes=0-1,3-4', undefined],
    ['bytes=a-b', undefined],
    ['xbytes=0-1', undefined],
    ['bytes=5-4', undefined],
    ['bytes=1234567890123456-', undefined],
    ['bytes=0-0', { offset: 0, length: 1 }],
    ['bytes=5-5', { offset: 5, length: 1 }],
    ['BYTES= 5-9 ', { offset: 5, length: 5 }],
    ['bytes=99-99', { offset: 99, length: 1 }],
    ['bytes=98-100', { offset: 98, length: 2 }],
    ['bytes=0-999999999999999', { offset: 0, length: 100 }],
    ['bytes=99-', { offset: 99, length: 1 }],
    ['bytes=0-', { offset: 0, length: 100 }],
    ['bytes=100-', 'unsatisfiable'],
    ['bytes=100-100', 'unsatisfiable'],
    ['bytes=-1', { offset: 99, length: 1 }],
    ['bytes=-100', { offset: 0, length: 100 }],
    ['bytes=-101', { offset: 0, length: 100 }],
    ['bytes=-0', 'unsatisfiable'],
  ] as const)('%j is %j', (header, range) => {
    expect(parseRange(header, 100)).toEqual(range)
  })

  test('of an empty file is never there', () => {
    expect([parseRange('bytes=0-', 0), parseRange('bytes=-5', 0)]).toEqual(['unsatisfiable', 'unsatisfiable'])
  })
})

describe('conditions on the tag "a"', () => {
  const whole = { outcome: 'proceed', honorRange: true }
  const noRange = { outcome: 'proceed', honorRange: false }
  const failed = { outcome: 'failed' }
  const known = { outcome: 'not_modified' }

  test.each([
    [{}, whole],
    [{ 'if-match': '"a"' }, whole],
    [{ 'if-match': '"b", "a"' }, whole],
    [{ 'if-match': '*' }, whole],
    [{ 'if-match': ' * ' }, whole],
    [{ 'if-match': '"b"' }, failed],
    [{ 'if-match': 'W/"a"' }, failed],
    [{ 'if-match': '' }, failed],
    [{ 'if-match': 'a' }, failed],
    [{ 'if-none-match': '"a"' }, known],
    [{ 'if-none-match': 'W/"a"' }, known],
    [{ 'if-none-match': '"b",W/"a"' }, known],
    [{ 'if-none-match': '*' }, known],
    [{ 'if-none-match': '"b"' }, whole],
    [{ 'if-none-match': 'W/"b"' }, whole],
    [{ 'if-match': '"b"', 'if-none-match': '"a"' }, failed],
    [{ 'if-match': '"a"', 'if-none-match': '"a"' }, known],
    [{ 'if-range': '"a"' }, whole],
    [{ 'if-range': ' "a" ' }, whole],
    [{ 'if-range': '"b"' }, noRange],
    [{ 'if-range': 'W/"a"' }, noRange],
    [{ 'if-range': 'Sun, 22 Nov 2026 09:00:00 GMT' }, noRange],
  ] as const)('%j: %j', (headers, expected) => {
    expect(evaluatePreconditions(new Headers(headers as Record<string, string>), '"a"')).toEqual(expected)
  })
})
