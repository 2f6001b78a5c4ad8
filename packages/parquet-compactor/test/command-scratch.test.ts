import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, watch, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { ScratchFile } from '../src/command/scratch-file.ts'
import { query, writeWithDuckDB } from './engines.ts'
import { run } from './run-in-process.ts'

const root = realpathSync(mkdtempSync(join(tmpdir(), 'parquet-compact-scratch-')))
const MAIN = join(import.meta.dirname, '../src/command/main.ts')
const FILES = 40
const ROWS_OF_FILE = 2000
const files: Uint8Array[] = []
let folder = ''
let runs = 0

beforeAll(async () => {
  for (let f = 0; f < FILES; f++) {
    const [from, to] = [f * ROWS_OF_FILE, (f + 1) * ROWS_OF_FILE]
    files.push(await writeWithDuckDB(`select hash(i) as k, i, i / 3 as d from range(${from}, ${to}) t(i)`))
  }
})
beforeEach(() => {
  folder = join(root, `${runs++}`)
  mkdirSync(join(folder, 'in'), { recursive: true })
  for (const [i, bytes] of files.entries()) writeFileSync(at(`in/${String(i).padStart(2, '0')}.parquet`), bytes)
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

const at = (name: string) => join(folder, name)
const ARGS = () => ['--memory', '1MiB', '--sort-by', 'k', '-o', at('out.parquet'), at('in')]

test('rows that do not fit into memory are sorted in a temporary file, which is gone afterwards', async () => {
  const { exitCode, stdout } = await run('--json', '--verify', ...ARGS())
  expect(exitCode).toBe(0)
  const report = JSON.parse(stdout)
  expect(report).toMatchObject({ rowsOut: FILES * ROWS_OF_FILE, rowsVerified: FILES * ROWS_OF_FILE })
  expect(report.scratchBytes).toBeGreaterThan(FILES * ROWS_OF_FILE * 16)
  expect(readdirSync(folder)).toEqual(['in', 'out.parquet'])
  const [unsorted] = await query(
    `select count(*) from (select k < lag(k) over () as falls from '${at('out.parquet')}') where falls`,
  )
  expect(unsorted).toEqual(['0'])
  expect((await run('-f', ...ARGS())).stdout).toContain('in a temporary file')
})

test('a merge that fails late removes it, too', async () => {
  const bytes = readFileSync(at(`in/${FILES - 1}.parquet`))
  bytes.fill(0xff, 4, 400)
  writeFileSync(at(`in/${FILES - 1}.parquet`), bytes)
  const { exitCode, stderr } = await run(...ARGS())
  expect(exitCode).toBe(1)
  expect(stderr).toContain(`corrupt_data: ${at(`in/${FILES - 1}.parquet`)}: column k`)
  expect(readdirSync(folder)).toEqual(['in'])
})

test.runIf(process.platform !== 'win32')(
  'a process that is killed leaves none of it',
  { timeout: 60_000 },
  async () => {
    const removed = new Promise<void>((resolve) => {
      let events = 0
      const watcher = watch(folder, (_, name) => {
        // one when it is made, one when its name is removed, and it is written from then on
        if (!name?.endsWith('.scratch.tmp') || ++events < 2) return
        watcher.close()
        resolve()
      })
    })
    const child = spawn(process.execPath, [MAIN, ...ARGS()])
    const ended = once(child, 'close')
    await removed
    child.kill('SIGKILL')
    expect((await ended)[1]).toBe('SIGKILL')
    expect(readdirSync(folder).filter((name) => name.endsWith('.scratch.tmp'))).toEqual([])
  },
)

test('the file is there only once it is written, and gives back what was written in any order', async () => {
  const scratch = new ScratchFile(at('out.parquet'))
  await scratch.discard()
  const other = new ScratchFile(at('out.parquet'))
  await other.write(Uint8Array.of(1, 2, 3))
  await other.write(Uint8Array.of(4, 5))
  expect(await Promise.all([other.read(3, 2), other.read(0, 4)])).toEqual([
    Uint8Array.of(4, 5),
    Uint8Array.of(1, 2, 3, 4),
  ])
  expect(await other.read(4, 3)).toEqual(Uint8Array.of(5))
  await other.discard()
  expect(readdirSync(folder)).toEqual(['in'])
  const nowhere = new ScratchFile(at('none/out.parquet'))
  await expect(nowhere.write(Uint8Array.of(1))).rejects.toThrow('ENOENT')
  await nowhere.discard()
})
