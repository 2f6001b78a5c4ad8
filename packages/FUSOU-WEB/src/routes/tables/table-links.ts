import { KeyId, PeriodTag } from '@fusou/catalog'
import { z } from 'zod'
import { linkSigner } from '../../auth/link-signer.ts'
import { route } from '../../http/operation.ts'
import { TableAddress } from '../datasets/shared-inputs.ts'

export const MIN_LINK_SECONDS = 60
export const MAX_LINK_SECONDS = 7 * 86_400
export const LINK_SECONDS = 86_400

const TableLinkRequest = z
  .object({
    period: PeriodTag.optional().meta({ description: 'one period of the table; left out: all' }),
    version: z
      .int()
      .nonnegative()
      .optional()
      .meta({ description: 'pins a version; left out: the newest at each reading' }),
    expiresInSeconds: z.int().min(MIN_LINK_SECONDS).max(MAX_LINK_SECONDS).default(LINK_SECONDS),
  })
  .meta({ id: 'TableLinkRequest' })
const TableLink = z
  .object({
    url: z.url().meta({ description: 'what an engine reads; whoever has it may' }),
    keyId: KeyId.meta({ description: 'the key that signed it: revoking the key ends the link' }),
    expiresAt: z.string(),
  })
  .meta({ id: 'TableLink' })

export const createTableLink = route(
  {
    method: 'post',
    path: '/api/datasets/:id/tables/:table/links',
    summary: 'Make a link under which anybody reads the table as one Parquet file, until it expires',
    access: 'reader',
    scope: 'read',
    params: TableAddress,
    body: TableLinkRequest,
    answers: { 201: { description: 'The link', schema: TableLink } },
    errors: ['unknown_dataset'],
  },
  async (c, { params: { id, table }, body: { period, version, expiresInSeconds } }) => {
    const expiresAt = new Date(Math.floor(Date.now() / 1000 + expiresInSeconds) * 1000)
    const signer = await linkSigner(c, id, expiresAt)
    c.header('Cache-Control', 'no-store')
    const answer: z.infer<typeof TableLink> = {
      url: await signer.sign(tableFilePath({ datasetId: id, table, version, period })),
      keyId: signer.keyId,
      expiresAt: expiresAt.toISOString(),
    }
    return c.json(answer, 201)
  },
)

/** Path and query of a table file. */
export function tableFilePath(file: {
  datasetId: string
  table: string
  version?: number | undefined
  period?: string | undefined
}): string {
  const pinned = file.version === undefined ? '' : `@${file.version}`
  const query = file.period === undefined ? '' : `?period=${encodeURIComponent(file.period)}`
  return `/api/datasets/${file.datasetId}/tables/${encodeURIComponent(file.table)}${pinned}.parquet${query}`
}
