import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A request that passed, and what came back. */
export interface Exchange {
  readonly method: string
  readonly headers: IncomingHttpHeaders
  status: number | undefined
  /** of the body that came back */
  bytes: number
}

/** Stands before a server on loopback, and notes what readers ask and get. */
export class CountingProxy {
  readonly #server: Server
  #exchanges: Exchange[] = []

  private constructor(server: Server) {
    this.#server = server
  }

  static async start(target: string): Promise<CountingProxy> {
    const server = createServer()
    const proxy = new CountingProxy(server)
    server.on('request', (incoming, outgoing) => {
      const { method = 'GET' } = incoming
      const exchange: Exchange = { method, headers: incoming.headers, status: undefined, bytes: 0 }
      proxy.#exchanges.push(exchange)
      const headers = { ...incoming.headers, host: new URL(target).host }
      const forwarded = request(new URL(incoming.url ?? '/', target), { method, headers }, (answer) => {
        exchange.status = answer.statusCode
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.on('data', (chunk: Buffer) => {
          exchange.bytes += chunk.length
        })
        answer.pipe(outgoing)
      })
      forwarded.on('error', (error) => outgoing.destroy(error))
      outgoing.on('close', () => forwarded.destroy())
      incoming.pipe(forwarded)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return proxy
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** The exchanges since the last call. */
  take(): Exchange[] {
    const exchanges = this.#exchanges
    this.#exchanges = []
    return exchanges
  }

  stop(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }
}
