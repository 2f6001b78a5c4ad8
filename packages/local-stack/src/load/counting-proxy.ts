import { once } from 'node:events'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { LOOPBACK } from '../choose-port.ts'

/** Stands before the database and counts the calls of its functions, by name. */
export class CountingProxy {
  readonly calls = new Map<string, number>()
  readonly #server

  constructor(target: { port: number }) {
    this.#server = createServer((incoming, outgoing) => {
      const name = /^\/rest\/v1\/rpc\/(\w+)/.exec(incoming.url ?? '')?.[1]
      if (name !== undefined) this.calls.set(name, (this.calls.get(name) ?? 0) + 1)
      const { method, url: path, headers } = incoming
      const onward = request({ host: LOOPBACK, port: target.port, method, path, headers }, (answer) => {
        outgoing.writeHead(answer.statusCode!, answer.headers)
        answer.pipe(outgoing)
      })
      onward.once('error', () => outgoing.destroy())
      incoming.pipe(onward)
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
}
