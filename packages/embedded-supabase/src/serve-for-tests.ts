import { serveSupabase } from './serve-supabase.ts'

/** A process of its own, so that queries and tests run on two cores; it ends with its parent. */
const { port, stop } = await serveSupabase(0)
process.once('disconnect', () => stop().then(() => process.exit(0)))
process.send!({ port })
