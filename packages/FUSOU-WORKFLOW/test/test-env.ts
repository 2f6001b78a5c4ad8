import { env as testEnv } from 'cloudflare:test'
import type { Env } from '../src/env.ts'
import { openCatalog } from '../src/open-catalog.ts'

export const env = testEnv as unknown as Env
export const catalog = openCatalog(env)

/** How often and how long a test looks for what happens by itself. */
export const POLL = { interval: 50, timeout: 30_000 }
