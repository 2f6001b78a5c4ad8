import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { peakMemoryBytes } from '../test/support/peak-memory.ts'
import type { Outcome } from './check-file.ts'
import { makeSeeds } from './make-seeds.ts'
import type { FuzzFailure, WorkerMessage, WorkerOrder } from './worker.ts'

/** No file of a few kilobytes may take longer; even this is for a machine with much else to do. */
const HANG_SECONDS = 20
/** what the heap of a thread may grow to */
const HEAP_MIB = 256

export interface FuzzOptions {
  seed: number
  files: number
  /** ends earlier than `files` if given */
  minutes?: number
  threads?: number
  /** check this one file only */
  only?: number
  onProgress?(filesDone: number): void
}

export interface FuzzReport {
  seed: number
  files: number
  seconds: number
  /** by what was done to the file */
  outcomes: Record<string, Record<Outcome, number>>
  failures: FuzzFailure[]
  /** how much the process grew over what it held before the first file */
  peakAboveIdleBytes: number
}

/**
 * Mutate files and check what the merge makes of them.
 * @returns failures too; a file on which a thread hangs is one, and ends that thread
 */
export async function runFuzz(options: FuzzOptions): Promise<FuzzReport> {
  const { seed, files, minutes, only, threads = availableParallelism() } = options
  const seedsFolder = mkdtempSync(join(tmpdir(), 'parquet-fuzz-'))
  await makeSeeds(seedsFolder)
  const idle = process.memoryUsage().rss
  const started = performance.now()
  const untilMs = minutes === undefined ? Number.POSITIVE_INFINITY : Date.now() + minutes * 60_000
  const failures: FuzzFailure[] = []
  const outcomes: FuzzReport['outcomes'] = {}
  const shared = Array.from(
    { length: only === undefined ? threads : 1 },
    () => new Int32Array(new SharedArrayBuffer(4)),
  )
  await Promise.all(
    shared.map((current, thread) =>
      runThread(
        only === undefined
          ? { seedsFolder, seed, first: thread, step: shared.length, end: files, untilMs, current }
          : { seedsFolder, seed, first: only, step: 1, end: only + 1, untilMs, current },
        failures,
        outcomes,
        () => options.onProgress?.(Math.max(...shared.map((at) => Atomics.load(at, 0)))),
      ),
    ),
  )
  rmSync(seedsFolder, { recursive: true, force: true })
  let checked = failures.length
  for (const { equal, refused, unreadable } of Object.values(outcomes)) checked += equal + refused + unreadable
  return {
    seed,
    files: checked,
    seconds: (performance.now() - started) / 1000,
    outcomes,
    failures: failures.sort((a, b) => a.index - b.index),
    peakAboveIdleBytes: peakMemoryBytes() - idle,
  }
}

function runThread(
  order: WorkerOrder,
  failures: FuzzFailure[],
  outcomes: FuzzReport['outcomes'],
  onTick: () => void,
): Promise<void> {
  return new Promise((resolve) => {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), {
      workerData: order,
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB },
    })
    let last = -1
    let lastSeconds = performance.now() / 1000
    const failHere = (error: string) =>
      failures.push({ index: last, seedName: '', way: '', error, bytes: new Uint8Array() })
    const clock = setInterval(() => {
      const at = Atomics.load(order.current, 0)
      const now = performance.now() / 1000
      onTick()
      if (at !== last) [last, lastSeconds] = [at, now]
      else if (now - lastSeconds > HANG_SECONDS) {
        failHere(`hangs for ${HANG_SECONDS} seconds`)
        worker.terminate()
      }
    }, 1000)
    worker.on('message', (message: WorkerMessage) => {
      if ('failure' in message) failures.push(message.failure)
      else {
        for (const [way, counts] of Object.entries(message.outcomes)) {
          outcomes[way] ??= { equal: 0, refused: 0, unreadable: 0 }
          for (const outcome of ['equal', 'refused', 'unreadable'] as const) outcomes[way][outcome] += counts[outcome]
        }
      }
    })
    worker.on('error', (error) => {
      last = Atomics.load(order.current, 0)
      failHere(`the thread died: ${error.stack}`)
    })
    worker.on('exit', () => {
      clearInterval(clock)
      resolve()
    })
  })
}
