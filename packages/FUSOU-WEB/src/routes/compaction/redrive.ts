import { DatasetId, JobId } from '@fusou/catalog'
import { z } from 'zod'
import { requesterOf } from '../../auth/caller.ts'
import { route } from '../../http/operation.ts'
import { publishAfterAnswer } from '../../publish.ts'
import { senderOf } from '../../services.ts'

/** Jobs a call; each may be a message to send after the answer. */
const MAX_REDRIVEN_JOBS = 100

/** Strict, since a filter with a slip in its name would match all. */
const RedriveRequest = z
  .strictObject({
    jobIds: z.array(JobId).min(1).max(MAX_REDRIVEN_JOBS).optional(),
    datasetId: DatasetId.optional(),
    code: z
      .string()
      .regex(/^[a-z0-9_]{1,64}$/)
      .optional()
      .meta({ description: 'of the error the jobs died of' }),
    dryRun: z.boolean().default(false).meta({ description: 'only list what would be tried again' }),
  })
  .meta({ id: 'RedriveRequest' })
const RedriveAnswer = z
  .object({
    success: z.literal(true),
    dryRun: z.boolean(),
    jobs: z.array(
      z.object({
        jobId: JobId.meta({ description: 'the dead job' }),
        datasetId: z.string(),
        newJobId: JobId.optional().meta({ description: 'the job that does its work now; dead jobs can share one' }),
      }),
    ),
  })
  .meta({ id: 'RedriveAnswer' })

export const redrive = route(
  {
    method: 'post',
    path: '/api/compaction/redrive',
    summary:
      'Try dead jobs again that meet every filter, at most 100 a call; without jobIds those that nobody has tried again, ' +
      'so that repeating the call goes on',
    access: 'reader',
    scope: 'manage',
    body: RedriveRequest,
    answers: {
      200: { description: 'A dry run: what would be tried again', schema: RedriveAnswer },
      202: {
        description: 'What is tried again; jobs that are not dead, or not yours, are left out',
        schema: RedriveAnswer,
      },
    },
    errors: ['rate_limited'],
  },
  async (c, { body: { dryRun, ...filter } }) => {
    const { jobs, outbox } = await c.var.services.catalog.redrive({
      requester: requesterOf(c),
      ...filter,
      dryRun,
      limit: MAX_REDRIVEN_JOBS,
      sender: senderOf(c),
    })
    publishAfterAnswer(c, outbox)
    const answer: z.infer<typeof RedriveAnswer> = { success: true, dryRun, jobs }
    return c.json(answer, dryRun ? 200 : 202)
  },
)
