/** One thread of a run: checks every `step`th file from `first` on, and says what came of each. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { checkComposed } from './check-composed.ts'
import { checkFile, type Outcome } from './check-file.ts'
import { checkHostile, makeHostile } from './check-hostile.ts'
import { mutate, readSeed } from './mutate.ts'
import { randomFrom } from './random.ts'

export interface WorkerOrder {
  seedsFolder: string
  seed: number
  first: number
  step: number
  /** number of the first file that is not checked */
  end: number
  /** of the clock of the process */
  untilMs: number
  /** the file under way, for the one who waits */
  current: Int32Array
}

export interface FuzzFailure {
  index: number
  seedName: string
  way: string
  error: string
  bytes: Uint8Array
}

export type WorkerMessage = { failure: FuzzFailure } | { outcomes: Record<string, Record<Outcome, number>> }

/** One file of so many is made to be hostile; the others are sound ones that were changed. */
const HOSTILE_EVERY = 64

// most files end in an error; a failure can be made again for more of its stack
Error.stackTraceLimit = 4

const { seedsFolder, seed, first, step, end, untilMs, current } = workerData as WorkerOrder
const seeds = readdirSync(seedsFolder)
  .sort()
  .map((name) => readSeed(name, new Uint8Array(readFileSync(join(seedsFolder, name)))))
const outcomes: Record<string, Record<Outcome, number>> = {}
const send = (message: WorkerMessage) => parentPort!.postMessage(message)

for (let index = first; index < end && performance.timeOrigin + performance.now() < untilMs; index += step) {
  Atomics.store(current, 0, index)
  const random = randomFrom(seed, index)
  if (index % HOSTILE_EVERY === 0) {
    await check('none', 'hostile', makeHostile(random), (bytes) => checkHostile(bytes, random))
    continue
  }
  const chosen = random(seeds.length)
  const { name, bytes: sound } = seeds[chosen]!
  const { bytes: mutated, way } = mutate(seeds[chosen]!, seeds, random)
  await check(name, way, mutated, (bytes) => {
    checkComposed(bytes, sound)
    return checkFile({ mutated: bytes, sound }, random)
  })
}
send({ outcomes })

async function check(
  seedName: string,
  way: string,
  bytes: Uint8Array,
  work: (bytes: Uint8Array) => Promise<Outcome>,
): Promise<void> {
  const index = Atomics.load(current, 0)
  outcomes[way] ??= { equal: 0, refused: 0, unreadable: 0 }
  try {
    outcomes[way][await work(bytes)]++
  } catch (thrown) {
    const error = thrown as Error
    const cause = error.cause instanceof Error ? `\n  because: ${error.cause.message}` : ''
    send({ failure: { index, seedName, way, error: `${error.stack}${cause}`, bytes } })
  }
}
