// The embedded Supabase with the migrations of the repository, and beside it the key sets of two issuers of tokens.
// A process of its own, since its project folder is the working directory.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { applyPendingMigrations, createApi } from '@supabase/lite/cli'

/** Key sets by path: of the project's user tokens, and of GitHub Actions. */
const keySets: Record<string, string> = {
  '/auth/v1/.well-known/jwks.json': process.env.USER_JWKS!,
  '/github/.well-known/jwks': process.env.GITHUB_JWKS!,
}

const api = await createApi({ withSupabaseClient: false })
const app = await api.project.local.createApp('supabase/config.toml', { admin: false })
await app.ensureSystemSchema()
await applyPendingMigrations(app)

const server = createServer(async (incoming, outgoing) => {
  const keySet = keySets[incoming.url ?? '']
  if (keySet !== undefined) return outgoing.writeHead(200, { 'content-type': 'application/json' }).end(keySet)
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk)
  const { address, port } = server.address() as AddressInfo
  const response = await app.fetch(
    new Request(`http://${address}:${port}${incoming.url}`, {
      method: incoming.method ?? 'GET',
      headers: incoming.headers as Record<string, string>,
      body: chunks.length > 0 ? Buffer.concat(chunks) : null,
    }),
  )
  outgoing.writeHead(response.status, [...response.headers].flat())
  outgoing.end(Buffer.from(await response.arrayBuffer()))
})
server.listen(0, '127.0.0.1', () => process.send!({ port: (server.address() as AddressInfo).port }))
process.on('disconnect', () => process.exit())
