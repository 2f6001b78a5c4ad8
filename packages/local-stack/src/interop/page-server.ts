import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { dirname, extname, join } from 'node:path'
import { buildSync } from 'esbuild'

const DUCKDB = dirname(createRequire(import.meta.url).resolve('@duckdb/duckdb-wasm'))
const DUCKDB_FILES = ['/duckdb-browser-eh.worker.js', '/duckdb-eh.wasm']
const MEDIA_TYPES: Readonly<Record<string, string>> = { '.js': 'text/javascript', '.wasm': 'application/wasm' }

/** Serves the page with the readers, from an origin that is not the API's. */
export class PageServer {
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
  }

  static async start(): Promise<PageServer> {
    const { outputFiles } = buildSync({
      entryPoints: [join(import.meta.dirname, 'page/page.ts')],
      bundle: true,
      format: 'iife',
      globalName: 'page',
      platform: 'browser',
      write: false,
      logLevel: 'warning',
    })
    const html = `<!doctype html><meta charset="utf-8"><title>readers</title><script src="/page.js"></script>`
    const server = createServer(({ url = '/' }, response) => {
      if (DUCKDB_FILES.includes(url)) {
        response.setHeader('Content-Type', MEDIA_TYPES[extname(url)]!)
        createReadStream(join(DUCKDB, url)).pipe(response)
      } else if (url === '/page.js') response.setHeader('Content-Type', 'text/javascript').end(outputFiles[0]!.contents)
      else if (url === '/') response.setHeader('Content-Type', 'text/html').end(html)
      else response.writeHead(404).end()
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new PageServer(server)
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  stop(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }
}
