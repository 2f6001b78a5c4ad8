import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { serveSupabase } from '@fusou/embedded-supabase'

interface Statement {
  text: string
  params: unknown[]
}

/** A door for SQL beside the one for HTTP: a list of statements in one transaction, as the owner of the database. */
const { port, pglite } = await serveSupabase(0)
const sqlDoor = createServer(async (incoming, outgoing) => {
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
sqlDoor.listen(0, '127.0.0.1', () => process.send!({ port, sqlPort: (sqlDoor.address() as AddressInfo).port }))
process.once('disconnect', () => process.exit(0))
