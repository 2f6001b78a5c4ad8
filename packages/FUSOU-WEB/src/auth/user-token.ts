import { type Environment, FusouError } from '@fusou/catalog'
import { decodeProtectedHeader } from 'jose'
import { z } from 'zod'
import type { Caller } from './caller.ts'
import { issuerKeys } from './issuer-keys.ts'
import { verifyJwt } from './verify-jwt.ts'

const AUDIENCE = 'authenticated'

/** Claims that Supabase Auth gives a signed-in user; a key of the project has another role and no `sub`. */
const UserClaims = z.object({
  sub: z.uuid(),
  role: z.literal('authenticated'),
  is_anonymous: z.literal(false).optional(),
})

/**
 * Supabase's tokens, by the public keys of the project (https://supabase.com/docs/guides/auth/signing-keys).
 * HS256 is accepted only where SUPABASE_JWT_SECRET is set, as on the local stack, whose tokens name no issuer.
 * @returns throws FusouError `invalid_token`, `token_expired`, `identity_unavailable`
 */
export function userVerifier(environment: Environment): (token: string) => Promise<Caller> {
  const base = `${environment.SUPABASE_URL.replace(/\/$/, '')}/auth/v1`
  const issuer = environment.SUPABASE_JWT_ISSUER ?? base
  const keys = issuerKeys(new URL(`${base}/.well-known/jwks.json`))
  const { SUPABASE_JWT_SECRET } = environment
  const secret = SUPABASE_JWT_SECRET === undefined ? undefined : new TextEncoder().encode(SUPABASE_JWT_SECRET)
  const required = { audience: AUDIENCE, requiredClaims: ['exp', 'sub'] }

  return async (token) => {
    const payload =
      secret && algorithmOf(token) === 'HS256'
        ? await verifyJwt(token, secret, { ...required, algorithms: ['HS256'] })
        : await verifyJwt(token, keys, { ...required, algorithms: ['ES256', 'RS256'], issuer })
    if (payload.iss !== undefined && payload.iss !== issuer)
      throw new FusouError('invalid_token', 'the claim "iss" is missing or not accepted')
    const claims = UserClaims.safeParse(payload)
    if (!claims.success) throw new FusouError('invalid_token', 'the token is not that of a signed-in user')
    return { kind: 'user', id: claims.data.sub }
  }
}

function algorithmOf(token: string): string | undefined {
  try {
    return decodeProtectedHeader(token).alg
  } catch (cause) {
    throw new FusouError('invalid_token', 'neither a JWT nor the token of an operator', { cause })
  }
}
