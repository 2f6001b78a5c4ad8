import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'

const DOCTOR = join(import.meta.dirname, '../doctor.mjs')
const folder = mkdtempSync(join(tmpdir(), 'fusou-doctor-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const ask = (script: string, env: Record<string, string>) => {
  const { status, stdout } = spawnSync(process.execPath, [script], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH!, FUSOU_PORT: '0', FUSOU_SUPABASE_PORT: '0', ...env },
  })
  return { status, lines: stdout.trimEnd().split('\n') }
}

describe('npm run doctor', () => {
  test('finds all that the tests themselves run with', () => {
    const { status, lines } = ask(DOCTOR, {})
    expect(lines.filter((line) => line.startsWith('missing'))).toEqual([])
    expect(lines.at(-1)).toContain('this machine can run npm start and npm test')
    expect(status).toBe(0)
  })

  test('names each command that is not there, and what it is for', () => {
    const { status, lines } = ask(DOCTOR, { PATH: folder })
    for (const name of ['npm', 'git', 'bash', 'curl', 'ps'])
      expect(lines).toContainEqual(expect.stringMatching(new RegExp(`^missing +${name}: `)))
    expect(lines).toContainEqual(expect.stringMatching(/^optional +Python: .*npm run interop/))
    expect(lines.at(-1)).toBe('5 missing')
    expect(status).toBe(1)
  })

  test('names a port that is taken, with the variable that changes it', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as { port: number }
    const { status, lines } = ask(DOCTOR, { FUSOU_PORT: String(port) })
    server.close()
    expect(lines).toContainEqual(
      `missing   port of FUSOU-WEB: ${port} is taken: stop what listens there, or set FUSOU_PORT`,
    )
    expect(status).toBe(1)
  })

  test('asks for the install in a fresh clone', () => {
    const copy = join(folder, 'packages/local-stack/doctor.mjs')
    cpSync(DOCTOR, copy)
    const { status, lines } = ask(copy, {})
    expect(lines).toContain('missing   dependencies: run npm run bootstrap')
    expect(lines).toContain('missing   Workers runtime: run npm run bootstrap')
    expect(status).toBe(1)
  })
})
