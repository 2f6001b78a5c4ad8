import { expect, test } from 'vitest'
import { MAX_STORABLE_CHARACTERS, MAX_STORABLE_DEPTH, toStorableJson } from '../../src/database/storable.ts'

const nested = (levels: number): unknown => {
  let value: unknown = 'core'
  for (let level = 0; level < levels; level++) value = [value]
  return value
}
const depthOf = (value: unknown): number => {
  let depth = 0
  for (let inner = value; Array.isArray(inner); inner = inner[0]) depth++
  return depth
}
const bytesOf = (value: unknown) => new TextEncoder().encode(JSON.stringify(value)).byteLength

test('plain JSON stays as it is', () => {
  const value = { a: [1, -2.5, true, false, null, 'text', { b: {} }, []], ключ: '🜚' }
  expect(toStorableJson(value)).toEqual(value)
})

test('what JSON has no word for becomes what a reader makes out of it best', () => {
  const cases: [unknown, unknown][] = [
    [undefined, null],
    [Number.NaN, 'NaN'],
    [Number.NEGATIVE_INFINITY, '-Infinity'],
    [2n ** 70n, '1180591620717411303424'],
    [new Date(0), '1970-01-01T00:00:00.000Z'],
    [new Date(Number.NaN), '[invalid date]'],
    [new Map([['k', 1n]]), { '[map]': [['k', '1']] }],
    [new Set([1, undefined]), { '[set]': [1, null] }],
    [new TextEncoder().encode('bytes').buffer, 'bytes'],
    [new Uint8Array([0xff, 0]), '\ufffd\ufffd'],
    [new TypeError('no'), { '[error]': 'TypeError: no' }],
    [/a+/g, '/a+/g'],
    ['a\0b', 'a\ufffdb'],
    ['half \ud83d pair', 'half \ufffd pair'],
    [{ 'k\0': 'v\udc00' }, { 'k\ufffd': 'v\ufffd' }],
    [JSON.parse('{"__proto__":{"a":1}}'), JSON.parse('{"__proto__":{"a":1}}')],
  ]
  expect(cases).toHaveLength(16)
  for (const [value, stored] of cases) expect(toStorableJson(value)).toEqual(stored)
})

test('depth ends with a mark, on the level of the bound and not before', () => {
  expect(toStorableJson(nested(MAX_STORABLE_DEPTH))).toEqual(nested(MAX_STORABLE_DEPTH))
  for (const levels of [MAX_STORABLE_DEPTH + 1, 5000, 50_000]) {
    const stored = toStorableJson(nested(levels))
    expect(depthOf(stored)).toBe(MAX_STORABLE_DEPTH)
    expect(JSON.stringify(stored)).toContain('[deeper]')
  }
})

test('a cycle ends with a mark, a value that is only named twice is kept twice', () => {
  const cycle: Record<string, unknown> = { name: 'loop' }
  cycle.self = cycle
  expect(toStorableJson(cycle)).toEqual({ name: 'loop', self: '[circular]' })
  const shared = { a: 1 }
  expect(toStorableJson([shared, shared])).toEqual([{ a: 1 }, { a: 1 }])
})

test('length ends with a mark, whatever makes it long', () => {
  let doubled: unknown = ['ten chars.']
  for (let level = 0; level < 50; level++) doubled = [doubled, doubled]
  const holes: unknown[] = []
  holes.length = 2 ** 31
  for (const value of [
    'x'.repeat(10 * MAX_STORABLE_CHARACTERS),
    ['x'.repeat(MAX_STORABLE_CHARACTERS), 'y'.repeat(MAX_STORABLE_CHARACTERS)],
    doubled,
    holes,
    { ['k'.repeat(2 * MAX_STORABLE_CHARACTERS)]: 1 },
    new Map([[1, 'x'.repeat(2 * MAX_STORABLE_CHARACTERS)]]),
  ]) {
    const stored = JSON.stringify(toStorableJson(value))
    expect(stored).toContain('[cut]')
    expect(stored.length).toBeLessThan(2 * MAX_STORABLE_CHARACTERS)
  }
})

test('a bound in bytes holds, also for characters of many bytes', () => {
  for (const character of ['x', 'é', '🜚', '\u0001', '"']) {
    const text = character.repeat(120_000)
    expect(bytesOf(toStorableJson({ text }, 120_000))).toBeLessThanOrEqual(120_000)
    expect(toStorableJson({ text: character.repeat(10_000) }, 120_000)).toEqual({ text: character.repeat(10_000) })
  }
})
