import { FusouError, type Requester, type Scope } from '@fusou/catalog'
import type { Context } from 'hono'
import type { AppEnv } from '../bindings.ts'

/**
 * Who calls: a user of Supabase, a program with a key of a user, an operator who holds the token, or the scheduled run of
 * our own repository.
 */
export type Caller =
  | { kind: 'user'; id: string }
  | { kind: 'key'; id: string; user: string; scopes: readonly Scope[] }
  | { kind: 'operator' }
  | { kind: 'scheduler' }

/**
 * Who may call an operation. A program with a key may call what its user may, if the operation has a scope and the key too.
 * - `open`: anybody, without a token
 * - `user`: a user; an operator has no datasets of their own
 * - `reader`: a user, who sees what is theirs or shared with them, or an operator, who sees all
 * - `operator`: an operator
 * - `scheduler`: an operator or the scheduled run
 */
export type Access = 'open' | 'user' | 'reader' | 'operator' | 'scheduler'

const ALLOWED: Record<Exclude<Access, 'open'>, readonly Caller['kind'][]> = {
  user: ['user'],
  reader: ['user', 'operator'],
  operator: ['operator'],
  scheduler: ['operator', 'scheduler'],
}

/**
 * @param authorization the header of the request
 * @throws FusouError `unauthenticated`, `invalid_token`, `token_expired`, `identity_unavailable`, and what the database
 *   gives for a key
 */
export type Identify = (authorization: string | undefined) => Promise<Caller>

/**
 * @param scope what a key needs for this operation; undefined: no key may call it
 * @throws FusouError `forbidden`
 */
export function allow(caller: Caller, access: Exclude<Access, 'open'>, scope?: Scope | 'any'): void {
  if (caller.kind === 'key' && ALLOWED[access].includes('user')) {
    if (scope === undefined) throw new FusouError('forbidden', 'this call is for a signed-in user, not for a key')
    if (scope !== 'any' && !caller.scopes.includes(scope))
      throw new FusouError('forbidden', `this call needs a key with the scope ${scope}`)
  } else if (!ALLOWED[access].includes(caller.kind)) {
    throw new FusouError('forbidden', `this call is for ${ALLOWED[access].join(' or ')}, not for a ${caller.kind}`)
  }
}

/** How the catalog knows the caller of a request. */
export function requesterOf(c: Context<AppEnv>): Requester {
  const { caller, requestId } = c.var
  const origin = { address: c.req.header('cf-connecting-ip'), requestId }
  switch (caller.kind) {
    case 'operator':
      return { kind: 'operator', ...origin }
    case 'user':
      return { kind: 'user', id: caller.id, ...origin }
    case 'key':
      return { kind: 'key', id: caller.id, user: caller.user, ...origin }
    case 'scheduler':
      throw new FusouError('forbidden', 'the scheduled run has no data of its own')
  }
}

/** Whose limits a request counts against: the key, or the user who calls without one. */
export function principalOf(caller: Caller): string {
  if (caller.kind === 'user' || caller.kind === 'key') return caller.id
  throw new FusouError('forbidden', 'this call is for users')
}
