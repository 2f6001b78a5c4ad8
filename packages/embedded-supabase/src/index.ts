export { layOutProject } from './lay-out-project.ts'
export { type SupabaseServer, serveSupabase } from './serve-supabase.ts'
