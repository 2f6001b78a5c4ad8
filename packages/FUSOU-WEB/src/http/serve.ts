import { FusouError } from '@fusou/catalog'
import type { Context, Hono } from 'hono'
import { z } from 'zod'
import { allow } from '../auth/caller.ts'
import { isSigned, unsignedParams } from '../auth/signed-link.ts'
import type { AppEnv, Bindings } from '../bindings.ts'
import type { Services } from '../services.ts'
import { refuseContentCoding } from './body-headers.ts'
import { check, readFields } from './check.ts'
import { crossOrigin } from './cross-origin.ts'
import type { Operation, Route } from './operation.ts'
import { readJson } from './read-json.ts'

/** Mount the routes; what has a route but not for this method is answered 405. */
export function serve(app: Hono<AppEnv>, routes: readonly Route[], open: (env: Bindings) => Services): void {
  const methods = new Map<string, string[]>()
  for (const { operation } of routes) if (operation.forEngines) app.use(operation.path, crossOrigin(open))
  for (const route of routes) {
    const { method, path } = route.operation
    app.on(method.toUpperCase(), path, (c) => answer(c, route, open))
    methods.set(path, [...(methods.get(path) ?? []), ...(method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()])])
  }
  for (const [path, allowed] of methods) {
    app.all(path, (c) => {
      c.set('route', path)
      c.header('Allow', allowed.join(', '))
      throw new FusouError('method_not_allowed', `${path} takes ${allowed.join(', ')}`)
    })
  }
}

const NO_FIELDS = z.strictObject({})

async function answer(c: Context<AppEnv>, { operation, handle }: Route, open: (env: Bindings) => Services) {
  const { access, scope, path, params, documentedQuery, query = NO_FIELDS } = operation
  c.set('route', path)
  const url = new URL(c.req.url)
  const byLink = operation.forEngines && isSigned(url)
  if (access !== 'open') {
    c.set('services', open(c.env))
    const { identify, links } = c.var.services
    const caller = byLink ? await links.identify(url) : await identify(c.req.header('authorization'))
    allow(caller, access, scope)
    c.set('caller', caller)
  }
  if (c.req.raw.body !== null) refuseContentCoding(c.req.raw)
  const asked = readFields(byLink ? unsignedParams(url) : url.searchParams)
  return handle(c, {
    params: params && check(params, c.req.param(), 'path'),
    // a documented query stands beside a streamed body, and the handler checks both
    query: documentedQuery ? undefined : check(query, asked.fields, 'query', asked.repeated),
    body: await readBody(c.req.raw, operation),
  })
}

/** A call without a body in its contract takes none, or an empty object, which some clients send with every POST. */
async function readBody(request: Request, { method, body, streamedBody }: Operation): Promise<unknown> {
  if (streamedBody || method === 'get') return undefined
  const json = await readJson(request)
  if (body) return check(body, json?.value, 'body', json?.repeated)
  return check(NO_FIELDS.optional(), json?.value, 'body', json?.repeated)
}
