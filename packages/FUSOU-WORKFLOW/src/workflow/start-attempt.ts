import type { Env } from '../env.ts'
import type { JobParams } from './job-params.ts'

export const instanceId = ({ jobId, attempt }: JobParams) => `${jobId}-${attempt}`

/** See that the instance of this attempt exists. Safe to repeat: `createBatch` passes over an id that is taken. */
export async function startAttempt(env: Env, params: JobParams): Promise<void> {
  await env.DATA_COMPACTION_WORKFLOW.createBatch([{ id: instanceId(params), params }])
}
