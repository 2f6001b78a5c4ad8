import { type ComposedFooter, DatasetId, FusouError, PeriodTag, TableName } from '@fusou/catalog'
import type { Context } from 'hono'
import { z } from 'zod'
import { requesterOf } from '../../auth/caller.ts'
import { isSigned } from '../../auth/signed-link.ts'
import type { AppEnv } from '../../bindings.ts'
import { type ByteRange, parseRange } from '../../files/byte-range.ts'
import { evaluatePreconditions } from '../../files/preconditions.ts'
import { filled } from '../../http/inputs.ts'
import { route } from '../../http/operation.ts'
import { openTable } from '../../tables/open-table.ts'
import { layPinned } from '../../tables/pinned-layout.ts'
import { readTableAddresses } from '../../tables/read-addresses.ts'
import type { Segment } from '../../tables/segments.ts'
import { streamSegments } from '../../tables/stream-segments.ts'
import { PARQUET_MEDIA_TYPE } from '../../upload/stream-put.ts'
import { tableFilePath } from './table-links.ts'

const PARQUET = { mediaType: PARQUET_MEDIA_TYPE }

/** `flights.parquet`, or `flights@42.parquet` for a version. */
const TableFileName = z
  .string()
  .regex(
    /^[^@]+(?:@(?:0|[1-9]\d{0,14}))?\.parquet$/,
    'is a table and .parquet, with @ and a version between if it is pinned',
  )
  .transform((text) => {
    const [table, version] = text.slice(0, -'.parquet'.length).split('@')
    return { table: table!, version: version === undefined ? undefined : Number(version) }
  })
  .refine(({ table }) => TableName.safeParse(table).success, 'the name of the table is not one')

export const readTableFile = route(
  {
    method: 'get',
    path: '/api/datasets/:id/tables/:file{[^/]+\\.parquet}',
    summary: 'A table, or one period of it, as one Parquet file: whole, or any range of it; HEAD tells its length',
    access: 'reader',
    scope: 'read',
    forEngines: true,
    params: z.object({ id: DatasetId, file: TableFileName }),
    query: z.object({ period: filled(PeriodTag.optional()) }),
    answers: {
      200: { description: 'All of a version that is pinned by @', ...PARQUET },
      206: { description: 'The range', ...PARQUET },
      307: { description: 'All of the newest version, which is read as a pinned one' },
      304: { description: 'If-None-Match names the table as it is' },
    },
    errors: [
      'unknown_dataset',
      'unknown_table',
      'unknown_version',
      'version_gone',
      'bytes_gone',
      'table_refused',
      'range_not_satisfiable',
      'precondition_failed',
      'object_missing',
      'corrupt_file',
      'storage_unavailable',
      'overloaded',
    ],
  },
  async (c, { params: { id: datasetId, file }, query: { period } }) => {
    const scope = { datasetId, table: file.table, periodTag: period }
    return file.version === undefined ? readNewest(c, scope) : readPinned(c, scope, file.version)
  },
)

interface Scope {
  readonly datasetId: string
  readonly table: string
  readonly periodTag: string | undefined
}

/**
 * The bytes at an address of the newest version never change, but its end moves on. Ranges therefore have no entity tag,
 * so that an engine goes on with the version whose footer it has read. Who asks for all of it is sent to the version as
 * it is pinned, which has no gaps between its files.
 */
async function readNewest(c: Context<AppEnv>, scope: Scope): Promise<Response> {
  const headers = new Headers({ 'Cache-Control': 'private, no-cache, no-transform' })
  const isHead = c.req.method === 'HEAD'
  const range = isHead ? undefined : rangeOf(c)
  if (range !== undefined && c.req.header('if-range') === undefined) {
    const { length, asked, segments } = await readTableAddresses(c, scope, range, () =>
      open(c, scope, undefined, false),
    )
    return send(c, segments, { headers, range: satisfiable(c, asked, length), length })
  }
  const footer = await open(c, scope, undefined, !isHead)
  const tag = `"${footer.version}-${footer.leftOut}"`
  headers.set('ETag', `W/${tag}`)
  const condition = evaluatePreconditions(c.req.raw.headers, tag)
  if (condition.outcome === 'failed') throw new FusouError('precondition_failed', 'If-Match names another version')
  if (condition.outcome === 'not_modified') return new Response(null, { status: 304, headers })
  describeFooter(headers, footer)
  if (isHead) return send(c, nothing, { headers, range: undefined, length: lengthOf(footer) })
  headers.set('Location', await pinnedLocation(c, scope, footer.version))
  return new Response(null, { status: 307, headers })
}

async function* nothing(): AsyncGenerator<Segment> {}

/** Where a version is pinned; signed for as long as the link by which it was asked for. */
async function pinnedLocation(c: Context<AppEnv>, scope: Scope, version: number): Promise<string> {
  const path = tableFilePath({ ...scope, version, period: scope.periodTag })
  const asked = new URL(c.req.url)
  return isSigned(asked) ? c.var.services.links.signLike(asked, path) : path
}

/** A pinned version never changes: any cache of the client may keep it. */
async function readPinned(c: Context<AppEnv>, scope: Scope, version: number): Promise<Response> {
  const footer = await open(c, scope, version, true)
  const etag = `"${footer.id}"`
  const length = lengthOf(footer)
  const headers = new Headers({ ETag: etag, 'Cache-Control': 'private, max-age=31536000, immutable, no-transform' })
  const condition = evaluatePreconditions(c.req.raw.headers, etag)
  if (condition.outcome === 'failed') throw new FusouError('precondition_failed', 'If-Match names another version')
  if (condition.outcome === 'not_modified') return new Response(null, { status: 304, headers })
  const range = condition.honorRange ? rangeOf(c) : undefined
  const asked = range === undefined ? undefined : satisfiable(c, parseRange(range, length), length)
  describeFooter(headers, footer)
  return sendPinned(c, footer, { headers, range: asked, length })
}

const lengthOf = ({ address, tailBytes }: ComposedFooter) => address + tailBytes

/** A header of another unit is ignored. */
function rangeOf(c: Context<AppEnv>): string | undefined {
  const header = c.req.header('range')
  return header !== undefined && /^\s*bytes\s*=/i.test(header) ? header : undefined
}

/**
 * Anything but one range is refused, never ignored: the whole table would be large, and its bytes would lie at other
 * addresses than the client expects.
 * @throws FusouError `range_not_satisfiable`
 */
function satisfiable(c: Context<AppEnv>, asked: ByteRange | 'unsatisfiable' | undefined, length: number): ByteRange {
  if (typeof asked === 'object') return asked
  c.header('Content-Range', `bytes */${length}`)
  throw new FusouError(
    'range_not_satisfiable',
    asked === undefined ? 'ask for one range, such as bytes=0-3 or bytes=-8' : `the table has ${length} bytes`,
  )
}

/** The work goes on when the client has gone, so that the next one finds the footer. */
function open(c: Context<AppEnv>, scope: Scope, version: number | undefined, pinned: boolean): Promise<ComposedFooter> {
  const services = { catalog: c.var.services.catalog, bucket: c.env.BUCKET }
  const opened = openTable(services, scope, requesterOf(c), { version, pinned })
  c.executionCtx.waitUntil(opened.catch(() => undefined))
  return opened
}

function describeFooter(headers: Headers, { version, rows, leftOut }: ComposedFooter): void {
  headers.set('X-Fusou-Version', String(version))
  headers.set('X-Fusou-Rows', String(rows))
  headers.set('X-Fusou-Left-Out', String(leftOut))
}

interface Reply {
  readonly headers: Headers
  readonly range: ByteRange | undefined
  readonly length: number
}

async function sendPinned(c: Context<AppEnv>, footer: ComposedFooter, reply: Reply): Promise<Response> {
  const { offset, length } = reply.range ?? { offset: 0, length: reply.length }
  const segments = async function* (): AsyncGenerator<Segment> {
    const layout = await c.var.services.layouts.read(c.env.BUCKET, footer)
    yield* layPinned(layout, footer, offset, offset + length)
  }
  return send(c, segments, reply)
}

async function send(
  c: Context<AppEnv>,
  segments: () => AsyncIterable<Segment>,
  { headers, range, length: total }: Reply,
): Promise<Response> {
  const length = range?.length ?? total
  headers.set('Accept-Ranges', 'bytes')
  headers.set('Content-Type', PARQUET_MEDIA_TYPE)
  headers.set('Content-Length', String(length))
  if (range) headers.set('Content-Range', `bytes ${range.offset}-${range.offset + length - 1}/${total}`)
  const status = range ? 206 : 200
  if (c.req.method === 'HEAD') return new Response(null, { status, headers })
  const body = await streamSegments(c.env.BUCKET, segments(), c.var.requestId)
  return new Response(body.pipeThrough(new FixedLengthStream(length)), { status, headers })
}
