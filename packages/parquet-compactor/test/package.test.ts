import { execFile } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { findPackageJSON } from 'node:module'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { createContext, runInContext } from 'node:vm'
import { type BuildOptions, build } from 'esbuild'
import { convertV4MiniflareOptions, Miniflare } from 'miniflare'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readWithDuckDB, writeWithDuckDB } from './engines.ts'

const execute = promisify(execFile)
const PACKAGE = join(import.meta.dirname, '..')
const WORKSPACE = join(PACKAGE, '../..')
const root = realpathSync(mkdtempSync(join(tmpdir(), 'parquet-compactor-package-')))
/** a folder of its own, as somebody has who installs the tarball */
const consumer = join(root, 'consumer')
const files: Uint8Array[] = []

/**
 * Pack a copy, so that nothing changes under tests that run beside this one; then install the tarball with npm, its
 * dependencies as tarballs too, since there may be no network.
 */
beforeAll(async () => {
  const copy = join(root, 'workspace/packages/parquet-compactor')
  mkdirSync(copy, { recursive: true })
  for (const name of readdirSync(PACKAGE)) {
    if (!['node_modules', 'dist', 'test', 'bench', 'fuzz'].includes(name)) {
      cpSync(join(PACKAGE, name), join(copy, name), { recursive: true })
    }
  }
  cpSync(join(WORKSPACE, 'tsconfig.base.json'), join(root, 'workspace/tsconfig.base.json'))
  symlinkSync(join(WORKSPACE, 'node_modules'), join(root, 'workspace/node_modules'))
  symlinkSync(join(PACKAGE, 'node_modules'), join(copy, 'node_modules'))
  const { name } = JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8'))
  const tarballs = await Promise.all([
    pack(copy),
    ...dependenciesOf(PACKAGE).map((folder) => pack(folder, '--ignore-scripts')),
  ])
  mkdirSync(consumer)
  writeFileSync(join(consumer, 'package.json'), JSON.stringify({ private: true, type: 'module' }))
  await npm(consumer, 'install', '--offline', '--no-audit', '--no-fund', ...tarballs)
  expect(JSON.parse(readFileSync(join(consumer, 'node_modules', name, 'package.json'), 'utf8')).scripts).toBeUndefined()
  for (const [from, to] of [
    [0, 500],
    [500, 900],
  ] as const) {
    const file = await writeWithDuckDB(`select i, 's' || i % 9 as s from range(${from}, ${to}) t(i)`)
    writeFileSync(join(consumer, `${from}.parquet`), file)
    files.push(new Uint8Array(file))
  }
}, 120_000)

afterAll(() => rmSync(root, { recursive: true, force: true }))

async function npm(cwd: string, ...args: string[]): Promise<string> {
  return (await execute('npm', args, { cwd })).stdout
}

async function pack(folder: string, ...args: string[]): Promise<string> {
  const target = mkdtempSync(join(root, 'tarball-'))
  await npm(folder, 'pack', '--silent', '--pack-destination', target, ...args)
  return join(target, readdirSync(target)[0]!)
}

/** Folders of the packages that are installed with one, those of theirs included. */
function dependenciesOf(folder: string, found = new Set<string>()): string[] {
  const manifest = join(folder, 'package.json')
  const { dependencies = {} } = JSON.parse(readFileSync(manifest, 'utf8'))
  for (const name of Object.keys(dependencies)) {
    const place = realpathSync(dirname(findPackageJSON(name, manifest)!))
    if (found.has(place)) continue
    found.add(place)
    dependenciesOf(place, found)
  }
  return [...found]
}

/** Every Node on the PATH that the package is for, beside the one that runs this: on many machines an older one. */
async function nodes(): Promise<string[]> {
  const found = new Map<string, string>()
  const { node } = JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8')).engines
  const least = Number(node.replace('>=', ''))
  for (const folder of [dirname(process.execPath), ...process.env.PATH!.split(delimiter)]) {
    const path = join(folder, 'node')
    if (!existsSync(path)) continue
    const version = (await execute(path, ['--version'])).stdout.trim()
    if (Number(version.slice(1).split('.')[0]) >= least) found.set(version, path)
  }
  return [...found.values()]
}

/** Merges what it is given; the same source runs everywhere. */
const MERGE = `
  import { inspectParquet, memorySink, memorySource, mergeParquet, explainMerge, ParquetError } from '@fusou/parquet-compactor'
  export async function merge(files) {
    const sources = files.map((bytes, i) => memorySource('file-' + i, bytes))
    const sink = memorySink()
    const report = await mergeParquet(sources, sink, { codec: 'snappy' })
    const { rowCount } = await inspectParquet(memorySource('merged', sink.bytes()))
    if (rowCount !== report.rowsOut) throw new Error('rows are lost')
    const refused = await mergeParquet([memorySource('none', new Uint8Array(20))], sink).catch((error) => error)
    if (!(refused instanceof ParquetError) || refused.code !== 'not_parquet') throw refused
    if ((await explainMerge(sources)).rows !== rowCount) throw new Error('the plan has other rows')
    return sink.bytes()
  }`

async function expectMerged(bytes: Uint8Array): Promise<void> {
  expect(await readWithDuckDB([bytes])).toEqual(await readWithDuckDB(files))
}

test('npx runs the command from the folder it is installed in', async () => {
  const { stdout } = await execute(
    'npx',
    ['--no-install', 'parquet-compact', '--verify', '-o', 'npx.parquet', '0.parquet', '500.parquet'],
    { cwd: consumer },
  )
  expect(stdout).toContain('verified: 900 rows equal, in order')
  await expectMerged(readFileSync(join(consumer, 'npx.parquet')))
})

test('every Node on this machine runs the command and imports the library', async () => {
  writeFileSync(
    join(consumer, 'merge.js'),
    `import { readFileSync, writeFileSync } from 'node:fs'${MERGE}
    writeFileSync(process.argv[2], await merge(process.argv.slice(3).map((path) => new Uint8Array(readFileSync(path)))))`,
  )
  const found = await nodes()
  expect(found.length).toBeGreaterThan(0)
  for (const [index, node] of found.entries()) {
    const run = (...args: string[]) => execute(node, args, { cwd: consumer })
    await run('merge.js', `library-${index}.parquet`, '0.parquet', '500.parquet')
    await expectMerged(readFileSync(join(consumer, `library-${index}.parquet`)))
    await run(
      'node_modules/.bin/parquet-compact',
      '--verify',
      '-o',
      `command-${index}.parquet`,
      '0.parquet',
      '500.parquet',
    )
    await expectMerged(readFileSync(join(consumer, `command-${index}.parquet`)))
  }
})

async function bundle(entry: string, options: BuildOptions): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: entry, resolveDir: consumer },
    bundle: true,
    write: false,
    format: 'esm',
    logLevel: 'silent',
    ...options,
  })
  return outputFiles![0]!.text
}

test('workerd runs it without the compatibility for Node', { timeout: 60_000 }, async () => {
  const script = await bundle(
    `${MERGE}
    export default {
      async fetch(request) {
        const form = await request.formData()
        const files = await Promise.all(form.getAll('file').map(async (file) => new Uint8Array(await file.arrayBuffer())))
        return new Response(await merge(files))
      },
    }`,
    { conditions: ['workerd', 'worker'] },
  )
  const runtime = new Miniflare(convertV4MiniflareOptions({ modules: true, script, compatibilityDate: '2026-01-01' }))
  try {
    const form = new FormData()
    for (const bytes of files) form.append('file', new File([new Uint8Array(bytes)], 'file'))
    // its own multipart: the FormData of another undici is not known to it
    const request = new Request('http://localhost', { method: 'POST', body: form })
    const response = await runtime.dispatchFetch('http://localhost', {
      method: 'POST',
      body: await request.arrayBuffer(),
      headers: { 'content-type': request.headers.get('content-type')! },
    })
    if (response.status !== 200) expect(await response.text()).toBe('')
    await expectMerged(new Uint8Array(await response.arrayBuffer()))
  } finally {
    await runtime.dispose()
  }
})

test('a bundle for browsers needs nothing that only Node has', async () => {
  const script = await bundle(`${MERGE}; globalThis.merged = merge(inputs.map((bytes) => Uint8Array.from(bytes)))`, {
    platform: 'browser',
    format: 'iife',
  })
  const { Blob, CompressionStream, DecompressionStream, Response, TextDecoder, TextEncoder, crypto } = globalThis
  const web = {
    Blob,
    CompressionStream,
    DecompressionStream,
    Response,
    TextDecoder,
    TextEncoder,
    crypto,
    atob,
    btoa,
    URL,
  }
  const context = createContext({ ...web, inputs: files.map((bytes) => [...bytes]) })
  runInContext(script, context)
  await expectMerged(Uint8Array.from(await context.merged))
})

test('the types stand without those of Node', async () => {
  writeFileSync(
    join(consumer, 'typed.ts'),
    `import { type MergeReport, mergeParquet, type Sink, type Source } from '@fusou/parquet-compactor'
    declare const sources: Source[]
    declare const sink: Sink
    export const report: MergeReport = await mergeParquet(sources, sink, { codec: 'gzip', targetRowGroupBytes: 1 })
    // @ts-expect-error no such codec
    await mergeParquet(sources, sink, { codec: 'rar' })`,
  )
  const compiler = join(dirname(findPackageJSON('typescript', import.meta.url)!), 'bin/tsc')
  const options = '--noEmit --strict --target es2022 --module nodenext --lib es2022,webworker --types'.split(' ')
  const compiled = execute(process.execPath, [compiler, ...options, '', 'typed.ts'], { cwd: consumer })
  await expect(compiled.catch(({ stdout }) => stdout)).resolves.toMatchObject({ stdout: '' })
})

test('only the command imports modules of Node', () => {
  const dist = join(consumer, 'node_modules/@fusou/parquet-compactor/dist')
  const importers = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter(
    (name) => /\.(js|ts)$/.test(name) && /['"]node:/.test(readFileSync(join(dist, name), 'utf8')),
  )
  expect(importers.length).toBeGreaterThan(0)
  expect(importers.filter((name) => !name.startsWith('command/'))).toEqual([])
})
