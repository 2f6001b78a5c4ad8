import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { layOutProject } from './lay-out-project.ts'

const KEYS = {
  jwtSecret: 'only-for-tests-only-for-tests-only-for-tests',
  publishableKey: 'sb_publishable_only-for-tests',
  secretKey: 'sb_secret_only-for-tests',
}

declare module 'vitest' {
  interface ProvidedContext {
    supabase: typeof KEYS & { url: string }
  }
}

/** Gives a test project an embedded Supabase with the migrations; tests reach it by `inject('supabase')`. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = mkdtempSync(join(tmpdir(), 'fusou-supabase-'))
  layOutProject(folder, 'memory://')
  const server = fork(join(import.meta.dirname, 'serve-for-tests.ts'), [], {
    cwd: folder,
    env: {
      ...process.env,
      SUPABASE_JWT_SECRET: KEYS.jwtSecret,
      SUPABASE_PUBLISHABLE_KEY: KEYS.publishableKey,
      SUPABASE_SECRET_KEY: KEYS.secretKey,
      LITE_TELEMETRY: '0',
      DO_NOT_TRACK: '1',
    },
    execArgv: [],
  })
  const exited = once(server, 'exit')
  const ready = (await Promise.race([once(server, 'message'), exited]))[0]
  if (typeof ready !== 'object') throw new Error(`the embedded Supabase ended with ${ready}`)
  const url = `http://127.0.0.1:${ready.port}`
  // tests leave jobs running; those of the limits set their own
  const unbounded = {
    p_caller: { operator: true },
    p_settings: { maxRunningJobs: 1_000_000, maxRunningJobsOfOwner: 1_000_000 },
  }
  const configured = await fetch(`${url}/rest/v1/rpc/configure_admission`, {
    method: 'POST',
    headers: { apikey: KEYS.secretKey, 'Content-Type': 'application/json' },
    body: JSON.stringify(unbounded),
  })
  if (!configured.ok) throw new Error(await configured.text())
  project.provide('supabase', { ...KEYS, url })
  return async () => {
    server.disconnect()
    await exited
    rmSync(folder, { recursive: true, force: true })
  }
}
