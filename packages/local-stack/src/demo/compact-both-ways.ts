import { setTimeout as wait } from 'node:timers/promises'
import { AnswerError, type FusouClient } from '../client/fusou-client.ts'
import type { ProgressLine } from '../support/progress-line.ts'

/** datasets compacted by jobs that their uploads called for, and in the end by their owner for what is left */
export const ASKED = ['ada-flights', 'bob-bundles'] as const
/** datasets whose owner cancels such jobs, and leaves the work to the nightly round */
export const SCHEDULED = ['ada-bundles', 'bob-flights'] as const

const POLL_MS = 500
const QUIET_WITHIN_SECONDS = 200
/** small, so that the round takes more than one call, as it does when many datasets wait */
const TRIGGER_LIMIT = 1

export interface Ways {
  /** jobs that succeeded, by what asked for them */
  realtime: number
  manual: number
  scheduled: number
  cancelled: number
  /** calls of trigger-scheduled until nothing remained */
  calls: number
}

/** @throws AnswerError when a job dies, or work goes on for too long */
export async function compactBothWays(
  operator: FusouClient,
  ownerOf: (datasetId: string) => FusouClient,
  progress: ProgressLine,
): Promise<Ways> {
  for (const datasetId of ASKED) await ownerOf(datasetId).askForMerge(datasetId)
  for (const datasetId of SCHEDULED) await cancelJobs(ownerOf(datasetId), datasetId)
  let calls = 0
  for (let remaining = 1; remaining > 0; calls += 1) {
    const answer = await operator.triggerScheduled(TRIGGER_LIMIT)
    remaining = answer.remaining
    if (answer.enqueued === 0 && remaining > 0) throw new AnswerError('trigger-scheduled leaves work and does none')
  }
  await waitForQuiet(operator, progress)
  const jobs = (await Promise.all([...ASKED, ...SCHEDULED].map((id) => ownerOf(id).jobs(id)))).flat()
  const ended = (state: string) => jobs.filter((job) => job.state === state)
  const by = (priority: string) => ended('succeeded').filter((job) => job.priority === priority).length
  return {
    realtime: by('realtime'),
    manual: by('manual'),
    scheduled: by('scheduled'),
    cancelled: ended('cancelled').length,
    calls,
  }
}

/** A queued job ends at once, a running one at its next step; what it had swapped in by then stays. */
async function cancelJobs(owner: FusouClient, datasetId: string): Promise<void> {
  for (;;) {
    const open = (await owner.jobs(datasetId)).filter(({ state }) => state === 'queued' || state === 'running')
    if (open.length === 0) return
    for (const { id } of open) await owner.cancelJob(id)
    await wait(POLL_MS)
  }
}

async function waitForQuiet(operator: FusouClient, progress: ProgressLine): Promise<void> {
  const from = Date.now()
  for (;;) {
    const { jobs } = await operator.jobStatus()
    if (jobs.dead > 0) throw new AnswerError(`a job died: ${await operator.deadLetters()}`)
    if (jobs.queued === 0 && jobs.running === 0) return
    const passed = Math.round((Date.now() - from) / 1000)
    if (passed > QUIET_WITHIN_SECONDS)
      throw new AnswerError(`still ${jobs.queued} queued and ${jobs.running} running jobs after ${passed} s`)
    progress.show(
      `compacting: ${jobs.queued} queued, ${jobs.running} running, ${jobs.succeeded} done, ${passed} s ` +
        `(a queue waits up to 30 s for its batch)`,
    )
    await wait(POLL_MS)
  }
}
