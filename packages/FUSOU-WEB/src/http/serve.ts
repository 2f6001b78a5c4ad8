import { FusouError } from '@fusou/catalog'
import type { Context, Hono } from 'hono'
import { allow } from '../auth/caller.ts'
import type { AppEnv, Bindings } from '../bindings.ts'
import type { Services } from '../services.ts'
import { check } from './check.ts'
import type { Route } from './operation.ts'
import { readJson } from './read-json.ts'

/** Mount the routes; what has a route but not for this method is answered 405. */
export function serve(app: Hono<AppEnv>, routes: readonly Route[], open: (env: Bindings) => Services): void {
  const methods = new Map<string, string[]>()
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

async function answer(c: Context<AppEnv>, { operation, handle }: Route, open: (env: Bindings) => Services) {
  const { access, path, params, query, body } = operation
  c.set('route', path)
  if (access !== 'open') {
    c.set('services', open(c.env))
    const caller = await c.var.services.identify(c.req.header('authorization'))
    allow(caller, access)
    c.set('caller', caller)
  }
  return handle(c, {
    params: params && check(params, c.req.param(), 'path'),
    query: query && check(query, c.req.query(), 'query'),
    body: body && check(body, await readJson(c.req.raw), 'body'),
  })
}
