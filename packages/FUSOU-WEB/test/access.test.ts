import { beforeAll, describe, expect, inject, test } from 'vitest'
import { allRoutes } from '../src/routes/all-routes.ts'
import { askForMerge, call, json, newDataset, OPERATOR, upload } from './support/api.ts'
import { CARRIERS, FLIGHTS } from './support/files.ts'
import { complete, open, openAndSend } from './support/resumable.ts'
import { sign, signUp, type User } from './support/tokens.ts'

// Every call by every kind of caller: who is let in, who is told that they may not, who is told that there is no such thing.

type Answer = 'yes' | 'no token' | 'forbidden' | 'unknown'

interface Key {
  id: string
  key: string
}
const makeKey = (user: User, key: object) =>
  json<Key>('/api/keys', { ...asJson(key), method: 'POST', token: user.token })
const asJson = (body: unknown) => ({ headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
const share = (datasetId: string, owner: User, user: User, role: string) =>
  json(`/api/datasets/${datasetId}/grants/${user.id}`, { ...asJson({ role }), method: 'PUT', token: owner.token })
const inAnHour = () => new Date(Date.now() + 3_600_000).toISOString()

const datasetId = newDataset()
let owner: User
let third: User
let fileId: string
let goneId: string
let jobId: string
let keyId: string
let deletionId: number
let uploadId: string
let completedId: string
const emptyId = newDataset()
const nobodyId = crypto.randomUUID()
const tokens: Record<string, string | undefined> = { nobody: undefined }

beforeAll(async () => {
  const [reader, writer, manager, stranger] = [await signUp(), await signUp(), await signUp(), await signUp()]
  owner = await signUp()
  third = await signUp()
  const uploads = [FLIGHTS, CARRIERS].map(async (bytes, i) => {
    const answer = await upload(owner, bytes, { datasetId, tableId: `t${i}` })
    return (await answer.json<{ fileId: string }>()).fileId
  })
  fileId = await uploads[0]!
  goneId = await uploads[1]!
  await json(`/api/files/${goneId}`, { method: 'DELETE', token: owner.token })
  jobId = (await askForMerge(owner, datasetId)).jobId
  await json(`/api/jobs/${jobId}`, { method: 'DELETE', token: owner.token })
  await share(datasetId, owner, reader, 'reader')
  await share(datasetId, owner, writer, 'writer')
  await share(datasetId, owner, manager, 'manager')
  uploadId = (await (await open(owner, datasetId, FLIGHTS)).json<{ uploadId: string }>()).uploadId
  completedId = await openAndSend(owner, datasetId, CARRIERS)
  await complete(owner, completedId)
  // deleted and restored: doing so again changes nothing
  await upload(owner, FLIGHTS, { datasetId, tableId: 'gone' })
  const deleted = await json<{ deletion: { id: number } }>(`/api/datasets/${datasetId}/tables/gone`, {
    method: 'DELETE',
    token: owner.token,
  })
  deletionId = deleted.deletion.id
  await json(`/api/datasets/${datasetId}/deletions/${deletionId}/restore`, { method: 'POST', token: owner.token })
  await json(`/api/datasets/${emptyId}`, { ...asJson({}), method: 'PUT', token: owner.token })
  for (const [user, role] of [
    [reader, 'reader'],
    [writer, 'writer'],
    [manager, 'manager'],
  ] as const)
    await share(emptyId, owner, user, role)
  const ALL = ['read', 'upload', 'manage']
  const revoked = await makeKey(owner, { name: 'revoked', scopes: ALL })
  await json(`/api/keys/${revoked.id}`, { method: 'DELETE', token: owner.token })
  keyId = revoked.id
  const expired = await makeKey(owner, { name: 'expired', scopes: ALL, expiresAt: inAnHour() })
  Object.assign(tokens, {
    stranger: stranger.token,
    reader: reader.token,
    writer: writer.token,
    manager: manager.token,
    owner: owner.token,
    operator: OPERATOR.token,
    scheduler: await sign(inject('signingKeys').github, {
      iss: `${inject('supabaseUrl')}/github`,
      aud: 'fusou-compaction',
      repository_id: '4711',
      ref: 'refs/heads/main',
      workflow_ref: 'o/r/.github/workflows/trigger_daily_compaction.yml@refs/heads/main',
    }),
    'key to read': (await makeKey(owner, { name: 'r', scopes: ['read'] })).key,
    'key to upload': (await makeKey(owner, { name: 'u', scopes: ['upload'] })).key,
    'key to manage': (await makeKey(owner, { name: 'm', scopes: ['manage'] })).key,
    'key for this dataset': (
      await makeKey(owner, { name: 'd', scopes: ALL, datasets: [`${datasetId.slice(0, 20)}*`, emptyId] })
    ).key,
    'key for another dataset': (await makeKey(owner, { name: 'o', scopes: ALL, datasets: ['other'] })).key,
    'key of a reader': (await makeKey(reader, { name: 'k', scopes: ALL })).key,
    'key that was revoked': revoked.key,
    'forged key': expired.key.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')),
  })
})

/** What each caller is told; who is not named is told `else`. */
type Told = Partial<Record<string, Answer>> & { else: Answer }
const NOT_AUTHENTICATED: Partial<Record<string, Answer>> = {
  nobody: 'no token',
  'key that was revoked': 'no token',
  'forged key': 'no token',
}
const all = (answer: Answer, ...names: string[]) => Object.fromEntries(names.map((name) => [name, answer]))

const TOLD: Record<string, Told> = {
  read: {
    else: 'yes',
    ...all('unknown', 'stranger', 'key for another dataset'),
    ...all('forbidden', 'scheduler', 'key to upload', 'key to manage'),
  },
  upload: {
    else: 'yes',
    ...all('unknown', 'stranger', 'key for another dataset'),
    ...all('forbidden', 'reader', 'key of a reader', 'operator', 'scheduler', 'key to read', 'key to manage'),
  },
  manage: {
    else: 'yes',
    ...all('unknown', 'stranger', 'key for another dataset'),
    ...all('forbidden', 'reader', 'key of a reader', 'writer', 'scheduler', 'key to read', 'key to upload'),
  },
  own: { else: 'forbidden', stranger: 'unknown', ...all('yes', 'owner', 'operator') },
  /** lists of what a caller may see: everybody has one */
  list: { else: 'yes', ...all('forbidden', 'scheduler', 'key to upload', 'key to manage') },
  /** sums over all that a user owns */
  'account, read': {
    else: 'yes',
    ...all(
      'forbidden',
      'scheduler',
      'key to upload',
      'key to manage',
      'key for this dataset',
      'key for another dataset',
    ),
  },
  'account, manage': {
    else: 'yes',
    ...all('forbidden', 'scheduler', 'key to upload', 'key to read', 'key for this dataset', 'key for another dataset'),
  },
  user: {
    else: 'forbidden',
    ...all('yes', 'stranger', 'reader', 'writer', 'manager', 'owner'),
  },
  anybody: { else: 'yes', scheduler: 'forbidden' },
  operator: { else: 'forbidden', operator: 'yes' },
  scheduler: { else: 'forbidden', ...all('yes', 'operator', 'scheduler') },
}

interface Asked {
  right: keyof typeof TOLD
  path?: () => string
  body?: () => unknown
  /** beyond the table: a call that its right alone does not decide */
  but?: Partial<Record<string, Answer>>
}

/** An upload in parts is unknown to everybody else, whatever they may do with its dataset. */
const ONLY_ITS_USER = all('unknown', 'reader', 'key of a reader', 'writer', 'manager')

/** Each call is one that changes nothing, or the same thing each time. */
const ASKED: Record<string, Asked> = {
  'POST /api/compaction/upload': { right: 'upload' },
  'POST /api/datasets/:id/uploads': {
    right: 'upload',
    path: () => `/api/datasets/${datasetId}/uploads`,
    body: () => ({ table: 't0', byteLength: 1, sha256: '0'.repeat(64) }),
  },
  'GET /api/uploads/:id': { right: 'upload', path: () => `/api/uploads/${uploadId}`, but: ONLY_ITS_USER },
  'PUT /api/uploads/:id/parts/:number': {
    right: 'upload',
    path: () => `/api/uploads/${uploadId}/parts/1`,
    but: ONLY_ITS_USER,
  },
  'POST /api/uploads/:id/complete': {
    right: 'upload',
    path: () => `/api/uploads/${uploadId}/complete`,
    but: ONLY_ITS_USER,
  },
  'DELETE /api/uploads/:id': { right: 'upload', path: () => `/api/uploads/${completedId}`, but: ONLY_ITS_USER },
  'POST /api/compaction/sanitize-state': { right: 'manage', body: () => ({ datasetId }) },
  'POST /api/compaction/trigger-scheduled': { right: 'scheduler', body: () => ({ limit: 1 }) },
  'GET /api/compaction/dlq-status': { right: 'account, read' },
  'POST /api/compaction/dlq/:id/acknowledge': {
    right: 'anybody',
    path: () => '/api/compaction/dlq/999999999/acknowledge',
    but: all('forbidden', 'key to read', 'key to upload'),
  },
  'POST /api/compaction/redrive': { right: 'account, manage', body: () => ({ datasetId, dryRun: true }) },
  'GET /api/jobs': { right: 'list' },
  'GET /api/jobs/status': { right: 'account, read' },
  'GET /api/jobs/:id': { right: 'read', path: () => `/api/jobs/${jobId}` },
  'GET /api/jobs/:id/events': { right: 'read', path: () => `/api/jobs/${jobId}/events` },
  'DELETE /api/jobs/:id': { right: 'manage', path: () => `/api/jobs/${jobId}` },
  'POST /api/jobs/:id/retry': { right: 'manage', path: () => `/api/jobs/${jobId}/retry` },
  'GET /api/datasets/:id/files': { right: 'read', path: () => `/api/datasets/${datasetId}/files` },
  'GET /api/files/:id': { right: 'read', path: () => `/api/files/${fileId}` },
  'POST /api/files/acknowledge': { right: 'operator', body: () => ({ datasetId: 'none' }) },
  'DELETE /api/files/:id': { right: 'manage', path: () => `/api/files/${goneId}` },
  'POST /api/files/:id/release': { right: 'manage', path: () => `/api/files/${fileId}/release` },
  'GET /api/me': { right: 'anybody' },
  'GET /api/me/limits': {
    right: 'account, read',
    but: { operator: 'forbidden' },
  },
  'POST /api/keys': { right: 'user', body: () => ({ name: 'k', scopes: ['read'] }) },
  'GET /api/keys': { right: 'user' },
  'DELETE /api/keys/:id': {
    right: 'user',
    path: () => `/api/keys/${keyId}`,
    but: { operator: 'yes', ...all('unknown', 'stranger', 'reader', 'writer', 'manager') },
  },
  'PUT /api/datasets/:id': {
    right: 'manage',
    path: () => `/api/datasets/${datasetId}`,
    but: {
      operator: 'forbidden',
      'key for another dataset': 'forbidden',
      ...all('unknown', 'reader', 'key of a reader', 'writer', 'manager'),
    },
  },
  'GET /api/datasets': { right: 'list' },
  'GET /api/datasets/:id': { right: 'read', path: () => `/api/datasets/${datasetId}` },
  'PATCH /api/datasets/:id': { right: 'manage', path: () => `/api/datasets/${datasetId}`, body: () => ({}) },
  'DELETE /api/datasets/:id': { right: 'manage', path: () => `/api/datasets/${emptyId}` },
  'GET /api/datasets/:id/tables': { right: 'read', path: () => `/api/datasets/${datasetId}/tables` },
  'GET /api/datasets/:id/tables/:file{[^/]+\\.parquet}': {
    right: 'read',
    path: () => `/api/datasets/${datasetId}/tables/t0.parquet`,
  },
  'POST /api/datasets/:id/tables/:table/links': {
    right: 'read',
    path: () => `/api/datasets/${datasetId}/tables/t0/links`,
    body: () => ({}),
    but: all('forbidden', 'operator'),
  },
  'GET /api/datasets/:id/tables/:table/query': {
    right: 'read',
    path: () => `/api/datasets/${datasetId}/tables/t0/query?for=duckdb`,
    but: all('forbidden', 'operator'),
  },
  'GET /api/datasets/:id/tables/:table': { right: 'read', path: () => `/api/datasets/${datasetId}/tables/t0` },
  'PATCH /api/datasets/:id/tables/:table': {
    right: 'manage',
    path: () => `/api/datasets/${datasetId}/tables/t0`,
    body: () => ({ codec: 'zstd' }),
  },
  'DELETE /api/datasets/:id/tables/:table': {
    right: 'manage',
    path: () => `/api/datasets/${datasetId}/tables/nothing`,
  },
  'DELETE /api/datasets/:id/tables/:table/periods/:period': {
    right: 'manage',
    path: () => `/api/datasets/${datasetId}/tables/t0/periods/nothing`,
  },
  'GET /api/delta-sharing/shares': { right: 'list' },
  'GET /api/delta-sharing/shares/:share': { right: 'read', path: () => `/api/delta-sharing/shares/${datasetId}` },
  'GET /api/delta-sharing/shares/:share/schemas': {
    right: 'read',
    path: () => `/api/delta-sharing/shares/${datasetId}/schemas`,
  },
  'GET /api/delta-sharing/shares/:share/schemas/:schema/tables': {
    right: 'read',
    path: () => `/api/delta-sharing/shares/${datasetId}/schemas/default/tables`,
  },
  'GET /api/delta-sharing/shares/:share/all-tables': {
    right: 'read',
    path: () => `/api/delta-sharing/shares/${datasetId}/all-tables`,
  },
  'GET /api/delta-sharing/shares/:share/schemas/:schema/tables/:table/version': {
    right: 'read',
    path: () => `/api/delta-sharing/shares/${datasetId}/schemas/default/tables/t0/version`,
  },
  'GET /api/delta-sharing/shares/:share/schemas/:schema/tables/:table/metadata': {
    right: 'read',
    path: () => `/api/delta-sharing/shares/${datasetId}/schemas/default/tables/t0/metadata`,
  },
  'POST /api/delta-sharing/shares/:share/schemas/:schema/tables/:table/query': {
    right: 'read',
    path: () => `/api/delta-sharing/shares/${datasetId}/schemas/default/tables/t0/query`,
    body: () => ({}),
    but: all('forbidden', 'operator'),
  },
  'GET /api/datasets/:id/versions': { right: 'read', path: () => `/api/datasets/${datasetId}/versions` },
  'GET /api/datasets/:id/deletions': { right: 'read', path: () => `/api/datasets/${datasetId}/deletions` },
  'POST /api/datasets/:id/deletions/:deletion/restore': {
    right: 'manage',
    path: () => `/api/datasets/${datasetId}/deletions/${deletionId}/restore`,
  },
  'POST /api/datasets/:id/webhooks': {
    right: 'manage',
    path: () => `/api/datasets/${datasetId}/webhooks`,
    body: () => ({ url: 'https://hooks.example.com/x' }),
  },
  'GET /api/datasets/:id/webhooks': { right: 'manage', path: () => `/api/datasets/${datasetId}/webhooks` },
  'DELETE /api/datasets/:id/webhooks/:webhook': {
    right: 'manage',
    path: () => `/api/datasets/${datasetId}/webhooks/${nobodyId}`,
  },
  'GET /api/files/:id/receipt': { right: 'read', path: () => `/api/files/${fileId}/receipt` },
  'GET /api/datasets/:id/grants': { right: 'manage', path: () => `/api/datasets/${datasetId}/grants` },
  'PUT /api/datasets/:id/grants/:user': {
    right: 'manage',
    path: () => `/api/datasets/${datasetId}/grants/${third.id}`,
    body: () => ({ role: 'reader' }),
  },
  'DELETE /api/datasets/:id/grants/:user': {
    right: 'manage',
    path: () => `/api/datasets/${datasetId}/grants/${third.id}`,
  },
  'POST /api/datasets/:id/transfer': {
    right: 'own',
    path: () => `/api/datasets/${datasetId}/transfer`,
    body: () => ({ userId: owner.id }),
  },
  'DELETE /api/users/:id/data': {
    right: 'operator',
    path: () => `/api/users/${nobodyId}/data`,
  },
  'GET /api/admission': { right: 'operator' },
  'PUT /api/admission': { right: 'operator', body: () => ({}) },
  'GET /api/retention': { right: 'operator' },
  'PUT /api/retention': { right: 'operator', body: () => ({}) },
  'GET /api/audit': { right: 'account, manage' },
  'GET /api/metrics': { right: 'operator' },
  'GET /api/vacuum': { right: 'operator' },
  'POST /api/vacuum/pause': { right: 'operator', body: () => ({ reason: 'a test' }) },
  'DELETE /api/vacuum/pause': { right: 'operator' },
  'POST /api/vacuum/accept': { right: 'operator', body: () => ({ orphans: 4711 }) },
  'POST /api/installation/accept': { right: 'operator', body: () => ({ problem: 'foreign_bucket' }) },
  'POST /api/adopt': { right: 'operator', body: () => ({ dryRun: true }) },
  'GET /api/limits': { right: 'operator' },
  'PUT /api/limits': { right: 'operator', body: () => ({ owner: third.id, datasets: 1000 }) },
}

const operations = allRoutes(() => {
  throw new Error('only the operations are looked at')
})
  .map(({ operation: { method, path, access } }) => ({ name: `${method.toUpperCase()} ${path}`, access }))
  .filter(({ access }) => access !== 'open')

test('every call that needs a token is in the table, and no other', () => {
  expect(Object.keys(ASKED).sort()).toEqual(operations.map(({ name }) => name).sort())
})

function answerOf(status: number): Answer {
  if (status === 401) return 'no token'
  if (status === 403) return 'forbidden'
  return status === 404 ? 'unknown' : 'yes'
}

async function ask(name: string, { path, body }: Asked, token: string | undefined): Promise<Response> {
  const [method, template] = name.split(' ') as [string, string]
  if (template === '/api/compaction/upload')
    return upload({ id: '', token: token as string }, FLIGHTS, { datasetId, tableId: 't0' })
  const part = { headers: { 'content-type': 'application/octet-stream' }, body: FLIGHTS }
  const response = await call(path?.() ?? template, {
    method,
    token,
    ...(body !== undefined && asJson(body())),
    ...(template.endsWith('/parts/:number') && part),
  })
  await response.body?.cancel()
  return response
}

describe('who may', () => {
  test.each(Object.entries(ASKED))('%s', async (name, asked) => {
    const told: Record<string, Answer> = {}
    const expected: Record<string, Answer> = {}
    const table = TOLD[asked.right]!
    for (const [caller, token] of Object.entries(tokens)) {
      const { status } = await ask(name, asked, token)
      told[caller] = answerOf(status)
      expected[caller] = NOT_AUTHENTICATED[caller] ?? asked.but?.[caller] ?? table[caller] ?? table.else
      // a letter that nobody has, and the receipt of an upload, are unknown to whoever may ask for them
      if (/:id\/(acknowledge|receipt)$/.test(name) && expected[caller] === 'yes') expected[caller] = 'unknown'
    }
    expect(told).toEqual(expected)
  })
})
