import { UnreadableRows } from '@fusou/catalog'
import { z } from 'zod'
import { cursor } from '../http/cursor.ts'
import { filled, pageSize } from '../http/inputs.ts'
import { route } from '../http/operation.ts'
import { previewVacuum, VacuumItem, VacuumPosition } from '../vacuum/preview-vacuum.ts'

const VacuumCursor = cursor(VacuumPosition)
const VacuumPage = z
  .object({
    items: z.array(VacuumItem),
    unreadable: UnreadableRows,
    bytes: z.int().meta({ description: 'of the objects of this page that would be deleted' }),
    nextCursor: z.string().nullable().meta({ description: 'go on while it is not null, also after an empty page' }),
  })
  .meta({ id: 'VacuumPage' })

export const vacuum = route(
  {
    method: 'get',
    path: '/api/vacuum',
    summary: 'A dry run of vacuum: what it would remove and abort now, and why; nothing is changed',
    access: 'operator',
    query: z.object({ cursor: filled(VacuumCursor.schema.optional()), limit: pageSize(100, 200) }),
    answers: { 200: { description: 'One page', schema: VacuumPage } },
  },
  async (c, { query }) => {
    const { catalog } = c.var.services
    const { items, unreadable, next } = await previewVacuum(catalog, c.env.BUCKET, query.cursor ?? null, query.limit)
    const deleted = items.filter(({ action }) => action === 'delete_object')
    return c.json({
      items,
      unreadable,
      bytes: deleted.reduce((sum, { bytes }) => sum + (bytes ?? 0), 0),
      nextCursor: next === null ? null : VacuumCursor.encode(next),
    })
  },
)
