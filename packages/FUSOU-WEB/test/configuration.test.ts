import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test'
import { expect, inject, test, vi } from 'vitest'
import { createApp } from '../src/app.ts'
import { ENCRYPTED_ENV, PRIVATE_KEY } from './fixtures/encrypted-env.ts'
import { bindings, catalog, expectProblem, newDataset, stored, upload } from './support/api.ts'
import { FLIGHTS } from './support/files.ts'
import { newUser, sign, type User, userClaims } from './support/tokens.ts'

const { BUCKET, COMPACTION_QUEUE, WORKFLOW_SERVICE } = bindings
const bound = { BUCKET, COMPACTION_QUEUE, WORKFLOW_SERVICE }
const OTHER_KEY = PRIVATE_KEY.replace(/^./, (digit) => (digit === '1' ? '2' : '1'))

/** Answer a request with an environment of its own; gives back the log too. */
async function request(path: string, env: object, envFile = '', init?: RequestInit) {
  const lines: string[] = []
  const spies = [vi.spyOn(console, 'error'), vi.spyOn(console, 'log')]
  for (const spy of spies) spy.mockImplementation((line: string) => void lines.push(line))
  const context = createExecutionContext()
  const response = await createApp(envFile).request(path, init, env, context)
  await waitOnExecutionContext(context)
  for (const spy of spies) spy.mockRestore()
  return { response, log: lines.join('\n') }
}

const uploadBy = ({ token }: User): RequestInit => ({
  method: 'POST',
  body: FLIGHTS,
  headers: {
    authorization: `Bearer ${token}`,
    'content-type': 'application/octet-stream',
    'content-length': String(FLIGHTS.length),
  },
})

const notConfigured: [what: string, env: object, envFile: string, named: string[]][] = [
  ['without variables', bound, '', ['SUPABASE_URL', 'SUPABASE_SECRET_KEY', 'OPERATOR_TOKEN']],
  ['with the encrypted file and no key', bound, ENCRYPTED_ENV, ['DOTENV_PRIVATE_KEY is not set', 'OPERATOR_TOKEN']],
  [
    'with the encrypted file and another’s key',
    { ...bound, DOTENV_PRIVATE_KEY: OTHER_KEY },
    ENCRYPTED_ENV,
    ['DOTENV_PRIVATE_KEY does not fit the file', 'OPERATOR_TOKEN'],
  ],
  [
    'without bindings',
    { ...bindings, BUCKET: undefined, WORKFLOW_SERVICE: undefined },
    '',
    ['BUCKET, WORKFLOW_SERVICE'],
  ],
]

test.each(notConfigured)(
  '%s every call fails, and the log says what is missing',
  async (_what, env, envFile, named) => {
    const { response, log } = await request('/api/jobs', env, envFile)
    const problem = await expectProblem(response, 'not_configured')
    for (const name of named) {
      expect(log).toContain(name)
      expect(JSON.stringify(problem)).not.toContain(name)
    }
    expect(log).not.toContain(PRIVATE_KEY)

    const health = await request('/api/health', env, envFile)
    expect(health.response.status).toBe(503)
    expect(await health.response.json()).toEqual({
      status: 'unavailable',
      checks: { configuration: 'failed' },
      checkedAt: expect.any(String),
    })
  },
)

test('the one secret opens the file, whose values then serve', async () => {
  const env = { ...bound, DOTENV_PRIVATE_KEY: PRIVATE_KEY, SUPABASE_URL: inject('supabaseUrl') }
  const headers = { authorization: 'Bearer the-operator-token-of-the-encrypted-file' }
  const { response } = await request('/api/compaction/trigger-scheduled', env, ENCRYPTED_ENV, {
    method: 'GET',
    headers,
  })
  expect(response.status).toBe(405)
  const jobs = await request('/api/jobs/abc', env, ENCRYPTED_ENV, { headers })
  await expectProblem(jobs.response, 'invalid_request')
})

test('a database that does not answer is said to be unavailable, and nobody is to blame', async () => {
  const env = {
    ...bindings,
    SUPABASE_URL: 'http://127.0.0.1:9',
    SUPABASE_JWT_ISSUER: `${inject('supabaseUrl')}/auth/v1`,
  }
  const operator = { headers: { authorization: `Bearer ${bindings.OPERATOR_TOKEN}` } }
  const jobs = await request('/api/jobs', env, '', operator)
  expect(jobs.response.headers.get('retry-after')).toBe('5')
  await expectProblem(jobs.response, 'database_unavailable')

  const user = { headers: { authorization: `Bearer ${(await newUser()).token}` } }
  await expectProblem((await request('/api/jobs', env, '', user)).response, 'identity_unavailable')

  const health = await request('/api/health', env)
  expect(health.response.status).toBe(503)
  expect(await health.response.json()).toMatchObject({
    checks: { configuration: 'ok', database: 'failed', storage: 'ok' },
  })
})

test('an upload that the database did not take can be sent again, and is then stored once', async () => {
  const datasetId = newDataset()
  const path = `/api/compaction/upload?datasetId=${datasetId}&tableId=t`
  const { iss, ...claims } = userClaims(crypto.randomUUID())
  const secret = new TextEncoder().encode(inject('supabase').jwtSecret)
  const user = { id: '', token: await sign(secret, claims) }
  const failed = await request(path, { ...bindings, SUPABASE_URL: 'http://127.0.0.1:9' }, '', uploadBy(user))
  await expectProblem(failed.response, 'database_unavailable')
  // whose the dataset is could not be asked, and so no byte was stored
  expect(await stored(datasetId)).toEqual({ objects: 0, files: 0 })

  const again = await request(path, bindings, '', uploadBy(user))
  expect(again.response.status).toBe(202)
  expect(await again.response.json()).toMatchObject({ duplicate: false })
  expect((await stored(datasetId)).files).toBe(1)
})

test('a queue that refuses loses nothing: the message waits in the outbox for the relay', async () => {
  const user = await newUser()
  const refusing = { send: () => Promise.reject(new Error('the queue is full')) }
  const datasetId = newDataset()
  await upload(user, FLIGHTS, { datasetId, tableId: 't' })
  const { response, log } = await request(
    '/api/compaction/sanitize-state',
    { ...bindings, COMPACTION_QUEUE: refusing },
    '',
    {
      method: 'POST',
      body: JSON.stringify({ datasetId }),
      headers: { authorization: `Bearer ${user.token}`, 'content-type': 'application/json' },
    },
  )
  expect(response.status).toBe(202)
  const { jobId } = await response.json<{ jobId: string }>()
  expect(log).toContain('the queue is full')
  await expect
    .poll(
      async () =>
        (await catalog.claimOutbox({ maxBatch: 1000, lockSeconds: 60, workerId: 'relay' })).map((m) => m.payload.jobId),
      { timeout: 20_000 },
    )
    .toContain(jobId)
})

test('a limiter that cannot be asked lets uploads through, and is logged', async () => {
  const user = await newUser()
  const { response, log } = await request(
    `/api/compaction/upload?datasetId=${newDataset()}&tableId=t`,
    { ...bindings, WORKFLOW_SERVICE: { limit: () => Promise.reject(new Error('not deployed yet')) } },
    '',
    uploadBy(user),
  )
  expect(response.status).toBe(202)
  expect(log).toContain('rate_limit_unavailable')
})

test('a bucket that fails is said to be unavailable, and nothing is registered', async () => {
  const user = await newUser()
  const datasetId = newDataset()
  const failing = { put: () => Promise.reject(new Error('10001: internal error')) }
  const { response } = await request(
    `/api/compaction/upload?datasetId=${datasetId}&tableId=t`,
    { ...bindings, BUCKET: failing },
    '',
    uploadBy(user),
  )
  await expectProblem(response, 'storage_unavailable')
  expect(await stored(datasetId)).toEqual({ objects: 0, files: 0 })
})

test('without a repository of ours no token of GitHub Actions is taken', async () => {
  const token = await sign(inject('signingKeys').github, {
    iss: `${inject('supabaseUrl')}/github`,
    aud: 'fusou-compaction',
  })
  const env = { ...bindings, GITHUB_OIDC_REPOSITORY_ID: undefined }
  const { response } = await request('/api/compaction/trigger-scheduled', env, '', {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
  })
  await expectProblem(response, 'invalid_token')
})
