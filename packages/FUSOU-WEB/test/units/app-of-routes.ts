import { type Catalog, FusouError } from '@fusou/catalog'
import { Hono } from 'hono'
import { vi } from 'vitest'
import type { Caller } from '../../src/auth/caller.ts'
import type { AppEnv } from '../../src/bindings.ts'
import { answerError } from '../../src/http/problem.ts'
import { serve } from '../../src/http/serve.ts'
import { allRoutes } from '../../src/routes/all-routes.ts'

export const USER: Caller = { kind: 'user', id: '0b9e3f0c-54e6-4c1c-a3fb-7a63e5a6c7f2' }
export const OPERATOR: Caller = { kind: 'operator' }
/** How the catalog is told of these callers. */
export const requesterOf = (caller: Caller) => ({ ...caller, address: undefined, requestId: 'r' })

interface Given {
  readonly caller?: Caller
  readonly body?: unknown
  /** what each method of the catalog answers, or throws */
  readonly answers?: Readonly<Record<string, unknown>>
  readonly bucket?: object
}

/** Calls a route of the application, with a catalog and a bucket of the test. */
export async function callRoute(method: string, path: string, { caller = USER, body, answers = {}, bucket }: Given) {
  const calls: unknown[][] = []
  const catalog = new Proxy(answers, {
    get:
      (_, name: string) =>
      async (...given: unknown[]) => {
        calls.push([name, ...given])
        if (!(name in answers)) throw new Error(`a call of ${name} was not expected`)
        const answer = answers[name]
        if (answer instanceof FusouError) throw answer
        return typeof answer === 'function' ? answer(...given) : answer
      },
  }) as unknown as Catalog
  const app = new Hono<AppEnv>()
  app.use((c, next) => {
    c.set('requestId', 'r')
    return next()
  })
  const open = () => ({
    catalog,
    identify: async () => caller,
    links: undefined as never,
    layouts: undefined as never,
    readerOrigins: [],
    uploadRights: undefined as never,
  })
  serve(app, allRoutes(open), open)
  app.onError(answerError)
  const sent: unknown[][] = []
  const env = { BUCKET: bucket, COMPACTION_QUEUE: { send: async (...message: unknown[]) => void sent.push(message) } }
  const waited: Promise<unknown>[] = []
  const context = { waitUntil: (promise: Promise<unknown>) => void waited.push(promise), passThroughOnException() {} }
  const lines: unknown[][] = []
  const spies = (['log', 'error'] as const).map((level) =>
    vi.spyOn(console, level).mockImplementation((line) => void lines.push([level, JSON.parse(line)])),
  )
  const init = body === undefined ? {} : { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) }
  const response = await app.request(`https://web.test${path}`, { method, ...init }, env, context as never)
  await Promise.all(waited)
  for (const spy of spies) spy.mockRestore()
  const json = (await response.json()) as Record<string, unknown>
  return { status: response.status, headers: response.headers, json, calls, sent, lines }
}
