import { exportJWK, generateKeyPair, type JWK, jwtVerify, SignJWT } from 'jose'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { issuerKeys } from '../src/auth/issuer-keys.ts'

const ISSUER = new URL('https://issuer.test/jwks.json')

async function newKey() {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true })
  const { d, ...jwk } = await exportJWK(privateKey)
  const kid = crypto.randomUUID()
  const token = await new SignJWT({}).setProtectedHeader({ alg: 'ES256', kid }).sign(privateKey)
  return { token, jwk: { ...jwk, kid, alg: 'ES256', use: 'sig' } satisfies JWK }
}

/** An issuer whose key set can change, and a clock. */
function issuer() {
  const published: JWK[] = []
  let time = 1_000_000
  const fetched = vi.spyOn(globalThis, 'fetch').mockImplementation(async () => Response.json({ keys: published }))
  const keys = issuerKeys(ISSUER, () => time)
  const accepts = (token: string) =>
    jwtVerify(token, keys).then(
      () => true,
      () => false,
    )
  return {
    published,
    accepts,
    fetches: () => fetched.mock.calls.length,
    pass: (ms: number) => {
      time += ms
    },
  }
}

afterEach(() => vi.restoreAllMocks())

describe('the keys of an issuer', () => {
  test('are fetched once for all tokens of known keys', async () => {
    const { published, accepts, fetches } = issuer()
    const key = await newKey()
    published.push(key.jwk)
    for (let count = 0; count < 3; count++) expect(await accepts(key.token)).toBe(true)
    expect(fetches()).toBe(1)
  })

  test('are fetched again at once for a token of a new key, also right after the last time', async () => {
    const { published, accepts, fetches } = issuer()
    const [old, next, afterNext] = [await newKey(), await newKey(), await newKey()]
    published.push(old.jwk)
    expect(await accepts(old.token)).toBe(true)
    published.push(next.jwk)
    expect(await accepts(next.token)).toBe(true)
    published.push(afterNext.jwk)
    expect(await accepts(afterNext.token)).toBe(true)
    expect(fetches()).toBe(3)
  })

  test('are not asked for as often as somebody makes up keys, and a new key is found soon all the same', async () => {
    const { published, accepts, fetches, pass } = issuer()
    const [key, next] = [await newKey(), await newKey()]
    published.push(key.jwk)
    await accepts(key.token)
    for (let count = 0; count < 20; count++) expect(await accepts((await newKey()).token)).toBe(false)
    expect(fetches()).toBe(1 + 5)
    published.push(next.jwk)
    expect(await accepts(next.token)).toBe(false)
    pass(5000)
    expect(await accepts(next.token)).toBe(true)
    expect(fetches()).toBe(1 + 6)
  })

  test('are asked for once by one client that comes with an unknown key again and again', async () => {
    const { published, accepts, fetches, pass } = issuer()
    const [key, foreign] = [await newKey(), await newKey()]
    published.push(key.jwk)
    await accepts(key.token)
    for (let count = 0; count < 10; count++) await accepts(foreign.token)
    expect(fetches()).toBe(1 + 1)
    pass(5000)
    await accepts(foreign.token)
    expect(fetches()).toBe(1 + 2)
  })

  test('of before are good while the issuer does not answer', async () => {
    const { published, accepts } = issuer()
    const key = await newKey()
    published.push(key.jwk)
    await accepts(key.token)
    vi.spyOn(globalThis, 'fetch').mockRejectedValue(new Error('down'))
    expect(await accepts((await newKey()).token)).toBe(false)
    expect(await accepts(key.token)).toBe(true)
  })
})
