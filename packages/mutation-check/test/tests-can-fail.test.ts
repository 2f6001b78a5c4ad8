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

interface Call {
  readonly text: string
  readonly start: number
  readonly end: number
  /** whether it stands in a catch clause */
  readonly isCaught: boolean
}

function callsOf(path: string, text: string): Call[] {
  const calls: Call[] = []
  const visit = (node: SyntaxNode, isCaught: boolean) => {
    const { start, end } = node
    if (node.type === 'CallExpression') calls.push({ text: text.slice(start, end), start, end, isCaught })
    for (const child of childrenOf(node)) visit(child, isCaught || node.type === 'CatchClause')
  }
  visit(parse(path, text), false)
  return calls
}

function faultsOf(path: string, text: string): string[] {
  const calls = callsOf(path, text)
  const placeOf = ({ start }: Call) => `${path}:${text.slice(0, start).split('\n').length}`
  const found = calls.flatMap((call) =>
    FAULTS.filter(([, isFault]) => isFault(call.text)).map(([what]) => `${placeOf(call)}: ${what}`),
  )
  const expectations = calls.filter((call) => call.text.startsWith('expect('))
  // an expectation that is reached only after an error needs another one that counts the errors
  for (const call of calls) {
    if (!/^test(\.\w+\([\s\S]*?\))*\(/.test(call.text)) continue
    const inside = expectations.filter(({ start, end }) => call.start < start && end < call.end)
    if (inside.length > 0 && inside.every(({ isCaught }) => isCaught)) {
      found.push(`${placeOf(call)}: every expectation stands in a catch clause`)
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
