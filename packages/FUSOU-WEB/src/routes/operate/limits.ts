import { type Limits, LimitsOfOwner } from '@fusou/catalog'
import { z } from 'zod'
import { requesterOf } from '../../auth/caller.ts'
import { filled, integer } from '../../http/inputs.ts'
import { route } from '../../http/operation.ts'

const OwnerId = z.uuid('the id of a user is a UUID')
const LimitsAnswer = LimitsOfOwner.meta({ id: 'LimitsOfOwner' })
/** A limit is a whole number, or null for the default again. */
const LimitChange = integer(z.int().nonnegative().nullable().optional())
const LimitsRequest = z
  .object({
    owner: OwnerId.optional().meta({ description: 'left out: every owner without limits of their own' }),
    datasets: LimitChange,
    liveFiles: LimitChange,
    liveBytes: LimitChange,
    jobsByHandPerHour: LimitChange,
    eventStreams: LimitChange,
    openUploads: LimitChange,
  } satisfies Record<keyof Limits | 'owner', z.ZodType>)
  .meta({ id: 'LimitsRequest', description: 'what is left out stays, null goes back to the default' })

export const getLimits = route(
  {
    method: 'get',
    path: '/api/limits',
    summary: 'What an owner may use: the defaults, and with `owner` the limits and the usage of that one',
    access: 'operator',
    query: z.object({ owner: filled(OwnerId.optional()) }),
    answers: { 200: { description: 'The limits', schema: LimitsAnswer } },
  },
  async (c, { query: { owner } }) => c.json(await c.var.services.catalog.readLimits(requesterOf(c), owner ?? null)),
)

export const putLimits = route(
  {
    method: 'put',
    path: '/api/limits',
    summary: 'Set limits of one owner, or of every owner without limits of their own',
    access: 'operator',
    body: LimitsRequest,
    answers: { 200: { description: 'The limits as they are now', schema: LimitsAnswer } },
  },
  async (c, { body: { owner, ...changes } }) =>
    c.json(await c.var.services.catalog.configureLimits(requesterOf(c), owner ?? null, changes)),
)
