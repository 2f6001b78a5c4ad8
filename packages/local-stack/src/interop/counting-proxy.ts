import { once } from 'node:events'
import { createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Stands before the API on loopback, and counts what readers ask and get. */
export class CountingProxy {
  readonly #server: Server
  requests = 0
  bytes = 0

  private constructor(server: Server) {
    this.#server = server
  }

  static async start(target: string): Promise<CountingProxy> {
    const server = createServer()
    const proxy = new CountingProxy(server)
    server.on('request', (incoming, outgoing) => {
      proxy.requests += 1
      const headers = { ...incoming.headers, host: new URL(target).host }
      const forwarded = request(
        new URL(incoming.url ?? '/', target),
        { method: incoming.method, headers },
        (answer) => {
          outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
          answer.on('data', (chunk: Buffer) => {
            proxy.bytes += chunk.length
          })
          answer.pipe(outgoing)
        },
      )
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

  /** The figures since the last call. */
  take(): { requests: number; bytes: number } {
    const { requests, bytes } = this
    this.requests = 0
    this.bytes = 0
    return { requests, bytes }
  }

  stop(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }
}
