import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { FooterComposer, ParquetError } from '../src/index.ts'
import { store, writeWithDuckDB } from './engines.ts'
import type { HeldByComposer } from './held-by-composer.ts'

const MIB = 2 ** 20
const COLUMNS = Array.from({ length: 22 }, (_, c) =>
  c % 3 === 0
    ? `hash(i * ${c + 1}) as number_${c}`
    : c % 3 === 1
      ? `'name ' || i % ${c + 7} as text_${c}`
      : `i / ${c}.0 as real_${c}`,
)

async function heldBy(count: number, columnsOf: (file: number) => string[]): Promise<HeldByComposer> {
  const files = Array.from({ length: 6 }, (_, f) =>
    writeWithDuckDB(`select ${columnsOf(f).join()} from range(${f * 40}, ${f * 40 + 30}) t(i)`),
  )
  const paths = (await Promise.all(files)).map(store)
  const script = join(import.meta.dirname, 'held-by-composer.ts')
  const flags = ['--expose-gc', '--disable-warning=ExperimentalWarning']
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, script, JSON.stringify(paths), `${count}`])
  return JSON.parse(stdout)
}

test.each([
  ['of one schema', () => COLUMNS],
  ['that each lack two of the columns', (file: number) => COLUMNS.filter((_, c) => c % 11 !== file)],
])('5,000 files of 22 columns %s take less than 64 MiB', { timeout: 120_000 }, async (_, columnsOf) => {
  const { heldBytes, peakBytes, footerBytes, rowGroupCount } = await heldBy(5000, columnsOf)
  expect(rowGroupCount).toBe(5000)
  expect(footerBytes).toBeLessThan(8 * MIB)
  expect(heldBytes).toBeLessThan(3 * footerBytes)
  expect(peakBytes).toBeLessThan(64 * MIB)
})

test('a footer that leads to a large one is refused before that is written', async () => {
  // few bytes for each row group, and a thousand columns that all others lack
  const wide = await writeWithDuckDB(
    `select ${Array.from({ length: 1000 }, (_, c) => `i as c${c}`).join()} from range(1) t(i)`,
  )
  const narrow = await writeWithDuckDB('select i as c0 from range(1) t(i)')
  const composer = new FooterComposer()
  let address = 0
  const fill = () => {
    for (const bytes of [wide, ...Array<Uint8Array>(5000).fill(narrow)]) {
      composer.add({ source: 'file', address, byteLength: bytes.length, tail: bytes })
      address += bytes.length
    }
  }
  expect(fill).toThrow(ParquetError)
  const { bytes, rowGroupCount } = composer.finish(address)
  expect(rowGroupCount).toBeGreaterThan(100)
  expect(bytes.length).toBeGreaterThan(5 * MIB)
  expect(bytes.length).toBeLessThan(8 * MIB)
})
