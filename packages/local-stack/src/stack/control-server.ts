import { createHash, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text as readText } from 'node:stream/consumers'
import { LOOPBACK } from './choose-port.ts'

/** The part of a queue producer that the door uses. */
export interface QueueDoor {
  send(body: unknown, options?: { contentType?: 'json' | 'text' }): Promise<unknown>
}

interface ControlOptions {
  token: string
  openQueues: () => Promise<Map<string, QueueDoor>>
  runCron: () => Promise<void>
}

interface Answer {
  status: number
  body: object
}

/**
 * The door into the running stack for programs on this machine: what an operator would do in Cloudflare's dashboard.
 *
 * - `POST /queues/<name>` with a JSON body (or `text/plain`) sends one message
 * - `POST /cron` runs the cron handler now
 */
export async function startControlServer(options: ControlOptions): Promise<{ url: string; stop: () => void }> {
  const server = createServer(async (request, response) => {
    const { status, body } = await answer(request, options).catch((error) => ({
      status: 500,
      body: { error: String(error) },
    }))
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
  await new Promise<void>((resolve) => server.listen(0, LOOPBACK, resolve))
  return {
    url: `http://${LOOPBACK}:${(server.address() as AddressInfo).port}`,
    stop: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

async function answer(request: IncomingMessage, { token, openQueues, runCron }: ControlOptions): Promise<Answer> {
  if (!sameText(request.headers.authorization ?? '', `Bearer ${token}`))
    return { status: 401, body: { error: 'wrong control token' } }
  if (request.method !== 'POST') return { status: 405, body: { error: 'POST only' } }
  if (request.url === '/cron') {
    await runCron()
    return { status: 200, body: { ran: true } }
  }
  const name = /^\/queues\/([^/]+)$/.exec(request.url ?? '')?.[1]
  if (name === undefined) return { status: 404, body: { error: 'no such door' } }
  const queues = await openQueues()
  const queue = queues.get(decodeURIComponent(name))
  if (!queue) return { status: 404, body: { error: 'no such queue', queues: [...queues.keys()] } }
  const text = await readText(request)
  if (request.headers['content-type'] === 'text/plain') await queue.send(text, { contentType: 'text' })
  else await queue.send(JSON.parse(text), { contentType: 'json' })
  return { status: 202, body: { sent: true } }
}

const sameText = (a: string, b: string) => timingSafeEqual(digest(a), digest(b))
const digest = (text: string) => createHash('sha256').update(text).digest()
