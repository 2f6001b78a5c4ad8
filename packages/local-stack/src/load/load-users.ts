import { randomBytes } from 'node:crypto'
import { FusouClient, signIn } from '../demo/fusou-client.ts'
import { StackError } from '../stack-error.ts'
import type { StackInfo } from '../stack-info.ts'

/** Sign up so many users; each gets a client of the API. */
export async function signUpUsers(stack: StackInfo, count: number): Promise<FusouClient[]> {
  const { supabaseUrl, publishableKey, webUrl } = stack
  const clients: FusouClient[] = []
  for (let index = 0; index < count; index++) {
    const user = { email: `load-${index}@example.com`, password: randomBytes(12).toString('base64url') }
    const signUp = await fetch(`${supabaseUrl}/auth/v1/signup`, {
      method: 'POST',
      headers: { apikey: publishableKey, 'content-type': 'application/json' },
      body: JSON.stringify(user),
    })
    if (!signUp.ok) throw new StackError(`signing up ${user.email} failed: ${signUp.status} ${await signUp.text()}`)
    clients.push(new FusouClient(webUrl, await signIn(supabaseUrl, publishableKey, user)))
  }
  return clients
}
