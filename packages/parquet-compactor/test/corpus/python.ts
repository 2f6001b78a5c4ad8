/** Files of pyarrow and fastparquet, where the Python environment is that `npm run corpus` makes. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import type { CorpusCase } from './cases.ts'
import { PYTHON } from './python-environment.ts'

interface ManifestEntry {
  writer: string
  settings: string
  files: string[]
}

/** @returns none without Python, which the note says */
export function pythonCases(isWhole: boolean): { writers: CorpusCase[][]; note: string } {
  if (!existsSync(PYTHON)) {
    return { writers: [], note: 'left out, as their Python environment is not there; npm run corpus makes it' }
  }
  const folder = mkdtempSync(join(tmpdir(), 'parquet-corpus-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  const script = join(import.meta.dirname, 'write_files.py')
  const manifest = execFileSync(PYTHON, [script, folder, isWhole ? 'whole' : 'sample'], { maxBuffer: 2 ** 24 })
  const entries = JSON.parse(manifest.toString()) as ManifestEntry[]
  const cases = entries.map(({ writer, settings, files }) => ({
    writer,
    settings,
    write: async () => files.map((path) => new Uint8Array(readFileSync(path))),
  }))
  return {
    writers: ['pyarrow', 'fastparquet'].map((writer) => cases.filter((one) => one.writer === writer)),
    note: `${cases.length} cases`,
  }
}
