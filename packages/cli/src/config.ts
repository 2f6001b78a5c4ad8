import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { Failure } from './failure.ts'

/** A user of Supabase Auth, whose token is renewed when it is about to expire. */
export interface UserLogin {
  readonly supabaseUrl: string
  readonly publishableKey: string
  readonly accessToken: string
  readonly refreshToken: string
  /** milliseconds since 1970 */
  readonly expiresAt: number
}

/** The content of the file that `fusou login` writes. */
export interface Config {
  readonly url: string
  readonly key?: string
  readonly user?: UserLogin
}

type Env = Readonly<Record<string, string | undefined>>

/** `$FUSOU_CONFIG`, else `fusou/config.json` in the folder of the user's settings. */
export function configPath(env: Env): string {
  const folder = env.XDG_CONFIG_HOME ?? join(homedir(), '.config')
  return env.FUSOU_CONFIG ?? join(folder, 'fusou', 'config.json')
}

/** FUSOU_URL and FUSOU_TOKEN of the environment win over the stored values. */
export function readConfig(env: Env): Config {
  const stored = readStored(env)
  const url = env.FUSOU_URL ?? stored?.url
  if (url === undefined)
    throw new Failure('not signed in: run "fusou login --url <address> --key <key>", or set FUSOU_URL and FUSOU_TOKEN')
  if (env.FUSOU_TOKEN !== undefined) return { url, key: env.FUSOU_TOKEN }
  if (stored === undefined) throw new Failure('no key: run "fusou login", or set FUSOU_TOKEN')
  return { ...stored, url }
}

function readStored(env: Env): Config | undefined {
  let text: string
  try {
    text = readFileSync(configPath(env), 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  try {
    return JSON.parse(text) as Config
  } catch {
    throw new Failure(`${configPath(env)} is damaged: run "fusou login" again`)
  }
}

/** Only its owner can read the file: it holds a secret. */
export function writeConfig(env: Env, config: Config): string {
  const path = configPath(env)
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  writeFileSync(path, `${JSON.stringify(config, null, 2)}\n`, { mode: 0o600 })
  // the mode above is only for a file that was not there
  chmodSync(path, 0o600)
  return path
}

export const removeConfig = (env: Env): void => rmSync(configPath(env), { force: true })
