import { type Catalog, connectCatalog, FusouError, loadEnvironment } from '@fusou/catalog'
import type { Context } from 'hono'
import type { Identify } from './auth/caller.ts'
import { identifyCaller } from './auth/identify-caller.ts'
import { LinkAuthenticator } from './auth/signed-link.ts'
import type { AppEnv, Bindings } from './bindings.ts'
import { PinnedLayouts } from './tables/pinned-layout.ts'
import { UploadRights } from './upload/upload-rights.ts'

/** Objects made once an isolate from the environment. */
export interface Services {
  readonly catalog: Catalog
  readonly identify: Identify
  readonly links: LinkAuthenticator
  readonly layouts: PinnedLayouts
  /** pages that may read from another origin */
  readonly readerOrigins: readonly string[]
  readonly uploadRights: UploadRights
}

const BINDINGS = ['BUCKET', 'COMPACTION_QUEUE', 'WORKFLOW_SERVICE'] as const satisfies (keyof Bindings)[]

/**
 * @param envFile text of the env file in the bundle; variables set on the Worker win over it
 * @returns opens the services of an environment, the same ones each time
 * @throws FusouError `not_configured` (the returned function)
 */
export function serviceOpener(envFile: string): (env: Bindings) => Services {
  const opened = new WeakMap<Bindings, Services>()
  return (env) => {
    const known = opened.get(env)
    if (known) return known
    const missing = BINDINGS.filter((name) => env[name] === undefined)
    if (missing.length > 0) throw new FusouError('not_configured', `bind ${missing.join(', ')}`)
    const environment = loadEnvironment(env, envFile)
    const catalog = connectCatalog({
      supabaseUrl: environment.SUPABASE_URL,
      supabaseSecretKey: environment.SUPABASE_SECRET_KEY,
    })
    const services: Services = {
      catalog,
      identify: identifyCaller(environment, catalog),
      links: new LinkAuthenticator(catalog),
      layouts: new PinnedLayouts(),
      readerOrigins: environment.READER_ORIGINS,
      uploadRights: new UploadRights(catalog),
    }
    opened.set(env, services)
    return services
  }
}

/** Who sends the outbox messages that a request makes: unique, since it is the lock's name. */
export const senderOf = (c: Context<AppEnv>): string => `web:${c.var.requestId}`
