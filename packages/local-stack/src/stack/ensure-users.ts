import type { LocalSecrets } from './local-secrets.ts'
import { StackError } from './stack-error.ts'

/** Sign up the ready users of the local stack; those of an earlier start sign in. */
export async function ensureUsers(supabaseUrl: string, { publishableKey, users }: LocalSecrets): Promise<void> {
  const post = (path: string, user: { email: string; password: string }) =>
    fetch(`${supabaseUrl}/auth/v1/${path}`, {
      method: 'POST',
      headers: { apikey: publishableKey, 'content-type': 'application/json' },
      body: JSON.stringify(user),
    })
  for (const user of users) {
    const signIn = await post('token?grant_type=password', user)
    if (signIn.ok) continue
    const signUp = await post('signup', user)
    if (!signUp.ok) throw new StackError(`signing up ${user.email} failed: ${signUp.status} ${await signUp.text()}`)
  }
}
