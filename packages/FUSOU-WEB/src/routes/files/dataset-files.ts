import {
  DatasetId,
  FileId,
  FusouError,
  ListedFile,
  PeriodTag,
  QuarantineFilter,
  TableName,
  UnreadableRows,
} from '@fusou/catalog'
import type { Context } from 'hono'
import { z } from 'zod'
import { requesterOf } from '../../auth/caller.ts'
import { linkSigner } from '../../auth/link-signer.ts'
import type { AppEnv } from '../../bindings.ts'
import { cursor, page } from '../../http/cursor.ts'
import { filled, integer, pageSize } from '../../http/inputs.ts'
import { route } from '../../http/operation.ts'
import { LINK_SECONDS } from '../tables/table-links.ts'

const Version = z.int().nonnegative()
/** It carries the version, so that all pages are of one. */
const FilesCursor = cursor(z.strictObject({ version: Version, table: TableName, periodTag: PeriodTag, id: FileId }))
const FilesQuery = z
  .object({
    table: filled(TableName.optional()),
    period: filled(PeriodTag.optional()),
    version: filled(integer(Version).optional()),
    quarantined: filled(QuarantineFilter.default('include')).meta({
      description: 'files that merges leave out: with the others, not, or alone; as it is now, in every version',
    }),
    cursor: filled(FilesCursor.schema.optional()),
    links: filled(z.enum(['plain', 'signed']).default('plain')).meta({
      description: 'signed: each url is a link that anybody reads for a day',
    }),
    limit: pageSize(500, 1000),
  })
  .refine(({ version, cursor }) => version === undefined || cursor === undefined || cursor.version === version, {
    path: ['cursor'],
    message: 'is of another version',
  })
const FilesPage = z
  .object({
    datasetId: DatasetId,
    version: Version,
    files: z.array(ListedFile.extend({ url: z.url() })),
    unreadable: UnreadableRows,
    nextCursor: z.string().nullable(),
  })
  .meta({ id: 'FilesPage' })

export const listDatasetFiles = route(
  {
    method: 'get',
    path: '/api/datasets/:id/files',
    summary: 'The files of one version of a dataset, in order of table, period tag and id',
    access: 'reader',
    scope: 'read',
    forEngines: true,
    params: z.object({ id: DatasetId }),
    query: FilesQuery,
    answers: { 200: { description: 'One page; every row lies in exactly one file', schema: FilesPage } },
    errors: ['unknown_dataset', 'unknown_version', 'version_gone'],
  },
  async (c, { params: { id: datasetId }, query }) => {
    const listed = await c.var.services.catalog.listFiles({
      datasetId,
      requester: requesterOf(c),
      table: query.table,
      periodTag: query.period,
      version: query.cursor?.version ?? query.version,
      after: query.cursor,
      quarantined: query.quarantined,
      limit: query.limit + 1,
    })
    if (listed.outcome === 'unknown_dataset') {
      throw new FusouError('unknown_dataset', `no dataset ${datasetId} that you may see`)
    }
    if (listed.outcome !== 'ok') throw new FusouError(listed.outcome, `the dataset ${datasetId}`)
    const { version } = listed
    const { shown, unreadable, last } = page(listed.files, listed.unreadable ?? [], query.limit)
    const urlOf = await fileUrls(c, datasetId, query.links)
    const answer: z.infer<typeof FilesPage> = {
      datasetId,
      version,
      files: await Promise.all(shown.map(async (file) => ({ ...file, url: await urlOf(`/api/files/${file.id}`) }))),
      unreadable,
      nextCursor: last
        ? FilesCursor.encode({ version, table: last.table, periodTag: last.periodTag, id: last.id })
        : null,
    }
    return c.json(answer)
  },
)

/** Of the files of a dataset, from the paths of their bytes. */
async function fileUrls(c: Context<AppEnv>, datasetId: string, links: 'plain' | 'signed') {
  if (links === 'signed') return (await linkSigner(c, datasetId, new Date(Date.now() + LINK_SECONDS * 1000))).sign
  const { origin } = new URL(c.req.url)
  return async (path: string) => `${origin}${path}`
}
