import { fork } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exportJWK, generateKeyPair, type JWK } from 'jose'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  export interface ProvidedContext {
    supabaseUrl: string
    publishableKey: string
    secretKey: string
    jwtSecret: string
    /** of the project's user tokens, of GitHub Actions, and of somebody else */
    signingKeys: { user: JWK; github: JWK; stranger: JWK }
  }
}

const MIGRATIONS = join(import.meta.dirname, '../../../../supabase/migrations')

/** Starts the embedded Supabase and makes the keys that tests sign tokens with. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = mkdtempSync(join(tmpdir(), 'fusou-web-'))
  const secrets = {
    publishableKey: `sb_publishable_${'p'.repeat(32)}`,
    secretKey: `sb_secret_${'s'.repeat(32)}`,
    jwtSecret: 'a secret of the tests, at least 32 characters',
  }
  mkdirSync(join(folder, 'supabase'))
  cpSync(MIGRATIONS, join(folder, 'supabase/migrations'), { recursive: true })
  writeFileSync(join(folder, 'supabase/config.toml'), config(secrets))
  const [user, github, stranger] = await Promise.all([signingKey('ES256'), signingKey('RS256'), signingKey('ES256')])

  const server = fork(join(import.meta.dirname, 'database-server.ts'), {
    cwd: folder,
    env: {
      ...process.env,
      LITE_TELEMETRY: '0',
      DO_NOT_TRACK: '1',
      USER_JWKS: keySet(user),
      GITHUB_JWKS: keySet(github),
    },
    // PGlite prints each refusal it is asked to give.
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
  const [ready] = (await Promise.race([once(server, 'message'), once(server, 'exit')])) as [{ port: number } | number]
  if (typeof ready !== 'object') throw new Error('the embedded Supabase did not start')
  project.provide('supabaseUrl', `http://127.0.0.1:${ready.port}`)
  for (const [name, value] of Object.entries(secrets)) project.provide(name as keyof typeof secrets, value)
  project.provide('signingKeys', { user, github, stranger })
  return async () => {
    const exited = once(server, 'exit')
    server.disconnect()
    await exited
    rmSync(folder, { recursive: true })
  }
}

async function signingKey(alg: 'ES256' | 'RS256'): Promise<JWK> {
  const { privateKey } = await generateKeyPair(alg, { extractable: true })
  return { ...(await exportJWK(privateKey)), alg, kid: crypto.randomUUID() }
}

function keySet({ kty, crv, x, y, n, e, alg, kid }: JWK): string {
  return JSON.stringify({ keys: [{ kty, crv, x, y, n, e, alg, kid, use: 'sig' }] })
}

const config = ({ publishableKey, secretKey, jwtSecret }: Record<string, string>) => `
[db]
driver = "pglite"
url = "data"
[auth]
enabled = true
enable_signup = true
jwt_secret = "${jwtSecret}"
jwt_expiry = 3600
publishable_key = "${publishableKey}"
secret_key = "${secretKey}"
[auth.email]
enable_signup = true
enable_confirmations = false
`
