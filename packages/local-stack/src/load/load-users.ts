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

/** One owner of datasets, who calls by the token of a sign-in, or by a key as a device does. */
export interface LoadOwner {
  readonly byToken: FusouClient
  readonly byKey: FusouClient
}

/** Sign up so many users; each makes a key. */
export async function signUpOwners(stack: StackInfo, count: number): Promise<LoadOwner[]> {
  const owners: LoadOwner[] = []
  for (const user of await signUpUsers(stack, count)) {
    const token = await signIn(stack.supabaseUrl, stack.publishableKey, user)
    const made = await fetch(`${stack.webUrl}/api/keys`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'a device', scopes: ['upload'] }),
    })
    if (!made.ok) throw new StackError(`making a key failed: ${made.status} ${await made.text()}`)
    const { key } = (await made.json()) as { key: string }
    owners.push({ byToken: new FusouClient(stack.webUrl, token), byKey: new FusouClient(stack.webUrl, key) })
  }
  return owners
}
