import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const MIGRATIONS = join(import.meta.dirname, '../../../supabase/migrations')

/**
 * Make or refresh a project folder for `serveSupabase`: settings, a copy of the repository's migrations, the data
 * beside them. The process that serves it has the keys in SUPABASE_JWT_SECRET, SUPABASE_PUBLISHABLE_KEY and
 * SUPABASE_SECRET_KEY.
 * @param data where the database lies: a path in the folder, or `memory://`
 */
export function layOutProject(folder: string, data = 'data'): void {
  const copy = join(folder, 'supabase/migrations')
  rmSync(copy, { recursive: true, force: true })
  mkdirSync(copy, { recursive: true })
  cpSync(MIGRATIONS, copy, { recursive: true })
  writeFileSync(join(folder, 'supabase/config.toml'), config(data))
}

const config = (data: string) => `# written at each start
[db]
driver = "pglite"
url = "${data}"

[auth]
enabled = true
enable_signup = true
jwt_secret = "env(SUPABASE_JWT_SECRET)"
jwt_expiry = 3600
publishable_key = "env(SUPABASE_PUBLISHABLE_KEY)"
secret_key = "env(SUPABASE_SECRET_KEY)"

[auth.email]
enable_signup = true
enable_confirmations = false
`
