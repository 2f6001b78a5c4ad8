import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { childrenOf, parse, type SyntaxNode } from '../src/syntax.ts'

const PACKAGES = join(import.meta.dirname, '../..')

/** What makes a test pass on nothing. */
const FAULTS: [what: string, isFault: (call: string) => boolean][] = [
  [
    '`expect(….every(…))` holds of an empty list: compare the list itself',
    (call) => /^expect\((?!.*\)\.(not\.)?to)[^\n]*\.every\(/.test(call),
  ],
  ['`toBeGreaterThanOrEqual(0)` holds of every count', (call) => /\.toBeGreaterThanOrEqual\(0\)$/.test(call)],
]

/** Every call of a source text, as text, and whether it stands in a catch clause. */
function callsOf(path: string, text: string): { call: string; line: number; isCaught: boolean }[] {
  const calls: { call: string; line: number; isCaught: boolean }[] = []
  const visit = (node: SyntaxNode, isCaught: boolean) => {
    if (node.type === 'CallExpression') {
      calls.push({
        call: text.slice(node.start, node.end),
        line: text.slice(0, node.start).split('\n').length,
        isCaught,
      })
    }
    for (const child of childrenOf(node)) visit(child, isCaught || node.type === 'CatchClause')
  }
  visit(parse(path, text), false)
  return calls
}

function faultsOf(path: string, text: string): string[] {
  const calls = callsOf(path, text)
  const found = calls.flatMap(({ call, line }) =>
    FAULTS.filter(([, isFault]) => isFault(call)).map(([what]) => `${path}:${line}: ${what}`),
  )
  // an expectation that is reached only after an error needs another one that counts the errors
  for (const { call, line } of calls.filter(({ call }) => /^test(\.\w+\([\s\S]*?\))*\(/.test(call))) {
    const inside = callsOf(path, call).filter((inner) => inner.call.startsWith('expect('))
    if (inside.length > 0 && inside.every(({ isCaught }) => isCaught)) {
      found.push(`${path}:${line}: every expectation stands in a catch clause`)
    }
  }
  return found
}

const tests = readdirSync(PACKAGES, { recursive: true, encoding: 'utf8' }).filter(
  (path) => path.endsWith('.test.ts') && !path.includes('node_modules') && !path.startsWith('mutation-check'),
)

test('no test of this repository passes on nothing', () => {
  expect(tests.length).toBeGreaterThan(100)
  expect(tests.flatMap((path) => faultsOf(path, readFileSync(join(PACKAGES, path), 'utf8')))).toEqual([])
})

describe('what passes on nothing is found', () => {
  test.each([
    ['expect(list.every((one) => one > 0)).toBe(true)', 1],
    ['expect(list.map((one) => one > 0)).toEqual([true])', 0],
    ['expect(count).toBeGreaterThanOrEqual(0)', 1],
    ['expect(count).toBeGreaterThanOrEqual(1)', 0],
    ["test('a', () => { try { f() } catch (error) { expect(error).toBe(1) } })", 1],
    ["test('a', () => { try { f(); n++ } catch (error) { expect(error).toBe(1) } expect(n).toBe(0) })", 0],
    ["test('a', () => { expect(1).toBe(1) })", 0],
  ])('%s', (text, faults) => {
    expect(faultsOf('x.test.ts', text)).toHaveLength(faults)
  })
})
