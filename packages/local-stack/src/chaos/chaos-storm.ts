import { setTimeout as wait } from 'node:timers/promises'
import type { StackDatabase } from '../checks/database.ts'
import type { Ledger } from '../checks/ledger.ts'
import { runCron } from '../checks/run-cron.ts'
import type { ApiCaller } from '../client/api-caller.ts'
import type { FaultPlan } from '../faults/fault-plan.ts'
import type { ProgressLine } from '../support/progress-line.ts'
import { SeededRandom } from '../support/seeded-random.ts'
import type { CatalogCopy } from './catalog-copy.ts'
import { type Deed, faultRounds } from './fault-rounds.ts'
import type { KillableStack } from './killable-stack.ts'
import type { OperateActions } from './operate-actions.ts'
import { setBackCatalog } from './set-back-catalog.ts'
import type { SharingActions } from './sharing-actions.ts'
import type { UploadActions } from './upload-actions.ts'

/** between two actions of a client */
const MAX_IDLE_MS = 900
const CRON_EVERY_MS = 2000
/** longer than a lease, a lock and every pause */
const JUMP_SECONDS = 20 * 60

export interface StormParts {
  stack: KillableStack
  database: StackDatabase
  plan: FaultPlan
  uploads: UploadActions
  operate: OperateActions
  sharing: SharingActions
  ledger: Ledger
  operator: ApiCaller
  copy: CatalogCopy
  seed: number
  progress: ProgressLine
}

type Act = (random: SeededRandom) => Promise<void>

/** Clients that act at random, and faults that come in rounds: what happens is chosen by the seed, when is up to the machine. */
export class ChaosStorm {
  rounds = 0
  readonly #parts: StormParts
  /** how many objects had each judgment when the catalog was set back */
  readonly adopted: Record<string, number> = {}
  readonly #acts: readonly (readonly [weight: number, act: Act])[]
  #raging = false

  constructor(parts: StormParts) {
    this.#parts = parts
    const { uploads, operate, sharing } = parts
    this.#acts = [
      [30, (random) => uploads.whole(random)],
      [10, (random) => uploads.sliced(random)],
      [8, (random) => uploads.again(random)],
      [4, (random) => uploads.bad(random)],
      [1.5, (random) => uploads.rotten(random)],
      [1, (random) => uploads.hostile(random)],
      [3, (random) => uploads.foreign(random)],
      [1, (random) => uploads.contested(random)],
      [6, (random) => operate.sanitize(random)],
      [1, (random) => operate.sanitizeForeign(random)],
      [3, (random) => operate.triggerScheduled(random)],
      [4, (random) => operate.cancel(random)],
      [3, (random) => operate.retry(random)],
      [2, (random) => operate.redrive(random)],
      [3, (random) => operate.sendByHand(random)],
      [2, (random) => operate.sendPoison(random)],
      [3, (random) => operate.release(random)],
      [12, (random) => operate.read(random)],
      [5, (random) => sharing.uploadByKey(random)],
      [2, (random) => sharing.uploadByFriend(random)],
      [1, (random) => sharing.changeRole(random)],
      [2, (random) => sharing.changeTable(random)],
      [1, (random) => sharing.rewrite(random)],
      [1, (random) => sharing.deleteAndRestore(random)],
    ]
  }

  /** Until the time is up and every client has ended what it was at; then no fault is left. */
  async rage(seconds: number, clients: number): Promise<void> {
    this.#raging = true
    const clientLoops = Array.from({ length: clients }, (_, index) => this.#act(index))
    const cron = this.#keepCron()
    try {
      await this.#strike(seconds)
    } finally {
      this.#raging = false
      this.#parts.plan.set({})
    }
    await Promise.all([...clientLoops, cron])
  }

  async #act(index: number): Promise<void> {
    const random = new SeededRandom(this.#parts.seed * 1009 + index)
    const total = this.#acts.reduce((sum, [weight]) => sum + weight, 0)
    while (this.#raging) {
      let dice = random.next() * total
      for (const [weight, act] of this.#acts) {
        dice -= weight
        if (dice >= 0) continue
        await act(random)
        break
      }
      await wait(random.between(0, MAX_IDLE_MS))
    }
  }

  async #keepCron(): Promise<void> {
    const { stack, ledger } = this.#parts
    while (this.#raging) {
      ledger.note('cron', await runCron(stack.info))
      await wait(CRON_EVERY_MS)
    }
  }

  async #strike(seconds: number): Promise<void> {
    const { plan, seed, progress } = this.#parts
    const until = Date.now() + seconds * 1000
    const random = new SeededRandom(seed)
    for (const round of faultRounds(random)) {
      if (Date.now() >= until) return
      this.rounds += 1
      plan.set(round.probabilities)
      const said = [...Object.keys(round.probabilities), ...round.deeds.map(({ deed }) => deed)].join(', ')
      progress.show(`round ${this.rounds}: ${said}`)
      const end = Date.now() + round.seconds * 1000
      let waited = 0
      for (const { deed, afterSeconds } of round.deeds.sort((a, b) => a.afterSeconds - b.afterSeconds)) {
        await wait((afterSeconds - waited) * 1000)
        waited = afterSeconds
        await this.#do(deed, random)
      }
      await wait(Math.max(0, end - Date.now()))
      plan.set({})
      await wait(round.calmSeconds * 1000)
    }
  }

  async #do(deed: Deed, random: SeededRandom): Promise<void> {
    const { stack, database, plan, copy } = this.#parts
    if (deed === 'catalog_set_back') return this.#setBack(copy)
    plan.count(deed)
    if (deed === 'tree_killed') await stack.kill('tree')
    else if (deed === 'database_killed') await stack.kill('database')
    else if (deed === 'workers_killed') await stack.kill('workers')
    else if (deed === 'tree_killed_starting') await stack.killStarting(random.between(200, 5000))
    else if (deed === 'clock_jumped') await database.letTimePass(JUMP_SECONDS)
    else if (deed === 'merge_ended') await database.query(endAttempts("and step like 'compact-%'"))
    else await database.query(endAttempts('and attempt - excused_ends < max_attempts'))
  }

  /** The first time a copy is made; the next time, the catalog is set back to it while the clients go on. */
  async #setBack(copy: CatalogCopy): Promise<void> {
    const { stack, plan } = this.#parts
    if (!copy.isTaken) return stack.whileStopped(() => copy.take())
    // an operator waits for calm before adopting; the clients do not
    plan.set({})
    plan.count('catalog_set_back')
    const totals = await setBackCatalog(this.#parts, copy)
    for (const [judgment, objects] of Object.entries(totals))
      this.adopted[judgment] = (this.adopted[judgment] ?? 0) + objects
  }
}

/** As the rescuer does to an attempt whose instance ended; the instance runs on beside the next one. */
const endAttempts = (which: string) =>
  `select fail_attempt(id, attempt, 'workflow_ended', 'rescue', 'injected: taken for dead', true, 60)
   from jobs where state = 'running' ${which} order by id limit 1`
