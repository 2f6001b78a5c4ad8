import { DatasetId, FusouError, Job, JobId, JobKind, JobState, JobStatus, UnreadableRows } from '@fusou/catalog'
import { z } from 'zod'
import { requesterOf } from '../../auth/caller.ts'
import { cursor, Instant, page } from '../../http/cursor.ts'
import { filled, pageSize } from '../../http/inputs.ts'
import { route } from '../../http/operation.ts'
import { publishAfterAnswer } from '../../publish.ts'
import { senderOf } from '../../services.ts'
import { judgeHealth } from './job-health.ts'

const JobsCursor = cursor(z.strictObject({ createdAt: Instant, id: JobId }))
const JobsQuery = z.object({
  state: filled(JobState.optional()),
  kind: filled(JobKind.optional()),
  datasetId: filled(DatasetId.optional()),
  cursor: filled(JobsCursor.schema.optional()),
  limit: pageSize(50, 200),
})
const FlatJob = Job.meta({ id: 'Job' })
const JobsPage = z
  .object({ jobs: z.array(FlatJob), unreadable: UnreadableRows, nextCursor: z.string().nullable() })
  .meta({ id: 'JobsPage' })
const JobAddress = z.object({ id: JobId })

export const listJobs = route(
  {
    method: 'get',
    path: '/api/jobs',
    summary: 'Jobs, newest first',
    access: 'reader',
    scope: 'read',
    query: JobsQuery,
    answers: { 200: { description: 'One page', schema: JobsPage } },
  },
  async (c, { query: { cursor: before, limit, ...filter } }) => {
    const requester = requesterOf(c)
    const found = await c.var.services.catalog.pageJobs({ requester, ...filter, before, limit: limit + 1 })
    const { shown, unreadable, last } = page(found.jobs, found.unreadable ?? [], limit)
    const nextCursor = last ? JobsCursor.encode({ createdAt: last.createdAt, id: last.id }) : null
    return c.json({ jobs: shown, unreadable, nextCursor })
  },
)

const StatusAnswer = JobStatus.extend({ health: z.object({ ok: z.boolean(), reasons: z.array(z.string()) }) }).meta({
  id: 'JobStatus',
})

export const jobStatus = route(
  {
    method: 'get',
    path: '/api/jobs/status',
    summary: 'Counts and ages of jobs, and whether all is well',
    access: 'reader',
    scope: 'read',
    answers: { 200: { description: 'What only operators may see is null for a user', schema: StatusAnswer } },
  },
  async (c) => {
    const status = await c.var.services.catalog.jobStatus(requesterOf(c))
    return c.json({ ...status, health: judgeHealth(status) })
  },
)

export const getJob = route(
  {
    method: 'get',
    path: '/api/jobs/:id',
    summary: 'One job',
    access: 'reader',
    scope: 'read',
    params: JobAddress,
    answers: { 200: { description: 'The job', schema: FlatJob } },
    errors: ['unknown_job'],
  },
  async (c, { params: { id } }) => {
    const job = await c.var.services.catalog.getJob(id, requesterOf(c))
    if (!job) throw new FusouError('unknown_job', `no job ${id} that you may see`)
    return c.json(job)
  },
)

const CancelAnswer = z
  .object({ success: z.literal(true), jobId: JobId, outcome: z.enum(['cancelled', 'cancelling']) })
  .meta({ id: 'CancelAnswer' })

export const cancelJob = route(
  {
    method: 'delete',
    path: '/api/jobs/:id',
    summary: 'Cancel a job: a queued one at once, a running one at its next step',
    access: 'reader',
    scope: 'manage',
    params: JobAddress,
    answers: {
      200: { description: 'Cancelled', schema: CancelAnswer },
      202: { description: 'It ends at its next step', schema: CancelAnswer },
    },
    errors: ['unknown_job', 'job_ended'],
  },
  async (c, { params: { id } }) => {
    const cancelled = await c.var.services.catalog.cancelJob(id, requesterOf(c))
    if (cancelled.outcome === 'unknown_job') throw new FusouError('unknown_job', `no job ${id} that you may see`)
    if (cancelled.outcome === 'ended') throw new FusouError('job_ended', `the job is ${cancelled.state} already`)
    const answer: z.infer<typeof CancelAnswer> = { success: true, jobId: id, outcome: cancelled.outcome }
    return c.json(answer, cancelled.outcome === 'cancelled' ? 200 : 202)
  },
)

const RetryAnswer = z
  .object({ success: z.literal(true), jobId: JobId, message: z.string() })
  .meta({ id: 'RetryAnswer' })

export const retryJob = route(
  {
    method: 'post',
    path: '/api/jobs/:id/retry',
    summary: 'Ask again for the work of a dead or cancelled job, by a new job',
    access: 'reader',
    scope: 'manage',
    params: JobAddress,
    answers: { 202: { description: 'jobId is of the job that does it now', schema: RetryAnswer } },
    errors: ['unknown_job', 'job_not_dead', 'rate_limited'],
  },
  async (c, { params: { id } }) => {
    const retried = await c.var.services.catalog.retryJob(id, requesterOf(c), senderOf(c))
    if (retried.outcome === 'unknown_job') throw new FusouError('unknown_job', `no job ${id} that you may see`)
    if (retried.outcome === 'not_dead') throw new FusouError('job_not_dead', `the job is ${retried.state}`)
    publishAfterAnswer(c, [retried.outbox])
    const message = retried.joined ? 'joined the job that is queued' : 'a job is queued'
    const answer: z.infer<typeof RetryAnswer> = { success: true, jobId: retried.jobId, message }
    return c.json(answer, 202)
  },
)
