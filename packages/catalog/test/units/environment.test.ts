import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { FusouError, loadEnvironment } from '@fusou/catalog'
import { describe, expect, test } from 'vitest'

const VALUES = {
  SUPABASE_URL: 'https://project.example.com',
  SUPABASE_SECRET_KEY: 'sb_secret_of-this-test',
  OPERATOR_TOKEN: 'an-operator-token-of-32-characters',
  SUPABASE_JWT_SECRET: '$HOME is `no` $(command) #here "either"',
}
const REQUIRED = ['SUPABASE_URL', 'SUPABASE_SECRET_KEY', 'OPERATOR_TOKEN']
const asFile = (values: Record<string, string>) =>
  Object.entries(values)
    .map(([name, value]) => `${name}='${value}'\n`)
    .join('')
const plain = asFile(VALUES)

/** The env file and its key, as an operator makes them with the dotenvx command. */
function encrypt(file: string, name = '.env'): { file: string; privateKey: string } {
  const require = createRequire(new URL('../../../local-stack/package.json', import.meta.url))
  const manifest = require.resolve('@dotenvx/dotenvx/package.json')
  const { bin } = require(manifest) as { bin: { dotenvx: string } }
  const folder = mkdtempSync(join(tmpdir(), 'fusou-env-'))
  try {
    writeFileSync(join(folder, name), file)
    execFileSync(process.execPath, [join(dirname(manifest), bin.dotenvx), 'encrypt', '-f', name], {
      cwd: folder,
      env: { PATH: process.env.PATH, HOME: folder },
      stdio: 'pipe',
    })
    const [, privateKey] =
      /^DOTENV_PRIVATE_KEY\w*="?([0-9a-f]+)/m.exec(readFileSync(join(folder, '.env.keys'), 'utf8')) ?? []
    return { file: readFileSync(join(folder, name), 'utf8'), privateKey: privateKey! }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The refusal, which must name no value. */
function refusal(bindings: object, file: string, secrets: readonly string[]): string {
  try {
    loadEnvironment(bindings, file)
  } catch (error) {
    expect(error).toBeInstanceOf(FusouError)
    expect((error as FusouError).code).toBe('not_configured')
    const told = `${String(error)} ${JSON.stringify(error)} ${String((error as Error).cause)}`
    for (const secret of secrets) expect(told).not.toContain(secret)
    return (error as Error).message
  }
  throw new Error('it was not refused')
}

describe('another environment than production', () => {
  test('does not read the file of production, and so never gets its database', () => {
    const set = { FUSOU_ENVIRONMENT: 'staging', SUPABASE_URL: 'https://staging.example.com' }
    expect(() => loadEnvironment(set, plain)).toThrow(/SUPABASE_SECRET_KEY.*OPERATOR_TOKEN/)
    const own = { ...set, SUPABASE_SECRET_KEY: 'sb_secret_of-staging', OPERATOR_TOKEN: 'o'.repeat(32) }
    expect(loadEnvironment(own, plain)).toMatchObject({ SUPABASE_URL: 'https://staging.example.com' })
    expect(loadEnvironment(own, plain).SUPABASE_JWT_SECRET).toBeUndefined()
  })
})

describe('a plain file', () => {
  test('gives its values, and the defaults of the rest', () => {
    expect(loadEnvironment({}, plain)).toEqual({
      ...VALUES,
      GITHUB_OIDC_ISSUER: 'https://token.actions.githubusercontent.com',
      GITHUB_OIDC_AUDIENCE: 'fusou-compaction',
      GITHUB_OIDC_REF: 'refs/heads/main',
      READER_ORIGINS: ['*'],
      ALERT_SOURCE: 'fusou',
      PAGERDUTY_EVENTS_URL: 'https://events.pagerduty.com',
    })
  })

  test('gives way to what is set on the Worker, unless that is empty or no text', () => {
    const bindings = {
      SUPABASE_URL: 'http://127.0.0.1:54321',
      SUPABASE_SECRET_KEY: '',
      OPERATOR_TOKEN: { get() {} },
      BUCKET: {},
    }
    expect(loadEnvironment(bindings, plain)).toMatchObject({ ...VALUES, SUPABASE_URL: 'http://127.0.0.1:54321' })
  })

  test('may be missing when all is set on the Worker', () => {
    expect(loadEnvironment(VALUES, '')).toMatchObject(VALUES)
  })

  test.each([
    ['SUPABASE_URL', 'not an address'],
    ['SUPABASE_SECRET_KEY', ''],
    ['OPERATOR_TOKEN', 'too-short-token'],
    ['SUPABASE_JWT_SECRET', 'short'],
    ['GITHUB_OIDC_ISSUER', 'github'],
    ['GITHUB_OIDC_REPOSITORY_ID', 'fusou/fusou'],
    ['SLACK_WEBHOOK_URL', 'http://hooks.example/T/B/secret'],
    ['PAGERDUTY_ROUTING_KEY', 'half-a-key'],
    ['ALERT_HEARTBEAT_URL', 'http://switch.example/secret'],
    ['ALERT_HEARTBEAT_URL', 'not an address'],
  ])('with a bad %s is refused by its name, not its value', (name, value) => {
    const message = refusal({}, asFile({ ...VALUES, [name]: value }), [value || VALUES.OPERATOR_TOKEN])
    expect(message).toContain(name)
  })

  const receivers = ['SLACK_WEBHOOK_URL', 'PAGERDUTY_EVENTS_URL', 'ALERT_HEARTBEAT_URL'] as const
  const lookAlikes = [
    'http://localhost.evil.com/x',
    'http://localhost.evil.com:80/x',
    'http://127.0.0.1.evil.com/x',
    'http://localhost@evil.com/x',
    'http://127.0.0.1:80@evil.com/x',
    'http://evil.com/localhost/',
    'http://evil.com#localhost/',
    'http://localhost-evil.com/',
    'http://[::1].evil.com/',
    'http://192.168.0.1/x',
  ]
  test.each(receivers)('sends nothing for %s to a host that only looks like this machine', (name) => {
    for (const url of lookAlikes) {
      const message = refusal({}, asFile({ ...VALUES, [name]: url }), [url])
      expect(message, url).toContain(name)
    }
  })

  test.each(receivers)('takes for %s any encrypted address, and this machine in the clear', (name) => {
    for (const url of [
      'https://evil.com/x',
      'http://localhost/x',
      'http://localhost:8080',
      'http://127.0.0.1:1/x',
      'http://[::1]:1/',
    ])
      expect(loadEnvironment({}, asFile({ ...VALUES, [name]: url }))[name]).toBe(url)
  })

  test('without anything is refused with every name that is missing', () => {
    const message = refusal({}, '', [])
    for (const name of REQUIRED) expect(message).toContain(name)
  })
})

describe('an encrypted file', () => {
  const { file, privateKey } = encrypt(plain)
  const [otherKey] = [encrypt(plain).privateKey]

  test('shows none of its values', () => {
    for (const value of Object.values(VALUES)) expect(file).not.toContain(value)
  })

  test('opens with its key', () => {
    expect(loadEnvironment({ DOTENV_PRIVATE_KEY: privateKey }, file)).toMatchObject(VALUES)
  })

  test('opens with its key whatever it is called, though dotenvx names the key after the file', () => {
    const other = encrypt(plain, '.env.production')
    expect(loadEnvironment({ DOTENV_PRIVATE_KEY: other.privateKey }, other.file)).toMatchObject(VALUES)
  })

  test.each([
    ['without a key', undefined, 'DOTENV_PRIVATE_KEY is not set'],
    ['with an empty key', '', 'DOTENV_PRIVATE_KEY is not set'],
    ['with the key of another file', otherKey, 'DOTENV_PRIVATE_KEY does not fit'],
    ['with half its key', privateKey.slice(0, 32), 'DOTENV_PRIVATE_KEY does not fit'],
    ['with a key that is none', 'key', 'DOTENV_PRIVATE_KEY does not fit'],
  ])('%s is refused: the names of what stays closed, and no value', (_how, key, told) => {
    const message = refusal({ DOTENV_PRIVATE_KEY: key }, file, [
      ...Object.values(VALUES),
      privateKey,
      otherKey,
      'encrypted:B',
    ])
    expect(message).toContain(told)
    for (const name of Object.keys(VALUES)) expect(message).toContain(name)
  })

  test('does not matter for a variable that is set on the Worker', () => {
    expect(loadEnvironment(VALUES, file)).toMatchObject(VALUES)
  })
})

describe('a variable', () => {
  test.each([
    ['SUPABASE_URL', 'https://a.supabase.co', 'a.supabase.co'],
    ['SUPABASE_SECRET_KEY', 'k', undefined],
    ['SUPABASE_JWT_ISSUER', 'https://issuer.example.com/auth/v1', undefined],
    ['SUPABASE_JWT_SECRET', 's'.repeat(16), 's'.repeat(15)],
    ['OPERATOR_TOKEN', 'o'.repeat(32), 'o'.repeat(31)],
    ['GITHUB_OIDC_ISSUER', 'http://127.0.0.1:8080/github', 'github'],
    ['GITHUB_OIDC_AUDIENCE', 'an audience', undefined],
    ['GITHUB_OIDC_REPOSITORY_ID', '42', '42a'],
    ['GITHUB_OIDC_REF', 'refs/heads/other', undefined],
    ['GITHUB_OIDC_WORKFLOW_REF', 'o/r/.github/workflows/w.yml@refs/heads/main', undefined],
    ['ALERT_HEARTBEAT_URL', 'https://hc.example/ping', 'http://hc.example/ping'],
    ['ALERT_SOURCE', 'a'.repeat(100), 'a'.repeat(101)],
    ['SLACK_WEBHOOK_URL', 'https://hooks.example/T', 'http://hooks.example/T'],
    ['PAGERDUTY_ROUTING_KEY', 'R'.repeat(32), 'R'.repeat(33)],
    ['PAGERDUTY_EVENTS_URL', 'https://events.eu.pagerduty.com', 'ftp://events.pagerduty.com'],
  ])('%s is taken as %s, and refused by its name as %s', (name, good, bad) => {
    const file = asFile(Object.fromEntries(Object.entries(VALUES).filter(([other]) => other !== name)))
    expect(loadEnvironment({ [name]: good }, file)).toMatchObject({ [name]: good })
    if (bad !== undefined) expect(refusal({ [name]: bad }, file, [bad])).toContain(name)
  })
})
