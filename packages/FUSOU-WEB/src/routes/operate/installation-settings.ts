import { Admission, Retention } from '@fusou/catalog'
import { requesterOf } from '../../auth/caller.ts'
import { route } from '../../http/operation.ts'

const AdmissionRequest = Admission.partial().meta({ id: 'AdmissionRequest', description: 'what is left out stays' })
const RetentionRequest = Retention.partial().meta({ id: 'RetentionRequest', description: 'what is left out stays' })
const AdmissionAnswer = { description: 'The settings as they are now', schema: Admission }
const RetentionAnswer = { description: 'The settings as they are now', schema: Retention }

export const getAdmission = route(
  {
    method: 'get',
    path: '/api/admission',
    summary: 'How many jobs may run at once',
    access: 'operator',
    answers: { 200: AdmissionAnswer },
  },
  async (c) => c.json(await c.var.services.catalog.readAdmission(requesterOf(c))),
)

export const putAdmission = route(
  {
    method: 'put',
    path: '/api/admission',
    summary: 'Set how many jobs may run at once',
    access: 'operator',
    body: AdmissionRequest,
    answers: { 200: AdmissionAnswer },
  },
  async (c, { body }) => c.json(await c.var.services.catalog.configureAdmission(requesterOf(c), body)),
)

export const getRetention = route(
  {
    method: 'get',
    path: '/api/retention',
    summary: 'How long history is kept',
    access: 'operator',
    answers: { 200: RetentionAnswer },
  },
  async (c) => c.json(await c.var.services.catalog.readRetention(requesterOf(c))),
)

export const putRetention = route(
  {
    method: 'put',
    path: '/api/retention',
    summary: 'Set how long history is kept',
    access: 'operator',
    body: RetentionRequest,
    answers: { 200: RetentionAnswer },
  },
  async (c, { body }) => c.json(await c.var.services.catalog.configureRetention(requesterOf(c), body)),
)
