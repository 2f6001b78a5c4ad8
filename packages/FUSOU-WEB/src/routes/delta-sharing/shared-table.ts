import { FusouError } from '@fusou/catalog'
import type { Context } from 'hono'
import { z } from 'zod'
import { requesterOf } from '../../auth/caller.ts'
import { type LinkSigner, linkSigner } from '../../auth/link-signer.ts'
import type { AppEnv } from '../../bindings.ts'
import { columnStatistics, statisticsJson } from '../../delta-sharing/file-statistics.ts'
import { checkSchema, noShare, SharedTableAddress, toShared } from '../../delta-sharing/names.ts'
import { openSnapshot, type Snapshot } from '../../delta-sharing/open-snapshot.ts'
import { type FileFilter, parsePredicate } from '../../delta-sharing/predicate.ts'
import { streamLines } from '../../delta-sharing/stream-lines.ts'
import { Instant } from '../../http/cursor.ts'
import { filled } from '../../http/inputs.ts'
import { route } from '../../http/operation.ts'
import { LINK_SECONDS } from '../tables/table-links.ts'

const TABLE = '/api/delta-sharing/shares/:share/schemas/:schema/tables/:table'
const LINES = { description: 'Lines of JSON; Delta-Table-Version names the version', mediaType: 'application/x-ndjson' }
const TABLE_ERRORS = ['unknown_dataset', 'unknown_table'] as const
const READ_ERRORS = [
  ...TABLE_ERRORS,
  'table_refused',
  'object_missing',
  'corrupt_file',
  'storage_unavailable',
  'overloaded',
] as const

export const sharedTableVersion = route(
  {
    method: 'get',
    path: `${TABLE}/version`,
    summary: 'Delta Sharing: the newest version of a table, or the first at or after a moment',
    access: 'reader',
    scope: 'read',
    params: SharedTableAddress,
    query: z.object({ startingTimestamp: filled(Instant.optional()) }),
    answers: { 200: { description: 'The version, in the header Delta-Table-Version; the body is empty' } },
    errors: [...TABLE_ERRORS, 'unknown_version'],
  },
  async (c, { params, query: { startingTimestamp: at } }) => {
    const version = await versionAt(c, params, at, true)
    return c.body(null, 200, { 'Delta-Table-Version': String(version) })
  },
)

export const sharedTableMetadata = route(
  {
    method: 'get',
    path: `${TABLE}/metadata`,
    summary: 'Delta Sharing: protocol and schema of a table',
    access: 'reader',
    scope: 'read',
    params: SharedTableAddress,
    answers: { 200: LINES },
    errors: READ_ERRORS,
  },
  async (c, { params }) => {
    using snapshot = await open(c, params, undefined)
    describeVersion(c, snapshot)
    return c.body(snapshot.head.map((line) => `${JSON.stringify(line)}\n`).join(''))
  },
)

const QueryRequest = z
  .object({
    predicateHints: z.array(z.string()).max(1000).optional().meta({ description: 'SQL; not used' }),
    jsonPredicateHints: z
      .string()
      .optional()
      .meta({ description: 'a predicate; files that have no row for it by their statistics are left out' }),
    limitHint: z
      .int()
      .nonnegative()
      .optional()
      .meta({ description: 'no more files than have so many rows; without predicates' }),
    version: z.int().nonnegative().optional(),
    timestamp: Instant.optional().meta({ description: 'the last version at or before it' }),
  })
  .refine(({ version, timestamp }) => version === undefined || timestamp === undefined, {
    path: ['timestamp'],
    message: 'stands beside version; give one of them',
  })
  .meta({ id: 'DeltaQueryRequest' })

export const querySharedTable = route(
  {
    method: 'post',
    path: `${TABLE}/query`,
    summary: 'Delta Sharing: the files of one version of a table, with links and statistics',
    access: 'reader',
    scope: 'read',
    params: SharedTableAddress,
    body: QueryRequest,
    answers: { 200: LINES },
    errors: [...READ_ERRORS, 'unknown_version', 'version_gone'],
  },
  async (c, { params, body }) => {
    const { predicateHints = [], jsonPredicateHints, limitHint, timestamp } = body
    const filter = jsonPredicateHints === undefined ? undefined : parsePredicate(jsonPredicateHints)
    // A predicate's matches are not known here, so a limit beside one may need every file.
    const limit = filter || predicateHints.length > 0 ? undefined : limitHint
    const version = timestamp === undefined ? body.version : await versionAt(c, params, timestamp, false)
    const snapshot = await open(c, params, version)
    try {
      const expiresAt = new Date(Math.floor(Date.now() / 1000 + LINK_SECONDS) * 1000)
      const signer = await linkSigner(c, params.share, expiresAt)
      describeVersion(c, snapshot)
      const lines = fileLines(snapshot, { signer, expiresAt, filter, limit })
      return c.body(streamLines(lines, () => snapshot[Symbol.dispose]()))
    } catch (error) {
      snapshot[Symbol.dispose]()
      throw error
    }
  },
)

interface FileQuery {
  readonly signer: LinkSigner
  readonly expiresAt: Date
  readonly filter: FileFilter | undefined
  /** rows that are enough */
  readonly limit: number | undefined
}

async function* fileLines(snapshot: Snapshot, { signer, expiresAt, filter, limit }: FileQuery): AsyncGenerator<string> {
  for (const line of snapshot.head) yield JSON.stringify(line)
  const fieldOf = new Map(snapshot.fields.map((field) => [field.name, field]))
  let left = limit ?? Number.POSITIVE_INFINITY
  if (left === 0) return
  for (const { id, size, part } of snapshot.files()) {
    const mayMatch = filter?.((name) => {
      const field = fieldOf.get(name)
      return field && columnStatistics(field, part)
    })
    if (mayMatch === false) continue
    yield JSON.stringify({
      file: {
        url: await signer.sign(`/api/files/${id}`),
        id,
        partitionValues: {},
        size,
        stats: statisticsJson(snapshot.fields, part),
        expirationTimestamp: expiresAt.getTime(),
      },
    })
    left -= part.rows
    if (left <= 0) return
  }
}

type TableOfShare = z.infer<typeof SharedTableAddress>

function open(c: Context<AppEnv>, { share, schema, table }: TableOfShare, version: number | undefined) {
  checkSchema(schema)
  const services = { catalog: c.var.services.catalog, bucket: c.env.BUCKET }
  const opened = openSnapshot(services, { datasetId: share, table, version }, requesterOf(c))
  return opened.catch((error: unknown) => {
    if (error instanceof FusouError && error.code === 'unknown_dataset') throw noShare(share)
    throw error
  })
}

function describeVersion(c: Context<AppEnv>, { version }: Snapshot): void {
  c.header('Content-Type', 'application/x-ndjson; charset=utf-8')
  c.header('Cache-Control', 'no-store')
  c.header('Delta-Table-Version', String(version))
  c.header('Delta-Sharing-Capabilities', 'responseformat=parquet')
}

/** @throws FusouError `unknown_dataset`, `unknown_table`, `unknown_version`, `version_gone` */
async function versionAt(
  c: Context<AppEnv>,
  { share, schema, table }: TableOfShare,
  at: string | undefined,
  isLater: boolean,
): Promise<number> {
  const look = { table: isLater ? table : undefined, at, isLater }
  const found = await c.var.services.catalog.versionAt(share, requesterOf(c), look)
  if (found.outcome === 'unknown_dataset') throw noShare(share)
  checkSchema(schema)
  if (found.outcome === 'ok') return found.version
  throw new FusouError(
    found.outcome,
    found.outcome === 'unknown_version'
      ? `${toShared(table)} has no version since ${at}`
      : `the table ${toShared(table)}`,
  )
}
