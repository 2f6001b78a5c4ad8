import type { Pglite } from './serve-supabase.ts'

/**
 * The embedded PostgREST grants every table to every role by itself, so that what the migrations revoke is open again and
 * the secret key reads all. On a hosted project it stays revoked: no migration grants a table to anybody, which a test
 * holds on a real server. So every request for a table is refused here as PostgREST refuses it there; a read that works
 * only on this machine would fail after the deployment.
 * @returns undefined for what is no request for a table
 */
export async function refuseTable(pglite: Pglite, request: Request): Promise<Response | undefined> {
  const [, name] = /^\/rest\/v1\/([^/]+)\/?$/.exec(new URL(request.url).pathname) ?? []
  if (name === undefined || request.method === 'OPTIONS') return undefined
  const table = decodeURIComponent(name)
  const isTable = await pglite.transaction(async (tx) => {
    const { rows } = await tx.query(
      `select 1 from pg_catalog.pg_class c
       where c.relnamespace = 'public'::regnamespace and c.relname = $1 and c.relkind in ('r', 'p', 'v', 'm')`,
      [table],
    )
    return rows.length > 0
  })
  if (!isTable) return undefined
  const body = { code: '42501', details: null, hint: null, message: `permission denied for table ${table}` }
  return Response.json(body, { status: 403 })
}
