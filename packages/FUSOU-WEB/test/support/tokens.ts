import { importJWK, type JWK, SignJWT } from 'jose'
import { inject } from 'vitest'

/** An undefined claim is left out. */
type Claims = Record<string, unknown>

const HOUR_SECONDS = 3600
const now = () => Math.floor(Date.now() / 1000)

/** A JWT with these claims, signed by a key; its header can be bent. */
export async function sign(key: JWK | Uint8Array, claims: Claims, header: { alg?: string } = {}): Promise<string> {
  const isSecret = key instanceof Uint8Array
  const alg = header.alg ?? (isSecret ? 'HS256' : key.alg!)
  return new SignJWT({ iat: now(), exp: now() + HOUR_SECONDS, ...claims })
    .setProtectedHeader({ alg, ...(!isSecret && { kid: key.kid }) } as never)
    .sign(isSecret ? key : await importJWK(key))
}

/** A JWT that is not signed at all. */
export function signNothing(claims: Claims): string {
  const encode = (part: object) =>
    new TextEncoder().encode(JSON.stringify(part)).toBase64({ alphabet: 'base64url', omitPadding: true })
  return `${encode({ alg: 'none', typ: 'JWT' })}.${encode({ exp: now() + HOUR_SECONDS, ...claims })}.`
}

export const userIssuer = () => `${inject('supabaseUrl')}/auth/v1`

export const userClaims = (id: string): Claims => ({
  iss: userIssuer(),
  sub: id,
  aud: 'authenticated',
  role: 'authenticated',
  is_anonymous: false,
})

export const expired = () => ({ iat: now() - 2 * HOUR_SECONDS, exp: now() - HOUR_SECONDS })

export interface User {
  readonly id: string
  readonly token: string
}

export async function newUser(id: string = crypto.randomUUID()): Promise<User> {
  return { id, token: await sign(inject('signingKeys').user, userClaims(id)) }
}

/** A user who has signed up, so that others can share with them. */
export async function signUp(): Promise<User> {
  const response = await fetch(`${inject('supabaseUrl')}/auth/v1/signup`, {
    method: 'POST',
    headers: { apikey: inject('supabase').publishableKey, 'content-type': 'application/json' },
    body: JSON.stringify({ email: `${crypto.randomUUID()}@example.com`, password: 'a long password' }),
  })
  const { access_token: token, user } = await response.json<{ access_token: string; user: { id: string } }>()
  return { id: user.id, token }
}
