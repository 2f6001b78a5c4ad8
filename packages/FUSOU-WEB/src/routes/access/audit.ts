import { AuditEntry, DatasetId } from '@fusou/catalog'
import { z } from 'zod'
import { requesterOf } from '../../auth/caller.ts'
import { cursor } from '../../http/cursor.ts'
import { filled, pageSize } from '../../http/inputs.ts'
import { route } from '../../http/operation.ts'

const AuditCursor = cursor(z.strictObject({ id: z.int().positive() }))
const AuditQuery = z.object({
  datasetId: filled(DatasetId.optional()),
  action: filled(
    z
      .string()
      .regex(/^[a-z]+\.[a-z_]+$/, 'such as dataset.grant')
      .optional(),
  ),
  cursor: filled(AuditCursor.schema.optional()),
  limit: pageSize(100, 1000),
})
const AuditPage = z
  .object({ entries: z.array(AuditEntry), nextCursor: z.string().nullable() })
  .meta({ id: 'AuditPage' })

export const listAudit = route(
  {
    method: 'get',
    path: '/api/audit',
    summary: 'Who changed what, newest first: for a user what they did and what was done to what they own',
    access: 'reader',
    scope: 'manage',
    query: AuditQuery,
    answers: { 200: { description: 'One page', schema: AuditPage } },
  },
  async (c, { query: { datasetId, action, cursor: before, limit } }) => {
    const entries = await c.var.services.catalog.listAudit(requesterOf(c), {
      datasetId,
      action,
      before: before?.id,
      limit: limit + 1,
    })
    const shown = entries.slice(0, limit)
    const last = entries.length > limit ? shown.at(-1) : undefined
    const answer: z.infer<typeof AuditPage> = {
      entries: shown,
      nextCursor: last ? AuditCursor.encode({ id: last.id }) : null,
    }
    return c.json(answer)
  },
)
