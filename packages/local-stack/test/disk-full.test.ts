import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { Child } from '../src/stack/child.ts'
import { DISK_FULL_EXIT_CODE, DiskFullError, nameDiskFull, requireRoom, saysDiskFull } from '../src/stack/disk-full.ts'
import { startStack } from '../src/stack/start-stack.ts'

const START = join(import.meta.dirname, '../src/commands/start.ts')
const folder = mkdtempSync(join(tmpdir(), 'fusou-disk-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const errorWith = (code: string, cause?: unknown) => Object.assign(new Error('write failed', { cause }), { code })

test('a full disk is known by what Node, workerd and PostgreSQL say of it', () => {
  const full = [
    'Error: ENOSPC: no space left on device, write',
    'EDQUOT: disk quota exceeded',
    'PANIC: could not write to file "pg_wal/x": No space left on device',
    'SqliteError: database or disk is full: SQLITE_FULL',
    errorWith('ENOSPC'),
    errorWith('EDQUOT'),
    errorWith('EIO', errorWith('ENOSPC')),
  ]
  for (const said of full) expect(saysDiskFull(said), String(said)).toBe(true)
  for (const said of ['EACCES: permission denied', errorWith('EIO'), undefined, null, 28])
    expect(saysDiskFull(said), String(said)).toBe(false)
  const other = errorWith('EIO')
  expect(nameDiskFull(other, '/state')).toBe(other)
  expect(nameDiskFull(errorWith('EDQUOT'), '/state')).toMatchObject({
    message: 'no room on the disk of /state (EDQUOT); free some, or set FUSOU_STATE to a folder on another disk',
  })
})

test('too little room is told before anything is started, on each side of the bound', async () => {
  const needed = 128 * 2 ** 20
  expect(() => requireRoom('/state', needed)).not.toThrow()
  expect(() => requireRoom('/state', needed - 1)).toThrow('127 MiB are free, 128 MiB are needed')
  await expect(startStack({ stateFolder: join(folder, 'state'), freeBytes: () => 0 })).rejects.toBeInstanceOf(
    DiskFullError,
  )
})

describe('a part of the stack', () => {
  const childOf = (code: string, logFile = join(folder, 'child.log')) => {
    const script = join(folder, `${Math.random()}.mjs`)
    writeFileSync(script, code)
    return new Child({
      name: 'database',
      script,
      cwd: folder,
      env: process.env,
      settings: {},
      logFile,
      stateFolder: '/state',
      onLine: () => {},
    })
  }

  test('that dies of it at its start is named with the reason, not with its last lines', async () => {
    const child = childOf("console.log('could not extend file: No space left on device'); process.exit(1)")
    await expect(child.ready).rejects.toThrow(
      'no room on the disk of /state (database did not start (exit code 1)); free some',
    )
    expect(child.sawDiskFull).toBe(true)
  })

  test('that dies of something else is named with its last lines', async () => {
    await expect(childOf("console.log('another reason'); process.exit(1)").ready).rejects.toThrow('another reason')
  })

  // /dev/full refuses each write with ENOSPC
  test('goes on when only its log cannot be written', async () => {
    const full = join(folder, 'full.log')
    symlinkSync('/dev/full', full)
    const child = childOf(
      "console.log('a line'); process.once('message', () => process.send({})); process.once('disconnect', () => process.exit(0))",
      full,
    )
    await child.ready
    await child.stop()
    expect(child.sawDiskFull).toBe(true)
  })
})

test('npm start ends with one sentence and a code of its own', async () => {
  const hook = join(folder, 'no-room.mjs')
  writeFileSync(
    hook,
    "import fs from 'node:fs'; import { syncBuiltinESMExports } from 'node:module'; fs.statfsSync = () => ({ bavail: 5, bsize: 1048576 }); syncBuiltinESMExports()",
  )
  const child = spawn(process.execPath, ['--import', hook, START], {
    env: { ...process.env, FUSOU_STATE: join(folder, 'started'), FUSOU_PORT: '0', FUSOU_SUPABASE_PORT: '0' },
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (text) => {
      output += text
    })
  const [code] = await once(child, 'exit')
  expect(output).toContain('(5 MiB are free, 128 MiB are needed); free some, or set FUSOU_STATE')
  expect(output).not.toMatch(/\n\s+at /)
  expect(code).toBe(DISK_FULL_EXIT_CODE)
})
