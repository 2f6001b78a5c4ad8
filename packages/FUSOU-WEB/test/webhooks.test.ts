import { beforeAll, describe, expect, test } from 'vitest'
import { call, expectProblem, json, newDataset, post, upload } from './support/api.ts'
import { FLIGHTS } from './support/files.ts'
import { signUp, type User } from './support/tokens.ts'

let owner: User
let path: string
beforeAll(async () => {
  owner = await signUp()
  const datasetId = newDataset()
  await upload(owner, FLIGHTS, { datasetId, tableId: 't' })
  path = `/api/datasets/${datasetId}/webhooks`
})

test('a webhook is made with a secret that is shown once, listed without it, and deleted', async () => {
  const url = 'https://hooks.example.com/fusou?x=1'
  const made = await (await post(path, { url, events: ['job.ended'] }, owner)).json<{ id: string; secret: string }>()
  expect(made.secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/)
  const list = async () => (await json<{ webhooks: object[] }>(path, owner)).webhooks
  expect(await list()).toEqual([
    {
      id: made.id,
      url,
      events: ['job.ended'],
      createdAt: expect.any(String),
      lastDeliveredAt: null,
      failingSince: null,
      lastError: null,
      disabledAt: null,
      waiting: 0,
    },
  ])
  for (const _ of [1, 2]) expect((await call(`${path}/${made.id}`, { method: 'DELETE', ...owner })).status).toBe(200)
  expect(await list()).toEqual([])
})

describe('an address', () => {
  test.each([
    ['http://hooks.example.com', 'https'],
    ['https://127.0.0.1/x', 'IP address'],
    ['https://2130706433/x', 'IP address'],
    ['https://0x7f.1/x', 'IP address'],
    ['https://[::1]/x', 'IP address'],
    ['https://localhost/x', 'on the internet'],
    ['https://fusou/x', 'on the internet'],
    ['https://db.internal/x', 'on the internet'],
    ['https://printer.local./x', 'on the internet'],
    ['https://user:word@hooks.example.com', 'user or a password'],
    ['ftp://hooks.example.com', 'https'],
    ['not a url', 'not a URL'],
    [`https://hooks.example.com/${'x'.repeat(2000)}`, '2000'],
  ])('%s is refused', async (url, reason) => {
    const problem = await expectProblem(post(path, { url }, owner), 'invalid_request')
    expect(problem.detail).toContain(reason)
  })
})

test('a dataset has ten webhooks at most', async () => {
  const answers = await Promise.all(
    Array.from({ length: 14 }, (_, i) => post(path, { url: `https://hooks.example.com/${i}` }, owner)),
  )
  const statuses = answers.map(({ status }) => status)
  expect([
    statuses.filter((status) => status === 201).length,
    statuses.filter((status) => status === 403).length,
  ]).toEqual([10, 4])
})
