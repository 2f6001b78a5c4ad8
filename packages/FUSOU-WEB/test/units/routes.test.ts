import { describe, expect, test } from 'vitest'
import { callRoute, OPERATOR, requesterOf, USER } from './app-of-routes.ts'

const ID = '6f0c7c64-8a7a-4f0e-9d3a-2b0d7ad8d6a1'
const OTHER = '0b9e3f0c-54e6-4c1c-a3fb-7a63e5a6c7f3'
const AT = '2026-11-22T08:00:00Z'
const me = requesterOf(USER)
const operator = requesterOf(OPERATOR)
const deletion = { id: 4, files: 2 }

const OUTBOX = { id: 3, type: 'compaction.requested', payload: { datasetId: 'd' } }
const SENT = [{ datasetId: 'd' }, { contentType: 'json' }]

/** Each call with what the catalog is asked, and the status and body for each of its answers; a text is the code of an error. */
const CALLS: {
  call: [method: string, path: string, body?: unknown]
  asks: [method: string, ...args: unknown[]]
  answers: [answer: object, status: number, body: unknown][]
  isOperator?: true
}[] = [
  {
    call: ['PUT', `/api/datasets/d/grants/${ID}`, { role: 'reader' }],
    asks: ['grantRole', 'd', me, ID, 'reader'],
    answers: [
      [{ outcome: 'granted' }, 200, { datasetId: 'd', userId: ID, role: 'reader' }],
      [{ outcome: 'unknown_dataset' }, 404, 'unknown_dataset'],
      [{ outcome: 'unknown_user' }, 404, 'unknown_user'],
      [{ outcome: 'is_owner' }, 409, 'is_owner'],
    ],
  },
  {
    call: ['DELETE', `/api/datasets/d/grants/${ID}`],
    asks: ['revokeRole', 'd', me, ID],
    answers: [
      [{ outcome: 'revoked' }, 200, { datasetId: 'd', userId: ID, role: null }],
      [{ outcome: 'unknown_dataset' }, 404, 'unknown_dataset'],
      [{ outcome: 'is_owner' }, 409, 'is_owner'],
    ],
  },
  {
    call: ['POST', '/api/datasets/d/deletions/4/restore'],
    asks: ['restoreDeletion', 'd', me, 4],
    answers: [
      [{ outcome: 'restored', deletion }, 200, { success: true, datasetId: 'd', deletion }],
      [{ outcome: 'unknown_dataset' }, 404, 'unknown_dataset'],
      [{ outcome: 'unknown_deletion' }, 404, 'unknown_deletion'],
      [{ outcome: 'deletion_gone' }, 410, 'deletion_gone'],
      [{ outcome: 'uploaded_again' }, 409, 'uploaded_again'],
    ],
  },
  {
    call: ['GET', `/api/files/${ID}/receipt`],
    asks: ['getReceipt', ID, me],
    answers: [
      [{ outcome: 'ok', receipt: { rowsIn: 3 } }, 200, { rowsIn: 3 }],
      [{ outcome: 'unknown_file' }, 404, 'unknown_file'],
      [{ outcome: 'no_receipt' }, 404, 'no_receipt'],
    ],
  },
  {
    call: ['DELETE', '/api/datasets/d'],
    asks: ['deleteData', 'd', me],
    answers: [
      [{ outcome: 'deleted', deletion }, 200, { success: true, datasetId: 'd', deletion }],
      [{ outcome: 'unknown_dataset' }, 404, 'unknown_dataset'],
    ],
  },
  {
    call: ['DELETE', '/api/datasets/d/tables/t'],
    asks: ['deleteData', 'd', me, { table: 't' }],
    answers: [
      [{ outcome: 'deleted', deletion: null }, 200, { success: true, datasetId: 'd', deletion: null }],
      [{ outcome: 'unknown_dataset' }, 404, 'unknown_dataset'],
    ],
  },
  {
    call: ['DELETE', '/api/datasets/d/tables/t/periods/p'],
    asks: ['deleteData', 'd', me, { table: 't', periodTag: 'p' }],
    answers: [[{ outcome: 'deleted', deletion }, 200, { success: true, datasetId: 'd', deletion }]],
  },
  {
    call: ['GET', '/api/datasets/d/webhooks'],
    asks: ['listWebhooks', 'd', me],
    answers: [
      [{ outcome: 'ok', webhooks: [{ id: ID }] }, 200, { datasetId: 'd', webhooks: [{ id: ID }] }],
      [{ outcome: 'unknown_dataset' }, 404, 'unknown_dataset'],
    ],
  },
  {
    call: ['DELETE', `/api/datasets/d/webhooks/${ID}`],
    asks: ['deleteWebhook', 'd', me, ID],
    answers: [
      [{ outcome: 'deleted' }, 200, { success: true, datasetId: 'd', webhookId: ID }],
      [{ outcome: 'unknown_dataset' }, 404, 'unknown_dataset'],
    ],
  },
  {
    call: ['DELETE', `/api/keys/${ID}`],
    asks: ['revokeKey', me, ID],
    answers: [
      [{ outcome: 'revoked', key: { id: ID } }, 200, { id: ID }],
      [{ outcome: 'unknown_key' }, 404, 'unknown_key'],
    ],
  },
  {
    call: ['DELETE', `/api/users/${ID}/data`],
    asks: ['deleteUserData', me, ID, 100],
    answers: [[{ datasets: 3, more: true }, 200, { success: true, userId: ID, datasets: 3, more: true }]],
  },
  {
    call: ['GET', `/api/jobs/${ID}`],
    asks: ['getJob', ID, me],
    answers: [[{ id: ID, state: 'dead' }, 200, { id: ID, state: 'dead' }]],
  },
  {
    call: ['DELETE', `/api/jobs/${ID}`],
    asks: ['cancelJob', ID, me],
    answers: [
      [{ outcome: 'cancelled' }, 200, { success: true, jobId: ID, outcome: 'cancelled' }],
      [{ outcome: 'cancelling' }, 202, { success: true, jobId: ID, outcome: 'cancelling' }],
      [{ outcome: 'unknown_job' }, 404, 'unknown_job'],
      [{ outcome: 'ended', state: 'dead' }, 409, 'job_ended'],
    ],
  },
  {
    call: ['POST', `/api/compaction/dlq/7/acknowledge`],
    asks: ['acknowledgeLetter', 7, me],
    answers: [
      [
        { outcome: 'closed', closedAt: AT, closedHow: 'acknowledged' },
        200,
        { success: true, id: 7, closed_at: AT, closed_how: 'acknowledged' },
      ],
      [{ outcome: 'unknown_letter' }, 404, 'unknown_letter'],
    ],
  },
  {
    call: ['POST', `/api/jobs/${ID}/retry`],
    asks: ['retryJob', ID, me, 'web:r'],
    answers: [
      [
        { outcome: 'requested', jobId: OTHER, joined: true, outbox: null },
        202,
        { success: true, jobId: OTHER, message: 'joined the job that is queued' },
      ],
      [
        { outcome: 'requested', jobId: OTHER, joined: false, outbox: null },
        202,
        { success: true, jobId: OTHER, message: 'a job is queued' },
      ],
      [{ outcome: 'unknown_job' }, 404, 'unknown_job'],
      [{ outcome: 'not_dead', state: 'running' }, 409, 'job_not_dead'],
    ],
  },
  {
    call: ['POST', '/api/vacuum/pause', { by: 'me' }],
    asks: ['pauseDeletions', operator, { by: 'me', reason: null }],
    answers: [[{ paused: true }, 200, { success: true, paused: true }]],
    isOperator: true,
  },
  {
    call: ['DELETE', '/api/vacuum/pause'],
    asks: ['pauseDeletions', operator, null],
    answers: [[{ paused: false }, 200, { success: true, paused: false }]],
    isOperator: true,
  },
]

describe.each(CALLS.map((one) => ({ ...one, name: one.call.slice(0, 2).join(' ') })))('$name', (given) => {
  const { call, asks, answers, isOperator } = given
  test.each(answers)('answered by %j is %i %j', async (answer, status, expected) => {
    const [method, path, body] = call
    const caller = isOperator ? OPERATOR : USER
    const given = { caller, answers: { [asks[0]]: answer }, ...(body !== undefined && { body }) }
    const { status: answered, json, calls } = await callRoute(method, path, given)
    expect(calls).toEqual([asks])
    expect(answered).toBe(status)
    if (typeof expected === 'string') expect(json).toMatchObject({ code: expected, requestId: 'r' })
    else expect(json).toEqual(expected)
  })
})

test('a job that is asked for by hand has its message sent after the answer', async () => {
  const requested = { outcome: 'requested', jobId: ID, joined: false, outbox: OUTBOX }
  const body = { datasetId: 'd', table: 't', periodTag: 'p', rewrite: true }
  const { status, json, calls, sent } = await callRoute('POST', '/api/compaction/sanitize-state', {
    body,
    answers: { requestCompaction: requested, completeOutbox: 1 },
  })
  expect([status, json]).toEqual([202, { success: true, datasetId: 'd', jobId: ID, message: 'a job is queued' }])
  expect(calls).toEqual([
    ['requestCompaction', { ...body, requester: me, sender: 'web:r' }],
    ['completeOutbox', [3], 'web:r'],
  ])
  expect(sent).toEqual([SENT])
  const alone = await callRoute('POST', '/api/compaction/sanitize-state', { body: { datasetId: 'd', periodTag: 'p' } })
  expect([alone.status, alone.calls]).toEqual([400, []])
})

test.each([
  [true, 200],
  [false, 202],
])('dead jobs are tried again, or only named in a dry run: %s', async (dryRun, status) => {
  const redrive = { jobs: [{ jobId: ID, datasetId: 'd' }], outbox: dryRun ? [] : [OUTBOX] }
  const answered = await callRoute('POST', '/api/compaction/redrive', {
    body: { datasetId: 'd', code: 'internal', dryRun },
    answers: { redrive, completeOutbox: 1 },
  })
  expect([answered.status, answered.json]).toEqual([status, { success: true, dryRun, jobs: redrive.jobs }])
  const asked = { requester: me, datasetId: 'd', code: 'internal', dryRun, limit: 100, sender: 'web:r' }
  expect(answered.calls[0]).toEqual(['redrive', asked])
  expect(answered.sent).toEqual(dryRun ? [] : [SENT])
})
