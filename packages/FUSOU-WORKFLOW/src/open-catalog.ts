import { type Catalog, connectCatalog, loadEnvironment } from '@fusou/catalog'
import envFile from '../../../.env.production'
import type { Env } from './env.ts'

/** @throws FusouError `not_configured` */
export function openCatalog(env: Env): Catalog {
  const { SUPABASE_URL, SUPABASE_SECRET_KEY } = loadEnvironment(env, envFile)
  return connectCatalog({ supabaseUrl: SUPABASE_URL, supabaseSecretKey: SUPABASE_SECRET_KEY })
}
