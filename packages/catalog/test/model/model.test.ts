import fc from 'fast-check'
import { expect, test } from 'vitest'
import { describeRaces } from '../races/race-database.ts'
import { aDeed, beginning } from './deeds.ts'
import { asCommand } from './define.ts'
import { checkInvariants } from './invariants.ts'
import { ModelCatalog } from './model.ts'
import { Real } from './real.ts'

/** `npm run test:long` takes more. */
const RUNS = process.env.FUSOU_TESTS === 'long' ? 60 : 30
const STEPS = 120
/** A bound for a machine under load, not an expectation. */
const MODEL_MS = 240_000

/** What has to come up, or the deeds are not what they were meant to be. */
const EXPECTED = [
  'accept_message waiting',
  'commit_merge committed',
  'commit_merge stale_attempt',
  'commit_merge superseded',
  'discard_file discarded',
  'fail_attempt retrying',
  'finish_job succeeded',
  'register_upload duplicate',
  'register_upload healed',
  'register_upload unknown_dataset',
  'set_aside_inputs nothing_left',
  'set_aside_inputs ok',
]

describeRaces('the functions of the catalog', (database) => {
  test(
    'do what a model of their rules does, in whatever order they are called',
    async () => {
      const seen = new Map<string, number>()
      const commands = fc.commands([aDeed.map(asCommand)], { maxCommands: STEPS, size: 'max' })
      await fc.assert(
        fc.asyncProperty(fc.noBias(beginning), fc.noBias(commands), async (uploads, steps) => {
          const real = await Real.empty(database)
          const model = new ModelCatalog()
          for (const upload of uploads) await upload.step(model, real)
          await fc.asyncModelRun(() => ({ model, real }), steps)
          await checkInvariants(database)
          for (const [what, count] of real.outcomes) seen.set(what, (seen.get(what) ?? 0) + count)
        }),
        { numRuns: RUNS },
      )
      expect(EXPECTED.filter((what) => !seen.has(what))).toEqual([])
    },
    MODEL_MS,
  )
})
