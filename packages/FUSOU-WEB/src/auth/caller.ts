import { FusouError, type Requester } from '@fusou/catalog'

/** Who calls: a user of Supabase, an operator who holds the token, or the scheduled run of our own repository. */
export type Caller = { kind: 'user'; id: string } | { kind: 'operator' } | { kind: 'scheduler' }

/**
 * Who may call an operation.
 * - `open`: anybody, without a token
 * - `user`: a user; an operator has no datasets of their own
 * - `reader`: a user, who sees their own, or an operator, who sees all
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
 * @throws FusouError `unauthenticated`, `invalid_token`, `token_expired`, `identity_unavailable`
 */
export type Identify = (authorization: string | undefined) => Promise<Caller>

/** @throws FusouError `forbidden` */
export function allow(caller: Caller, access: Exclude<Access, 'open'>): void {
  if (!ALLOWED[access].includes(caller.kind)) {
    throw new FusouError('forbidden', `this call is for ${ALLOWED[access].join(' or ')}, not for a ${caller.kind}`)
  }
}

/** How the catalog knows a caller: a user by id, an operator as null. */
export const requesterOf = (caller: Caller): Requester => (caller.kind === 'user' ? caller.id : null)
