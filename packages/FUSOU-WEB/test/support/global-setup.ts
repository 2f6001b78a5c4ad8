import startSupabase from '@fusou/embedded-supabase/vitest-global-setup'
import { exportJWK, generateKeyPair, type JWK } from 'jose'
import type { TestProject } from 'vitest/node'
import { serveKeySets } from './serve-key-sets.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** where the Worker under test sees Supabase, and under `/github` the issuer of GitHub Actions */
    supabaseUrl: string
    /** of the project's user tokens, of GitHub Actions, and of somebody else */
    signingKeys: { user: JWK; github: JWK; stranger: JWK }
  }
}

/** Starts the embedded Supabase and makes the keys that tests sign tokens with. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const [user, github, stranger] = await Promise.all([signingKey('ES256'), signingKey('RS256'), signingKey('ES256')])
  const stopSupabase = await startSupabase(project)
  const keySets = await serveKeySets(
    { '/auth/v1/.well-known/jwks.json': keySet(user), '/github/.well-known/jwks': keySet(github) },
    project.getProvidedContext().supabase.url,
  )
  project.provide('supabaseUrl', keySets.url)
  project.provide('signingKeys', { user, github, stranger })
  return async () => {
    keySets.stop()
    await stopSupabase()
  }
}

async function signingKey(alg: 'ES256' | 'RS256'): Promise<JWK> {
  const { privateKey } = await generateKeyPair(alg, { extractable: true })
  return { ...(await exportJWK(privateKey)), alg, kid: crypto.randomUUID() }
}

function keySet({ kty, crv, x, y, n, e, alg, kid }: JWK): string {
  return JSON.stringify({ keys: [{ kty, crv, x, y, n, e, alg, kid, use: 'sig' }] })
}
