import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'

const execute = promisify(execFile)
const WORKSPACE = join(import.meta.dirname, '../../..')
const root = mkdtempSync(join(tmpdir(), 'fusou-package-'))
const consumer = join(root, 'consumer')

/** Pack a copy, so that nothing changes under tests that run beside this one; install the tarball as somebody has it. */
beforeAll(async () => {
  const tarballs: string[] = []
  for (const name of ['cli', 'client']) {
    const copy = join(root, 'packages', name)
    cpSync(join(WORKSPACE, 'packages', name), copy, {
      recursive: true,
      filter: (path) => !path.includes('node_modules'),
    })
    symlinkSync(join(WORKSPACE, 'packages', name, 'node_modules'), join(copy, 'node_modules'))
    if (name === 'cli') continue
    cpSync(join(WORKSPACE, 'tsconfig.base.json'), join(root, 'tsconfig.base.json'))
    symlinkSync(join(WORKSPACE, 'node_modules'), join(root, 'node_modules'))
  }
  for (const name of ['cli', 'client']) tarballs.push(await pack(join(root, 'packages', name)))
  mkdirSync(consumer)
  writeFileSync(join(consumer, 'package.json'), JSON.stringify({ private: true, type: 'module' }))
  await npm(consumer, 'install', '--no-audit', '--no-fund', '--offline', '--ignore-scripts', tarballs[0]!)
}, 180_000)
afterAll(() => rmSync(root, { recursive: true, force: true }))

const npm = (cwd: string, ...args: string[]) => execute('npm', args, { cwd })

async function pack(folder: string): Promise<string> {
  await execute(process.execPath, ['build.mjs'], { cwd: folder })
  const manifest = join(folder, 'package.json')
  const { publishConfig, scripts, devDependencies, ...published } = JSON.parse(readFileSync(manifest, 'utf8'))
  writeFileSync(manifest, JSON.stringify({ ...published, ...publishConfig, private: undefined }))
  const { stdout } = await npm(folder, 'pack', '--json', '--pack-destination', root)
  return join(root, JSON.parse(stdout)[0].filename)
}

test('the command is one file, installs alone and starts', async () => {
  const { stdout } = await execute('npx', ['--no-install', 'fusou', '--help'], { cwd: consumer })
  expect(stdout).toContain('Usage: fusou')
  const { stdout: tree } = await npm(consumer, 'ls', '--all', '--json')
  expect(Object.keys(JSON.parse(tree).dependencies)).toEqual(['@fusou/cli'])
})

test('the client has its types and modules in its tarball', async () => {
  const { stdout } = await npm(join(root, 'packages/client'), 'pack', '--dry-run', '--json')
  const files = JSON.parse(stdout)[0].files.map(({ path }: { path: string }) => path)
  expect(files).toEqual(expect.arrayContaining(['dist/index.js', 'dist/index.d.ts', 'dist/api.d.ts', 'package.json']))
  expect(files.filter((path: string) => path.startsWith('src/'))).toEqual([])
  const module = await import(join(root, 'packages/client/dist/index.js'))
  expect(Object.keys(module).sort()).toEqual([
    'ApiError',
    'FusouClient',
    'IN_PARTS_ABOVE_BYTES',
    'items',
    'retryingFetch',
    'unwrap',
  ])
})
