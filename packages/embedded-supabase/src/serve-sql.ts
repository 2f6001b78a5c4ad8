import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import type { Pglite } from './serve-supabase.ts'

interface Statement {
  text: string
  params: unknown[]
}

/**
 * A door for SQL beside the one for HTTP, on loopback: `POST` a list of `{text, params}`; they run in one transaction as
 * the owner of the database, and the answer is a list of rows for each. For tests and checks alone.
 */
export async function serveSql(pglite: Pglite): Promise<{ port: number; stop: () => void }> {
  const server = createServer(async (incoming, outgoing) => {
    try {
      const statements = (await json(incoming)) as Statement[]
      const results = await pglite.transaction(async (tx) => {
        const results: unknown[][] = []
        for (const { text, params } of statements) results.push((await tx.query(text, params)).rows)
        return results
      })
      outgoing.end(JSON.stringify(results))
    } catch (error) {
      outgoing.writeHead(500).end(String(error))
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    stop: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}
