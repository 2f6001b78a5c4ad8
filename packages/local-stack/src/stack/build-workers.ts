import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, mkdirSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { StackError } from './stack-error.ts'
import { StateLock } from './state-lock.ts'

const WRANGLER = join(createRequire(import.meta.url).resolve('wrangler/package.json'), '../bin/wrangler.js')

/** A module of a Worker, in the words of Miniflare. */
export interface WorkerModule {
  type: 'ESModule' | 'Text' | 'CompiledWasm' | 'Data'
  path: string
  contents: string | Uint8Array<ArrayBuffer>
}

/** The modules of each Worker, its entry first. */
export interface BuiltWorkers {
  web: WorkerModule[]
  workflow: WorkerModule[]
}

/** wrangler without telemetry and its look for updates, and without an `.env` of the folder shadowing our variables */
export const WRANGLER_ENV = {
  WRANGLER_SEND_METRICS: 'false',
  WRANGLER_HIDE_BANNER: 'true',
  WRANGLER_WRITE_LOGS: 'false',
  CLOUDFLARE_LOAD_DEV_VARS_FROM_DOT_ENV: 'false',
  NO_COLOR: '1',
  FORCE_COLOR: '0',
}

/** Files that Pages reads and never serves. */
const PAGES_CONTROL_FILES = ['_worker.js', '_routes.json', '_headers', '_redirects']

/**
 * FUSOU-WEB, by its own build script: what is deployed to Pages.
 * @param staticFolder gets a copy of the files that are served without the Worker
 */
export async function buildWeb(root: string, staticFolder: string): Promise<WorkerModule[]> {
  // the script empties and fills a folder of the checkout, which stacks that start at the same time share
  const lock = await lockBuild(root)
  try {
    await runNode([join(root, 'packages/FUSOU-WEB/build.mjs')], root)
    const dist = join(root, 'packages/FUSOU-WEB/dist')
    rmSync(staticFolder, { recursive: true, force: true })
    cpSync(dist, staticFolder, { recursive: true, filter: (path) => !PAGES_CONTROL_FILES.includes(basename(path)) })
    return readModules(dist, '_worker.js')
  } finally {
    lock.release()
  }
}

async function lockBuild(root: string): Promise<StateLock> {
  const folder = join(tmpdir(), `fusou-build-${createHash('sha256').update(root).digest('hex').slice(0, 16)}`)
  mkdirSync(folder, { recursive: true })
  for (;;) {
    try {
      return await StateLock.take(folder)
    } catch (error) {
      if (!(error instanceof StackError)) throw error
      await wait(200)
    }
  }
}

/** FUSOU-WORKFLOW, by wrangler itself: the bundle that a deploy would upload. */
export async function buildWorkflow(root: string, outFolder: string): Promise<WorkerModule[]> {
  rmSync(outFolder, { recursive: true, force: true })
  const config = realpathSync(join(root, 'packages/FUSOU-WORKFLOW/wrangler.toml'))
  await runNode([WRANGLER, 'deploy', '--dry-run', '--outdir', outFolder, '--config', config], root)
  return readModules(outFolder, 'index.js')
}

/** The entry first, then whatever the bundle imports beside it. */
function readModules(folder: string, entry: string): WorkerModule[] {
  const others = readdirSync(folder).filter((name) => name !== entry && moduleType(name) !== undefined)
  return [entry, ...others].map((name) => {
    const type = moduleType(name) ?? 'ESModule'
    const bytes = new Uint8Array(readFileSync(join(folder, name)))
    return {
      type,
      path: name,
      contents: type === 'ESModule' || type === 'Text' ? new TextDecoder().decode(bytes) : bytes,
    }
  })
}

function moduleType(name: string): WorkerModule['type'] | undefined {
  if (name.endsWith('.wasm')) return 'CompiledWasm'
  if (name.endsWith('.bin')) return 'Data'
  if (name.endsWith('.js') || name.endsWith('.mjs')) return 'ESModule'
  if (name.includes('.env.') || /\.(txt|sql|html)$/.test(name)) return 'Text'
  return undefined
}

function runNode(args: string[], cwd: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, ...WRANGLER_ENV }
    execFile(process.execPath, args, { cwd, env, maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      const said = `${stdout}${stderr}`.split('\n').filter((line) => line.trim() !== '')
      if (error) reject(new StackError(`${basename(args[0]!)} failed:\n${said.join('\n')}`))
      else resolve()
    })
  })
}
