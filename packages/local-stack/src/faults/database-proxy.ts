import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { setTimeout as wait } from 'node:timers/promises'
import { LOOPBACK } from '../stack/choose-port.ts'
import type { FaultPlan } from './fault-plan.ts'

/** Longer than the callers wait. */
const LATE_MS = 18_000
const HUNG_MS = 25_000

/** Stands before the database: counts the calls of its functions by name, and lets faults strike them. */
export class DatabaseProxy {
  readonly calls = new Map<string, number>()
  readonly #target: { port: number }
  readonly #faults: FaultPlan | undefined
  readonly #server

  constructor(target: { port: number }, faults?: FaultPlan) {
    this.#target = target
    this.#faults = faults
    this.#server = createServer((incoming, outgoing) => {
      this.#answer(incoming, outgoing).catch(() => outgoing.destroy())
    })
  }

  /** @returns its address */
  async listen(): Promise<string> {
    this.#server.listen(0, LOOPBACK)
    await once(this.#server, 'listening')
    return `http://${LOOPBACK}:${(this.#server.address() as AddressInfo).port}`
  }

  stop(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }

  async #answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const name = /^\/rest\/v1\/rpc\/(\w+)/.exec(incoming.url ?? '')?.[1]
    if (name !== undefined) this.calls.set(name, (this.calls.get(name) ?? 0) + 1)
    const body = await buffer(incoming)
    const faults = this.#faults
    if (faults?.strikes('database_refused')) return void outgoing.destroy()
    if (faults?.strikes('database_unavailable')) return void outgoing.writeHead(503).end()
    if (faults?.strikes('database_hung')) {
      await wait(HUNG_MS)
      return void outgoing.destroy()
    }
    if (faults?.strikes('database_call_late')) await wait(LATE_MS)
    const answer = await this.#forward(incoming, body)
    if (faults?.strikes('database_answer_lost')) return void outgoing.destroy()
    outgoing.writeHead(answer.statusCode!, answer.headers)
    await pipeline(answer, outgoing)
  }

  async #forward({ method, url, headers }: IncomingMessage, body: Buffer): Promise<IncomingMessage> {
    const onward = request({ host: LOOPBACK, port: this.#target.port, method, path: url, headers })
    onward.end(body)
    const [answer] = (await once(onward, 'response')) as [IncomingMessage]
    return answer
  }
}
