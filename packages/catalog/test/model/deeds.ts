import fc from 'fast-check'
import * as attempts from './attempt-deeds.ts'
import * as clients from './client-deeds.ts'
import type { Deed } from './define.ts'
import * as system from './system-deeds.ts'

/** All that can be done, each as often as jobs need it to get to their end while other things come between. */
const WEIGHTED: readonly (readonly [weight: number, deed: fc.Arbitrary<Deed>])[] = [
  [10, clients.upload],
  [4, clients.uploadAgain],
  [1, clients.replace],
  [2, clients.discard],
  [3, clients.release],
  [1, clients.acknowledge],
  [2, clients.request],
  [1, clients.dailyRound],
  [1, clients.cancel],
  [3, clients.retry],
  [1, clients.redrive],
  [4, clients.read],
  [10, attempts.deliver],
  [1, attempts.enter],
  [12, attempts.plan],
  [4, attempts.open],
  [22, attempts.commit],
  [3, attempts.commitAgain],
  [6, attempts.setAside],
  [5, attempts.finish],
  [6, attempts.fail],
  [1, system.deadLetter],
  [2, system.timePasses],
  [1, system.configure],
  [2, system.makeEager],
  [1, system.admit],
  [3, system.vacuum],
  [1, system.sweep],
  [1, system.sweepTwice],
  [1, system.redispatch],
  [1, system.retell],
  [2, system.relay],
  [1, system.rescue],
]

export const aDeed: fc.Arbitrary<Deed> = fc.oneof(...WEIGHTED.map(([weight, arbitrary]) => ({ weight, arbitrary })))

/** Uploads, so that there is something to work on, to datasets that are soon worth a job. */
export const beginning: fc.Arbitrary<Deed[]> = fc
  .tuple(
    fc.array(clients.upload, { minLength: 4, maxLength: 8 }),
    fc.array(system.makeEager, { minLength: 2, maxLength: 3 }),
  )
  .map((deeds) => deeds.flat())
