import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'

/**
 * Serves the key sets of issuers of tokens, by path; all else goes to the embedded Supabase, which has an empty one.
 * @returns its address, and what stops it
 */
export async function serveKeySets(
  keySets: Readonly<Record<string, string>>,
  supabaseUrl: string,
): Promise<{ url: string; stop: () => void }> {
  const server = createServer(async (incoming, outgoing) => {
    const { url = '/', method = 'GET', headers } = incoming
    const keySet = keySets[url]
    if (keySet !== undefined) return outgoing.writeHead(200, { 'content-type': 'application/json' }).end(keySet)
    const { host, connection, 'content-length': length, ...passed } = headers
    const response = await fetch(new URL(url, supabaseUrl), {
      method,
      headers: passed as Record<string, string>,
      ...(method !== 'GET' && { body: await buffer(incoming) }),
    })
    outgoing.writeHead(response.status, { 'content-type': response.headers.get('content-type') ?? '' })
    outgoing.end(await response.text())
  })
  // a Worker on a busy machine may take longer than the usual five seconds between two calls of one request
  server.keepAliveTimeout = 120_000
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}
