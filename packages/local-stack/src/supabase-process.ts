import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ReadableStream } from 'node:stream/web'
import { applyPendingMigrations, createApi } from '@supabase/lite/cli'
import { runAsChild } from './child.ts'
import { LOOPBACK } from './choose-port.ts'

for (const level of ['debug', 'log', 'info', 'warn', 'error'] as const)
  console[level] = (...values) => process.stdout.write(`${JSON.stringify(logLine(level, values))}\n`)

/** One line an event, as the Workers do: the embedded Supabase prints errors of the database over many. */
function logLine(level: string, values: unknown[]): object {
  const message = values.map((value) => (value instanceof Error ? value.message : String(value))).join(' ')
  const { code, query } = (values.find((value) => value instanceof Error) ?? {}) as { code?: string; query?: string }
  return { time: new Date().toISOString(), worker: 'supabase', level, message, code, query }
}

export interface SupabaseSettings {
  port: number
}

export interface SupabaseReady {
  /** file names of the migrations that this start applied */
  migrations: string[]
}

/**
 * PostgREST and GoTrue on an embedded PostgreSQL (PGlite). The working directory is the project folder: it holds
 * `supabase/config.toml` and `supabase/migrations`.
 */
runAsChild<SupabaseSettings, SupabaseReady>(async ({ port }) => {
  const api = await createApi({ withSupabaseClient: false })
  // without admin mode a request that carries no key is refused, as on the hosted service
  const app = await api.project.local.createApp('supabase/config.toml', { admin: false })
  await app.ensureSystemSchema()
  const { applied } = await applyPendingMigrations(app)

  const server = createServer(async (incoming, outgoing) => {
    try {
      await answer(await app.fetch(toRequest(incoming, port)), outgoing)
    } catch (error) {
      console.error(`${incoming.method} ${incoming.url} failed:`, error)
      outgoing.destroy()
    }
  })
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, LOOPBACK, resolve))
  return {
    migrations: applied.map((file) => file.filename),
    stop: async () => {
      server.closeAllConnections()
      server.close()
      await app.connection.close()
    },
  }
})

function toRequest(incoming: IncomingMessage, port: number): Request {
  const headers = new Headers()
  for (const [name, values] of Object.entries(incoming.headersDistinct))
    for (const value of values ?? []) headers.append(name, value)
  const method = incoming.method ?? 'GET'
  const body = method === 'GET' || method === 'HEAD' ? null : (Readable.toWeb(incoming) as ReadableStream)
  return new Request(`http://${LOOPBACK}:${port}${incoming.url}`, {
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
