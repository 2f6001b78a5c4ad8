import { FusouError } from '@fusou/catalog'
import { Hono } from 'hono'
import type { AppEnv } from './bindings.ts'
import { boundBucket } from './http/bound-bucket.ts'
import { drainRefusedBody } from './http/drain-refused-body.ts'
import { answerError } from './http/problem.ts'
import { requestLog } from './http/request-log.ts'
import { responseHeaders } from './http/response-headers.ts'
import { serve } from './http/serve.ts'
import { allRoutes } from './routes/all-routes.ts'
import { serviceOpener } from './services.ts'

/** @param envFile text of the env file in the bundle, its values encrypted or plain */
export function createApp(envFile: string): Hono<AppEnv> {
  const open = serviceOpener(envFile)
  const app = new Hono<AppEnv>()
  app.use(boundBucket, requestLog, responseHeaders, drainRefusedBody)
  serve(app, allRoutes(open), open)
  app.notFound((c) => answerError(new FusouError('not_found', 'see /api/openapi.json for what there is'), c))
  app.onError(answerError)
  return app
}
