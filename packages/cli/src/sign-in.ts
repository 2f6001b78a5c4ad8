import type { UserLogin } from './config.ts'
import { Failure } from './failure.ts'

/** A token is renewed when it has no longer than this to live. */
const RENEW_BEFORE_MS = 60_000

type Project = Pick<UserLogin, 'supabaseUrl' | 'publishableKey'>

export const signIn = (project: Project, email: string, password: string): Promise<UserLogin> =>
  requestToken(project, 'password', { email, password })

/** @returns the login as it is, or a renewed one that is to be stored */
export async function renewed(login: UserLogin, now = Date.now()): Promise<UserLogin> {
  if (login.expiresAt - now > RENEW_BEFORE_MS) return login
  return requestToken(login, 'refresh_token', { refresh_token: login.refreshToken })
}

async function requestToken(
  { supabaseUrl, publishableKey }: Project,
  grant: 'password' | 'refresh_token',
  body: object,
): Promise<UserLogin> {
  const response = await fetch(`${supabaseUrl.replace(/\/+$/, '')}/auth/v1/token?grant_type=${grant}`, {
    method: 'POST',
    headers: { apikey: publishableKey, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const answer = (await response.json().catch(() => ({}))) as Record<string, unknown>
  const { access_token: accessToken, refresh_token: refreshToken, expires_in: seconds } = answer
  if (!response.ok || typeof accessToken !== 'string' || typeof refreshToken !== 'string') {
    const reason = answer.msg ?? answer.error_description ?? `status ${response.status}`
    throw new Failure(`Supabase did not sign you in: ${String(reason)}`)
  }
  const expiresAt = Date.now() + (typeof seconds === 'number' ? seconds : 3600) * 1000
  return { supabaseUrl, publishableKey, accessToken, refreshToken, expiresAt }
}
