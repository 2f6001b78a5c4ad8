import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { describeChange } from '../src/equivalent-mutants.ts'
import { findMutants, findSources, type Mutant } from '../src/find-mutants.ts'
import { drawMutants, seededRandom, shareAmong } from '../src/sample.ts'
import { copyRepository } from '../src/sandbox.ts'

let root: string
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'mutants-'))
})
afterAll(() => rmSync(root, { recursive: true }))

/** Writes a file below the root. */
function put(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text)
}

/** What a source becomes by each of its mutants. */
function mutated(text: string): string[] {
  put('a.ts', text)
  return findMutants(root, 'a.ts').map(
    ({ start, end, replacement }) => text.slice(0, start) + replacement + text.slice(end),
  )
}

describe('a source has the mutants', () => {
  test.each([
    ['a < b', ['a <= b']],
    ['a === b', ['a !== b']],
    ['a - b', ['a + b']],
    ["a + 'x y'", []],
    ['a ?? b', ['(a)', '(b)']],
    ['a && b', ['(a)', '(b)']],
    ['!a', ['a']],
    ['a ? b : c', ['true ? b : c', 'false ? b : c']],
    ['7', ['8', '6']],
    ['0', ['1', '-1']],
    ['0x10', ['(0x10 + 1)', '(0x10 - 1)']],
    ['true', ['false']],
    ['f(a, b)', ['f(b, a)']],
    ['Math.min(a)', ['Math.max(a)', 'Math']],
    ['[a.filter(f)]', ['[a]']],
    ['{ a: b, c: d }', ['{  c: d }', '{ a: b,  }']],
    ["['a', 'b c', 'd']", ["['d', 'b c', 'd']", "['a', 'b c', 'a']"]],
    ['[K.AA, K.BB]', ['[K.BB, K.BB]', '[K.AA, K.AA]']],
    ['x as 7', []],
  ])('const v = %s', (expression, expected) => {
    expect(mutated(`const v = ${expression}`)).toEqual(expected.map((changed) => `const v = ${changed}`))
  })

  test.each([
    ['if (a) f()', ['if (true) f()', 'if (false) f()', 'if (a) ;']],
    ['while (a) {}', ['while (false) {}']],
    ['throw e', [';']],
    ['i++', [';', 'i--']],
    ['a += b', [';', 'a -= b']],
    ["import a from '7'", []],
    ['type A = 7', []],
  ])('%s', (statement, expected) => {
    expect(mutated(statement)).toEqual(expected)
  })

  test('of functions: they return at once, and do not wait', () => {
    expect(mutated('async function f() { await g(); await h() }')).toEqual([
      'async function f() { return; await g(); await h() }',
      'async function f() { ; await h() }',
      'async function f() { g(); await h() }',
      'async function f() { await g(); ; }',
      'async function f() { await g(); h() }',
    ])
  })

  test('with their line, and the innermost block that holds them', () => {
    put('a.ts', 'const a = 1\nfunction f() {\n  if (a) {\n    return 2\n  }\n  return () => 3\n}\n')
    const places = findMutants(root, 'a.ts')
      .filter(({ kind }) => kind === 'number')
      .map(({ line, block }) => [line, block])
    expect(places).toEqual([
      [1, -1],
      [1, -1],
      [4, 1],
      [4, 1],
      [6, 2],
      [6, 2],
    ])
  })
})

test('declarations have no logic', () => {
  for (const name of ['s/b.ts', 's/d/c.ts', 's/x.d.ts', 's/kernel-wasm.ts', 's/y.wasm']) put(name, '')
  expect(findSources(root, 's')).toEqual(['s/b.ts', 's/d/c.ts'])
})

describe('a sample', () => {
  const mutants = (kind: string, count: number) =>
    Array.from({ length: count }, (_, start) => ({ kind, start }) as Mutant)
  const all = [...mutants('number', 900), ...mutants('await', 9)]
  const draw = (seed: number, count: number) => {
    const drawn: Mutant[] = []
    for (const mutant of drawMutants(all, seededRandom(seed))) {
      if (drawn.push(mutant) === count) break
    }
    return drawn
  }

  test('is repeated by its seed, and another by another', () => {
    expect(draw(1, 50)).toEqual(draw(1, 50))
    expect(draw(1, 50)).not.toEqual(draw(2, 50))
    expect(draw(1, 20)).toEqual(draw(1, 50).slice(0, 20))
  })

  test('has each mutant once, and all in the end', () => {
    expect(new Set(draw(3, 10_000)).size).toBe(909)
  })

  test('is not crowded by the kind that is found most often', () => {
    // a share of 3 in 33, where one in a hundred would be 1
    const awaits = draw(5, 60).filter(({ kind }) => kind === 'await').length
    expect(awaits).toBeGreaterThan(2)
  })

  test('is shared among packages by the square root of their sizes, to the last mutant', () => {
    expect(shareAmong(100, [900, 100])).toEqual([75, 25])
    expect(shareAmong(7, [1, 1, 1])).toEqual([2, 3, 2])
    for (const total of [1, 10, 151]) {
      const shares = shareAmong(total, [24_765, 2033, 3358, 1747])
      expect(shares.reduce((sum, share) => sum + share, 0)).toBe(total)
    }
  })
})

test('a change is told by its lines, whatever their indentation', () => {
  const text = 'a\n  if (b)\n    c()\nd'
  const [start, end] = [text.indexOf('b'), text.indexOf('b') + 1]
  expect(describeChange(text, { start, end, replacement: 'true' })).toBe('if (b) => if (true)')
  expect(describeChange('x', { start: 0, end: 1, replacement: 'y' })).toBe('x => y')
})

test('a copy of a repository has its files and links of its own, and goes without a trace', () => {
  const source = join(root, 'repository')
  const write = (path: string, text: string) => put(join('repository', path), text)
  write('.gitignore', 'node_modules\nignored\n')
  write('packages/a/src/x.ts', 'const x = 1')
  write('packages/b/package.json', '{}')
  write('ignored', 'no')
  write('node_modules/dependency/index.js', '')
  mkdirSync(join(source, 'packages/a/node_modules/.vite'), { recursive: true })
  symlinkSync('../../b', join(source, 'packages/a/node_modules/b'))
  execFileSync('git', ['init', '-q'], { cwd: source })
  const { folder, remove } = copyRepository(source)
  expect(readFileSync(join(folder, 'packages/a/src/x.ts'), 'utf8')).toBe('const x = 1')
  expect(['ignored', 'packages/a/node_modules/.vite'].map((path) => existsSync(join(folder, path)))).toEqual([
    false,
    false,
  ])
  writeFileSync(join(folder, 'packages/a/node_modules/b/new'), '')
  expect([existsSync(join(folder, 'packages/b/new')), existsSync(join(source, 'packages/b/new'))]).toEqual([
    true,
    false,
  ])
  expect(existsSync(join(folder, 'node_modules/dependency/index.js'))).toBe(true)
  remove()
  expect([existsSync(folder), existsSync(join(source, 'node_modules/dependency/index.js'))]).toEqual([false, true])
})
