import { DatasetId, Deletion, FileId, FusouError, ListedVersion, Receipt } from '@fusou/catalog'
import { z } from 'zod'
import { requesterOf } from '../../auth/caller.ts'
import { cursor } from '../../http/cursor.ts'
import { filled, integer, pageSize } from '../../http/inputs.ts'
import { route } from '../../http/operation.ts'
import { DatasetAddress, noDataset } from './shared-inputs.ts'

const VersionsCursor = cursor(z.strictObject({ version: z.int().positive() }))
const VersionsPage = z
  .object({
    datasetId: DatasetId,
    version: z.int().meta({ description: 'the newest' }),
    oldestVersion: z.int().meta({ description: 'earlier ones can no longer be read' }),
    versions: z.array(ListedVersion),
    nextCursor: z.string().nullable(),
  })
  .meta({ id: 'VersionsPage' })

export const listVersions = route(
  {
    method: 'get',
    path: '/api/datasets/:id/versions',
    summary: 'The versions of a dataset that can be read, newest first, and what each changed',
    access: 'reader',
    scope: 'read',
    params: DatasetAddress,
    query: z.object({ cursor: filled(VersionsCursor.schema.optional()), limit: pageSize(50, 200) }),
    answers: { 200: { description: 'One page', schema: VersionsPage } },
    errors: ['unknown_dataset'],
  },
  async (c, { params: { id }, query: { cursor: before, limit } }) => {
    const page = { before: before?.version, limit }
    const listed = await c.var.services.catalog.listVersions(id, requesterOf(c), page)
    if (listed.outcome === 'unknown_dataset') throw noDataset(id)
    const last = listed.versions.at(-1)?.version
    const isEnd = last === undefined || last <= Math.max(1, listed.oldestVersion)
    const answer: z.infer<typeof VersionsPage> = {
      datasetId: id,
      version: listed.version,
      oldestVersion: listed.oldestVersion,
      versions: listed.versions,
      nextCursor: isEnd ? null : VersionsCursor.encode({ version: last }),
    }
    return c.json(answer)
  },
)

const DeletionsCursor = cursor(z.strictObject({ id: z.int().positive() }))
const DeletionsPage = z
  .object({ datasetId: DatasetId, deletions: z.array(Deletion), nextCursor: z.string().nullable() })
  .meta({ id: 'DeletionsPage' })

export const listDeletions = route(
  {
    method: 'get',
    path: '/api/datasets/:id/deletions',
    summary: 'What was deleted from a dataset, newest first, and until when it can be restored',
    access: 'reader',
    scope: 'read',
    params: DatasetAddress,
    query: z.object({ cursor: filled(DeletionsCursor.schema.optional()), limit: pageSize(50, 200) }),
    answers: { 200: { description: 'One page', schema: DeletionsPage } },
    errors: ['unknown_dataset'],
  },
  async (c, { params: { id }, query: { cursor: before, limit } }) => {
    const page = { before: before?.id, limit: limit + 1 }
    const listed = await c.var.services.catalog.listDeletions(id, requesterOf(c), page)
    if (listed.outcome === 'unknown_dataset') throw noDataset(id)
    const deletions = listed.deletions.slice(0, limit)
    const last = listed.deletions.length > limit ? deletions.at(-1) : undefined
    const answer: z.infer<typeof DeletionsPage> = {
      datasetId: id,
      deletions,
      nextCursor: last ? DeletionsCursor.encode({ id: last.id }) : null,
    }
    return c.json(answer)
  },
)

const RestoreAnswer = z
  .object({ success: z.literal(true), datasetId: DatasetId, deletion: Deletion })
  .meta({ id: 'RestoreAnswer' })

export const restoreDeletion = route(
  {
    method: 'post',
    path: '/api/datasets/:id/deletions/:deletion/restore',
    summary: 'Put back what one deletion took',
    access: 'reader',
    scope: 'manage',
    params: z.object({ id: DatasetId, deletion: integer(z.int().positive()) }),
    answers: {
      200: { description: 'It is in a new version; repeating the call changes nothing', schema: RestoreAnswer },
    },
    errors: ['unknown_dataset', 'unknown_deletion', 'deletion_gone', 'uploaded_again', 'quota_exceeded'],
  },
  async (c, { params: { id, deletion } }) => {
    const restored = await c.var.services.catalog.restoreDeletion(id, requesterOf(c), deletion)
    switch (restored.outcome) {
      case 'restored':
        return c.json({ success: true, datasetId: id, deletion: restored.deletion })
      case 'unknown_dataset':
        throw noDataset(id)
      case 'unknown_deletion':
        throw new FusouError(
          'unknown_deletion',
          `no deletion ${deletion} of ${id}; GET /api/datasets/${id}/deletions lists them`,
        )
      case 'deletion_gone':
        throw new FusouError('deletion_gone', 'its retention is over, and vacuum has begun to take its files')
      case 'uploaded_again':
        throw new FusouError(
          'uploaded_again',
          'a part of it was uploaded again since and is merged with other rows by now, and would be there twice; delete that first',
        )
    }
  },
)

export const getReceipt = route(
  {
    method: 'get',
    path: '/api/files/:id/receipt',
    summary: 'What a merged file was made of: inputs and output with SHA-256 and rows',
    access: 'reader',
    scope: 'read',
    params: z.object({ id: FileId }),
    answers: { 200: { description: 'The receipt of the merge', schema: Receipt } },
    errors: ['unknown_file', 'no_receipt'],
  },
  async (c, { params: { id } }) => {
    const found = await c.var.services.catalog.getReceipt(id, requesterOf(c))
    if (found.outcome === 'ok') return c.json(found.receipt)
    if (found.outcome === 'unknown_file') throw new FusouError('unknown_file', `no file ${id} that you may see`)
    throw new FusouError('no_receipt', 'it is an upload, or its job is older than the history that is kept')
  },
)
