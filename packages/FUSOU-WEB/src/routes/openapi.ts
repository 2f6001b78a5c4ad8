import { describeApi } from '../http/describe-api.ts'
import { type Route, route } from '../http/operation.ts'

/** @param routes all others; this one describes itself too */
export function openapi(routes: readonly Route[]): Route {
  let document: string | undefined
  const self: Route = route(
    {
      method: 'get',
      path: '/api/openapi.json',
      summary: 'This document',
      access: 'open',
      answers: { 200: { description: 'OpenAPI 3.1', mediaType: 'application/json' } },
    },
    (c) => {
      document ??= JSON.stringify(describeApi([...routes, self].filter((entry, at, all) => all.indexOf(entry) === at)))
      return c.body(document, 200, { 'Content-Type': 'application/json' })
    },
  )
  return self
}
