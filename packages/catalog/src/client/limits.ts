import type { Database } from '../database/database.ts'
import { type LimitChanges, LimitsOfOwner } from '../records/limits.ts'
import { callerJson, type Requester } from './call-inputs.ts'
import { outcomes } from './outcomes.ts'

/** Calls of the database about limits. */
export const limitsCalls = (database: Database) => ({
  /** @param owner null: of every owner without limits of their own */
  readLimits(requester: Requester, owner: string | null) {
    return database.call('read_limits', { p_caller: callerJson(requester), p_owner: owner }, LimitsOfOwner)
  },

  /** @param limits what is left out stays, null goes back to the default */
  configureLimits(requester: Requester, owner: string | null, limits: LimitChanges) {
    return database.call(
      'configure_limits',
      { p_caller: callerJson(requester), p_owner: owner, p_settings: limits },
      LimitsOfOwner,
    )
  },

  /**
   * A lease for a stream of events of this owner; the same call again renews it.
   * @throws FusouError `rate_limited` when the owner has as many open as they may
   */
  openEventStream(owner: string, streamId: string, leaseSeconds: number) {
    return database.call(
      'open_event_stream',
      { p_owner: owner, p_stream_id: streamId, p_lease_seconds: leaseSeconds },
      outcomes('opened'),
    )
  },

  closeEventStream(streamId: string) {
    return database.call('close_event_stream', { p_stream_id: streamId }, outcomes('closed'))
  },
})
