import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

/** Random values of one state folder. They are kept, so that tokens and sign-ins survive a restart. */
export const LocalSecrets = z.object({
  jwtSecret: z.string().min(32),
  publishableKey: z.string(),
  secretKey: z.string(),
  operatorToken: z.string().min(32),
  users: z.array(z.object({ email: z.string(), password: z.string() })),
})
export type LocalSecrets = z.infer<typeof LocalSecrets>

const random = (bytes: number) => randomBytes(bytes).toString('base64url')

const newSecrets = (): LocalSecrets => ({
  jwtSecret: random(48),
  publishableKey: `sb_publishable_${random(24)}`,
  secretKey: `sb_secret_${random(24)}`,
  operatorToken: random(32),
  users: ['ada@example.com', 'bob@example.com'].map((email) => ({ email, password: random(12) })),
})

/** Read `<state folder>/secrets.json`, or make it (mode 0600) on the first start. */
export function loadLocalSecrets(stateFolder: string): LocalSecrets {
  const path = join(stateFolder, 'secrets.json')
  try {
    return LocalSecrets.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  const secrets = newSecrets()
  writeFileSync(path, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600 })
  return secrets
}
