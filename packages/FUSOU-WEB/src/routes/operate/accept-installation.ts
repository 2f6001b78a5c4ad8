import { FusouError, log, PairingProblem, readInstallation, writeInstallation } from '@fusou/catalog'
import { z } from 'zod'
import { requesterOf } from '../../auth/caller.ts'
import { route } from '../../http/operation.ts'

const AcceptInstallationRequest = z
  .strictObject({
    problem: PairingProblem.meta({ description: 'the one that GET /api/jobs/status shows' }),
    by: z.string().min(1).max(200),
  })
  .meta({ id: 'AcceptInstallationRequest' })
const AcceptInstallationAnswer = z
  .object({ success: z.literal(true), installationId: z.uuid() })
  .meta({ id: 'AcceptInstallationAnswer' })

export const acceptInstallation = route(
  {
    method: 'post',
    path: '/api/installation/accept',
    summary: 'Decide that this bucket belongs to this catalog: merges and deletions go on',
    access: 'operator',
    body: AcceptInstallationRequest,
    answers: { 200: { description: 'They belong together from now on', schema: AcceptInstallationAnswer } },
    errors: ['count_changed', 'storage_unavailable'],
  },
  async (c, { body: { problem, by } }) => {
    const { look, etag } = await readInstallation(c.env.BUCKET)
    const accepted = await c.var.services.catalog.acceptInstallation(requesterOf(c), problem, look)
    if (accepted.outcome === 'changed')
      throw new FusouError('count_changed', `problem: it is ${accepted.problem ?? 'none'} now`)
    const written = await writeInstallation(c.env.BUCKET, accepted, etag)
    if (!written) throw new FusouError('storage_unavailable', 'the bucket was changed meanwhile; look and accept again')
    log('info', 'installation_accepted', { requestId: c.var.requestId, by, problem, bucket: look, id: accepted.id })
    const answer: z.infer<typeof AcceptInstallationAnswer> = { success: true, installationId: accepted.id }
    return c.json(answer)
  },
)
