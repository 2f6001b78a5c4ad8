import { env, exports } from 'cloudflare:workers'
import { AN_OPERATOR, connectCatalog, ERROR_CODES, type ErrorCode } from '@fusou/catalog'
import { expect, inject } from 'vitest'
import type { Bindings } from '../../src/bindings.ts'
import { describeApi } from '../../src/http/describe-api.ts'
import { HTTP_STATUS } from '../../src/http/http-status.ts'
import type { Problem } from '../../src/http/problem.ts'
import { allRoutes } from '../../src/routes/all-routes.ts'
import { FLIGHTS } from './files.ts'
import type { User } from './tokens.ts'

interface TestBindings extends Bindings {
  readonly MESSAGES: KVNamespace
  readonly OPERATOR_TOKEN: string
}
export const bindings = env as unknown as TestBindings
export const OPERATOR = { token: bindings.OPERATOR_TOKEN }
export const ORIGIN = 'https://fusou.test'

const routes = allRoutes(() => {
  throw new Error('only the operations are looked at')
})
export const document = describeApi(routes) as {
  paths: Record<string, Record<string, { responses: Record<string, { description: string }> }>>
}

export interface Call extends RequestInit {
  token?: string | undefined
}

/** Call the Worker as a client would. Whatever it answers must be what the OpenAPI document says. */
export async function call(path: string, { token, ...init }: Call = {}): Promise<Response> {
  const request = new Request(new URL(path, ORIGIN), { redirect: 'manual', ...init })
  if (token !== undefined) request.headers.set('authorization', `Bearer ${token}`)
  const response = await exports.default.fetch(request)
  expect(response.headers.get('x-content-type-options')).toBe('nosniff')
  expect(response.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
  await expectDocumented(request.method, new URL(request.url).pathname, response)
  return response
}

/** @returns the body of a successful answer */
export async function json<Body>(path: string, init?: Call): Promise<Body> {
  const response = await call(path, init)
  const body = await response.json()
  expect(response.ok, JSON.stringify(body)).toBe(true)
  return body as Body
}

export function post(path: string, body: unknown, init: Call = {}): Promise<Response> {
  const headers = { 'content-type': 'application/json', ...(init.headers as Record<string, string>) }
  return call(path, { ...init, method: 'POST', headers, body: typeof body === 'string' ? body : JSON.stringify(body) })
}

/** The answer is problem details with this code, its status and nothing that is not a client's to see. */
export async function expectProblem(answer: Response | Promise<Response>, code: ErrorCode): Promise<Problem> {
  const response = await answer
  const problem = await response.json<Problem>()
  expect(problem).toMatchObject({ code, status: HTTP_STATUS[code], title: ERROR_CODES[code].title })
  expect(response.status).toBe(HTTP_STATUS[code])
  expect(response.headers.get('content-type')).toBe('application/problem+json')
  expect(problem.requestId).toBe(response.headers.get('x-request-id'))
  return problem
}

async function expectDocumented(method: string, pathname: string, response: Response): Promise<void> {
  const operation = routes
    .map((route) => route.operation)
    .find(
      (candidate) =>
        candidate.method === (method === 'HEAD' ? 'get' : method.toLowerCase()) &&
        new RegExp(`^${candidate.path.replace(/:\w+(?:\{([^}]*)\})?/g, (_, form = '[^/]+') => form)}$`).test(pathname),
    )
  if (!operation)
    return expect(method === 'OPTIONS' ? [204, 405] : [404, 405]).toContain(response.status) as unknown as undefined
  const described =
    document.paths[operation.path.replace(/:(\w+)(?:\{[^}]*\})?/g, '{$1}')]![operation.method]!.responses[
      response.status
    ]
  expect(described, `${operation.path} answered ${response.status}`).toBeDefined()
  if (method === 'HEAD') return
  if (response.headers.get('content-type') === 'application/problem+json') {
    expect(described!.description).toContain(`\`${(await response.clone().json<Problem>()).code}\``)
    return
  }
  const schema = operation.answers[response.status]?.schema
  if (schema) {
    const body = await response.clone().json()
    expect(schema.parse(body), 'every field is documented').toEqual(body)
  }
}

/** Upload a file as the body of a request. */
export function upload(
  user: User,
  bytes: Uint8Array<ArrayBuffer>,
  query: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<Response> {
  return call(`/api/compaction/upload?${new URLSearchParams(query)}`, {
    token: user.token,
    method: 'POST',
    body: bytes,
    headers: { 'content-type': 'application/vnd.apache.parquet', ...headers },
  })
}

/** Ask for a merge of all of a dataset, as its owner. */
export async function askForMerge({ token }: User, datasetId: string): Promise<{ datasetId: string; jobId: string }> {
  const asked = await post('/api/compaction/sanitize-state', { datasetId }, { token })
  return { datasetId, jobId: (await asked.json<{ jobId: string }>()).jobId }
}

/** A dataset of one file, and a job that was asked for by hand. */
export async function newJobOf(user: User): Promise<{ datasetId: string; jobId: string }> {
  const datasetId = newDataset()
  await upload(user, FLIGHTS, { datasetId, tableId: 't' })
  return askForMerge(user, datasetId)
}

export const catalog = connectCatalog({
  supabaseUrl: inject('supabaseUrl'),
  supabaseSecretKey: inject('supabase').secretKey,
})

/** Of a dataset: what lies in the bucket, and what the catalog names. */
export async function stored(datasetId: string): Promise<{ objects: number; files: number }> {
  const { objects } = await bindings.BUCKET.list({ prefix: `datasets/${datasetId}/uploads/` })
  const listed = await catalog.listFiles({ datasetId, requester: AN_OPERATOR, limit: 100 })
  return { objects: objects.length, files: listed.outcome === 'ok' ? listed.files.length : 0 }
}

/** A name of its own for each test. */
export const newDataset = (): string => `data-${crypto.randomUUID()}`
