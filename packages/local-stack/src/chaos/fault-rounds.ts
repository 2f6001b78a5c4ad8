import type { FaultKind } from '../faults/fault-kinds.ts'
import type { PlannedFaults } from '../faults/fault-plan.ts'
import type { SeededRandom } from '../support/seeded-random.ts'

/** A fault that the chaos itself does, once in its round. */
export type Deed = Extract<
  FaultKind,
  | 'tree_killed'
  | 'tree_killed_starting'
  | 'database_killed'
  | 'workers_killed'
  | 'clock_jumped'
  | 'attempt_taken_over'
  | 'catalog_set_back'
  | 'merge_ended'
>

export interface Round {
  /** probability of each fault while the round lasts */
  probabilities: PlannedFaults['probabilities']
  seconds: number
  /** seconds of calm after it */
  calmSeconds: number
  /** done in this round, so long after its begin */
  deeds: { deed: Deed; afterSeconds: number }[]
}

const WEATHER: PlannedFaults['probabilities'][] = [
  { database_refused: 0.3, database_unavailable: 0.3 },
  { database_answer_lost: 0.35 },
  { database_refused: 1 },
  { database_hung: 0.25, database_call_late: 0.15 },
  { r2_refused: 0.3 },
  { r2_answer_lost: 0.3, r2_body_broken: 0.2 },
  { r2_slow: 0.4, r2_refused: 0.1 },
  { message_dropped: 0.5, message_late: 0.4 },
  { message_twice: 0.5, message_again: 0.5 },
  { send_refused: 0.5, send_answer_lost: 0.3 },
  { step_result_lost: 0.2, step_twice: 0.4 },
  { instance_hung: 0.5 },
]
const DEEDS: Deed[] = [
  'tree_killed',
  'tree_killed',
  'tree_killed_starting',
  'database_killed',
  'workers_killed',
  'clock_jumped',
  'clock_jumped',
  'clock_jumped',
  'attempt_taken_over',
  'attempt_taken_over',
  'attempt_taken_over',
  // the first time the copy is made, the second time the catalog is set back to it
  'catalog_set_back',
  'catalog_set_back',
  'merge_ended',
  'merge_ended',
  'merge_ended',
  'merge_ended',
]

/** The rounds of a run, without end: each a mixture of one or two sorts of weather, and at times a deed. */
export function* faultRounds(random: SeededRandom): Generator<Round, never> {
  // each sort of weather and each deed comes in its turn, in an order of the seed, so that short runs see all they can
  let weather: typeof WEATHER = []
  let deeds: Deed[] = []
  for (;;) {
    if (weather.length < 2) weather = [...weather, ...random.shuffled(WEATHER)]
    if (deeds.length < 2) deeds = [...deeds, ...random.shuffled(DEEDS)]
    const seconds = random.between(2, 7)
    const probabilities = Object.assign({}, ...weather.splice(0, random.between(1, 2)))
    const chosen = random.next() < 0.8 ? deeds.splice(0, random.between(1, 2)) : []
    yield {
      probabilities,
      seconds,
      calmSeconds: random.between(1, 3),
      deeds: chosen.map((deed) => ({ deed, afterSeconds: random.between(0, seconds) })),
    }
  }
}
