import { createClient, type SupabaseClient } from '@supabase/supabase-js'
import type { z } from 'zod'
import type { ErrorCode } from './error-codes.ts'
import { FusouError } from './fusou-error.ts'
import { storable } from './storable.ts'

export interface DatabaseConfig {
  readonly supabaseUrl: string
  /** A secret key: it passes row-level security and may call the functions. */
  readonly supabaseSecretKey: string
}

/** Longer than any function takes; a call that hangs is given up and, being idempotent, made again. */
export const CALL_TIMEOUT_MS = 15_000

/** PostgreSQL's classes of errors that pass: connection, rollback, resources, operator intervention, system. */
const TRANSIENT_SQLSTATE = /^(08|40|53|57|58|55P03|XX)/
/** PostgREST's own: no connection, pool exhausted, schema cache being loaded. */
const TRANSIENT_POSTGREST = /^PGRST00[0-3]$/

/** What fusou.refuse_above_limit() raises. */
const LIMIT_CODES: Readonly<Record<string, ErrorCode | undefined>> = { PT403: 'quota_exceeded', PT429: 'rate_limited' }

/** Calls database functions and checks what they answer. */
export class Database {
  readonly #client: SupabaseClient

  constructor(config: DatabaseConfig) {
    this.#client = createClient(config.supabaseUrl, config.supabaseSecretKey, {
      auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
    })
  }

  /** @throws FusouError `database_unavailable` (transient) or `database_refused`; never the database's own text */
  async call<Schema extends z.ZodType>(
    name: string,
    args: Record<string, unknown>,
    schema: Schema,
  ): Promise<z.infer<Schema>> {
    const { data, error, status } = await this.#client
      .rpc(name, storable(args))
      .abortSignal(AbortSignal.timeout(CALL_TIMEOUT_MS))
    if (error) {
      // fusou.refuse_above_limit() ended the call; its text is for the client
      const refused = LIMIT_CODES[error.code]
      if (refused) throw new FusouError(refused, error.message)
      const transient =
        error.code === '' ||
        TRANSIENT_SQLSTATE.test(error.code) ||
        TRANSIENT_POSTGREST.test(error.code) ||
        status === 429 ||
        status >= 502
      const cause = new Error(`${name}: ${error.code} ${error.message}`)
      if (transient) throw new FusouError('database_unavailable', `${name} got no answer; try again`, { cause })
      throw new FusouError('database_refused', `${name} was refused; see the log of this request`, { cause })
    }
    // 204 is a function that returns nothing, or what the client makes of an empty 404
    const answer = schema.safeParse(status === 204 ? undefined : data)
    if (!answer.success)
      throw new FusouError('database_refused', `${name} gave an answer of an unknown form`, { cause: answer.error })
    return answer.data
  }
}
