export { layOutProject } from './lay-out-project.ts'
export { serveSql } from './serve-sql.ts'
export { type Pglite, type SupabaseServer, serveSupabase } from './serve-supabase.ts'
