import fc from 'fast-check'
import { expect, test } from 'vitest'
import { describeRaces } from '../races/race-database.ts'
import { checkUploads, KEEP_FILES } from './check-uploads.ts'
import { aDeed, beginning } from './deeds.ts'
import { checkInvariants } from './invariants.ts'
import { Real } from './real.ts'

/** `npm run test:long` takes more. */
const RUNS = process.env.FUSOU_TESTS === 'long' ? 20 : 8
const SESSIONS = 8
const STEPS_A_SESSION = 30
/** A bound for a machine under load, not an expectation. */
const SESSIONS_MS = 240_000

describeRaces('sessions that call whatever they like at once', (database) => {
  test(
    'leave each upload in one live file, and the catalog in order',
    async () => {
      const sessions = fc.array(fc.array(aDeed, { maxLength: STEPS_A_SESSION, size: 'max' }), {
        minLength: SESSIONS,
        maxLength: SESSIONS,
      })
      let runs = 0
      await fc.assert(
        fc.asyncProperty(beginning, fc.noBias(sessions), async (uploads, sessions) => {
          const real = await Real.empty(database)
          await database.query(KEEP_FILES)
          for (const upload of uploads) await upload.call(real)
          const all = sessions.map(async (deeds) => {
            for (const deed of deeds) await deed.call(real)
          })
          // a deadlock, or any other error of the database, fails the run; but not before all have ended
          for (const session of await Promise.allSettled(all)) if (session.status === 'rejected') throw session.reason
          // what a call passed over because another held it
          await real.call('admit_jobs')
          await checkInvariants(database)
          await checkUploads(database, real)
          runs++
        }),
        // a race does not come again in the same way: shrinking it would only take the time that the test has
        { numRuns: RUNS, endOnFailure: true },
      )
      expect(runs).toBe(RUNS)
    },
    SESSIONS_MS,
  )
})
