import { FileId, FusouError } from '@fusou/catalog'
import { z } from 'zod'
import { requesterOf } from '../../auth/caller.ts'
import { boundedBody } from '../../files/bounded-body.ts'
import { parseRange } from '../../files/byte-range.ts'
import { evaluatePreconditions } from '../../files/preconditions.ts'
import { route } from '../../http/operation.ts'
import { PARQUET_MEDIA_TYPE } from '../../upload/stream-put.ts'

const PARQUET = { mediaType: PARQUET_MEDIA_TYPE }

export const readFile = route(
  {
    method: 'get',
    path: '/api/files/:id',
    summary: 'The bytes of a file, whole or one range; HEAD tells its length',
    access: 'reader',
    scope: 'read',
    forEngines: true,
    params: z.object({ id: FileId }),
    answers: {
      200: { description: 'The file', ...PARQUET },
      206: { description: 'The range', ...PARQUET },
      304: { description: 'If-None-Match names the file as it is' },
    },
    errors: ['unknown_file', 'range_not_satisfiable', 'precondition_failed', 'object_missing', 'storage_unavailable'],
  },
  async (c, { params: { id } }) => {
    const file = await c.var.services.catalog.getFile(id, requesterOf(c))
    if (!file) throw new FusouError('unknown_file', `no file ${id} that you may read`)
    const etag = `"${file.sha256}"`
    const headers = new Headers({
      'Accept-Ranges': 'bytes',
      ETag: etag,
      // The bytes under an id never change, but who may read them can.
      'Cache-Control': 'private, no-cache',
    })

    const condition = evaluatePreconditions(c.req.raw.headers, etag)
    if (condition.outcome === 'failed') throw new FusouError('precondition_failed', 'If-Match names another file')
    if (condition.outcome === 'not_modified') return new Response(null, { status: 304, headers })
    const asked = condition.honorRange ? parseRange(c.req.header('range'), file.length) : undefined
    if (asked === 'unsatisfiable') {
      c.header('Content-Range', `bytes */${file.length}`)
      throw new FusouError('range_not_satisfiable', `the file has ${file.length} bytes`)
    }

    const { offset, length } = asked ?? { offset: 0, length: file.length }
    headers.set('Content-Type', PARQUET_MEDIA_TYPE)
    headers.set('Content-Length', String(length))
    headers.set('Content-Disposition', `attachment; filename="${file.table}-${file.id}.parquet"`)
    if (asked) headers.set('Content-Range', `bytes ${offset}-${offset + length - 1}/${file.length}`)
    const status = asked ? 206 : 200
    if (c.req.method === 'HEAD') return new Response(null, { status, headers })
    const body = await openRange(c.env.BUCKET, file.r2Key, file.offset + offset, length, c.var.requestId)
    return new Response(body, { status, headers })
  },
)

/** @throws FusouError `storage_unavailable`, or `object_missing` when the bucket has lost what the catalog names */
async function openRange(
  bucket: R2Bucket,
  key: string,
  offset: number,
  length: number,
  requestId: string,
): Promise<ReadableStream> {
  const object = await bucket.get(key, { range: { offset, length } }).catch((cause: unknown) => {
    throw new FusouError('storage_unavailable', 'the file could not be read; try again', { cause })
  })
  if (!object) throw new FusouError('object_missing', 'the bytes of this file are gone; tell the operator')
  return boundedBody(object.body, { requestId, key }).pipeThrough(new FixedLengthStream(length))
}
