import { FusouError } from '@fusou/catalog'
import { Hono } from 'hono'
import { describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import type { AppEnv } from '../src/bindings.ts'
import { answerError } from '../src/http/problem.ts'
import { requestLog } from '../src/http/request-log.ts'
import { allRoutes } from '../src/routes/all-routes.ts'
import { call, document, expectProblem, json, OPERATOR } from './support/api.ts'

describe('the OpenAPI document', () => {
  test('is served as the routes make it', async () => {
    const served = await json<typeof document>('/api/openapi.json')
    expect(Object.keys(served.paths).length).toBeGreaterThan(30)
    expect(served).toEqual(document)
  })

  test('refers only to what it holds', async () => {
    const served = await json<{ components: { schemas: object } }>('/api/openapi.json')
    const references = [...JSON.stringify(served).matchAll(/"\$ref":"([^"]*)"/g)].map(([, reference]) => reference!)
    expect(references).toContain('#/components/schemas/Problem')
    for (const reference of new Set(references))
      expect(Object.keys(served.components.schemas)).toContain(reference.replace('#/components/schemas/', ''))
  })

  test('says the bounds that are checked', async () => {
    const { components } = await json<{ components: { schemas: Record<string, unknown> } }>('/api/openapi.json')
    expect(components.schemas.TriggerRequest).toMatchObject({
      properties: { limit: { default: 10, type: 'integer', minimum: 1, maximum: 100 } },
    })
    const { parameters } = document.paths['/api/jobs']!.get as unknown as { parameters: unknown[] }
    expect(parameters).toContainEqual({
      name: 'limit',
      in: 'query',
      required: false,
      schema: { default: 50, type: 'integer', minimum: 1, maximum: 200 },
    })
  })
})

describe('an address', () => {
  test('of nothing is not found', async () => {
    await expectProblem(call('/api/nothing', OPERATOR), 'not_found')
  })

  const calls = allRoutes(() => {
    throw new Error('not called')
  }).map(({ operation }) => operation.path.replace(/:\w+(?:\{[^}]*\})?/g, 'x.parquet'))

  test.each([...new Set(calls)])('%s takes only its methods, and says which', async (path) => {
    const response = await call(path, { ...OPERATOR, method: 'TRACE' })
    expect(response.headers.get('allow')).toMatch(/GET, HEAD|POST|PUT|DELETE/)
    await expectProblem(response, 'method_not_allowed')
  })
})

describe('an error that nobody foresaw', () => {
  const broken = new Hono<AppEnv>().use(requestLog).onError(answerError)
  broken.get('/secret', () => {
    throw new TypeError('password hunter2 at db.internal')
  })
  broken.get('/database', () => {
    throw new FusouError('database_refused', 'f was refused', { cause: new Error('relation "secret" does not exist') })
  })

  broken.get('/schema', () => {
    const { error } = z.object({ secret_column: z.string() }).safeParse({})
    throw new FusouError('database_refused', 'f gave an answer of an unknown form', { cause: error })
  })
  broken.get('/bare-schema', () => {
    z.object({ secret_column: z.string() }).parse({})
    return new Response()
  })

  test.each([
    ['/schema', 'database_refused'],
    ['/bare-schema', 'internal'],
  ] as const)('at %s does not show the fields of our own schemas', async (path, code) => {
    const spies = [vi.spyOn(console, 'error'), vi.spyOn(console, 'log')]
    for (const spy of spies) spy.mockImplementation(() => undefined)
    const problem = await expectProblem(broken.request(path), code)
    for (const spy of spies) spy.mockRestore()
    expect(problem.errors).toBeUndefined()
    expect(JSON.stringify(problem)).not.toContain('secret_column')
  })

  test.each([
    ['/secret', 'internal'],
    ['/database', 'database_refused'],
  ] as const)('at %s is logged with its cause, which the client never sees', async (path, code) => {
    const lines: string[] = []
    const spies = [vi.spyOn(console, 'error'), vi.spyOn(console, 'log')]
    for (const spy of spies) spy.mockImplementation((line: string) => void lines.push(line))
    const response = await broken.request(path)
    for (const spy of spies) spy.mockRestore()
    const problem = await expectProblem(response, code)
    expect(JSON.stringify(problem)).not.toMatch(/hunter2|secret" does|stack|at Object/)
    const logged = lines.map((line) => JSON.parse(line))
    expect(logged).toMatchObject([
      { event: 'request_failed', requestId: problem.requestId, code, cause: expect.stringMatching(/hunter2|relation/) },
      { event: 'request', requestId: problem.requestId, status: 500, code },
    ])
  })
})
