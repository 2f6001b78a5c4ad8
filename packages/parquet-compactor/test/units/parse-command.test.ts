import { describe, expect, test } from 'vitest'
import { NODE_CODECS } from '../../src/command/node-codecs.ts'
import { parseCommand, USAGE } from '../../src/command/parse-command.ts'

const merge = (...args: string[]) => {
  const command = parseCommand(['-o', 'out', 'in', ...args])
  if (command.kind !== 'merge') throw new Error(command.kind)
  const { codecs, ...options } = command.merge
  expect(codecs).toBe(NODE_CODECS)
  return options
}

describe('a command', () => {
  test('merges inputs into an output', () => {
    expect(parseCommand(['a', '-o', 'out', 'b'])).toEqual({
      kind: 'merge',
      inputs: ['a', 'b'],
      output: 'out',
      mayReplace: false,
      verify: false,
      isJson: false,
      isQuiet: false,
      merge: { codecs: NODE_CODECS },
    })
    expect(parseCommand(['a', '--output', 'out', '-f', '--verify', '--json', '-q'])).toMatchObject({
      mayReplace: true,
      verify: true,
      isJson: true,
      isQuiet: true,
    })
    expect(parseCommand(['a', '--output=out', '--force', '--quiet'])).toMatchObject({ mayReplace: true, isQuiet: true })
  })

  test('plans without an output', () => {
    expect(parseCommand(['a', '--plan'])).toEqual({
      kind: 'plan',
      inputs: ['a'],
      isJson: false,
      merge: { codecs: NODE_CODECS },
    })
    expect(parseCommand(['a', '--plan', '--json', '--codec', 'zstd'])).toMatchObject({
      isJson: true,
      merge: { codec: 'zstd' },
    })
  })

  test('helps, whatever else it says', () => {
    expect(parseCommand(['-h', '--version'])).toEqual({ kind: 'help' })
    expect(parseCommand(['--help'])).toEqual({ kind: 'help' })
    expect(parseCommand(['--version'])).toEqual({ kind: 'version' })
  })

  test('takes each option of a merge', () => {
    expect(merge('--row-group', '2MiB')).toEqual({ targetRowGroupBytes: 2 ** 21 })
    expect(merge('--row-group-rows', '5')).toEqual({ targetRowGroupRows: 5 })
    expect(merge('--min-page', '0')).toEqual({ minPageBytes: 0 })
    expect(merge('--memory', '1MiB')).toEqual({ memoryBudgetBytes: 2 ** 20 })
    expect(merge('--reads', '999999999')).toEqual({ maxReadsInFlight: 999_999_999 })
    for (const codec of ['keep', 'zstd', 'snappy', 'gzip', 'brotli', 'none'])
      expect(merge('--codec', codec)).toEqual({ codec })
    for (const pages of ['splice', 'check', 'rewrite']) expect(merge('--pages', pages)).toEqual({ pages })
    for (const schema of ['strict', 'union']) expect(merge('--schema', schema)).toEqual({ schema })
    for (const keep of ['first', 'last'])
      expect(merge('--dedupe-by', 'a, b', '--keep', keep)).toEqual({ dedupeBy: ['a', 'b'], keep })
  })

  test('sorts by columns, whose names may hold colons', () => {
    const sorted = (text: string) => merge('--sort-by', text).sortBy
    const column = (name: string, descending = false, nullsFirst = false) => ({ column: name, descending, nullsFirst })
    expect(sorted('a')).toEqual([column('a')])
    expect(sorted('a:asc, b:desc')).toEqual([column('a'), column('b', true)])
    expect(sorted('a:nulls-first,b:nulls-last')).toEqual([column('a', false, true), column('b')])
    expect(sorted('a:desc:nulls-first')).toEqual([column('a', true, true)])
    expect(sorted('a:nulls-first:desc')).toEqual([column('a:nulls-first', true)])
    expect(sorted('a:b')).toEqual([column('a:b')])
    expect(sorted(':desc')).toEqual([column(':desc')])
  })

  test.each([
    [[], 'no input is named; --help lists the options'],
    [['a'], 'no output is named: -o OUT'],
    [['a', '-o', ''], 'no output is named: -o OUT'],
    [['a', '--plan', '--verify'], '--plan writes nothing that --verify could read'],
    [['a', '-o', 'o', '--codec', 'lz4'], '--codec takes keep, zstd, snappy, gzip, brotli, none, not "lz4"'],
    [['a', '-o', 'o', '--pages', 'x'], '--pages takes splice, check, rewrite, not "x"'],
    [['a', '-o', 'o', '--schema', 'x'], '--schema takes strict, union, not "x"'],
    [['a', '-o', 'o', '--dedupe-by', 'a', '--keep', 'x'], '--keep takes first, last, not "x"'],
    [['a', '-o', 'o', '--keep', 'first'], '--keep is for --dedupe-by'],
    [['a', '-o', 'o', '--row-group', '0'], '--row-group must be at least 1 bytes, not 0'],
    [['a', '-o', 'o', '--memory', '1048575'], '--memory must be at least 1048576 bytes, not 1048575'],
    [['a', '-o', 'o', '--reads', '0'], '--reads takes a number from 1 to 999999999, not "0"'],
    [['a', '-o', 'o', '--reads', '1000000000'], '--reads takes a number from 1 to 999999999, not "1000000000"'],
    [['a', '-o', 'o', '--row-group-rows', '1.5'], '--row-group-rows takes a number from 1 to 999999999, not "1.5"'],
    [['a', '-o', 'o', '--sort-by', 'a,,b'], `--sort-by takes columns like 'a,b', not "a,,b"`],
    [['a', '-o', 'o', '--dedupe-by', ''], `--dedupe-by takes columns like 'a,b', not ""`],
  ])('%j is refused', (args, message) => {
    expect(() => parseCommand(args)).toThrow(`wrong_usage: ${message}`)
  })

  test('with an option that there is not is refused', () => {
    expect(() => parseCommand(['a', '-o', 'o', '--codecs', 'zstd'])).toThrow(/^wrong_usage: .*--codecs/)
    expect(() => parseCommand(['a', '-o'])).toThrow(/^wrong_usage: /)
  })

  test('has a help that names each option', () => {
    for (const option of [
      'output',
      'force',
      'codec',
      'row-group',
      'row-group-rows',
      'min-page',
      'memory',
      'pages',
      'reads',
      'sort-by',
      'dedupe-by',
      'keep',
      'schema',
      'verify',
      'plan',
      'json',
      'quiet',
      'help',
      'version',
    ]) {
      expect(USAGE).toContain(`--${option}`)
    }
  })
})
