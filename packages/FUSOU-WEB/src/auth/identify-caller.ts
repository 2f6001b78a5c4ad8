import { type Catalog, type Environment, FusouError } from '@fusou/catalog'
import { decodeJwt } from 'jose'
import { isAccessKey, KeyAuthenticator } from './access-key.ts'
import type { Identify } from './caller.ts'
import { githubVerifier } from './github-oidc.ts'
import { operatorVerifier } from './operator-token.ts'
import { userVerifier } from './user-token.ts'

/** Chooses the verifier by what the token is. */
export function identifyCaller(environment: Environment, catalog: Catalog): Identify {
  const keys = new KeyAuthenticator(catalog)
  const isOperator = operatorVerifier(environment)
  const verifyGithub = githubVerifier(environment)
  const verifyUser = userVerifier(environment)
  return async (authorization) => {
    const token = bearerToken(authorization)
    if (isAccessKey(token)) return keys.identify(token)
    if (await isOperator(token)) return { kind: 'operator' }
    if (claimedIssuer(token) === environment.GITHUB_OIDC_ISSUER) return verifyGithub(token)
    return verifyUser(token)
  }
}

function bearerToken(authorization: string | undefined): string {
  if (authorization === undefined) throw new FusouError('unauthenticated', 'send Authorization: Bearer <token>')
  const token = /^Bearer +([^\s,]+) *$/i.exec(authorization)?.[1]
  if (token === undefined) throw new FusouError('invalid_token', 'the Authorization header is not Bearer <token>')
  return token
}

/** The issuer that a token claims, used only to choose its verifier. */
function claimedIssuer(token: string): string | undefined {
  try {
    return decodeJwt(token).iss
  } catch {
    return undefined
  }
}
