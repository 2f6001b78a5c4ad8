import { serveSql, serveSupabase } from '@fusou/embedded-supabase'

const { port, pglite } = await serveSupabase(0)
const { port: sqlPort } = await serveSql(pglite)
process.send!({ port, sqlPort })
process.once('disconnect', () => process.exit(0))
