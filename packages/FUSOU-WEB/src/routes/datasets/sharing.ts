import { claimDatasetOwner, DatasetId, FusouError, Grant, Role, UserId, writeDatasetOwner } from '@fusou/catalog'
import { z } from 'zod'
import { requesterOf } from '../../auth/caller.ts'
import { cursor } from '../../http/cursor.ts'
import { filled, pageSize } from '../../http/inputs.ts'
import { route } from '../../http/operation.ts'
import { notYours } from '../../upload/upload-rights.ts'
import { DatasetAddress, noDataset } from './shared-inputs.ts'

const GrantAddress = z.object({ id: DatasetId, user: UserId })
const noUser = (id: string) => new FusouError('unknown_user', `no user ${id}; GET /api/me tells each user their id`)

const OwnedDataset = z.object({ datasetId: DatasetId, ownerId: UserId }).meta({ id: 'OwnedDataset' })

export const reserveDataset = route(
  {
    method: 'put',
    path: '/api/datasets/:id',
    summary: 'Take the id of a dataset before the first upload',
    access: 'user',
    scope: 'manage',
    params: DatasetAddress,
    answers: {
      200: { description: 'It was yours already', schema: OwnedDataset },
      201: { description: 'It is yours', schema: OwnedDataset },
    },
    errors: ['unknown_dataset', 'quota_exceeded', 'storage_unavailable'],
  },
  async (c, { params: { id } }) => {
    const { catalog } = c.var.services
    const look = await catalog.reserveDataset(id, requesterOf(c), true)
    if (look.outcome === 'free') {
      const claimed = await storing(claimDatasetOwner(c.env.BUCKET, id, look.ownerId))
      if (claimed.owner !== look.ownerId) throw notYours(id)
    }
    const reserved = await catalog.reserveDataset(id, requesterOf(c))
    if (reserved.outcome === 'unknown_dataset') throw notYours(id)
    return c.json({ datasetId: id, ownerId: reserved.ownerId }, reserved.outcome === 'reserved' ? 201 : 200)
  },
)

const GrantsCursor = cursor(z.strictObject({ userId: UserId }))
const GrantsPage = z
  .object({ datasetId: DatasetId, ownerId: UserId, grants: z.array(Grant), nextCursor: z.string().nullable() })
  .meta({ id: 'GrantsPage' })

export const listGrants = route(
  {
    method: 'get',
    path: '/api/datasets/:id/grants',
    summary: 'Who may use a dataset beside its owner',
    access: 'reader',
    scope: 'manage',
    params: DatasetAddress,
    query: z.object({ cursor: filled(GrantsCursor.schema.optional()), limit: pageSize(100, 1000) }),
    answers: { 200: { description: 'One page, in order of user', schema: GrantsPage } },
    errors: ['unknown_dataset'],
  },
  async (c, { params: { id }, query: { cursor: after, limit } }) => {
    const page = { after: after?.userId, limit: limit + 1 }
    const listed = await c.var.services.catalog.listGrants(id, requesterOf(c), page)
    if (listed.outcome === 'unknown_dataset') throw noDataset(id)
    const grants = listed.grants.slice(0, limit)
    const last = listed.grants.length > limit ? grants.at(-1) : undefined
    const answer: z.infer<typeof GrantsPage> = {
      datasetId: id,
      ownerId: listed.ownerId,
      grants,
      nextCursor: last ? GrantsCursor.encode({ userId: last.userId }) : null,
    }
    return c.json(answer)
  },
)

const GrantRequest = z.object({ role: Role }).meta({ id: 'GrantRequest' })
const GrantAnswer = z
  .object({ datasetId: DatasetId, userId: UserId, role: Role.nullable() })
  .meta({ id: 'GrantAnswer' })
const ownerHasAll = () =>
  new FusouError('is_owner', 'the owner has every right; hand the dataset over by POST /api/datasets/:id/transfer')

export const grantRole = route(
  {
    method: 'put',
    path: '/api/datasets/:id/grants/:user',
    summary: 'Share a dataset: a reader reads, a writer also uploads, a manager does all but hand it over',
    access: 'reader',
    scope: 'manage',
    params: GrantAddress,
    body: GrantRequest,
    answers: { 200: { description: 'The user has this role, whatever it was before', schema: GrantAnswer } },
    errors: ['unknown_dataset', 'unknown_user', 'is_owner'],
  },
  async (c, { params: { id, user }, body: { role } }) => {
    const { outcome } = await c.var.services.catalog.grantRole(id, requesterOf(c), user, role)
    if (outcome === 'unknown_dataset') throw noDataset(id)
    if (outcome === 'unknown_user') throw noUser(user)
    if (outcome === 'is_owner') throw ownerHasAll()
    return c.json({ datasetId: id, userId: user, role })
  },
)

export const revokeRole = route(
  {
    method: 'delete',
    path: '/api/datasets/:id/grants/:user',
    summary: 'End the role of a user; anybody may end their own',
    access: 'reader',
    scope: 'manage',
    params: GrantAddress,
    answers: { 200: { description: 'The user has no role; repeating the call says so again', schema: GrantAnswer } },
    errors: ['unknown_dataset', 'is_owner'],
  },
  async (c, { params: { id, user } }) => {
    const { outcome } = await c.var.services.catalog.revokeRole(id, requesterOf(c), user)
    if (outcome === 'unknown_dataset') throw noDataset(id)
    if (outcome === 'is_owner') throw ownerHasAll()
    return c.json({ datasetId: id, userId: user, role: null })
  },
)

const TransferRequest = z.object({ userId: UserId }).meta({ id: 'TransferRequest' })

export const transferDataset = route(
  {
    method: 'post',
    path: '/api/datasets/:id/transfer',
    summary: 'Hand a dataset over to another user; you keep no right',
    access: 'reader',
    params: DatasetAddress,
    body: TransferRequest,
    answers: { 200: { description: 'It belongs to the other user', schema: OwnedDataset } },
    errors: ['unknown_dataset', 'unknown_user', 'quota_exceeded', 'storage_unavailable'],
  },
  async (c, { params: { id }, body: { userId } }) => {
    const transferred = await c.var.services.catalog.transferDataset(id, requesterOf(c), userId)
    if (transferred.outcome !== 'transferred')
      throw transferred.outcome === 'unknown_user' ? noUser(userId) : noDataset(id)
    const { ownerId, earlierOwners } = transferred
    await storing(writeDatasetOwner(c.env.BUCKET, id, { owner: ownerId, earlierOwners }))
    return c.json({ datasetId: id, ownerId })
  },
)

async function storing<Result>(call: Promise<Result>): Promise<Result> {
  try {
    return await call
  } catch (cause) {
    throw new FusouError('storage_unavailable', 'the bucket was not told whose dataset it is; try again', { cause })
  }
}
