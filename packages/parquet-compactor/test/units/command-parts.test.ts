import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { SchemaElement } from 'hyparquet'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { formatByteSize, parseByteSize } from '../../src/command/byte-size.ts'
import { expandBraces, expandPattern, isPattern } from '../../src/command/glob-pattern.ts'
import { compareKeyValues, type KeyValue, keyReader } from '../../src/command/key-values.ts'

describe('a size', () => {
  test.each([
    ['0', 0],
    ['4096', 4096],
    ['5B', 5],
    ['2KB', 2000],
    ['2kb', 2000],
    ['2MB', 2e6],
    ['2GB', 2e9],
    ['2KiB', 2048],
    ['1.5 MiB', 1.5 * 2 ** 20],
    ['2GiB', 2 ** 31],
    ['0.0004KB', 0],
    ['0.0005KB', 1],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
  ])('%j is %i bytes', (text, bytes) => {
    expect(parseByteSize('memory', text)).toBe(bytes)
  })

  test.each(['', 'KB', '-1', '1.', '.5', '1,5', '1TB', '1  KB', '1KBx', '1e3', '9007199254740992'])(
    '%j is none',
    (text) => {
      expect(() => parseByteSize('memory', text)).toThrow(
        `wrong_usage: --memory takes bytes or a size like 16MiB or 500kB, not "${text}"`,
      )
    },
  )

  test.each([
    [0, '0 B'],
    [1, '1 B'],
    [1023, '1023 B'],
    [1024, '1.00 KiB'],
    [102_348, '99.9 KiB'],
    [102_400, '100 KiB'],
    [2 ** 20 - 1, '1024 KiB'],
    [2 ** 20, '1.00 MiB'],
    [1.5 * 2 ** 30, '1.50 GiB'],
    [2 ** 40, '1.00 TiB'],
    [2 ** 50, '1024 TiB'],
  ])('of %i bytes is shown as %s', (bytes, text) => {
    expect(formatByteSize(bytes)).toBe(text)
  })
})

describe('braces', () => {
  test.each([
    ['a', ['a']],
    ['a{b,c}d', ['abd', 'acd']],
    ['{a,b}{c,d}', ['ac', 'ad', 'bc', 'bd']],
    ['{a,{b,c}x}', ['a', 'bx', 'cx']],
    ['{a}', ['a']],
    ['{}', ['']],
    ['{a,}', ['a', '']],
    ['a{b', ['a{b']],
    ['a}b', ['a}b']],
  ])('%s', (pattern, expanded) => {
    expect(expandBraces(pattern)).toEqual(expanded)
  })
})

describe('a pattern', () => {
  let root: string
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'patterns-'))
    for (const name of [
      'a1.x',
      'a2.x',
      'a10.x',
      'b.y',
      '.hidden.x',
      'd/c.x',
      'd/e/f.x',
      '.g/h.x',
      '!.x',
      'a]x',
      'a.+x',
    ]) {
      mkdirSync(dirname(join(root, name)), { recursive: true })
      writeFileSync(join(root, name), '')
    }
    symlinkSync(join(root, 'd'), join(root, 'link'))
  })
  afterAll(() => rmSync(root, { recursive: true }))

  test.each([
    ['*.x', ['!.x', 'a1.x', 'a10.x', 'a2.x']],
    ['a?.x', ['a1.x', 'a2.x']],
    ['a[1-2].x', ['a1.x', 'a2.x']],
    ['a[!1].x', ['a2.x']],
    ['a[12]*.x', ['a1.x', 'a10.x', 'a2.x']],
    ['a[]]x', ['a]x']],
    ['a[', []],
    ['a.+*', ['a.+x']],
    ['{a1,b}.*', ['a1.x', 'b.y']],
    ['.*.x', ['.hidden.x']],
    ['d/*.x', ['d/c.x']],
    ['*/c.x', ['d/c.x']],
    ['**/*.x', ['!.x', 'a1.x', 'a10.x', 'a2.x', 'd/c.x', 'd/e/f.x']],
    ['d/**/f.x', ['d/e/f.x']],
    ['d/**', []],
    ['./d/../d/./*.x', ['d/c.x']],
    ['d//*.x', ['d/c.x']],
    ['.g/*', ['.g/h.x']],
    ['none/*.x', []],
    ['a1.x/*', []],
    ['d', []],
    ['*', ['!.x', 'a.+x', 'a1.x', 'a10.x', 'a2.x', 'a]x', 'b.y']],
  ])('%s', async (pattern, expected) => {
    const found = await expandPattern(`${root}/${pattern}`)
    // a symbolic link is no file that was asked for
    const names = found.map((path) => path.slice(root.length + 1)).filter((name) => name !== 'link')
    expect(names.sort()).toEqual(expected)
  })

  test('is what has one of these characters', () => {
    expect(['a*', 'a?', 'a[b', 'a{b', 'a]', 'a}', 'a.b'].map(isPattern)).toEqual([
      true,
      true,
      true,
      true,
      false,
      false,
      false,
    ])
  })
})

describe('keys that are read back', () => {
  const bytes = (...values: number[]) => Uint8Array.from(values)
  const read = (element: Partial<SchemaElement>, value: unknown): KeyValue => {
    const schema = [
      { name: 'root', num_children: 2 },
      { name: 'x', type: 'INT32' },
      { name: 'v', ...element },
    ]
    return keyReader(schema as SchemaElement[], 'v')([undefined, value])
  }

  test.each([
    [{ type: 'BOOLEAN' }, true, 1],
    [{ type: 'INT32' }, -1, -1],
    [{ type: 'INT32', converted_type: 'UINT_32' }, -1, 2 ** 32 - 1],
    [{ type: 'INT32', converted_type: 'INT_32' }, -1, -1],
    [{ type: 'INT32', logical_type: { type: 'INTEGER', isSigned: false } }, -1, 2 ** 32 - 1],
    [{ type: 'INT32', logical_type: { type: 'INTEGER', isSigned: true } }, -1, -1],
    [{ type: 'INT64' }, -1n, -1n],
    [{ type: 'INT64', converted_type: 'UINT_64' }, -1n, 2n ** 64n - 1n],
    [{ type: 'FLOAT' }, -0, 0],
    [{ type: 'DOUBLE' }, 1.5, 1.5],
    [{ type: 'INT96' }, 7n, 7n],
    [{ type: 'BYTE_ARRAY', converted_type: 'DECIMAL' }, bytes(0xff, 0xfe), -2n],
    [{ type: 'FIXED_LEN_BYTE_ARRAY', logical_type: { type: 'DECIMAL' } }, bytes(0, 1, 0), 256n],
    [{ type: 'BYTE_ARRAY', converted_type: 'DECIMAL' }, bytes(), 0n],
    [{ type: 'FIXED_LEN_BYTE_ARRAY', logical_type: { type: 'FLOAT16' } }, bytes(0x00, 0x3c), 1],
    [{ type: 'FIXED_LEN_BYTE_ARRAY', logical_type: { type: 'FLOAT16' } }, bytes(0x01, 0xbe), -1.5009765625],
    [{ type: 'FIXED_LEN_BYTE_ARRAY', logical_type: { type: 'FLOAT16' } }, bytes(0x01, 0x00), 2 ** -24],
    [{ type: 'FIXED_LEN_BYTE_ARRAY', logical_type: { type: 'FLOAT16' } }, bytes(0x00, 0x80), 0],
    [{ type: 'FIXED_LEN_BYTE_ARRAY', logical_type: { type: 'FLOAT16' } }, bytes(0x00, 0xfc), Number.NEGATIVE_INFINITY],
    [{ type: 'FIXED_LEN_BYTE_ARRAY', logical_type: { type: 'FLOAT16' } }, bytes(0x01, 0x7c), Number.NaN],
    [{ type: 'FIXED_LEN_BYTE_ARRAY', logical_type: { type: 'FLOAT16' } }, bytes(0xff, 0x7b), 65_504],
    [{ type: 'INT32' }, null, undefined],
    [{ type: 'INT32' }, undefined, undefined],
  ] as [Partial<SchemaElement>, unknown, KeyValue][])('of %j: %s is %s', (element, value, expected) => {
    expect(read(element, value)).toEqual(expected)
  })

  test('may be members of structs, found by their whole name', () => {
    const schema = [
      { name: 'root', num_children: 3 },
      { name: 'a', num_children: 2 },
      { name: 'b', type: 'INT32' },
      { name: 'c', num_children: 1 },
      { name: 'd', type: 'INT32' },
      { name: 'd', type: 'INT32' },
      { name: 'e', type: 'INT32' },
    ] as SchemaElement[]
    const row = [{ b: 1, c: { d: 2 } }, 3, 4]
    expect(['a.b', 'a.c.d', 'd', 'e'].map((name) => keyReader(schema, name)(row))).toEqual([1, 2, 3, 4])
    expect(keyReader(schema, 'a.c.d')([{ b: 1, c: null }, 3, 4])).toBeUndefined()
    expect(keyReader(schema, 'a.c.d')([undefined, 3, 4])).toBeUndefined()
    for (const name of ['a', 'c.d', 'x', '']) {
      expect(() => keyReader(schema, name)).toThrow(`verify_failed: there is no column ${name} in the output`)
    }
  })

  test('are in an order, in which NaN is last and equal to itself', () => {
    const ordered: KeyValue[][] = [
      [Number.NEGATIVE_INFINITY, -1, 0, 2, Number.POSITIVE_INFINITY, Number.NaN],
      [-(2n ** 64n), -1n, 0n, 2n ** 63n],
      [bytes(), bytes(0), bytes(0, 0), bytes(1), bytes(128), bytes(255)],
    ]
    for (const values of ordered) {
      for (const [i, a] of values.entries()) {
        for (const [j, b] of values.entries())
          expect(Math.sign(compareKeyValues(a, b)), `${a} ${b}`).toBe(Math.sign(i - j))
      }
    }
    expect(compareKeyValues(-0, 0)).toBe(0)
  })
})
