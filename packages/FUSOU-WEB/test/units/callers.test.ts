import { createHash, timingSafeEqual } from 'node:crypto'
import { type AuthenticatedKey, type Catalog, Environment, FusouError, type Scope } from '@fusou/catalog'
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { isAccessKey, KeyAuthenticator, makeKey } from '../../src/auth/access-key.ts'
import { type Access, allow, type Caller, principalOf, requesterOf } from '../../src/auth/caller.ts'
import { identifyCaller } from '../../src/auth/identify-caller.ts'

const OPERATOR_TOKEN = 'operator-token-of-the-tests-0123456789'
const USER = '6f0c7c64-8a7a-4f0e-9d3a-2b0d7ad8d6a1'
const SECRET = 'a-secret-that-is-long-enough-for-hs256'
const GITHUB = 'https://github.example'
const REPOSITORY = { repository_id: '4711', ref: 'refs/heads/main', workflow_ref: 'o/r/.github/w.yml@refs/heads/main' }

const KEY = { id: '9a1c7c64-8a7a-4f0e-9d3a-2b0d7ad8d6a1', user: USER }
const CALLERS: Caller[] = [
  { kind: 'user', id: USER },
  { kind: 'operator' },
  { kind: 'scheduler' },
  { kind: 'key', ...KEY, scopes: ['read'] },
  { kind: 'key', ...KEY, scopes: ['upload', 'manage'] },
]
const nameOf = (caller: Caller) => (caller.kind === 'key' ? `key to ${caller.scopes.join(' and ')}` : caller.kind)

test.each([
  ['user', undefined, ['user']],
  ['user', 'upload', ['user', 'key to upload and manage']],
  ['reader', undefined, ['user', 'operator']],
  ['reader', 'read', ['user', 'operator', 'key to read']],
  ['reader', 'manage', ['user', 'operator', 'key to upload and manage']],
  ['reader', 'any', ['user', 'operator', 'key to read', 'key to upload and manage']],
  ['operator', undefined, ['operator']],
  ['operator', 'read', ['operator']],
  ['scheduler', undefined, ['operator', 'scheduler']],
  ['scheduler', 'any', ['operator', 'scheduler']],
] as [Exclude<Access, 'open'>, Scope | 'any' | undefined, string[]][])(
  'a call for %s, keys with scope %s, is allowed to %j and to nobody else',
  (access, scope, allowed) => {
    const names = CALLERS.filter((caller) => {
      try {
        allow(caller, access, scope)
        return true
      } catch (error) {
        expect(error).toMatchObject({ code: 'forbidden' })
        return false
      }
    }).map(nameOf)
    expect(names).toEqual(allowed)
  },
)

describe('the catalog knows', () => {
  const seenAs = (caller: Caller) => {
    const header = (name: string) => (name === 'cf-connecting-ip' ? '192.0.2.7' : undefined)
    return requesterOf({ req: { header }, var: { caller, requestId: 'r1' } } as unknown as Parameters<
      typeof requesterOf
    >[0])
  }
  const origin = { address: '192.0.2.7', requestId: 'r1' }

  test('a user by id', () => expect(seenAs({ kind: 'user', id: USER })).toEqual({ kind: 'user', id: USER, ...origin }))
  test('an operator', () => expect(seenAs({ kind: 'operator' })).toEqual({ kind: 'operator', ...origin }))
  test('a key by its id and its user, not by what it says it may do', () =>
    expect(seenAs({ kind: 'key', ...KEY, scopes: ['read'] })).toEqual({ kind: 'key', ...KEY, ...origin }))
  test('nobody for the scheduled run', () => {
    expect(() => seenAs({ kind: 'scheduler' })).toThrow('no data of its own')
  })
})

test('the limits of a request are those of the key, or of the user who calls without one', () => {
  expect(principalOf({ kind: 'user', id: USER })).toBe(USER)
  expect(principalOf({ kind: 'key', ...KEY, scopes: ['upload'] })).toBe(KEY.id)
  expect(() => principalOf({ kind: 'operator' })).toThrow('for users')
})

describe('a key', () => {
  const asked: [string, string][] = []
  let answers: AuthenticatedKey | Error
  let now = 0
  const keys = () =>
    new KeyAuthenticator(
      {
        authenticateKey: async (id: string, hash: string) => {
          asked.push([id, hash])
          if (answers instanceof Error) throw answers
          return answers
        },
      } as unknown as Catalog,
      () => now,
    )
  beforeEach(() => {
    asked.length = 0
    answers = { outcome: 'valid', userId: USER, scopes: ['upload'], expiresAt: null, forAllDatasets: true }
  })

  test('has 256 random bits, and is known by its hash and its first characters', async () => {
    const made = await makeKey()
    expect(made.key).toMatch(/^fsk_[0-9a-f]{32}_[A-Za-z0-9_-]{43}$/)
    expect(made.hint).toBe(made.key.slice(0, 12))
    expect(made.secretSha256).toBe(createHash('sha256').update(made.key).digest('hex'))
    expect((await makeKey()).key.slice(37)).not.toBe(made.key.slice(37))
    expect(isAccessKey(made.key)).toBe(true)
    expect(isAccessKey('eyJhbGciOiJIUzI1NiJ9.e30.x')).toBe(false)
  })

  test('is asked for once a minute, by requests at the same time together', async () => {
    const { id, key, secretSha256 } = await makeKey()
    const authenticator = keys()
    const caller = { kind: 'key', id, user: USER, scopes: ['upload'] }
    expect(await Promise.all([authenticator.identify(key), authenticator.identify(key)])).toEqual([caller, caller])
    now += 59_999
    expect(await authenticator.identify(key)).toEqual(caller)
    expect(asked).toEqual([[id, secretSha256]])
    now += 1
    await authenticator.identify(key)
    expect(asked).toHaveLength(2)
  })

  test.each([
    [{ outcome: 'unknown_key' }, 'invalid_token', 'no such key'],
    [{ outcome: 'revoked' }, 'invalid_token', 'revoked'],
    [{ outcome: 'expired' }, 'token_expired', 'expired'],
    [new FusouError('database_unavailable', 'no answer'), 'database_unavailable', 'no answer'],
  ] as [AuthenticatedKey | Error, string, string][])(
    '%o is %s, and is asked for again at once',
    async (answer, code, text) => {
      const { key } = await makeKey()
      const authenticator = keys()
      answers = answer
      for (const _ of [1, 2])
        await expect(authenticator.identify(key)).rejects.toMatchObject({
          code,
          message: expect.stringContaining(text),
        })
      expect(asked).toHaveLength(2)
    },
  )

  test('that is cut off, changed in form or too long never reaches the database', async () => {
    const { key } = await makeKey()
    for (const odd of [
      key.slice(0, -1),
      `${key}x`,
      key.replace('_', '-'),
      key.toUpperCase(),
      'fsk_',
      `fsk_${'0'.repeat(76)}`,
    ])
      await expect(keys().identify(odd)).rejects.toMatchObject({ code: 'invalid_token' })
    expect(asked).toEqual([])
  })

  test('is forgotten when 5000 others came after it', async () => {
    const authenticator = keys()
    const { key } = await makeKey()
    const others = await Promise.all(Array.from({ length: 5000 }, makeKey))
    await authenticator.identify(key)
    for (const other of others) await authenticator.identify(other.key)
    await authenticator.identify(others[4999]!.key)
    expect(asked).toHaveLength(5001)
    await authenticator.identify(key)
    expect(asked).toHaveLength(5002)
  })
})

/** Tokens are checked without it. */
const NO_CATALOG = {} as Catalog
const environmentOf = (more: Record<string, string>) =>
  Environment.parse({ SUPABASE_URL: 'https://project.example/', SUPABASE_SECRET_KEY: 'k', OPERATOR_TOKEN, ...more })

const GITHUB_SETUP = {
  GITHUB_OIDC_ISSUER: GITHUB,
  GITHUB_OIDC_REPOSITORY_ID: REPOSITORY.repository_id,
  GITHUB_OIDC_WORKFLOW_REF: REPOSITORY.workflow_ref,
}
type Keys = Awaited<ReturnType<typeof generateKeyPair>>
let ofProject: Keys
let ofGithub: Keys
let ofNobody: Keys
let answer: () => Promise<Response> | undefined

beforeAll(async () => {
  ofProject = await generateKeyPair('ES256')
  ofGithub = await generateKeyPair('RS256')
  ofNobody = await generateKeyPair('ES256')
  Object.assign(crypto.subtle, {
    timingSafeEqual: (a: ArrayBuffer, b: ArrayBuffer) => timingSafeEqual(Buffer.from(a), Buffer.from(b)),
  })
  vi.stubGlobal('fetch', async (url: string | URL) => {
    const keys: Record<string, [Keys, string]> = {
      'https://project.example/auth/v1/.well-known/jwks.json': [ofProject, 'ES256'],
      [`${GITHUB}/.well-known/jwks`]: [ofGithub, 'RS256'],
    }
    const replaced = answer()
    if (replaced) return replaced
    const known = keys[String(url)]
    if (!known) return new Response('', { status: 404 })
    const key = await exportJWK(known[0].publicKey)
    return Response.json({ keys: [{ ...key, kid: 'k1', alg: known[1], use: 'sig' }] })
  })
})
afterAll(() => {
  vi.unstubAllGlobals()
  Reflect.deleteProperty(crypto.subtle, 'timingSafeEqual')
})
beforeEach(() => {
  answer = () => undefined
})

const now = () => Math.floor(Date.now() / 1000)
const USER_CLAIMS = { sub: USER, role: 'authenticated', aud: 'authenticated', iss: 'https://project.example/auth/v1' }
const sign = (claims: JWTPayload, keys: Keys, alg: string) =>
  new SignJWT({ exp: now() + 60, ...claims }).setProtectedHeader({ alg, kid: 'k1' }).sign(keys.privateKey)
const userToken = (claims: JWTPayload = {}) => sign({ ...USER_CLAIMS, ...claims }, ofProject, 'ES256')
const secretToken = (claims: JWTPayload = {}, secret = SECRET) =>
  new SignJWT({ exp: now() + 60, ...USER_CLAIMS, iss: undefined, ...claims } as JWTPayload)
    .setProtectedHeader({ alg: 'HS256' })
    .sign(new TextEncoder().encode(secret))
const githubToken = (claims: JWTPayload = {}) =>
  sign({ iss: GITHUB, aud: 'fusou-compaction', ...REPOSITORY, ...claims }, ofGithub, 'RS256')

/** Who it is, or the code of the refusal. */
async function identify(
  authorization: string | undefined,
  more: Record<string, string> = GITHUB_SETUP,
): Promise<unknown> {
  try {
    return await identifyCaller(environmentOf(more), NO_CATALOG)(authorization)
  } catch (error) {
    return (error as { code: string }).code
  }
}
const bearer = async (token: string | Promise<string>, more?: Record<string, string>) =>
  identify(`Bearer ${await token}`, more)
const without = (claim: string) => ({ [claim]: undefined })

describe('the header', () => {
  test.each([
    [undefined, 'unauthenticated'],
    ['', 'invalid_token'],
    [OPERATOR_TOKEN, 'invalid_token'],
    [`Basic ${OPERATOR_TOKEN}`, 'invalid_token'],
    [`Bearer ${OPERATOR_TOKEN} more`, 'invalid_token'],
    [`Bearer ${OPERATOR_TOKEN},`, 'invalid_token'],
    ['Bearer ', 'invalid_token'],
    [`Bearer x${OPERATOR_TOKEN}`, 'invalid_token'],
    [`Bearer ${OPERATOR_TOKEN.slice(0, -1)}`, 'invalid_token'],
    [`Bearer ${OPERATOR_TOKEN}`, { kind: 'operator' }],
    [`bearer   ${OPERATOR_TOKEN}  `, { kind: 'operator' }],
  ])('%j is %j', async (header, expected) => {
    expect(await identify(header)).toEqual(expected)
  })
})

describe('a token of a user', () => {
  const user = { kind: 'user', id: USER }

  test('is one that the project signed for somebody who is signed in', async () => {
    expect(await bearer(userToken())).toEqual(user)
    expect(await bearer(userToken({ is_anonymous: false }))).toEqual(user)
    expect(await bearer(userToken({ aud: ['other', 'authenticated'] }))).toEqual(user)
  })

  test.each([
    ['of another audience', { aud: 'anon' }],
    ['of another role', { role: 'service_role' }],
    ['of nobody', without('sub')],
    ['of a name that is no id', { sub: 'seven' }],
    ['of somebody anonymous', { is_anonymous: true }],
    ['of another issuer', { iss: 'https://project.example' }],
    ['of no issuer', without('iss')],
    ['that never ends', without('exp')],
    ['that is not valid yet', { nbf: Math.floor(Date.now() / 1000) + 600 }],
  ])('%s is refused', async (_, claims) => {
    expect(await bearer(userToken(claims))).toBe('invalid_token')
  })

  test('is over when it says so, give or take five seconds', async () => {
    expect(await bearer(userToken({ exp: now() - 3 }))).toEqual(user)
    expect(await bearer(userToken({ exp: now() - 7 }))).toBe('token_expired')
    expect(await bearer(userToken({ nbf: now() + 3 }))).toEqual(user)
    expect(await bearer(userToken({ nbf: now() + 8 }))).toBe('invalid_token')
  })

  test('is signed by a key of the project, and signed', async () => {
    expect(await bearer(sign(USER_CLAIMS, ofNobody, 'ES256'))).toBe('invalid_token')
    expect(await bearer(new UnsecuredJWT({ ...USER_CLAIMS, exp: now() + 60 }).encode())).toBe('invalid_token')
    expect(await bearer('not.a.token')).toBe('invalid_token')
  })

  test('may be of another issuer where that is set up', async () => {
    const custom = { SUPABASE_JWT_ISSUER: 'https://auth.example' }
    expect(await bearer(userToken({ iss: 'https://auth.example' }), custom)).toEqual(user)
    expect(await bearer(userToken(), custom)).toBe('invalid_token')
  })

  test('may be signed with a secret only where one is set up', async () => {
    const local = { SUPABASE_JWT_SECRET: SECRET }
    expect(await bearer(secretToken())).toBe('invalid_token')
    expect(await bearer(secretToken(), local)).toEqual(user)
    expect(await bearer(secretToken({ iss: 'https://project.example/auth/v1' }), local)).toEqual(user)
    expect(await bearer(secretToken({ iss: 'https://elsewhere.example' }), local)).toBe('invalid_token')
    expect(await bearer(secretToken({}, `${SECRET}x`), local)).toBe('invalid_token')
    expect(await bearer(secretToken({ aud: 'x' }), local)).toBe('invalid_token')
    expect(await bearer(userToken(), local)).toEqual(user)
  })

  test('cannot be judged while the keys of the project cannot be read', async () => {
    for (const broken of [
      () => Promise.resolve(new Response('', { status: 500 })),
      () => Promise.resolve(new Response('no json')),
      () => Promise.resolve(Response.json({})),
      () => Promise.reject(new TypeError('no route')),
    ]) {
      answer = broken
      expect(await bearer(userToken())).toBe('identity_unavailable')
    }
  })
})

describe('a refusal says what is wrong with the token', () => {
  const detailOf = async (token: string | Promise<string>, more: Record<string, string> = GITHUB_SETUP) =>
    identifyCaller(
      environmentOf(more),
      NO_CATALOG,
    )(`Bearer ${await token}`).then(
      () => 'accepted',
      (error: { detail: string }) => error.detail,
    )

  test.each([
    ['a claim', () => userToken({ aud: 'x' }), 'the claim "aud" is missing or not accepted'],
    ['a missing claim', () => userToken(without('exp')), 'the claim "exp" is missing or not accepted'],
    ['another issuer', () => userToken({ iss: 'https://x.example' }), 'the claim "iss" is missing or not accepted'],
    ['the algorithm', () => secretToken(), 'the algorithm of the token is not accepted'],
    [
      'the signature',
      () => sign(USER_CLAIMS, ofNobody, 'ES256'),
      'the signature is not of a key that is accepted here',
    ],
    [
      'the key',
      () =>
        new SignJWT({ ...USER_CLAIMS, exp: now() + 60 })
          .setProtectedHeader({ alg: 'ES256', kid: 'k9' })
          .sign(ofNobody.privateKey),
      'the signature is not of a key that is accepted here',
    ],
    ['its form', async () => `${(await userToken()).split('.')[0]}.e30`, 'the token is malformed'],
    ['that it is none', async () => 'x.y.z', 'neither a JWT nor the token of an operator'],
    ['its user', () => userToken({ role: 'x' }), 'the token is not that of a signed-in user'],
    ['its end', () => userToken({ exp: now() - 60 }), 'sign in again'],
  ])('%s', async (_, token, detail) => {
    const local = _ === 'that it is none' ? { SUPABASE_JWT_SECRET: SECRET } : GITHUB_SETUP
    expect(await detailOf(token(), local)).toBe(detail)
  })

  test('or with the keys that judge it', async () => {
    answer = () => Promise.resolve(new Response('', { status: 500 }))
    expect(await detailOf(userToken())).toBe('the keys of the issuer could not be read; try again')
  })
})

describe('a token of GitHub', () => {
  test('is the scheduler, if it is of our workflow on our branch of our repository', async () => {
    expect(await bearer(githubToken())).toEqual({ kind: 'scheduler' })
    for (const [claim, value] of [
      ['repository_id', '4712'],
      ['ref', 'refs/heads/other'],
      ['workflow_ref', 'o/r/.github/x.yml@refs/heads/main'],
    ] as const) {
      expect(await bearer(githubToken({ [claim]: value })), claim).toBe('forbidden')
      expect(await bearer(githubToken(without(claim))), claim).toBe('forbidden')
    }
  })

  test('is for us, is signed by GitHub, and ends', async () => {
    expect(await bearer(githubToken({ aud: 'https://github.com/o' }))).toBe('invalid_token')
    expect(await bearer(githubToken(without('exp')))).toBe('invalid_token')
    expect(await bearer(githubToken({ exp: now() - 60 }))).toBe('token_expired')
    const forged = sign({ iss: GITHUB, aud: 'fusou-compaction', ...REPOSITORY }, ofNobody, 'ES256')
    expect(await bearer(forged)).toBe('invalid_token')
  })

  test('is nobody where either of repository and workflow is not set up', async () => {
    for (const missing of ['GITHUB_OIDC_REPOSITORY_ID', 'GITHUB_OIDC_WORKFLOW_REF'] as const) {
      const { [missing]: _, ...rest } = GITHUB_SETUP
      expect(await bearer(githubToken(), rest)).toBe('invalid_token')
    }
  })
})
