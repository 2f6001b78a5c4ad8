import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { MIGRATIONS } from './migrations.ts'

export interface EmbeddedSupabase {
  readonly supabaseUrl: string
  readonly supabaseSecretKey: string
  readonly publishableKey: string
  /** Takes `[{text, params}]` and runs it in one transaction as the owner of the database. */
  readonly sqlUrl: string
}

export interface RunningSupabase {
  readonly address: EmbeddedSupabase
  stop(): Promise<void>
}

/** PostgREST on an empty in-memory PGlite with the migrations of the repository; it dies with this process. */
export async function startEmbeddedSupabase(): Promise<RunningSupabase> {
  const folder = mkdtempSync(join(tmpdir(), 'fusou-supabase-'))
  const supabaseSecretKey = `sb_secret_${randomBytes(24).toString('base64url')}`
  const publishableKey = `sb_publishable_${randomBytes(24).toString('base64url')}`
  mkdirSync(join(folder, 'supabase'))
  cpSync(MIGRATIONS, join(folder, 'supabase/migrations'), { recursive: true })
  writeFileSync(
    join(folder, 'supabase/config.toml'),
    `[db]
driver = "pglite"
url = "memory://"

[auth]
enabled = true
jwt_secret = "${randomBytes(48).toString('base64url')}"
publishable_key = "${publishableKey}"
secret_key = "${supabaseSecretKey}"
`,
  )
  const child = spawn(process.execPath, [join(import.meta.dirname, 'embedded-supabase-process.ts')], {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: folder, LITE_TELEMETRY: '0', DO_NOT_TRACK: '1' },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let log = ''
  child.stderr.on('data', (chunk) => {
    log = (log + chunk).slice(-4000)
  })
  const exited = once(child, 'exit')
  const stop = async () => {
    child.stdin.end()
    await exited
    rmSync(folder, { recursive: true, force: true })
  }
  const port = await Promise.race([
    new Promise<number>((resolve) => {
      createInterface({ input: child.stdout }).on('line', (line) => {
        if (line.startsWith('port ')) resolve(Number(line.slice(5)))
      })
    }),
    exited.then(() => Promise.reject(new Error(`the embedded Supabase did not start: ${log}`))),
  ])
  const supabaseUrl = `http://127.0.0.1:${port}`
  return { address: { supabaseUrl, supabaseSecretKey, publishableKey, sqlUrl: `${supabaseUrl}/test/sql` }, stop }
}
