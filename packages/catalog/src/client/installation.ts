import { z } from 'zod'
import type { Database } from '../database/database.ts'
import {
  AcceptedInstallation,
  type BucketLook,
  CheckedInstallation,
  type PairingProblem,
} from '../records/installation.ts'
import { callerJson, type Requester } from './call-inputs.ts'

/** Calls of the database about installation. */
export const installationCalls = (database: Database) => ({
  /** Compare what the bucket says with what the catalog knows; see `pairInstallation`. */
  checkInstallation(look: BucketLook) {
    return database.call('check_installation', { p_bucket: look }, CheckedInstallation)
  },

  /** A person decides that the bucket belongs to this catalog, although `problem` stands. */
  acceptInstallation(requester: Requester, problem: PairingProblem, look: BucketLook) {
    return database.call(
      'accept_installation',
      { p_caller: callerJson(requester), p_problem: problem, p_bucket: look },
      AcceptedInstallation,
    )
  },

  /** @param pause null: deletions go on */
  pauseDeletions(requester: Requester, pause: { by: string; reason: string | null } | null) {
    return database.call(
      'pause_deletions',
      {
        p_caller: callerJson(requester),
        p_paused: pause !== null,
        p_by: pause?.by ?? null,
        p_reason: pause?.reason ?? null,
      },
      z.object({ paused: z.boolean() }),
    )
  },

  /** The next page of a walk over the bucket, if one is due. */
  beginSweep(name: string) {
    return database.call(
      'begin_sweep',
      { p_name: name },
      z.discriminatedUnion('due', [
        z.object({ due: z.literal(true), cursor: z.string().nullable(), round: z.int() }),
        z.object({ due: z.literal(false) }),
      ]),
    )
  },

  /** Records one page of the walk; a page that another walker has recorded is `stale`. */
  recordSweepPage(
    name: string,
    page: {
      round: number
      cursor: string | null
      /** null at the end of the bucket */
      nextCursor: string | null
      objects: number
      /** keys of objects that are old enough to be orphans */
      oldKeys: readonly string[]
      pauseSeconds: number
      stamp?: number | null
    },
  ) {
    return database.call(
      'record_sweep_page',
      {
        p_name: name,
        p_round: page.round,
        p_cursor: page.cursor,
        p_next_cursor: page.nextCursor,
        p_objects: page.objects,
        p_keys: page.oldKeys,
        p_pause_seconds: page.pauseSeconds,
        p_stamp: page.stamp ?? null,
      },
      z.object({ outcome: z.enum(['recorded', 'stale']), orphans: z.int() }),
    )
  },

  /** Marks for deletion what two rounds have found; @returns how many */
  markOrphans(name: string, limit: number, stamp: number | null = null) {
    return database.call('mark_orphans', { p_name: name, p_limit: limit, p_stamp: stamp }, z.int())
  },

  /** A person has looked at the orphans that stopped the sweep. */
  acceptOrphans(requester: Requester, name: string, orphans: number, releaseKept: boolean) {
    return database.call(
      'accept_orphans',
      { p_caller: callerJson(requester), p_name: name, p_orphans: orphans, p_release_kept: releaseKept },
      z.discriminatedUnion('outcome', [
        z.object({ outcome: z.literal('accepted'), orphans: z.int(), released: z.int() }),
        z.object({ outcome: z.literal('changed'), orphans: z.int() }),
      ]),
    )
  },
})
