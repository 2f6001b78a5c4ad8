import { route } from '../../http/operation.ts'
import { metricFamilies } from '../../metrics/metric-families.ts'
import { inTextFormat, TEXT_FORMAT } from '../../metrics/text-format.ts'

export const metrics = route(
  {
    method: 'get',
    path: '/api/metrics',
    summary: 'Jobs, steps, work done, outbox and dead letters, for Prometheus',
    access: 'operator',
    answers: { 200: { description: 'The text exposition format, version 0.0.4', mediaType: 'text/plain' } },
  },
  async (c) => {
    const families = metricFamilies(await c.var.services.catalog.metrics())
    return c.body(inTextFormat(families), 200, { 'Content-Type': TEXT_FORMAT })
  },
)
