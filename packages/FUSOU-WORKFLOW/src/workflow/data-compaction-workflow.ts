import { WorkflowEntrypoint, type WorkflowEvent, type WorkflowStep } from 'cloudflare:workers'
import { type Attempt, type Catalog, FusouError, log, pairInstallation, publishOutbox } from '@fusou/catalog'
import { type Env, withBoundedBucket } from '../env.ts'
import { LEASE_SECONDS, NEXT_LEASE_SECONDS } from '../leases.ts'
import { openCatalog } from '../open-catalog.ts'
import { sendMessage } from '../send-message.ts'
import { isInstanceReset } from './instance-resets.ts'
import { JobParams } from './job-params.ts'
import { planCompaction } from './plan-compaction.ts'
import { type MergeSummary, runMerge } from './run-merge.ts'
import { instanceId } from './start-attempt.ts'
import { databaseRetries, mergeRetries, permanentStops } from './step-retries.ts'
import { timed } from './timed.ts'

/**
 * One attempt of one job: validate-dataset, get-metadata, compact-1 … compact-n, update-metadata. Each merge swaps
 * its files by itself, so what was done stays done whatever becomes of the rest.
 */
export class DataCompactionWorkflow extends WorkflowEntrypoint<Env, JobParams> {
  override async run(event: Readonly<WorkflowEvent<JobParams>>, step: WorkflowStep): Promise<{ outcome: string }> {
    const attempt = JobParams.parse(event.payload)
    const catalog = openCatalog(this.env)
    let current = 'validate-dataset'
    try {
      return await this.#compact(attempt, catalog, step, (name) => {
        current = name
      })
    } catch (thrown) {
      const error = failureOf(thrown)
      if (error.code === 'stale_attempt' || error.code === 'cancelled') {
        log('info', 'attempt_stopped', { ...attempt, step: current, code: error.code })
        return { outcome: error.code }
      }
      await step.do('record-failure', databaseRetries(instanceId(attempt)), () =>
        this.#recordFailure(attempt, catalog, current, error),
      )
      throw error
    }
  }

  async #compact(attempt: Attempt, catalog: Catalog, step: WorkflowStep, enter: (name: string) => void) {
    const id = instanceId(attempt)
    let finished: Record<string, number> = {}

    const { seconds } = await step.do('validate-dataset', databaseRetries(id), () =>
      permanentStops(attempt, 'validate-dataset', () =>
        timed(() => enterStep(catalog, attempt, 'validate-dataset', {})),
      ),
    )
    finished['validate-dataset'] = seconds

    enter('get-metadata')
    const plan = await step.do('get-metadata', databaseRetries(id), () =>
      permanentStops(attempt, 'get-metadata', () =>
        timed(async () => {
          await enterStep(catalog, attempt, 'get-metadata', finished)
          await requirePairing(this.env, catalog)
          return planCompaction(catalog, attempt)
        }),
      ),
    )
    finished = { 'get-metadata': plan.seconds }

    const merges: MergeSummary[] = []
    for (let index = 1; index <= plan.value.merges; index++) {
      const name = `compact-${index}`
      enter(name)
      const merge = await step.do(name, mergeRetries(id), () =>
        permanentStops(attempt, name, () =>
          timed(() => runMerge(withBoundedBucket(this.env), catalog, attempt, index, finished)),
        ),
      )
      finished = { [name]: merge.seconds }
      merges.push(merge.value)
    }

    enter('update-metadata')
    return step.do('update-metadata', databaseRetries(id), () =>
      permanentStops(attempt, 'update-metadata', async () => {
        const sender = `workflow:${id}`
        const result = { merges, more: plan.value.more, mixedPartitions: plan.value.mixedPartitions }
        const end = await catalog.finishJob(attempt, { result, more: plan.value.more, finished, sender })
        await publishOutbox(catalog, sender, end.outbox, (message) => sendMessage(this.env, message))
        log('info', 'job_ended', { ...attempt, outcome: end.outcome, merges: merges.length })
        return { outcome: end.outcome }
      }),
    )
  }

  async #recordFailure(attempt: Attempt, catalog: Catalog, step: string, error: FusouError) {
    const sender = `workflow:${instanceId(attempt)}`
    const { code, detail, transient } = error
    const failure = { code, step, message: detail, transient, counted: code !== 'instance_reset' }
    const end = await catalog.failAttempt(attempt, failure, NEXT_LEASE_SECONDS, sender)
    await publishOutbox(catalog, sender, end.outbox, (message) => sendMessage(this.env, message))
    log('error', 'attempt_failed', { ...attempt, step, code, detail, outcome: end.outcome })
    return { outcome: end.outcome }
  }
}

/** The error that ended the attempt; a reset of the instance by the platform is told apart from faults of the job. */
function failureOf(thrown: unknown): FusouError {
  const error = FusouError.from(thrown)
  if (error.code !== 'internal' || !isInstanceReset(error.detail)) return error
  return new FusouError('instance_reset', error.detail, { cause: thrown })
}

/** A merge planned by a catalog that was set back would make a second history beside the one in the bucket. */
async function requirePairing(env: Env, catalog: Catalog): Promise<void> {
  const pairing = await pairInstallation(env.BUCKET, catalog)
  if (!pairing.paired)
    throw new FusouError('pairing_problem', `${pairing.problem}: nothing is merged until an operator decides`)
}

async function enterStep(catalog: Catalog, attempt: Attempt, step: string, finished: Record<string, number>) {
  const { outcome } = await catalog.enterStep(attempt, step, { leaseSeconds: LEASE_SECONDS, finished })
  if (outcome !== 'ok') throw new FusouError(outcome, `attempt ${instanceId(attempt)} may not go on`)
}
