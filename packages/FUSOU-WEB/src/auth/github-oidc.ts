import { type Environment, FusouError } from '@fusou/catalog'
import type { Caller } from './caller.ts'
import { issuerKeys } from './issuer-keys.ts'
import { verifyJwt } from './verify-jwt.ts'

/**
 * Tokens of GitHub Actions. Names can be taken over, so the repository is known by its id; the branch and the workflow
 * file must be the configured ones too.
 * https://docs.github.com/en/actions/concepts/security/openid-connect
 * @returns throws FusouError `invalid_token`, `token_expired`, `forbidden`, `identity_unavailable`
 */
export function githubVerifier(environment: Environment): (token: string) => Promise<Caller> {
  const { GITHUB_OIDC_ISSUER: issuer, GITHUB_OIDC_AUDIENCE: audience } = environment
  const keys = issuerKeys(new URL(`${issuer.replace(/\/$/, '')}/.well-known/jwks`))
  const wanted = {
    repository_id: environment.GITHUB_OIDC_REPOSITORY_ID,
    ref: environment.GITHUB_OIDC_REF,
    workflow_ref: environment.GITHUB_OIDC_WORKFLOW_REF,
  }
  return async (token) => {
    if (wanted.repository_id === undefined || wanted.workflow_ref === undefined)
      throw new FusouError('invalid_token', 'tokens of GitHub Actions are not set up here')
    const payload = await verifyJwt(token, keys, { algorithms: ['RS256'], issuer, audience, requiredClaims: ['exp'] })
    for (const [claim, value] of Object.entries(wanted)) {
      if (payload[claim] !== value) throw new FusouError('forbidden', `the claim "${claim}" is not the allowed one`)
    }
    return { kind: 'scheduler' }
  }
}
