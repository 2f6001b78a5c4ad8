import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'

const SCRIPT = join(import.meta.dirname, '../src/commands/queues-send.ts')

interface Call {
  method: string
  url: string
  authorization: string
  body?: unknown
}

/** Cloudflare's API as far as the command uses it: two pages of queues, and messages for those who may send. */
let api: Server
let calls: Call[] = []
const emptyFolder = mkdtempSync(join(tmpdir(), 'fusou-queues-send-'))

beforeAll(async () => {
  api = createServer(async (request, response) => {
    const { method = '', url = '', headers } = request
    const body = method === 'POST' ? { body: await json(request) } : {}
    calls.push({ method, url, authorization: headers.authorization ?? '', ...body })
    const answer = (status: number, value: object) => response.writeHead(status).end(JSON.stringify(value))
    const page = Number(new URL(url, 'http://api').searchParams.get('page'))
    if (headers.authorization !== 'Bearer good-token')
      answer(403, { success: false, errors: [{ code: 10000, message: 'Authentication error' }], result: null })
    else if (method === 'POST') answer(200, { success: true, errors: [], result: null })
    else
      answer(200, {
        success: true,
        errors: [],
        result: page === 1 ? [{ queue_id: 'q1', queue_name: 'other' }] : [{ queue_id: 'q2', queue_name: 'wanted' }],
        result_info: { total_pages: 2 },
      })
  })
  await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve))
})
beforeEach(() => {
  calls = []
})
afterAll(() => {
  api.close()
  rmSync(emptyFolder, { recursive: true })
})

function send(args: string[], env: Record<string, string> = {}) {
  return new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    const base = { PATH: process.env.PATH!, FUSOU_STATE: emptyFolder }
    execFile(process.execPath, [SCRIPT, ...args], { env: { ...base, ...env } }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    )
  })
}

const account = (token = 'good-token') => ({
  CLOUDFLARE_ACCOUNT_ID: 'acc',
  CLOUDFLARE_API_TOKEN: token,
  CLOUDFLARE_API_BASE_URL: `http://127.0.0.1:${(api.address() as AddressInfo).port}/client/v4`,
})

test('--remote finds the queue by its name and pushes one JSON message', async () => {
  const { code, stdout } = await send(['wanted', '{"datasetId":"d"}', '--remote'], account())
  expect([code, stdout]).toEqual([0, 'sent to wanted (remote)\n'])
  expect(calls.map(({ method, url }) => `${method} ${url}`)).toEqual([
    'GET /client/v4/accounts/acc/queues?page=1',
    'GET /client/v4/accounts/acc/queues?page=2',
    'POST /client/v4/accounts/acc/queues/q2/messages',
  ])
  expect(calls.at(-1)).toMatchObject({
    authorization: 'Bearer good-token',
    body: { body: { datasetId: 'd' }, content_type: 'json' },
  })
})

test('--text sends what is not JSON, with a note', async () => {
  const { code, stderr } = await send(['wanted', 'plain words', '--remote', '--text'], account())
  expect([code, stderr]).toEqual([0, 'note: sent as text, not as JSON\n'])
  expect(calls.at(-1)!.body).toEqual({ body: 'plain words', content_type: 'text' })
})

test('a queue that the account does not have is named, with those it has', async () => {
  const { code, stderr } = await send(['missing', '{}', '--remote'], account())
  expect([code, stderr]).toEqual([1, 'the account has no queue missing (it has: other, wanted)\n'])
})

test('what Cloudflare refuses is told with its reason, and never with the token', async () => {
  const { code, stderr } = await send(['wanted', '{}', '--remote'], account('secret-token'))
  expect([code, stderr]).toEqual([1, 'Cloudflare answered 403: Authentication error (10000)\n'])
})

test.each([
  ['a body that is not JSON', ['wanted', '{datasetId'], 'the body is not JSON'],
  ['no body', ['wanted'], 'wanted: a queue and one body; got 1 arguments'],
  ['an unknown option', ['wanted', '{}', '--force'], "Unknown option '--force'"],
  ['--remote without an account', ['wanted', '{}', '--remote'], '--remote wants CLOUDFLARE_ACCOUNT_ID'],
])('%s is a wrong call', async (_, args, said) => {
  const { code, stderr } = await send(args)
  expect(code).toBe(2)
  expect(stderr).toContain(said)
  expect(calls).toEqual([])
})

test('without a running stack it says how to start one', async () => {
  const { code, stderr } = await send(['wanted', '{}'])
  expect(code).toBe(1)
  expect(stderr).toContain('no local stack runs')
})

test('--help says how it is called', async () => {
  const { code, stdout } = await send(['--help'])
  expect(code).toBe(0)
  expect(stdout).toContain("npm run queues:send -- <queue> '<json>'")
})
