import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  openAsBlob,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { FusouClient, signIn } from '../src/client/fusou-client.ts'
import { readStackInfo, stackFile } from '../src/stack/stack-info.ts'
import { type Stack, startStack } from '../src/stack/start-stack.ts'
import { REPO_ROOT } from '../src/support/repo-root.ts'

const START = join(import.meta.dirname, '../src/commands/start.ts')
const SEND = join(import.meta.dirname, '../src/commands/queues-send.ts')
const WITHIN = { timeout: 45_000, interval: 100 }

const folder = mkdtempSync(join(tmpdir(), 'fusou-stack-'))
const stateFolder = join(folder, 'state')
const sources = join(folder, 'sources')
const running: ChildProcess[] = []
const logs: string[] = []
let stack: Stack

beforeAll(async () => {
  copySources()
  stack = await startStack({
    stateFolder,
    queueBatchSeconds: 1,
    root: sources,
    watch: true,
    onLog: (_, line) => logs.push(line),
  })
})
afterAll(async () => {
  await stack.stop()
  for (const child of running) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

/** What the Workers are built from, so that a test can change it. */
function copySources() {
  for (const path of ['wrangler.toml', '.env.production', 'tsconfig.base.json'])
    cpSync(join(REPO_ROOT, path), join(sources, path))
  for (const name of ['FUSOU-WEB', 'FUSOU-WORKFLOW', 'catalog', 'parquet-compactor'])
    cpSync(join(REPO_ROOT, 'packages', name), join(sources, 'packages', name), {
      recursive: true,
      verbatimSymlinks: true,
      filter: (path) => !/\/(test|dist|dist-deploy|\.wrangler)$/.test(path),
    })
  symlinkSync(join(REPO_ROOT, 'node_modules'), join(sources, 'node_modules'))
}

/** A command of this package, its output gathered. */
function run(script: string, args: string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [script, ...args], {
    env: { ...process.env, FUSOU_STATE: stateFolder, ...env },
  })
  running.push(child)
  const result = { child, output: '', exit: once(child, 'exit') as Promise<[number | null, string | null]> }
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (text) => {
      result.output += text
    })
  return result
}

const clientOf = async (info: Stack['info']) =>
  new FusouClient(info.webUrl, await signIn(info.supabaseUrl, info.publishableKey, info.users[0]!))

const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

const groupsOf = (state: string): number[] => JSON.parse(readFileSync(join(state, 'lock.json'), 'utf8')).groups

describe('a running stack', () => {
  test('describes itself in stack.json, for its owner alone', () => {
    expect(readStackInfo(stateFolder)).toEqual(stack.info)
    expect(statSync(stackFile(stateFolder)).mode & 0o777).toBe(0o600)
  })

  test('answers health checks', async () => {
    expect((await fetch(`${stack.info.webUrl}/api/health`)).status).toBe(200)
  })

  test('knows its ready users', async () => {
    for (const user of stack.info.users)
      expect(await signIn(stack.info.supabaseUrl, stack.info.publishableKey, user)).toMatch(/^eyJ/)
  })

  test('keeps its control door shut without the token', async () => {
    const call = (authorization: string) =>
      fetch(`${stack.info.controlUrl}/cron`, { method: 'POST', headers: { authorization } })
    expect((await call('Bearer nobody')).status).toBe(401)
    expect((await call(`Bearer ${stack.info.controlToken}`)).status).toBe(200)
  })

  test('takes messages of another process; what the consumer refuses shows up as a dead letter', async () => {
    const sent = run(SEND, ['dev-kc-compaction-queue', '{"datasetId":"nobody-knows-it"}'])
    expect(await sent.exit).toEqual([0, null])
    const operator = new FusouClient(stack.info.webUrl, stack.info.operatorToken)
    await vi.waitFor(async () => expect(await operator.deadLetters()).toContain('nobody-knows-it'), WITHIN)
  })

  test('names its queues to one who gets the name wrong', async () => {
    const sent = run(SEND, ['compaction', '{}'])
    expect(await sent.exit).toEqual([1, null])
    expect(sent.output).toContain('dev-kc-compaction-queue, dev-kc-compaction-dlq')
  })

  test('is not started twice on one state folder', async () => {
    const second = run(START, [], { FUSOU_PORT: '0', FUSOU_SUPABASE_PORT: '0' })
    expect(await second.exit).toEqual([1, null])
    expect(second.output).toContain(`a stack already runs on ${stateFolder} (pid ${process.pid})`)
  })

  test.each([
    ['FUSOU_PORT', () => stack.info.webUrl],
    ['FUSOU_SUPABASE_PORT', () => stack.info.supabaseUrl],
  ])('that holds a port makes another one name the port and %s', async (variable, url) => {
    const { port } = new URL(url())
    const ports = { FUSOU_PORT: '0', FUSOU_SUPABASE_PORT: '0', [variable]: port }
    const other = run(START, [], { ...ports, FUSOU_STATE: join(folder, 'other') })
    expect(await other.exit).toEqual([1, null])
    expect(other.output).toContain(`port ${port}`)
    expect(other.output).toContain(`${variable}=<port>`)
    expect(readStackInfo(join(folder, 'other'))).toBeUndefined()
  })
})

describe('a stack that watches its sources', () => {
  const page = join(sources, 'packages/FUSOU-WEB/public/index.html')
  const entry = join(sources, 'packages/FUSOU-WORKFLOW/src/index.ts')
  const pageOf = async () => (await fetch(stack.info.webUrl)).text()

  test('serves a change of one Worker, with all that was there before', async () => {
    writeFileSync(page, 'a page that was changed')
    await vi.waitFor(async () => expect(await pageOf()).toBe('a page that was changed'), WITHIN)
    expect(await (await clientOf(stack.info)).jobs('nobody-has-it')).toEqual([])
  })

  test('goes on with the Workers before a change that does not build, until it does', async () => {
    const before = readFileSync(entry, 'utf8')
    appendFileSync(entry, 'const = ')
    await vi.waitFor(
      () => expect(logs.find((line) => line.includes('sources.not_reloaded'))).toContain('Expected identifier'),
      WITHIN,
    )
    expect(await pageOf()).toBe('a page that was changed')
    writeFileSync(entry, `${before}\nconsole.log('the entry was changed')\n`)
    await vi.waitFor(() => expect(logs.join('\n')).toContain('the entry was changed'), WITHIN)
    const authorization = `Bearer ${stack.info.controlToken}`
    const cron = () => fetch(`${stack.info.controlUrl}/cron`, { method: 'POST', headers: { authorization } })
    await vi.waitFor(async () => expect((await cron()).status).toBe(200), WITHIN)
  })
})

test('npm start goes on with what an earlier stack left, even one that was killed, shows a merge, and Ctrl-C ends it whole', async () => {
  const parquet = join(folder, 'rows.parquet')
  const connection = await (await DuckDBInstance.create()).connect()
  await connection.run(`copy (select range as id from range(100)) to '${parquet}' (format parquet)`)
  const client = await clientOf(stack.info)
  const file = await openAsBlob(parquet)
  await client.upload({ datasetId: 'kept', tableId: 't', fileName: 'rows.parquet', file, way: 'raw' })
  const before = await client.listFiles('kept')
  await stack.stop()
  expect(readStackInfo(stateFolder)).toBeUndefined()

  const ports = { FUSOU_PORT: '0', FUSOU_SUPABASE_PORT: '0' }
  const killed = run(START, [], ports)
  await vi.waitFor(() => expect(killed.output).toContain('Ctrl-C stops it'), WITHIN)
  const groups = groupsOf(stateFolder)
  killed.child.kill('SIGKILL')
  await killed.exit
  await vi.waitFor(() => expect(groups.filter(isAlive)).toEqual([]), WITHIN)

  const again = run(START, ['--sample'], ports)
  await vi.waitFor(() => expect(again.output).toContain('Ctrl-C stops it'), { ...WITHIN, timeout: 90_000 })
  expect(again.output).toMatch(/^sample flights +150 +1 +150 +1 /m)
  expect(again.output).toContain('on 1 file of the result')
  expect(existsSync(join(stateFolder, 'sample'))).toBe(false)
  const info = readStackInfo(stateFolder)!
  expect(info).toMatchObject({ operatorToken: stack.info.operatorToken, users: stack.info.users })
  expect(again.output).toContain(info.webUrl)
  const after = await clientOf(info)
  const [kept] = (await after.listFiles('kept')).files
  expect(kept).toMatchObject({ id: before.files[0]!.id, rows: 100 })
  expect(Buffer.from(await after.download(kept!.url))).toEqual(readFileSync(parquet))

  const lastGroups = groupsOf(stateFolder)
  again.child.kill('SIGINT')
  expect(await again.exit).toEqual([0, null])
  expect(readStackInfo(stateFolder)).toBeUndefined()
  expect(lastGroups.filter(isAlive)).toEqual([])
}, 180_000)

test('npm start ends with a clear message when a part of it dies', async () => {
  const started = run(START, [], { FUSOU_PORT: '0', FUSOU_SUPABASE_PORT: '0' })
  await vi.waitFor(() => expect(started.output).toContain('Ctrl-C stops it'), WITHIN)
  process.kill(groupsOf(stateFolder)[0]!, 'SIGKILL')
  expect(await started.exit).toEqual([1, null])
  expect(started.output).toContain('fusou: supabase died (SIGKILL); see ')
  expect(readStackInfo(stateFolder)).toBeUndefined()
})
