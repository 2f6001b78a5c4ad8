import { once } from 'node:events'
import { createReadStream, statSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Serves one file with ranges, as static hosting does, to pages of any origin. */
export class PlainFileServer {
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
  }

  static async start(path: string): Promise<PlainFileServer> {
    const { size } = statSync(path)
    const server = createServer(({ method, headers: { range } }, response) => {
      response.setHeader('Access-Control-Allow-Origin', '*')
      response.setHeader('Access-Control-Allow-Headers', 'Range')
      response.setHeader('Access-Control-Expose-Headers', 'Accept-Ranges, Content-Length, Content-Range, ETag')
      response.setHeader('Access-Control-Max-Age', 86_400)
      response.setHeader('Accept-Ranges', 'bytes')
      response.setHeader('ETag', `"${size}"`)
      if (method === 'OPTIONS') return response.writeHead(204).end()
      const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(range ?? '') ?? []
      const isPart = first !== undefined && last !== undefined
      const start = isPart ? (first === '' ? Math.max(0, size - Number(last)) : Number(first)) : 0
      const end = isPart && first !== '' && last !== '' ? Math.min(size - 1, Number(last)) : size - 1
      const headers = {
        'Content-Length': end - start + 1,
        ...(isPart && { 'Content-Range': `bytes ${start}-${end}/${size}` }),
      }
      response.writeHead(isPart ? 206 : 200, headers)
      if (method === 'HEAD') return response.end()
      return createReadStream(path, { start, end }).pipe(response)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new PlainFileServer(server)
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  stop(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }
}
