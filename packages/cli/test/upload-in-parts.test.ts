import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer, json } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { run } from '../src/program.ts'

const PART_BYTES = 8 * 1024 * 1024
const BYTES = Buffer.alloc(5 * PART_BYTES - 100, 'not one part is like another; ')
const MAIN = join(import.meta.dirname, '../src/main.ts')
const folder = mkdtempSync(join(tmpdir(), 'fusou-parts-'))
const path = join(folder, 'large.parquet')
const args = ['upload', path, '--to', 'sea/waves']

/** An API that keeps parts, and answers those from the third on only when it is told to. */
const parts = new Map<number, Buffer>()
const sent: number[] = []
let holdsBack = true
const thirdCame = Promise.withResolvers<void>()

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { url = '', method } = request
  const reply = (body: object) => response.setHeader('content-type', 'application/json').end(JSON.stringify(body))
  if (url.endsWith('/uploads')) {
    const { byteLength } = (await json(request)) as { byteLength: number }
    const count = Math.ceil(byteLength / PART_BYTES)
    reply({ uploadId: 'u', partBytes: PART_BYTES, parts: count, storedParts: [...parts.keys()], state: 'open' })
  } else if (method === 'PUT') {
    const number = Number(url.split('/').at(-1))
    const body = await buffer(request)
    if (holdsBack && number >= 3) return thirdCame.resolve()
    sent.push(number)
    parts.set(number, body)
    reply({ number })
  } else {
    reply({ duplicate: false, rows: 7 })
  }
}
const server = createServer((request, response) => {
  answer(request, response).catch((error: unknown) => {
    // a client that was killed breaks off
    if (request.complete) throw error
  })
})
let env: Record<string, string>

beforeAll(async () => {
  writeFileSync(path, BYTES)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  env = { FUSOU_URL: url, FUSOU_TOKEN: 'k', FUSOU_CONFIG: join(folder, 'config.json') }
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
  rmSync(folder, { recursive: true, force: true })
})

test('an upload that was killed goes on with the parts that are missing, and says how far it is', async () => {
  const killed = spawn(process.execPath, [MAIN, ...args], { env: { PATH: process.env.PATH!, ...env }, stdio: 'ignore' })
  await thirdCame.promise
  await expect.poll(() => [...parts.keys()].sort()).toEqual([1, 2])
  killed.kill('SIGKILL')
  await once(killed, 'close')

  holdsBack = false
  let [out, err] = ['', '']
  const session = {
    env,
    out: (text: string) => {
      out += text
    },
    err: (text: string) => {
      err += text
    },
    isTerminal: true,
    readLine: async () => '',
  }
  expect(await run(args, session), err).toBe(0)
  expect(out).toMatch(/^1 stored \(7 rows, 41\.9 MB\), .* 0 failed/)
  expect(err).toMatch(/large\.parquet: 40 % of 41\.9 MB.*large\.parquet: 100 % of 41\.9 MB/s)
  expect(sent.sort()).toEqual([1, 2, 3, 4, 5])
  const whole = Buffer.concat([1, 2, 3, 4, 5].map((number) => parts.get(number)!))
  const hash = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
  expect(hash(whole)).toBe(hash(BYTES))
  out = ''
  await run(args, session)
  expect(out).toMatch(/1 done before/)
})
