import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { asyncBufferFromUrl, parquetMetadataAsync } from 'hyparquet'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Stack, startStack } from '../src/stack/start-stack.ts'
import { REPO_ROOT } from '../src/support/repo-root.ts'

// The command fusou as a person at a terminal and a script on a device use it, against the whole system.

const MAIN = join(REPO_ROOT, 'packages/cli/src/main.ts')
const folder = mkdtempSync(join(tmpdir(), 'fusou-command-'))
const data = join(folder, 'data')
let stack: Stack

interface Ended {
  code: number
  out: string
  err: string
}

/** One call, each person with a configuration of their own. */
async function fusou(who: string, args: string[], { input = '', env = {} }: { input?: string; env?: object } = {}) {
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd: folder,
    env: { PATH: process.env.PATH!, FUSOU_CONFIG: join(folder, who, 'config.json'), ...env },
  })
  const ended: Ended = { code: -1, out: '', err: '' }
  child.stdout.on('data', (text) => {
    ended.out += text
  })
  child.stderr.on('data', (text) => {
    ended.err += text
  })
  child.stdin.end(input)
  const [code] = await once(child, 'close')
  return { ...ended, code: code as number }
}
const json = async <Answer>(who: string, ...args: string[]): Promise<Answer> => {
  const { code, out, err } = await fusou(who, ['--json', ...args])
  expect(code, err).toBe(0)
  return JSON.parse(out) as Answer
}

beforeAll(async () => {
  stack = await startStack({ stateFolder: join(folder, 'state'), queueBatchSeconds: 1 })
  mkdirSync(join(data, 'deep'), { recursive: true })
  const connection = await (await DuckDBInstance.create()).connect()
  for (let i = 0; i < 12; i++) {
    const path = join(data, i % 2 === 0 ? 'deep' : '.', `part-${i}.parquet`)
    await connection.run(
      `copy (select ${i} * 100 + t.i as at, hash(t.i) % 7 as h from range(100) t(i)) to '${path}' (format parquet)`,
    )
  }
  writeFileSync(join(data, 'notes.txt'), 'no data')
  const { supabaseUrl, publishableKey, users, webUrl } = stack.info
  for (const [index, { email, password }] of users.slice(0, 2).entries()) {
    const place = ['--supabase-url', supabaseUrl, '--publishable-key', publishableKey]
    const login = ['login', '--url', webUrl, '--email', email, ...place]
    const { code, out, err } = await fusou(`user-${index}`, login, { input: `${password}\n` })
    expect(code, err).toBe(0)
    expect(out).toContain('signed in as user')
  }
})
afterAll(async () => {
  await stack.stop()
  rmSync(folder, { recursive: true, force: true })
})

describe('fusou', () => {
  test('keeps the sign-in for its owner alone', () => {
    expect(statSync(join(folder, 'user-0/config.json')).mode & 0o777).toBe(0o600)
  })

  test('uploads a folder with a key, once, and says what was done', async () => {
    const key = (await fusou('user-0', ['keys', 'create', 'a device', '--scope', 'upload,read,manage'])).out.trim()
    const login = await fusou('device', ['login', '--url', stack.info.webUrl, '--key', '-'], { input: `${key}\n` })
    expect(login.out).toContain('signed in as key')
    const upload = ['upload', data, '--to', 'shared/waves', '--period', '2026']
    const first = await fusou('device', upload)
    expect(first, first.err).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^12 stored \(1,200 rows, .* 0 failed/),
    })
    expect((await fusou('device', upload)).out).toMatch(/^0 stored .* 12 done before, 0 failed/)
    expect((await fusou('device', [...upload, '--again'])).out).toMatch(/^0 stored .* 12 were there/)
  })

  test('uploads a large file in parts, which others read as it was', async () => {
    const large = join(folder, 'large.parquet')
    const connection = await (await DuckDBInstance.create()).connect()
    await connection.run(
      `copy (select random() as a from range(5_000_000)) to '${large}' (format parquet, compression uncompressed)`,
    )
    expect(statSync(large).size).toBeGreaterThan(32 * 2 ** 20)
    const upload = ['upload', large, '--to', 'large/numbers']
    const first = await fusou('device', upload)
    expect(first, first.err).toMatchObject({ code: 0, out: expect.stringMatching(/^1 stored \(5,000,000 rows/) })
    expect((await fusou('device', [...upload, '--again'])).code).toBe(0)
    expect(await json<{ bytes: number }[]>('device', 'ls', 'large/numbers')).toMatchObject([
      { bytes: statSync(large).size },
    ])
    const copies = join(folder, 'copies')
    expect((await fusou('device', ['get', 'large/numbers', '--out', copies])).code).toBe(0)
    const [copy, ...more] = readdirSync(copies, { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    )
    expect(more).toEqual([])
    expect(readFileSync(join(copy!.parentPath, copy!.name)).equals(readFileSync(large))).toBe(true)
  }, 120_000)

  test('names each file that is refused, sends the others, and ends with 1', async () => {
    const bad = join(folder, 'bad')
    mkdirSync(bad)
    writeFileSync(join(bad, 'a.parquet'), 'this is no Parquet file at all')
    writeFileSync(join(bad, 'b.parquet'), readFileSync(join(data, 'part-1.parquet')))
    const { code, out, err } = await fusou('device', ['upload', bad, join(folder, 'nowhere'), '--to', 'shared/mixed'])
    expect(code).toBe(1)
    expect(out).toMatch(/^1 stored .* 2 failed/)
    expect(err).toContain('a.parquet: invalid_parquet')
    expect(err).toContain('nowhere: ENOENT')
  })

  test('sorts a table, merges it and follows the job', async () => {
    const sorted = await json<{ changed: string[] }>(
      'device',
      'settings',
      'shared/waves',
      'sortBy=[{"column":"at"}]',
      'codec=zstd',
    )
    expect(sorted.changed).toEqual(['codec', 'sortBy'])
    const { code, out, err } = await fusou('device', ['compact', 'shared/waves', '--follow'])
    expect(code, err).toBe(0)
    expect(out).toMatch(/succeeded .*1\/1 merges, 1,200 rows written/)
    const files = await json<{ rows: number; level: number }[]>('device', 'ls', 'shared/waves')
    expect(files).toMatchObject([{ rows: 1200, level: 1 }])
    const described = await fusou('device', ['describe', 'shared/waves'])
    expect(described.out).toMatch(/at +int64/)
  }, 120_000)

  test('makes a link that anybody reads', async () => {
    const { out } = await fusou('device', ['link', 'shared/waves', '--expires', '1h'])
    const file = await asyncBufferFromUrl({ url: out.trim() })
    expect(Number((await parquetMetadataAsync(file)).num_rows)).toBe(1200)
    const pinned = await json<{ url: string }>('device', 'link', 'shared/waves', '--version-number', '1')
    expect(pinned.url).toContain('waves@1.parquet')
    expect(await fusou('device', ['link', 'shared/waves', '--expires', '8y'])).toMatchObject({ code: 2 })
    expect(await fusou('device', ['link', 'shared/waves', '--expires', '8d'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('invalid_request'),
    })
    expect(await fusou('device', ['link', 'shared'])).toMatchObject({ code: 2 })
  })

  test('makes a profile for Delta Sharing that its owner alone may read', async () => {
    const path = join(folder, 'waves.share')
    const made = await fusou('user-0', ['profile', 'shared', '--name', 'an analyst', '--output', path])
    expect(made, made.err).toMatchObject({ code: 0, out: `${path}\n` })
    expect(statSync(path).mode & 0o777).toBe(0o600)
    const { endpoint, bearerToken } = JSON.parse(readFileSync(path, 'utf8'))
    const headers = { authorization: `Bearer ${bearerToken}` }
    const tables = await (await fetch(`${endpoint}/shares/shared/schemas/default/tables`, { headers })).json()
    expect(tables).toMatchObject({ items: expect.arrayContaining([expect.objectContaining({ name: 'waves' })]) })
    expect(await fusou('user-0', ['profile', '--output', path])).toMatchObject({
      code: 2,
      err: expect.stringContaining('EEXIST'),
    })
    const printed = await fusou('user-0', ['profile', 'shared', '--expires', '2999-01-01T00:00:00Z'])
    expect(JSON.parse(printed.out)).toMatchObject({ endpoint, expirationTime: '2999-01-01T00:00:00.000Z' })
    const failed = join(folder, 'failed.share')
    expect(await fusou('device', ['profile', '--output', failed])).toMatchObject({ code: 1 })
    expect(() => statSync(failed)).toThrow('ENOENT')
  })

  test('opens DuckDB with the table, or prints what to paste', async () => {
    const bin = join(folder, 'bin')
    mkdirSync(bin)
    writeFileSync(join(bin, 'duckdb'), '#!/bin/sh\nprintf "%s\\n" "$@"\n[ "$4" != "wrong" ]\n', { mode: 0o755 })
    const env = { PATH: `${bin}:/bin:/usr/bin` }
    const opened = await fusou('device', ['query', 'shared/waves', 'select 1'], { env })
    expect(opened.out.split('\n')).toEqual([
      '-cmd',
      expect.stringMatching(/^create view "waves" as select \* from read_parquet\('http:.*waves\.parquet\?.*'\);$/),
      '-c',
      'select 1',
      '',
    ])
    expect(await fusou('device', ['query', 'shared/waves', 'wrong'], { env })).toMatchObject({
      code: 1,
      err: expect.stringContaining('duckdb ended with 1'),
    })
    const without = await fusou('device', ['query', 'shared/waves'], { env: { PATH: '/nowhere' } })
    expect(without).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^select count\(\*\) from read_parquet\(/),
      err: expect.stringContaining('duckdb is not installed'),
    })
    expect((await fusou('device', ['query', 'shared/waves', '--for', 'polars'])).out).toContain('pl.scan_parquet(')
  })

  test('shares a dataset, which the other then sees and reads', async () => {
    const { userId } = await json<{ userId: string }>('user-1', 'whoami')
    expect((await fusou('user-1', ['ls', 'shared'])).err).toContain('unknown_dataset')
    await json('user-0', 'share', 'shared', userId, '--role', 'reader')
    expect(await json<{ id: string; role: string }[]>('user-1', 'ls')).toMatchObject([{ id: 'shared', role: 'reader' }])
    const refused = await fusou('user-1', ['rm', 'shared', '--yes'])
    expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('forbidden') })
  })

  test('deletes only when told so for sure, and puts it back', async () => {
    expect((await fusou('user-0', ['rm', 'shared/waves'])).code).toBe(2)
    const { deletion } = await json<{ deletion: { id: number; rows: number } }>('user-0', 'rm', 'shared/waves', '--yes')
    expect(deletion.rows).toBe(1200)
    expect(await json('user-0', 'ls', 'shared/waves')).toEqual([])
    await json('user-0', 'restore', 'shared', String(deletion.id))
    expect(await json('user-0', 'ls', 'shared/waves')).toMatchObject([{ rows: 1200 }])
  })

  test('shows the audit and the versions', async () => {
    const actions = (await json<{ action: string }[]>('user-0', 'audit', '--dataset', 'shared')).map(
      ({ action }) => action,
    )
    expect(actions.slice(0, 3)).toEqual(['data.restore', 'data.delete', 'dataset.grant'])
    const versions = await json<{ change: string }[]>('user-0', 'versions', 'shared')
    expect(versions.map(({ change }) => change)).toContain('merge')
  })

  test('says in one line what is wrong, and ends with 2 where it was called wrongly', async () => {
    expect(await fusou('nobody', ['whoami'])).toMatchObject({ code: 1, err: expect.stringContaining('fusou login') })
    expect((await fusou('user-0', ['upload', data, '--to', 'only-a-dataset'])).code).toBe(2)
    expect((await fusou('user-0', ['nonsense'])).code).toBe(2)
    expect((await fusou('user-0', ['--help'])).out).toContain('Examples:')
    const away = { env: { FUSOU_URL: 'http://127.0.0.1:1', FUSOU_TOKEN: 'x' } }
    expect((await fusou('user-0', ['completion', 'bash'], away)).out).toContain('complete -F _fusou fusou')
  })

  test('stops a folder at the first refusal that all files would get', async () => {
    const { out } = await fusou('user-0', ['keys', 'create', 'reader', '--scope', 'read'])
    const env = { FUSOU_URL: stack.info.webUrl, FUSOU_TOKEN: out.trim() }
    const ended = await fusou('device', ['upload', data, '--to', 'shared/waves', '--concurrency', '1'], { env })
    expect(ended.code).toBe(1)
    expect(ended.err.match(/forbidden/g)).toHaveLength(12)
  })
})
