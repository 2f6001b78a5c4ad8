import { FusouError, log, ORPHAN_SWEEP, UnreadableRows } from '@fusou/catalog'
import { z } from 'zod'
import { requesterOf } from '../../auth/caller.ts'
import { cursor } from '../../http/cursor.ts'
import { filled, pageSize } from '../../http/inputs.ts'
import { route } from '../../http/operation.ts'
import { previewVacuum, VacuumItem, VacuumPosition } from '../../vacuum/preview-vacuum.ts'

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

const PauseRequest = z
  .strictObject({ by: z.string().min(1).max(200), reason: z.string().max(500).optional() })
  .meta({ id: 'PauseRequest' })
const PauseAnswer = z.object({ success: z.literal(true), paused: z.boolean() }).meta({ id: 'PauseAnswer' })

export const pauseVacuum = route(
  {
    method: 'post',
    path: '/api/vacuum/pause',
    summary: 'Pause every deletion: nothing is deleted or marked for deletion until the pause is ended',
    access: 'operator',
    body: PauseRequest,
    answers: { 200: { description: 'Paused', schema: PauseAnswer } },
  },
  async (c, { body: { by, reason = null } }) => {
    const { paused } = await c.var.services.catalog.pauseDeletions(requesterOf(c), { by, reason })
    log('info', 'deletions_paused', { requestId: c.var.requestId, by, reason })
    return c.json({ success: true, paused } satisfies z.infer<typeof PauseAnswer>)
  },
)

export const resumeVacuum = route(
  {
    method: 'delete',
    path: '/api/vacuum/pause',
    summary: 'End the pause of deletions',
    access: 'operator',
    answers: { 200: { description: 'Deletions go on', schema: PauseAnswer } },
  },
  async (c) => {
    const { paused } = await c.var.services.catalog.pauseDeletions(requesterOf(c), null)
    log('info', 'deletions_resumed', { requestId: c.var.requestId })
    return c.json({ success: true, paused } satisfies z.infer<typeof PauseAnswer>)
  },
)

const AcceptOrphansRequest = z
  .strictObject({
    orphans: z.int().nonnegative().meta({ description: 'the number that the last complete round found' }),
    by: z.string().min(1).max(200),
    releaseKept: z
      .boolean()
      .default(false)
      .meta({ description: 'also let the sweep have the objects that adoption could not place' }),
  })
  .meta({ id: 'AcceptOrphansRequest' })
const AcceptOrphansAnswer = z
  .object({ success: z.literal(true), orphans: z.int(), released: z.int() })
  .meta({ id: 'AcceptOrphansAnswer' })

export const acceptOrphans = route(
  {
    method: 'post',
    path: '/api/vacuum/accept',
    summary: 'Accept that so many objects have no row: after one more look they are deleted',
    access: 'operator',
    body: AcceptOrphansRequest,
    answers: { 200: { description: 'The sweep looks once more, and marks them', schema: AcceptOrphansAnswer } },
    errors: ['count_changed'],
  },
  async (c, { body: { orphans, by, releaseKept } }) => {
    const accepted = await c.var.services.catalog.acceptOrphans(requesterOf(c), ORPHAN_SWEEP, orphans, releaseKept)
    if (accepted.outcome === 'changed')
      throw new FusouError(
        'count_changed',
        `the last round found ${accepted.orphans} orphans: look at them, then accept`,
      )
    log('info', 'orphans_accepted', { requestId: c.var.requestId, by, orphans, released: accepted.released })
    const { released } = accepted
    return c.json({ success: true, orphans, released } satisfies z.infer<typeof AcceptOrphansAnswer>)
  },
)
