import { FusouError } from '@fusou/catalog'
import { errors, type JWTPayload, type JWTVerifyGetKey, type JWTVerifyOptions, jwtVerify } from 'jose'

/** Difference of clocks between an issuer and us. */
const CLOCK_TOLERANCE_SECONDS = 5

/** Faults of the issuer's key set; all others are the token's. */
const ISSUER_FAULTS: readonly string[] = ['ERR_JWKS_TIMEOUT', 'ERR_JWKS_INVALID', 'ERR_JOSE_GENERIC']

/** @throws FusouError `token_expired`, `invalid_token`, or `identity_unavailable` when the keys cannot be fetched */
export async function verifyJwt(
  token: string,
  key: JWTVerifyGetKey | Uint8Array,
  options: JWTVerifyOptions & { algorithms: string[] },
): Promise<JWTPayload> {
  const checks = { clockTolerance: CLOCK_TOLERANCE_SECONDS, ...options }
  try {
    const { payload } = await (key instanceof Uint8Array
      ? jwtVerify(token, key, checks)
      : jwtVerify(token, key, checks))
    return payload
  } catch (cause) {
    if (cause instanceof errors.JWTExpired) throw new FusouError('token_expired', 'sign in again', { cause })
    if (!(cause instanceof errors.JOSEError) || ISSUER_FAULTS.includes(cause.code)) {
      throw new FusouError('identity_unavailable', 'the keys of the issuer could not be read; try again', { cause })
    }
    throw new FusouError('invalid_token', reason(cause), { cause })
  }
}

function reason(error: errors.JOSEError): string {
  if (error instanceof errors.JWTClaimValidationFailed) return `the claim "${error.claim}" is missing or not accepted`
  if (error instanceof errors.JOSEAlgNotAllowed) return 'the algorithm of the token is not accepted'
  if (error instanceof errors.JWSSignatureVerificationFailed || error instanceof errors.JWKSNoMatchingKey)
    return 'the signature is not of a key that is accepted here'
  return 'the token is malformed'
}
