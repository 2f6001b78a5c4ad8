import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { applyPendingMigrations, createApi } from '@supabase/lite/cli'

/** The part of PGlite that is used here. */
interface Pglite {
  transaction<T>(
    run: (tx: { query(text: string, params: unknown[]): Promise<{ rows: unknown[] }> }) => Promise<T>,
  ): Promise<T>
}
interface Statement {
  text: string
  params: unknown[]
}

const api = await createApi({ withSupabaseClient: false })
const app = await api.project.local.createApp('supabase/config.toml', { admin: false })
await app.ensureSystemSchema()
await applyPendingMigrations(app)
const pglite = app.connection.driver as Pglite

const runStatements = (statements: Statement[]) =>
  pglite.transaction(async (tx) => {
    const results: unknown[][] = []
    for (const { text, params } of statements) results.push((await tx.query(text, params)).rows)
    return results
  })

const server = createServer(async (incoming, outgoing) => {
  const body = await buffer(incoming)
  const headers = new Headers(incoming.headers as Record<string, string>)
  try {
    const response =
      incoming.url === '/test/sql'
        ? Response.json(await runStatements(JSON.parse(body.toString())))
        : await app.fetch(
            new Request(`http://${incoming.headers.host}${incoming.url}`, {
              method: incoming.method ?? 'GET',
              headers,
              ...(body.length > 0 && { body }),
            }),
          )
    outgoing.writeHead(response.status, Object.fromEntries(response.headers))
    outgoing.end(Buffer.from(await response.arrayBuffer()))
  } catch (error) {
    outgoing.writeHead(500)
    outgoing.end(String(error))
  }
})
server.listen(0, '127.0.0.1', () => console.log(`port ${(server.address() as AddressInfo).port}`))
// the parent holds the other end: it is closed to stop this process, and by the parent's death
process.stdin.resume().on('end', () => process.exit(0))
