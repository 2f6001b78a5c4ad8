import { fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AN_OPERATOR, connectCatalog } from '@fusou/catalog'
import { layOutProject } from '@fusou/embedded-supabase'

export interface EmbeddedSupabase {
  readonly supabaseUrl: string
  readonly supabaseSecretKey: string
  readonly publishableKey: string
  /** Takes `[{text, params}]` and runs it in one transaction as the owner of the database. */
  readonly sqlUrl: string
}

export const UNBOUNDED = { maxRunningJobs: 1_000_000, maxRunningJobsOfOwner: 1_000_000 }
/** One owner of a long walk asks for more jobs by hand than a person would in an hour. */
export const MANY_JOBS_BY_HAND = { jobsByHandPerHour: 1_000_000 }

export interface RunningSupabase {
  readonly address: EmbeddedSupabase
  stop(): Promise<void>
}

/** PostgREST on an empty in-memory PGlite with the migrations of the repository; it dies with this process. */
export async function startEmbeddedSupabase(): Promise<RunningSupabase> {
  const folder = mkdtempSync(join(tmpdir(), 'fusou-supabase-'))
  layOutProject(folder, 'memory://')
  const supabaseSecretKey = `sb_secret_${randomBytes(24).toString('base64url')}`
  const publishableKey = `sb_publishable_${randomBytes(24).toString('base64url')}`
  const child = fork(join(import.meta.dirname, 'embedded-supabase-process.ts'), [], {
    cwd: folder,
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      LITE_TELEMETRY: '0',
      DO_NOT_TRACK: '1',
      SUPABASE_JWT_SECRET: randomBytes(48).toString('base64url'),
      SUPABASE_PUBLISHABLE_KEY: publishableKey,
      SUPABASE_SECRET_KEY: supabaseSecretKey,
    },
    execArgv: [],
    // what the library prints of each refused call is no part of a test's output
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  let log = ''
  child.stderr!.on('data', (chunk) => {
    log = (log + chunk).slice(-4000)
  })
  const exited = once(child, 'exit')
  const stop = async () => {
    child.disconnect()
    await exited
    rmSync(folder, { recursive: true, force: true })
  }
  const [ready] = await Promise.race([
    once(child, 'message'),
    exited.then(() => Promise.reject(new Error(`the embedded Supabase did not start: ${log}`))),
  ])
  const supabaseUrl = `http://127.0.0.1:${ready.port}`
  // tests leave jobs running; those of admission set what they need
  const catalog = connectCatalog({ supabaseUrl, supabaseSecretKey })
  await catalog.configureAdmission(AN_OPERATOR, UNBOUNDED)
  await catalog.configureLimits(AN_OPERATOR, null, MANY_JOBS_BY_HAND)
  return {
    address: { supabaseUrl, supabaseSecretKey, publishableKey, sqlUrl: `http://127.0.0.1:${ready.sqlPort}` },
    stop,
  }
}
