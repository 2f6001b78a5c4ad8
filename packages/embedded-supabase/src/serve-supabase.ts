import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ReadableStream } from 'node:stream/web'
import { applyPendingMigrations, createApi } from '@supabase/lite/cli'
import { refuseTable } from './refuse-tables.ts'

const LOOPBACK = '127.0.0.1'

/** The part of PGlite that is used here. */
export interface Pglite {
  transaction<T>(
    run: (tx: { query(text: string, params: unknown[]): Promise<{ rows: unknown[] }> }) => Promise<T>,
  ): Promise<T>
}

export interface SupabaseServer {
  port: number
  /** file names of the migrations that this start applied */
  migrations: string[]
  /** the database itself, for who needs SQL beside HTTP */
  pglite: Pglite
  stop: () => Promise<void>
}

/**
 * PostgREST and GoTrue on an embedded PostgreSQL (PGlite). The working directory of the process is the project folder
 * that `layOutProject` made: the library looks for its files there.
 * @param port 0: any free one
 */
export async function serveSupabase(port: number): Promise<SupabaseServer> {
  const api = await createApi({ withSupabaseClient: false })
  // without admin mode a request that carries no key is refused, as on the hosted service
  const app = await api.project.local.createApp('supabase/config.toml', { admin: false })
  await app.ensureSystemSchema()
  const { applied } = await applyPendingMigrations(app)

  const pglite = app.connection.driver as Pglite
  const server = createServer(async (incoming, outgoing) => {
    try {
      const request = toRequest(incoming)
      await answer((await refuseTable(pglite, request)) ?? (await app.fetch(request)), outgoing)
    } catch (error) {
      console.error(JSON.stringify({ event: 'supabase.request_failed', url: incoming.url, message: String(error) }))
      outgoing.destroy()
    }
  })
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, LOOPBACK, resolve))
  return {
    port: (server.address() as AddressInfo).port,
    migrations: applied.map((file) => file.filename),
    pglite,
    stop: async () => {
      server.closeAllConnections()
      server.close()
      await app.connection.close()
    },
  }
}

function toRequest(incoming: IncomingMessage): Request {
  const headers = new Headers()
  for (const [name, values] of Object.entries(incoming.headersDistinct))
    for (const value of values ?? []) headers.append(name, value)
  const method = incoming.method ?? 'GET'
  const body = method === 'GET' || method === 'HEAD' ? null : (Readable.toWeb(incoming) as ReadableStream)
  return new Request(`http://${incoming.headers.host ?? LOOPBACK}${incoming.url}`, {
    method,
    headers,
    body,
    duplex: 'half',
  } as RequestInit)
}

async function answer(response: Response, outgoing: ServerResponse): Promise<void> {
  outgoing.writeHead(response.status, [...response.headers].flat())
  if (response.body) await pipeline(Readable.fromWeb(response.body as ReadableStream), outgoing)
  else outgoing.end()
}
