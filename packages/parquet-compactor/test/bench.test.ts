import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, expect, test } from 'vitest'
import { INPUT_NAMES } from '../bench/inputs.ts'
import { WAYS } from '../bench/ways.ts'

const folder = mkdtempSync(join(tmpdir(), 'parquet-compactor-bench-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function bench(...args: string[]): Promise<string> {
  const out = join(folder, 'BENCHMARKS.md')
  const script = join(import.meta.dirname, '../bench/run.ts')
  await promisify(execFile)(process.execPath, [script, '--folder', folder, '--out', out, ...args])
  return readFileSync(out, 'utf8')
}

test('the benchmark runs every way on a few files, and all that must be give equal rows', {
  timeout: 600_000,
}, async () => {
  const text = await bench('--sets', 'tiny', '--scale', '0.002', '--runs', '1', '--fragments', '20')
  for (const way of WAYS) expect(text).toContain(`| ${way}`)
  for (const title of ['same codec', 'to zstd', 'sorted by', 'memory in workerd'])
    expect(text).toContain(`tiny, ${title}`)
  expect(text).not.toMatch(/DIFFER|NaN|undefined|Infinity/)
  expect(text.match(/\| equal \|/g)!.length).toBeGreaterThanOrEqual(6)
})

test('every set can be made and merged', { timeout: 600_000 }, async () => {
  const sets = INPUT_NAMES.filter((name) => name !== 'tiny')
  const text = await bench(
    '--sets',
    sets.join(),
    '--scale',
    '0.002',
    '--runs',
    '1',
    '--tasks',
    'keep',
    '--ways',
    'engine in Node',
  )
  for (const name of sets) expect(text).toContain(`### ${name}, same codec`)
  expect(text).not.toContain('DIFFER')
  expect(text.match(/\| engine in Node .* equal \|/g)).toHaveLength(sets.length)
})
