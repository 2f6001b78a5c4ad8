import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json, text } from 'node:stream/consumers'

/** How a post is answered: by a status, or not at all. */
export type Answer = { status: number; headers?: Record<string, string> } | 'hang'

export interface Received {
  headers: IncomingHttpHeaders
  text: string
  body: unknown
  answered: Answer
}

interface Inbox {
  answers: Answer[]
  received: Received[]
}

const ACCEPTED: Answer = { status: 202 }

/**
 * What alerts are sent to in tests, over HTTP: `POST /hooks/<name>…` is answered as `PUT /answers/<name>` said, one after
 * the other, and accepted from then on; `GET /received/<name>` tells what came.
 */
export async function startAlertReceiver(): Promise<{ url: string; stop(): void }> {
  const inboxes = new Map<string, Inbox>()
  const inboxOf = (name: string) => {
    const inbox = inboxes.get(name) ?? { answers: [], received: [] }
    inboxes.set(name, inbox)
    return inbox
  }
  const server = createServer(async (incoming, outgoing) => {
    const [, door, name = ''] = new URL(incoming.url ?? '', 'http://receiver').pathname.split('/')
    const inbox = inboxOf(name)
    if (door === 'received') outgoing.end(JSON.stringify(inbox.received))
    else if (door === 'answers') {
      inbox.answers = (await json(incoming)) as Answer[]
      outgoing.end()
    } else await receive(inbox, incoming, outgoing)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}

async function receive(inbox: Inbox, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const said = await text(incoming)
  const answered = inbox.answers.shift() ?? ACCEPTED
  inbox.received.push({ headers: incoming.headers, text: said, body: JSON.parse(said), answered })
  if (answered !== 'hang') outgoing.writeHead(answered.status, answered.headers).end('what a receiver says')
}
