import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ReadyProjects } from '../src/ready-projects.ts'

const REPOSITORY = join(import.meta.dirname, '../../..')
let root: string
let projects: ReadyProjects
beforeAll(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'ready-')))
  projects = new ReadyProjects(root)
  mkdirSync(join(root, 'packages/a/test'), { recursive: true })
  symlinkSync(join(REPOSITORY, 'node_modules'), join(root, 'node_modules'))
  symlinkSync(join(REPOSITORY, 'packages/mutation-check'), join(root, 'packages/mutation-check'))
})
afterAll(() => {
  projects.end()
  rmSync(root, { recursive: true, maxRetries: 10, retryDelay: 100 })
})

const put = (path: string, text: string) => writeFileSync(join(root, 'packages/a', path), text)
const FILES = ['packages/a/test/one.test.ts', 'packages/a/test/two.test.ts']
const run = (seconds = 60) => projects.run({ packageName: 'a', files: FILES, seconds })

test('a project that is kept ready sees each change of a source, and none that was taken back', async () => {
  put('vitest.config.ts', "export default { test: { name: 'a' } }")
  put('x.ts', 'export const x = () => 1')
  const body = (expected: string) =>
    `import { expect, test } from 'vitest'\nimport { x } from '../x.ts'\ntest('t', () => { expect(x()).${expected} })`
  put('test/one.test.ts', body('toBeGreaterThan(0)'))
  put('test/two.test.ts', body('toBe(1)'))
  expect(await run()).toMatchObject({ passed: true, reports: [{ failures: [] }, { failures: [] }] })

  put('x.ts', 'export const x = () => 2')
  projects.noteChange('packages/a/x.ts')
  expect(await run()).toMatchObject({
    passed: false,
    failedFile: FILES[1],
    reason: expect.stringMatching(/^test\/two\.test\.ts: t: expected 2 to be 1/),
  })

  put('x.ts', 'export const x = () => 1')
  projects.noteChange('packages/a/x.ts')
  expect(await run()).toMatchObject({ passed: true })

  put('x.ts', 'export const x = () => { for (;;) {} }')
  projects.noteChange('packages/a/x.ts')
  const hung = await run(3)
  expect(hung).toEqual({ passed: false, reason: 'timeout after 3 s', reports: [] })

  put('x.ts', 'export const x = () => 1')
  projects.noteChange('packages/a/x.ts')
  expect(await run()).toMatchObject({ passed: true })
})
