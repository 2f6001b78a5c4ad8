import { randomBytes } from 'node:crypto'
import { FusouClient, signIn } from '../client/fusou-client.ts'
import { StackError } from '../stack/stack-error.ts'
import type { StackInfo } from '../stack/stack-info.ts'

/** Sign up so many users. */
export async function signUpUsers(
  { supabaseUrl, publishableKey }: StackInfo,
  count: number,
): Promise<{ email: string; password: string }[]> {
  const users = Array.from({ length: count }, (_, index) => ({
    email: `load-${index}@example.com`,
    password: randomBytes(12).toString('base64url'),
  }))
  for (const user of users) {
    const signUp = await fetch(`${supabaseUrl}/auth/v1/signup`, {
      method: 'POST',
      headers: { apikey: publishableKey, 'content-type': 'application/json' },
      body: JSON.stringify(user),
    })
    if (!signUp.ok) throw new StackError(`signing up ${user.email} failed: ${signUp.status} ${await signUp.text()}`)
  }
  return users
}

/** Sign up so many users; each gets a client of the API. */
export async function signUpClients(stack: StackInfo, count: number): Promise<FusouClient[]> {
  const clients: FusouClient[] = []
  for (const user of await signUpUsers(stack, count))
    clients.push(new FusouClient(stack.webUrl, await signIn(stack.supabaseUrl, stack.publishableKey, user)))
  return clients
}
