/** Where the code of a refused call came from: PostgreSQL, PostgREST, or the HTTP status of what stands before them. */
type Origin = 'SQLSTATE' | 'PostgREST' | 'HTTP' | 'network'

/** How a call of a database function failed. */
export interface DatabaseFault {
  readonly origin: Origin
  /** SQLSTATE, a code of PostgREST, or an HTTP status; empty when there was no answer */
  readonly code: string
  /** whether the same call may succeed later without anybody changing this Worker */
  readonly transient: boolean
}

/**
 * The classes of SQLSTATE that blame the arguments of a call or a rule of the catalog: the same call fails again.
 * See "PostgreSQL Error Codes" in its manual. All other classes are states of the server (08, 25, 53, 55, 57, 58, XX),
 * lost races (40), a pooler or a password that changes (26, 28, 42P05), or a migration under way (42).
 */
const PERMANENT_SQLSTATE: ReadonlySet<string> = new Set([
  '0A', // feature not supported
  '20', // case not found
  '21', // cardinality violation
  '22', // data exception: a bad argument
  '23', // integrity constraint violation
  '27', // triggered data change violation
  '2F', // SQL routine exception
  '44', // WITH CHECK OPTION violation
  'P0', // raised by a function of ours
])

/** PostgREST's own codes for a request that it cannot read; its others tell of connections, its schema cache and keys. */
const PERMANENT_POSTGREST = /^PGRST1/

/**
 * Statuses that blame the request itself, given without a code. A gateway answers 401, 403 and 404 for a while too:
 * when a key is rotated, a project is restored, or a route is reloaded.
 */
const PERMANENT_STATUS: ReadonlySet<number> = new Set([400, 405, 406, 411, 413, 414, 415, 416, 422, 431])

/**
 * Judges an error by the class of its code. The lists name what is permanent, so that a code that nobody thought of is
 * transient: the attempts of jobs and deliveries of messages are counted, which bounds what a repetition can cost, while
 * a job that is killed for a passing state of the database costs a person's work.
 * @param code   as the client of PostgREST gives it; anything but a code of PostgreSQL or PostgREST is not believed
 * @param status 0 when there was no answer
 */
export function judgeFault(code: unknown, status: number): DatabaseFault {
  const text = typeof code === 'string' ? code : ''
  if (status === 0) return { origin: 'network', code: '', transient: true }
  if (/^PGRST[0-9X]\d\d$/.test(text))
    return { origin: 'PostgREST', code: text, transient: !PERMANENT_POSTGREST.test(text) }
  if (/^[0-9A-Z]{5}$/.test(text))
    return { origin: 'SQLSTATE', code: text, transient: !PERMANENT_SQLSTATE.has(text.slice(0, 2)) }
  return { origin: 'HTTP', code: String(status), transient: !PERMANENT_STATUS.has(status) }
}
