import { createClient, type SupabaseClient } from '@supabase/supabase-js'
import type { z } from 'zod'
import type { ErrorCode } from '../error-codes.ts'
import { FusouError } from '../fusou-error.ts'
import { judgeFault } from './database-faults.ts'
import { storable } from './storable.ts'

export interface DatabaseConfig {
  readonly supabaseUrl: string
  /** A secret key: it passes row-level security and may call the functions. */
  readonly supabaseSecretKey: string
  /** How long one call may take until its answer is read, in milliseconds; by default `CALL_TIMEOUT_MS`. */
  readonly callTimeoutMs?: number
}

/** Longer than any function takes; a call that hangs is given up and, being idempotent, made again. */
export const CALL_TIMEOUT_MS = 15_000

/** Error codes that fusou.forbid() and fusou.refuse_above_limit() raise. */
const REFUSALS: Readonly<Record<string, ErrorCode | undefined>> = {
  PT403: 'forbidden',
  PT402: 'quota_exceeded',
  PT429: 'rate_limited',
}

/** Calls database functions and checks what they answer. */
export class Database {
  readonly #client: SupabaseClient
  readonly #callTimeoutMs: number

  constructor(config: DatabaseConfig) {
    this.#callTimeoutMs = config.callTimeoutMs ?? CALL_TIMEOUT_MS
    this.#client = createClient(config.supabaseUrl, config.supabaseSecretKey, {
      auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
    })
  }

  /**
   * The details name the function and the code of the fault, never the database's own text, which is in the cause.
   * @throws FusouError `database_unavailable` (transient), `database_refused` (permanent), or `database_mismatch`
   *   (transient) when the answer has another form than this Worker expects
   */
  async call<Schema extends z.ZodType>(
    name: string,
    args: Record<string, unknown>,
    schema: Schema,
  ): Promise<z.infer<Schema>> {
    const deadline = AbortSignal.timeout(this.#callTimeoutMs)
    const { data, error, status } = await this.#client.rpc(name, storable(args)).abortSignal(deadline)
    if (error) {
      // the function ended the call by one of its rules; the text is for the client
      const refused = REFUSALS[error.code]
      if (refused) throw new FusouError(refused, error.message)
      const { origin, code, transient } = judgeFault(error.code, status)
      const cause = new Error(`${name}: ${error.code} ${error.message}`)
      if (origin === 'network') {
        const how = deadline.aborted ? `no answer within ${this.#callTimeoutMs} ms` : 'no connection'
        throw new FusouError('database_unavailable', `${name}: ${how}; try again`, { cause })
      }
      if (transient)
        throw new FusouError('database_unavailable', `${name} failed with ${origin} ${code}; try again`, { cause })
      throw new FusouError('database_refused', `${name} was refused with ${origin} ${code}; see the log`, { cause })
    }
    // 204 is a function that returns nothing, or what the client makes of an empty 404
    const answer = schema.safeParse(status === 204 ? undefined : data)
    if (!answer.success)
      throw new FusouError(
        'database_mismatch',
        `${name} gave an answer of an unknown form; deploy the Workers and the migrations of one commit`,
        { cause: answer.error },
      )
    return answer.data
  }
}
