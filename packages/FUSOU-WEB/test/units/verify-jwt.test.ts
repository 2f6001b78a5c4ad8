import { SignJWT } from 'jose'
import { describe, expect, test } from 'vitest'
import { verifyJwt } from '../../src/auth/verify-jwt.ts'

const KEY = new TextEncoder().encode('a-secret-that-is-long-enough-for-hs256')
const NOW = 1_800_000_000

const judge = async (claims: Record<string, number>) => {
  const token = await new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(KEY)
  return verifyJwt(token, KEY, { algorithms: ['HS256'], currentDate: new Date(NOW * 1000) }).then(
    () => 'ok',
    (error: { code: string }) => error.code,
  )
}

describe('the clocks of an issuer and of ours may differ by five seconds', () => {
  test.each([
    ['expired 4 s ago', { exp: NOW - 4 }, 'ok'],
    ['expired 5 s ago', { exp: NOW - 5 }, 'token_expired'],
    ['expired 10 min ago', { exp: NOW - 600 }, 'token_expired'],
    ['is valid in 5 s', { nbf: NOW + 5 }, 'ok'],
    ['is valid in 6 s', { nbf: NOW + 6 }, 'invalid_token'],
  ])('a token that %s', async (_when, claims, outcome) => {
    expect(await judge(claims)).toBe(outcome)
  })
})
