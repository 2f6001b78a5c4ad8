/// <reference path="./dotenvx-primitives.d.ts" />
import { parseSync } from '@dotenvx/primitives'
import { z } from 'zod'
import { FusouError } from './fusou-error.ts'

const LOOPBACK_HOSTS: ReadonlySet<string> = new Set(['127.0.0.1', 'localhost', '[::1]'])

/** By the host as it is parsed: what only looks like this machine is a name that somebody else can own. */
function isEncryptedOrLocal(url: string): boolean {
  if (!URL.canParse(url)) return false
  const { protocol, hostname } = new URL(url)
  return protocol === 'https:' || LOOPBACK_HOSTS.has(hostname)
}

/** Where a secret of ours is sent: never in the clear, but to this machine. */
const Receiver = z.url({ protocol: /^https?$/ }).refine(isEncryptedOrLocal, 'must begin with https://')

const isOrigin = (text: string): boolean => text === '*' || (URL.canParse(text) && new URL(text).origin === text)

/** The environment whose variables the bundled file has. */
const PRODUCTION = 'production'

/** The variables of both Workers; `.env.example` explains each. */
export const Environment = z.object({
  SUPABASE_URL: z.url(),
  SUPABASE_SECRET_KEY: z.string().min(1),
  SUPABASE_JWT_ISSUER: z.string().min(1).optional(),
  SUPABASE_JWT_SECRET: z.string().min(16).optional(),
  OPERATOR_TOKEN: z.string().min(32, 'at least 32 characters'),
  GITHUB_OIDC_ISSUER: z.url().default('https://token.actions.githubusercontent.com'),
  GITHUB_OIDC_AUDIENCE: z.string().min(1).default('fusou-compaction'),
  GITHUB_OIDC_REPOSITORY_ID: z.string().regex(/^\d+$/).optional(),
  GITHUB_OIDC_REF: z.string().min(1).default('refs/heads/main'),
  GITHUB_OIDC_WORKFLOW_REF: z.string().min(1).optional(),
  READER_ORIGINS: z
    .string()
    .transform((text) => text.split(',').map((origin) => origin.trim()))
    .refine((origins) => origins.every(isOrigin), 'origins such as https://app.example.com, with commas between, or *')
    .default(['*']),
  ALERT_HEARTBEAT_URL: Receiver.optional(),
  ALERT_SOURCE: z.string().min(1).max(100).default('fusou'),
  SLACK_WEBHOOK_URL: Receiver.optional(),
  PAGERDUTY_ROUTING_KEY: z
    .string()
    .regex(/^[A-Za-z0-9]{32}$/, '32 letters and digits')
    .optional(),
  PAGERDUTY_EVENTS_URL: Receiver.default('https://events.pagerduty.com'),
})
export type Environment = z.infer<typeof Environment>

/**
 * The variables of a Worker: those set on it, over those of the encrypted file in its bundle.
 * @param bindings `env` of the Worker; only its text counts
 * @param file     text of the env file, values encrypted by dotenvx or plain; of production alone: with another
 *   FUSOU_ENVIRONMENT it is not read
 * @throws FusouError `not_configured`, naming the variables and never a value: one is missing or malformed, or is still
 *   encrypted because DOTENV_PRIVATE_KEY is absent or wrong (the parser gives such values back as they are)
 */
export function loadEnvironment(bindings: object, file: string): Environment {
  const texts = Object.entries(bindings).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
  const set = Object.fromEntries(texts.filter(([, value]) => value !== ''))
  const privateKey = set.DOTENV_PRIVATE_KEY
  // The file belongs to production. Another environment has variables of its own on the Worker, and must never fall back
  // to the database of production.
  const text = (set.FUSOU_ENVIRONMENT ?? PRODUCTION) === PRODUCTION ? file : ''
  // An empty environment and no key files, or the parser would look for keys and values in those of the process.
  const { parsed } = parseSync(text, {
    processEnv: privateKey === undefined ? {} : { DOTENV_PRIVATE_KEY: privateKey },
    fk: [],
  })
  const variables = { ...parsed, ...set }
  const encrypted = Object.keys(Environment.shape).filter((name) => variables[name]?.startsWith('encrypted:'))
  if (encrypted.length > 0) {
    const fault =
      privateKey === undefined ? 'DOTENV_PRIVATE_KEY is not set' : 'DOTENV_PRIVATE_KEY does not fit the file'
    throw new FusouError('not_configured', `${fault}; still encrypted: ${encrypted.join(', ')}`)
  }
  const result = Environment.safeParse(variables)
  if (!result.success) {
    const faults = result.error.issues.map((issue) => `${issue.path.join('.')} (${issue.message})`)
    throw new FusouError('not_configured', `set or correct ${faults.join(', ')}`)
  }
  return result.data
}
