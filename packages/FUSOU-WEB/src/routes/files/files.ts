import { DatasetId, FileId, FusouError, log } from '@fusou/catalog'
import { z } from 'zod'
import { requesterOf } from '../../auth/caller.ts'
import { route } from '../../http/operation.ts'

const FileAddress = z.object({ id: FileId })
const unknownFile = (id: string) => new FusouError('unknown_file', `no file ${id} that you may see`)

const DiscardAnswer = z
  .object({
    success: z.literal(true),
    fileId: FileId,
    datasetId: z.string(),
    table: z.string(),
    periodTag: z.string(),
    rows: z.int(),
    version: z.int().meta({ description: 'the first version without the file' }),
  })
  .meta({ id: 'DiscardAnswer' })

export const discardFile = route(
  {
    method: 'delete',
    path: '/api/files/:id',
    summary: 'Take a live file, and all rows in it, out of its dataset; earlier versions keep it until vacuum',
    access: 'reader',
    scope: 'manage',
    params: FileAddress,
    answers: {
      200: { description: 'It is in no later version; repeating the call says so again', schema: DiscardAnswer },
    },
    errors: ['unknown_file', 'file_superseded'],
  },
  async (c, { params: { id } }) => {
    const requester = requesterOf(c)
    const { outcome, ...discarded } = await c.var.services.catalog.discardFile(id, requester)
    if (outcome === 'unknown_file') throw unknownFile(id)
    if (outcome === 'file_superseded') {
      throw new FusouError('file_superseded', 'its rows are in the file that it was merged into: discard that one')
    }
    log('info', 'file_discarded', { requestId: c.var.requestId, fileId: id, requester, ...discarded })
    return c.json({ success: true, fileId: id, ...discarded })
  },
)

const ReleaseAnswer = z
  .object({
    success: z.literal(true),
    fileId: FileId,
    datasetId: z.string(),
    code: z.string().meta({ description: 'why it was in quarantine' }),
  })
  .meta({ id: 'ReleaseAnswer' })

export const releaseFile = route(
  {
    method: 'post',
    path: '/api/files/:id/release',
    summary: 'Let merges take a file again that is in quarantine, after its object was mended',
    access: 'reader',
    scope: 'manage',
    params: FileAddress,
    answers: { 200: { description: 'The next merge of its table tries it', schema: ReleaseAnswer } },
    errors: ['unknown_file', 'file_not_quarantined'],
  },
  async (c, { params: { id } }) => {
    const requester = requesterOf(c)
    const { outcome, ...released } = await c.var.services.catalog.releaseFile(id, requester)
    if (outcome === 'unknown_file') throw unknownFile(id)
    if (outcome === 'not_quarantined') throw new FusouError('file_not_quarantined', 'merges take this file already')
    log('info', 'file_released', { requestId: c.var.requestId, fileId: id, requester, ...released })
    return c.json({ success: true, fileId: id, ...released })
  },
)

/** Strict, since a filter with a slip in its name would match all. */
const AcknowledgeRequest = z
  .strictObject({
    datasetId: DatasetId.optional(),
    code: z
      .string()
      .regex(/^[a-z0-9_]{1,64}$/)
      .optional()
      .meta({ description: 'why the files are in quarantine' }),
  })
  .meta({ id: 'AcknowledgeRequest' })
const AcknowledgeAnswer = z.object({ success: z.literal(true), files: z.int() }).meta({ id: 'AcknowledgeAnswer' })

export const acknowledgeFiles = route(
  {
    method: 'post',
    path: '/api/files/acknowledge',
    summary: 'Know of the files that are in quarantine now: the alert of files set aside counts only later ones',
    access: 'operator',
    body: AcknowledgeRequest,
    answers: { 200: { description: 'How many were news', schema: AcknowledgeAnswer } },
  },
  async (c, { body }) => {
    const files = await c.var.services.catalog.acknowledgeFiles(requesterOf(c), body)
    log('info', 'files_acknowledged', { requestId: c.var.requestId, ...body, files })
    return c.json({ success: true, files })
  },
)
