import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  watch,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { formatByteSize, parseByteSize } from '../src/command/byte-size.ts'
import { findInputs } from '../src/command/find-inputs.ts'
import { expandBraces } from '../src/command/glob-pattern.ts'
import { parseCommand, USAGE } from '../src/command/parse-command.ts'
import { ProgressLine } from '../src/command/progress-line.ts'
import { verifyMerge } from '../src/command/verify-merge.ts'
import { query, readWithDuckDB, writeWithDuckDB } from './engines.ts'
import { run } from './run-in-process.ts'

const root = realpathSync(mkdtempSync(join(tmpdir(), 'parquet-compact-')))
const MAIN = join(import.meta.dirname, '../src/command/main.ts')
let folder = ''
let runs = 0

beforeEach(() => {
  folder = join(root, `${runs++}`)
  mkdirSync(folder)
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

const at = (name: string) => join(folder, name)

async function put(name: string, select: string, options = ''): Promise<string> {
  const path = at(name)
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, await writeWithDuckDB(select, options))
  return path
}

const rows = (from: number, to: number) =>
  `select i, 's' || i % 7 as s, case when i % 4 > 0 then [i, null] end as l, (i / 8)::decimal(9, 3) as d,
  make_timestamp(i) as t from range(${from}, ${to}) t(i)`

test('files, folders and patterns become one file, in order, whose rows were read back', async () => {
  await put('a/2.parquet', rows(20, 40))
  await put('a/1.parquet', rows(0, 20))
  await put('a/deeper/3.parquet', rows(40, 60))
  await put('a/_ignored.parquet', 'select 1 as other')
  await put('b/x-1.parquet', rows(60, 61))
  await put('b/x-2.parquet', rows(61, 90))
  const single = await put('single.data', rows(90, 100))
  const out = at('out.parquet')
  const { exitCode, stdout, stderr } = await run('--verify', '-o', out, at('a'), at('b/x-*.parquet'), single)
  expect(stderr).toBe('')
  expect(exitCode).toBe(0)
  expect(stdout).toContain('100 rows of 6 files')
  expect(stdout).toContain('verified: 100 rows equal, in order')
  expect(await readWithDuckDB([readFileSync(out)])).toEqual(await query(rows(0, 100)))
  expect(readdirSync(folder)).toEqual(['a', 'b', 'out.parquet', 'single.data'])
})

test.each([
  ['keep', 'ZSTD'],
  ['zstd', 'ZSTD'],
  ['snappy', 'SNAPPY'],
  ['gzip', 'GZIP'],
  ['brotli', 'BROTLI'],
  ['none', 'UNCOMPRESSED'],
])('--codec %s writes %s', async (codec, written) => {
  const inputs = [await put('1.parquet', rows(0, 3000), 'compression zstd'), await put('2.parquet', rows(3000, 5000))]
  const out = at('out.parquet')
  expect(await run('--verify', '--codec', codec, '-o', out, ...inputs)).toMatchObject({ exitCode: 0 })
  expect(await query(`select distinct compression from parquet_metadata('${out}')`)).toEqual([[written]])
  expect(await readWithDuckDB([readFileSync(out)])).toEqual(await query(rows(0, 5000)))
})

test('--json prints the report, and an error with its code', async () => {
  const input = await put('1.parquet', rows(0, 10))
  const out = at('out.parquet')
  const report = JSON.parse((await run('--json', '--verify', '-o', out, input)).stdout)
  expect(report).toMatchObject({ output: out, files: 1, rowsOut: 10, rowsVerified: 10, rowGroupsOut: 1 })
  expect(report.bytesOut).toBe(readFileSync(out).byteLength)
  const refused = await run('--json', '-o', out, input)
  expect(refused.exitCode).toBe(2)
  expect(JSON.parse(refused.stdout).error).toMatchObject({ code: 'output_exists' })
})

test('--plan says what would be done and why, and writes nothing', async () => {
  for (let i = 0; i < 3; i++) await put(`in/${i}.parquet`, rows(i * 10, i * 10 + 10))
  const { exitCode, stdout } = await run('--plan', at('in'))
  expect(exitCode).toBe(0)
  expect(stdout).toContain('3 files, 30 rows')
  expect(stdout).toContain('row group 0: 3 row groups, 30 rows')
  expect(stdout).toContain('coalesce (pages are smaller than minPageBytes): i, s, d, t')
  const plan = JSON.parse((await run('--plan', '--json', '--min-page', '0', at('in'))).stdout)
  expect(plan).toMatchObject({ files: 3, rows: 30, leaves: [{ name: 'i', codec: 'snappy' }, {}, {}, {}, {}] })
  expect(plan.rowGroups[0].columns[0]).toEqual({ action: 'splice', reason: 'no_dictionary' })
  expect(readdirSync(folder)).toEqual(['in'])
})

describe('what is refused leaves nothing behind', () => {
  const cases: [string, (file: string) => string[], number, string][] = [
    ['no input', () => ['-o', at('out')], 2, 'wrong_usage: no input is named'],
    ['no output', (file) => [file], 2, 'wrong_usage: no output is named'],
    ['an unknown option', (file) => ['--fast', '-o', at('out'), file], 2, 'wrong_usage: '],
    [
      'a size without sense',
      (file) => ['--row-group', '16 cats', '-o', at('out'), file],
      2,
      'wrong_usage: --row-group',
    ],
    ['a budget too small', (file) => ['--memory', '10kB', '-o', at('out'), file], 2, 'wrong_usage: --memory'],
    ['an unknown codec', (file) => ['--codec', 'lzo', '-o', at('out'), file], 2, 'wrong_usage: --codec takes keep'],
    ['reads that are no number', (file) => ['--reads', '0', '-o', at('out'), file], 2, 'wrong_usage: --reads'],
    ['a plan to verify', (file) => ['--plan', '--verify', file], 2, 'wrong_usage: --plan'],
    ['a file that is not there', () => ['-o', at('out'), at('none.parquet')], 2, 'no_input: '],
    ['a pattern that matches nothing', () => ['-o', at('out'), at('*.csv')], 2, 'no_input: '],
    ['a folder without Parquet files', () => ['-o', at('out'), at('empty')], 2, 'no_input: '],
    [
      'a way of pages that is none',
      (file) => ['--pages', 'look', '-o', at('out'), file],
      2,
      'wrong_usage: --pages takes splice, check',
    ],
    ['an output that is there', (file) => ['-o', at('bad.parquet'), file], 2, 'output_exists: '],
    ['an output that is an input', (file) => ['--force', '-o', file, file], 2, 'output_is_input: '],
    ['an output that is a folder', (file) => ['--force', '-o', at('empty'), file], 2, 'wrong_usage: '],
    ['an output in no folder', (file) => ['-o', at('none/out'), file], 1, 'write_failed: '],
    ['an input of another kind', (file) => ['-o', at('out'), file, at('bad.parquet')], 1, 'not_parquet: '],
    ['an input of another schema', (file) => ['-o', at('out'), file, at('other.parquet')], 1, 'schema_mismatch: '],
  ]
  test.each(cases)('%s', async (_, args, exitCode, message) => {
    const file = await put('good.parquet', rows(0, 10))
    await put('other.parquet', 'select 1 as other')
    writeFileSync(at('bad.parquet'), 'this is text, not Parquet')
    mkdirSync(at('empty'))
    const before = readFileSync(file)
    const result = await run(...args(file))
    expect(result.stderr).toContain(`parquet-compact: ${message}`)
    expect(result).toMatchObject({ exitCode, stdout: '' })
    expect(readdirSync(folder)).toEqual(['bad.parquet', 'empty', 'good.parquet', 'other.parquet'])
    expect(readFileSync(file)).toEqual(before)
  })
})

test('an output is known as an input under any of its names', async () => {
  const file = await put('good.parquet', rows(0, 10))
  linkSync(file, at('hard.parquet'))
  symlinkSync(file, at('soft.parquet'))
  for (const name of ['hard.parquet', 'soft.parquet']) {
    expect(await run('--force', '-o', at(name), file)).toMatchObject({ exitCode: 2 })
  }
})

test('a file that is named twice is merged twice, by itself, a folder or a pattern', async () => {
  const file = await put('in/good.parquet', rows(0, 10))
  linkSync(file, at('hard.parquet'))
  const inputs = [file, file, at('in'), at('in/*.parquet'), at('hard.parquet')]
  expect(await run('-q', '--verify', '-o', at('out'), ...inputs)).toMatchObject({ exitCode: 0, stderr: '' })
  const expected = await query(rows(0, 10))
  expect(await readWithDuckDB([readFileSync(at('out'))])).toEqual(inputs.flatMap(() => expected))
})

test('--pages check finds what is corrupt inside a page that would pass, splice does not', async () => {
  // texts that do not repeat are in plain pages, which pass: each is its length and 32 bytes
  const good = await put(
    'good.parquet',
    'select md5(i::varchar) as v from range(20000) t(i)',
    'compression uncompressed',
  )
  const bytes = readFileSync(good)
  const length = bytes.indexOf(Uint8Array.of(32, 0, 0, 0), 300_000)
  bytes[length] = 33
  const bad = at('bad.parquet')
  writeFileSync(bad, bytes)
  expect(await run('-q', '--min-page', '0', '--pages', 'splice', '-o', at('out'), bad)).toMatchObject({ exitCode: 0 })
  const { exitCode, stderr } = await run('-qf', '--min-page', '0', '--pages', 'check', '-o', at('out'), bad)
  expect(exitCode).toBe(1)
  expect(stderr).toContain(`corrupt_data: ${bad}: column v`)
  expect(await run('-qf', '--min-page', '0', '--pages', 'check', '-o', at('out'), good)).toMatchObject({ exitCode: 0 })
})

test('an error inside an input names the file and removes what was written', async () => {
  const good = await put('good.parquet', rows(0, 5000))
  const bytes = readFileSync(await put('bad.parquet', rows(0, 5000)))
  bytes.fill(0xff, 4, 400)
  writeFileSync(at('bad.parquet'), bytes)
  const { exitCode, stderr } = await run('-o', at('out.parquet'), good, at('bad.parquet'))
  expect(exitCode).toBe(1)
  expect(stderr).toMatch(new RegExp(`corrupt_data: ${at('bad.parquet')}: column i`))
  expect(readdirSync(folder)).toEqual(['bad.parquet', 'good.parquet'])
})

test('--force replaces a file, through a symbolic link too, and keeps it when the merge fails', async () => {
  const file = await put('in.parquet', rows(0, 10))
  writeFileSync(at('old.parquet'), 'old')
  symlinkSync(at('old.parquet'), at('link.parquet'))
  writeFileSync(at('bad.parquet'), 'no Parquet at all')
  expect(await run('-f', '-o', at('old.parquet'), at('bad.parquet'))).toMatchObject({ exitCode: 1 })
  expect(readFileSync(at('old.parquet'), 'utf8')).toBe('old')
  expect(await run('-qf', '-o', at('link.parquet'), file)).toEqual({ exitCode: 0, stdout: '', stderr: '' })
  expect(await readWithDuckDB([readFileSync(at('old.parquet'))])).toHaveLength(10)
})

test('SIGINT stops a merge and leaves nothing', { timeout: 60_000 }, async () => {
  const bytes = await writeWithDuckDB(rows(0, 20_000))
  mkdirSync(at('in'))
  for (let i = 0; i < 200; i++) writeFileSync(at(`in/${i}.parquet`), bytes)
  const written = new Promise<void>((resolve) => {
    const watcher = watch(folder, (_, name) => {
      if (!name?.endsWith('.tmp')) return
      watcher.close()
      resolve()
    })
  })
  const child = spawn(process.execPath, [MAIN, '--verify', '-o', at('out.parquet'), at('in')])
  let stderr = ''
  child.stderr.on('data', (text) => (stderr += text))
  const ended = once(child, 'close')
  await written
  child.kill('SIGINT')
  expect((await ended)[0]).toBe(1)
  expect(stderr).toContain('parquet-compact: aborted: stopped by SIGINT')
  expect(readdirSync(folder)).toEqual(['in'])
})

test('what is no regular file is refused by name', async () => {
  const file = await put('in.parquet', rows(0, 10))
  const { exitCode, stderr } = await run('-o', at('out.parquet'), file, '/dev/null')
  expect(exitCode).toBe(1)
  expect(stderr).toContain('read_failed: /dev/null: not a regular file')
})

describe('verify', () => {
  const inputs = (...names: string[]) => findInputs(names.map(at))
  const output = async (name: string) => (await findInputs([at(name)]))[0]!

  test.each([
    [
      'a value',
      rows(0, 99).replace("'s' || i % 7", "'s' || case when i = 57 then 9 else i % 7 end"),
      'row 57 .* is not row 7 of .*2.parquet: column 1',
    ],
    ['a value in a list', rows(0, 99).replace('[i, null]', '[i, nullif(i, 58) - i]'), 'row 1 .*: column 2'],
    ['the order of rows', `${rows(0, 99)} order by i // 60, i desc`, 'row 0 '],
    ['a row less', rows(0, 98), 'ends after 98 rows'],
    ['a row more', rows(0, 100), 'has 100 rows, the inputs 99'],
    ['a type', rows(0, 99).replace('select i,', 'select i::int as i,'), 'its schema is not'],
    [
      'a decimal beyond the digits of a double',
      rows(0, 99).replace('(i / 8)::decimal(9, 3)', '(i / 8 + case when i = 3 then 0.001 else 0 end)::decimal(9, 3)'),
      'row 3 ',
    ],
    ['a microsecond', rows(0, 99).replace('make_timestamp(i)', 'make_timestamp(i + (i = 5)::int)'), 'row 5 '],
  ])('tells %s', async (_, other, message) => {
    await put('1.parquet', rows(0, 50))
    await put('2.parquet', rows(50, 99))
    await put('same', rows(0, 99), 'compression zstd, row_group_size 2048')
    await put('other', other)
    expect(await verifyMerge(await inputs('1.parquet', '2.parquet'), await output('same'))).toBe(99)
    const failed = verifyMerge(await inputs('1.parquet', '2.parquet'), await output('other'))
    await expect(failed).rejects.toThrow(new RegExp(`^verify_failed: .*${message}`))
  })

  test('an output that cannot be read fails', async () => {
    await put('1.parquet', rows(0, 50))
    writeFileSync(at('broken'), 'PAR1 nothing PAR1')
    await expect(verifyMerge(await inputs('1.parquet'), await output('broken'))).rejects.toMatchObject({
      code: 'verify_failed',
    })
  })

  test('windows end anywhere', { timeout: 60_000 }, async () => {
    const wide = (from: number, to: number) =>
      `select i, ${Array.from({ length: 40 }, (_, c) => `i * ${c} as c${c}`).join(', ')} from range(${from}, ${to}) t(i)`
    await put('1.parquet', wide(0, 30_000))
    await put('2.parquet', wide(30_000, 30_001))
    await put('3.parquet', wide(30_001, 45_000), 'row_group_size 2048')
    await put('out', wide(0, 45_000), 'row_group_size 10240')
    expect(await verifyMerge(await inputs('1.parquet', '2.parquet', '3.parquet'), await output('out'))).toBe(45_000)
  })
})

test('the progress is drawn on a terminal only, and wiped', () => {
  let drawn = ''
  const terminal = (isTTY: boolean) =>
    ({ isTTY, columns: 60, write: (text: string) => (drawn += text) }) as unknown as NodeJS.WriteStream
  const silent = [new ProgressLine(terminal(false), true), new ProgressLine(terminal(true), false)]
  for (const line of silent) {
    line.show('merging', 0.5, '1 of 2 files')
    line.clear()
  }
  expect(drawn).toBe('')
  const line = new ProgressLine(terminal(true), true)
  line.show('merging', 0.5, '1 of 2 files, 10 MiB written')
  line.clear()
  expect(drawn).toBe('\r\x1b[2Kmerging ████████████░░░░░░░░░░░░ 50 %  1 of 2 files, 10 MiB\r\x1b[2K')
})

test.each([
  ['4096', 4096],
  ['16MiB', 16 * 2 ** 20],
  ['16mib', 16 * 2 ** 20],
  ['1.5 GB', 1.5e9],
  ['500kB', 500_000],
])('the size %s is %i bytes', (text, bytes) => expect(parseByteSize('memory', text)).toBe(bytes))

test.each(['', '-1', '1e3', '12 parsecs', '1.2.3', '99999999999 GiB'])('"%s" is no size', (text) => {
  expect(() => parseByteSize('memory', text)).toThrow('wrong_usage: --memory')
})

test.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1536, '1.50 KiB'],
  [215 * 2 ** 20, '215 MiB'],
])('%i bytes are shown as %s', (bytes, text) => expect(formatByteSize(bytes)).toBe(text))

test('patterns match parts of paths, folders at any depth, and braces', async () => {
  for (const name of ['a1.p', 'b1.p', 'c/a2.p', 'c/d/a3.p', '.hidden/a4.p', 'c/.a5.p', 'a[6].p']) {
    mkdirSync(join(at(name), '..'), { recursive: true })
    writeFileSync(at(name), name)
  }
  const matches = async (pattern: string) =>
    (await findInputs([at(pattern)])).map(({ path }) => path.slice(folder.length + 1))
  expect(await matches('*.p')).toEqual(['a1.p', 'a[6].p', 'b1.p'])
  expect(await matches('**/a?.p')).toEqual(['a1.p', 'c/a2.p', 'c/d/a3.p'])
  expect(await matches('{a1,c/*}.p')).toEqual(['a1.p', 'c/a2.p'])
  expect(await matches('[!b-z]1.p')).toEqual(['a1.p'])
  expect(await matches('c/**/*.p')).toEqual(['c/a2.p', 'c/d/a3.p'])
  expect(await matches('.hidden/*')).toEqual(['.hidden/a4.p'])
  // a file of that very name is not a pattern
  expect(await matches('a[6].p')).toEqual(['a[6].p'])
  expect(expandBraces('x{1,{2,3}}{a,}')).toEqual(['x1a', 'x1', 'x2a', 'x2', 'x3a', 'x3'])
  expect(expandBraces('no{close')).toEqual(['no{close'])
})

test('every option stands in the usage, and every option of the usage is read', async () => {
  const options = [...USAGE.matchAll(/--([a-z-]+)( [A-Z]+)? {2}/g)].map(([, name, value]) => [name, value])
  expect(options.length).toBeGreaterThan(12)
  const values: Record<string, string> = { codec: 'gzip', pages: 'check', keep: 'first', schema: 'union' }
  for (const [name, value] of options) {
    if (name === 'plan') continue
    const args = value ? [`--${name}`, values[name!] ?? (value === ' N' ? '6' : '6MiB')] : [`--${name}`]
    if (name === 'keep') args.push('--dedupe-by', 'id')
    expect(() => parseCommand([...args, '-o', 'out', 'in']), name).not.toThrow()
  }
  expect((await run('--help')).stdout).toBe(`${USAGE}\n`)
  expect((await run('--version')).stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
})
