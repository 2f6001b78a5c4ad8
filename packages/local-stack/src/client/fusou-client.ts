import { setTimeout as wait } from 'node:timers/promises'
import { z } from 'zod'

const MAX_TRIES = 8
const FIRST_PAUSE_MS = 250
/** an answer may take this long: an upload of a large object over loopback */
const ANSWER_SECONDS = 120

export const UploadAnswer = z.object({
  success: z.literal(true),
  datasetId: z.string(),
  tableId: z.string(),
  periodTag: z.string(),
  fileName: z.string().nullable(),
  fileSize: z.number(),
  rows: z.number(),
  sha256: z.string(),
  duplicate: z.boolean(),
  jobId: z.string().nullable(),
})
export type UploadAnswer = z.infer<typeof UploadAnswer>

export const JobStatus = z.object({
  jobs: z.object({
    queued: z.number(),
    running: z.number(),
    succeeded: z.number(),
    dead: z.number(),
    cancelled: z.number(),
  }),
})
export type JobStatus = z.infer<typeof JobStatus>

export const JobList = z.object({
  jobs: z.array(z.object({ id: z.string(), state: z.string(), priority: z.string(), datasetId: z.string() })),
  nextCursor: z.string().nullish(),
})

export const TriggerAnswer = z.object({ success: z.literal(true), enqueued: z.number(), remaining: z.number() })

export const FileList = z.object({
  datasetId: z.string(),
  version: z.number(),
  files: z.array(
    z.object({
      id: z.string(),
      table: z.string(),
      periodTag: z.string(),
      level: z.number(),
      rows: z.number(),
      bytes: z.number(),
      sha256: z.string(),
      url: z.string(),
    }),
  ),
  nextCursor: z.string().nullish(),
})
export type ListedFile = z.infer<typeof FileList>['files'][number]

/** The server said no, or something else than the contract says. */
export class AnswerError extends Error {
  override name = 'AnswerError'
}

/** One table in an object that holds several. */
export interface TableOffset {
  table_name: string
  start_byte: number
  byte_length: number
  format: 'parquet'
}

export interface UploadRequest {
  datasetId: string
  tableId: string
  periodTag?: string
  tableOffsets?: TableOffset[]
  fileName: string
  file: Blob
  /** `raw`: the file is the body and the names are in the query; `multipart`: a form */
  way: 'raw' | 'multipart'
}

/** A client as a user would write one: it waits when it is told to, and tries again after what may pass. */
export class FusouClient {
  readonly #webUrl: string
  readonly #token: string
  /** how often an answer made a request wait and run again */
  retries = 0

  constructor(webUrl: string, token: string) {
    this.#webUrl = webUrl
    this.#token = token
  }

  async upload(request: UploadRequest): Promise<UploadAnswer> {
    const { datasetId, tableId, periodTag, tableOffsets, fileName, file, way } = request
    const names = {
      datasetId,
      tableId,
      ...(periodTag !== undefined && { periodTag }),
      ...(tableOffsets !== undefined && { tableOffsets: JSON.stringify(tableOffsets) }),
    }
    if (way === 'raw') {
      const query = new URLSearchParams({ ...names, fileName })
      const headers = { 'content-type': 'application/vnd.apache.parquet' }
      return this.#json(`/api/compaction/upload?${query}`, UploadAnswer, { method: 'POST', headers, body: file })
    }
    const form = new FormData()
    for (const [name, value] of Object.entries(names)) form.set(name, value)
    form.set('file', file, fileName)
    return this.#json('/api/compaction/upload', UploadAnswer, { method: 'POST', body: form })
  }

  jobStatus(): Promise<JobStatus> {
    return this.#json('/api/jobs/status', JobStatus)
  }

  async jobs(datasetId: string) {
    const { jobs } = await this.#json(`/api/jobs?${new URLSearchParams({ datasetId })}`, JobList)
    return jobs.filter((job) => job.datasetId === datasetId)
  }

  /** A job that ended meanwhile is as good as cancelled. */
  async cancelJob(id: string): Promise<void> {
    await this.#request(`/api/jobs/${id}`, { method: 'DELETE' }, [409])
  }

  triggerScheduled(limit: number) {
    return this.#json('/api/compaction/trigger-scheduled', TriggerAnswer, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ limit }),
    })
  }

  async deadLetters(): Promise<string> {
    return (await this.#request('/api/compaction/dlq-status')).text()
  }

  /** @returns the job that merges all small files of the dataset */
  async askForMerge(datasetId: string): Promise<string> {
    const asked = await this.#json('/api/compaction/sanitize-state', z.object({ jobId: z.string() }), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ datasetId }),
    })
    return asked.jobId
  }

  /** Every file of one version: the pages after the first name the version of the first. */
  async listFiles(datasetId: string): Promise<{ version: number; files: ListedFile[] }> {
    const path = `/api/datasets/${encodeURIComponent(datasetId)}/files`
    const first = await this.#json(path, FileList)
    const files = [...first.files]
    for (let { nextCursor } = first; nextCursor; ) {
      const query = new URLSearchParams({ version: String(first.version), cursor: nextCursor })
      const page = await this.#json(`${path}?${query}`, FileList)
      files.push(...page.files)
      nextCursor = page.nextCursor
    }
    return { version: first.version, files }
  }

  async download(url: string): Promise<Uint8Array> {
    const { pathname, search } = new URL(url, this.#webUrl)
    return (await this.#request(`${pathname}${search}`)).bytes()
  }

  async #json<T>(path: string, schema: z.ZodType<T>, init: RequestInit = {}): Promise<T> {
    const answer: unknown = await (await this.#request(path, init)).json()
    const parsed = schema.safeParse(answer)
    if (parsed.success) return parsed.data
    throw new AnswerError(`${path} answered out of contract: ${z.prettifyError(parsed.error)}`)
  }

  async #request(path: string, init: RequestInit = {}, alsoGood: number[] = []): Promise<Response> {
    for (let tried = 1; ; tried += 1) {
      const { response, fault } = await this.#try(path, init)
      if (response && (response.ok || alsoGood.includes(response.status))) return response
      const passing = !response || response.status === 429 || response.status >= 500
      if (!passing || tried === MAX_TRIES)
        throw new AnswerError(`${init.method ?? 'GET'} ${path.split('?')[0]}: ${fault ?? (await describe(response!))}`)
      await response?.body?.cancel()
      this.retries += 1
      const told = Number(response?.headers.get('retry-after')) * 1000
      await wait(told > 0 ? told : FIRST_PAUSE_MS * 2 ** (tried - 1))
    }
  }

  async #try(path: string, init: RequestInit): Promise<{ response?: Response; fault?: string }> {
    const headers = { ...init.headers, authorization: `Bearer ${this.#token}` }
    const signal = AbortSignal.timeout(ANSWER_SECONDS * 1000)
    try {
      return { response: await fetch(`${this.#webUrl}${path}`, { ...init, headers, signal }) }
    } catch (error) {
      const { message, cause } = error as Error
      return { fault: cause instanceof Error ? cause.message : message }
    }
  }
}

const describe = async (response: Response) => `${response.status} ${(await response.text()).slice(0, 500)}`

/** @returns the user's access token */
export async function signIn(
  supabaseUrl: string,
  publishableKey: string,
  user: { email: string; password: string },
): Promise<string> {
  const response = await fetch(`${supabaseUrl}/auth/v1/token?grant_type=password`, {
    method: 'POST',
    headers: { apikey: publishableKey, 'content-type': 'application/json' },
    body: JSON.stringify(user),
  })
  if (!response.ok) throw new AnswerError(`sign-in of ${user.email}: ${await describe(response)}`)
  return z.object({ access_token: z.string() }).parse(await response.json()).access_token
}
