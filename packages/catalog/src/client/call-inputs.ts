/** The origin of a request, for the audit. */
interface RequestOrigin {
  /** IP address of the client, as the platform tells it */
  readonly address?: string | undefined
  readonly requestId?: string | undefined
}

/**
 * For whom a call is made; the database decides what they may do.
 * - `operator`: may do everything
 * - `user`: a signed-in user, by the id that Supabase Auth gave
 * - `key`: a program with a key of that user
 */
export type Requester = RequestOrigin &
  (
    | { readonly kind: 'operator' }
    | { readonly kind: 'user'; readonly id: string }
    | { readonly kind: 'key'; readonly id: string; readonly user: string }
  )

/** An operator of whom nothing else is known. */
export const AN_OPERATOR: Requester = { kind: 'operator' }

/** A user of whom nothing else is known. */
export const asUser = (id: string): Requester => ({ kind: 'user', id })

/** `p_caller` of the database functions; see supabase/schemas/015_access.sql. */
export function callerJson(requester: Requester): Record<string, unknown> {
  const { address, requestId } = requester
  const origin = { ...(address !== undefined && { address }), ...(requestId !== undefined && { requestId }) }
  switch (requester.kind) {
    case 'operator':
      return { operator: true, ...origin }
    case 'user':
      return { user: requester.id, ...origin }
    case 'key':
      return { user: requester.user, key: requester.id, ...origin }
  }
}

/** Ids that prove who writes: the job and the generation of its attempt. */
export interface Attempt {
  readonly jobId: string
  readonly attempt: number
}

/** The step or merge an attempt enters, and how long the steps before took, in seconds. */
export interface StepEntry {
  readonly leaseSeconds: number
  readonly finished?: Readonly<Record<string, number>>
}
