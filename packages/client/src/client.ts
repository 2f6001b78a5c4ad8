import createClient, { type Client } from 'openapi-fetch'
import type { paths } from './api.ts'
import { type RetryOptions, retryingFetch } from './retrying-fetch.ts'
import { unwrap } from './unwrap.ts'
import {
  IN_PARTS_ABOVE_BYTES,
  sizeOf,
  type UploadAnswer,
  type UploadOptions,
  type UploadPlace,
  uploadInParts,
} from './upload-in-parts.ts'

export interface FusouOptions {
  /** such as `https://fusou.pages.dev` */
  readonly url: string
  /** a key, a user's token, or what gives one for each call */
  readonly token: string | (() => string | Promise<string>)
  readonly retry?: RetryOptions
  /** default: that of the runtime */
  readonly fetch?: (request: Request) => Promise<Response>
}

type Body<Path extends keyof paths, Method extends string, Status extends number> = paths[Path] extends {
  [M in Method]: { responses: { [S in Status]: { content: { 'application/json': infer Json } } } }
}
  ? Json
  : never
export type Job = Body<'/api/jobs/{id}', 'get', 200>

const ENDED = new Set(['succeeded', 'dead', 'cancelled'])

/**
 * The HTTP API. `api` has every call, typed by the OpenAPI document; the methods are those that take more than one call.
 *
 * @example
 * const fusou = new FusouClient({ url: 'https://fusou.pages.dev', token: process.env.FUSOU_KEY })
 * await fusou.upload(bytes, { datasetId: 'sea', tableId: 'waves' })
 * const { datasets } = await unwrap(fusou.api.GET('/api/datasets'))
 */
export class FusouClient {
  readonly api: Client<paths>

  constructor({ url, token, retry, fetch = (request) => globalThis.fetch(request) }: FusouOptions) {
    this.api = createClient<paths>({ baseUrl: url.replace(/\/+$/, ''), fetch: retryingFetch(fetch, retry) })
    this.api.use({
      async onRequest({ request }) {
        request.headers.set('authorization', `Bearer ${typeof token === 'string' ? token : await token()}`)
        return request
      },
    })
  }

  /**
   * Upload one Parquet file: a large one in parts, of which only those are sent that an earlier call has not stored. The
   * same bytes are stored once, so it may be repeated. A Blob, such as `openAsBlob()` of Node gives, is never read whole
   * if it is large.
   * @throws ApiError such as `invalid_parquet`, `quota_exceeded`
   */
  upload(
    bytes: Uint8Array<ArrayBuffer> | Blob,
    place: UploadPlace,
    options: UploadOptions = {},
  ): Promise<UploadAnswer> {
    if (sizeOf(bytes) > IN_PARTS_ABOVE_BYTES) return uploadInParts(this.api, bytes, place, options)
    return unwrap(
      this.api.POST('/api/compaction/upload', {
        params: { query: place },
        // the bytes themselves, not JSON
        body: bytes as never,
        bodySerializer: (body: unknown) => body as Blob,
        headers: { 'content-type': 'application/vnd.apache.parquet' },
        ...(options.signal && { signal: options.signal }),
      }),
    )
  }

  /** The states of a job, one each time it changed, until it has ended. */
  async *follow(
    jobId: string,
    { pauseMs = 1000, signal }: { pauseMs?: number; signal?: AbortSignal } = {},
  ): AsyncGenerator<Job> {
    let last = ''
    for (;;) {
      const job = await unwrap(
        this.api.GET('/api/jobs/{id}', { params: { path: { id: jobId } }, ...(signal && { signal }) }),
      )
      const now = JSON.stringify([job.state, job.attempt, job.progress])
      if (now !== last) yield job
      last = now
      if (ENDED.has(job.state)) return
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
    }
  }
}

/**
 * Every item of a list, page by page.
 *
 * @example
 * const all = items((cursor) => unwrap(fusou.api.GET('/api/datasets', { params: { query: { cursor } } })), (page) => page.datasets)
 */
export async function* items<Page extends { nextCursor: string | null }, Item>(
  read: (cursor: string | undefined) => Promise<Page>,
  of: (page: Page) => readonly Item[],
): AsyncGenerator<Item> {
  let cursor: string | undefined
  do {
    const page = await read(cursor)
    yield* of(page)
    cursor = page.nextCursor ?? undefined
  } while (cursor !== undefined)
}
