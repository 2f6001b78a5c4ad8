import type { ErrorCode } from '@fusou/catalog'
import { describe, expect, inject, test } from 'vitest'
import { call, expectProblem, json, OPERATOR, post } from './support/api.ts'
import { expired, sign, signNothing, userClaims, userIssuer } from './support/tokens.ts'

const keys = inject('signingKeys')
const id = '0b0cf45e-7bd9-4f0e-9df5-0a9aa0e4ed49'
const secret = new TextEncoder().encode(inject('supabase').jwtSecret)
const textOf = (key: object) => new TextEncoder().encode(JSON.stringify(key))

describe('a user', () => {
  test('is who a key of the project says', async () => {
    expect((await call('/api/jobs', { token: await sign(keys.user, userClaims(id)) })).status).toBe(200)
  })

  test('of the local stack signs in with its secret, and names no issuer', async () => {
    const response = await fetch(`${inject('supabaseUrl')}/auth/v1/signup`, {
      method: 'POST',
      headers: { apikey: inject('supabase').publishableKey, 'content-type': 'application/json' },
      body: JSON.stringify({ email: 'ada@example.com', password: 'a long password' }),
    })
    const { access_token: token } = await response.json<{ access_token: string }>()
    expect((await call('/api/jobs', { token })).status).toBe(200)
  })

  const refused: [what: string, token: () => string | Promise<string>, code: ErrorCode][] = [
    ['no JWT', () => 'abc', 'invalid_token'],
    ['three parts of nothing', () => 'a.b.c', 'invalid_token'],
    ['alg none', () => signNothing(userClaims(id)), 'invalid_token'],
    ['an expired token', () => sign(keys.user, { ...userClaims(id), ...expired() }), 'token_expired'],
    [
      'a token that expired longer ago than clocks differ',
      () => sign(keys.user, { ...userClaims(id), exp: Math.floor(Date.now() / 1000) - 10 }),
      'token_expired',
    ],
    ['an expired token of the local stack', () => sign(secret, { ...userClaims(id), ...expired() }), 'token_expired'],
    ['a stranger’s key', () => sign(keys.stranger, userClaims(id)), 'invalid_token'],
    [
      'a stranger’s key under our key id',
      () => sign({ ...keys.stranger, kid: keys.user.kid! }, userClaims(id)),
      'invalid_token',
    ],
    [
      'another issuer',
      () => sign(keys.user, { ...userClaims(id), iss: 'https://other.test/auth/v1' }),
      'invalid_token',
    ],
    ['no issuer', () => sign(keys.user, { ...userClaims(id), iss: undefined }), 'invalid_token'],
    [
      'another issuer, signed with our secret',
      () => sign(secret, { ...userClaims(id), iss: 'https://other.test' }),
      'invalid_token',
    ],
    ['another audience', () => sign(keys.user, { ...userClaims(id), aud: 'other' }), 'invalid_token'],
    ['no expiry', () => sign(keys.user, { ...userClaims(id), exp: undefined }), 'invalid_token'],
    ['a token of tomorrow', () => sign(keys.user, { ...userClaims(id), nbf: 4102444800 }), 'invalid_token'],
    ['another secret', () => sign(textOf({}), userClaims(id)), 'invalid_token'],
    ['our public key as a secret', () => sign(textOf(keys.user), userClaims(id)), 'invalid_token'],
    [
      'the key of the project that is public',
      () => sign(secret, { role: 'anon', aud: 'authenticated', sub: id }),
      'invalid_token',
    ],
    [
      'the secret key of the project',
      () => sign(secret, { role: 'service_role', aud: 'authenticated', sub: id }),
      'invalid_token',
    ],
    ['a visitor without an account', () => sign(keys.user, { ...userClaims(id), is_anonymous: true }), 'invalid_token'],
    ['no subject', () => sign(keys.user, { ...userClaims(id), sub: undefined }), 'invalid_token'],
    ['a subject that is no UUID', () => sign(keys.user, userClaims('ada')), 'invalid_token'],
  ]

  test.each(refused)('is not who comes with %s', async (_what, token, code) => {
    const response = await call('/api/jobs', { token: await token() })
    expect(response.headers.get('www-authenticate')).toMatch(/^Bearer realm="fusou", error="invalid_token"/)
    await expectProblem(response, code)
  })

  test('without a token is asked for one', async () => {
    const response = await call('/api/jobs')
    expect(response.headers.get('www-authenticate')).toBe('Bearer realm="fusou"')
    await expectProblem(response, 'unauthenticated')
  })

  test.each(['Basic YTpi', 'Bearer', 'Bearer a b'])('does not come as "%s"', async (authorization) => {
    await expectProblem(call('/api/jobs', { headers: { authorization } }), 'invalid_token')
  })
})

describe('an operator', () => {
  test('is who holds the token', async () => {
    expect((await call('/api/jobs', OPERATOR)).status).toBe(200)
  })

  test.each([`${OPERATOR.token}x`, OPERATOR.token.slice(0, -1), OPERATOR.token.toUpperCase()])(
    'is not who holds %s',
    async (token) => {
      await expectProblem(call('/api/jobs', { token }), 'invalid_token')
    },
  )
})

describe('the scheduled run of our repository', () => {
  const claims = {
    iss: `${inject('supabaseUrl')}/github`,
    aud: 'fusou-compaction',
    sub: 'repo:o/r:ref:refs/heads/main',
    repository_id: '4711',
    ref: 'refs/heads/main',
    workflow_ref: 'o/r/.github/workflows/trigger_daily_compaction.yml@refs/heads/main',
  }

  test('may trigger, and nothing else', async () => {
    const token = await sign(keys.github, claims)
    expect((await post('/api/compaction/trigger-scheduled', {}, { token })).status).toBe(202)
    for (const path of ['/api/jobs', '/api/jobs/status', '/api/compaction/dlq-status', '/api/datasets/d/files'])
      await expectProblem(call(path, { token }), 'forbidden')
    await expectProblem(post('/api/compaction/sanitize-state', { datasetId: 'd' }, { token }), 'forbidden')
  })

  const refused: [what: string, change: object, code: ErrorCode][] = [
    ['another repository', { repository_id: '4712' }, 'forbidden'],
    ['no repository', { repository_id: undefined }, 'forbidden'],
    ['another branch', { ref: 'refs/heads/evil' }, 'forbidden'],
    ['a pull request', { ref: 'refs/pull/1/merge' }, 'forbidden'],
    ['another workflow', { workflow_ref: 'o/r/.github/workflows/ci.yml@refs/heads/main' }, 'forbidden'],
    ['another audience', { aud: 'https://github.com/o' }, 'invalid_token'],
    ['a run long ago', expired(), 'token_expired'],
  ]

  test.each(refused)('is not %s', async (_what, change, code) => {
    const token = await sign(keys.github, { ...claims, ...change })
    await expectProblem(post('/api/compaction/trigger-scheduled', {}, { token }), code)
  })

  test('is not who signs with a key of users, or with another’s', async () => {
    for (const key of [keys.user, keys.stranger]) {
      const token = await sign(key, claims)
      await expectProblem(post('/api/compaction/trigger-scheduled', {}, { token }), 'invalid_token')
    }
  })

  test('does not pass as a user', async () => {
    const token = await sign(keys.github, { ...userClaims(id), iss: userIssuer() })
    await expectProblem(call('/api/jobs', { token }), 'invalid_token')
  })
})

test('a user may not trigger the schedule', async () => {
  const token = await sign(keys.user, userClaims(id))
  await expectProblem(post('/api/compaction/trigger-scheduled', {}, { token }), 'forbidden')
})

test('health and the document are open', async () => {
  await json('/api/health')
  await json('/api/openapi.json')
})
