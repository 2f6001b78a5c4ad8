import { randomUUID } from 'node:crypto'
import { createClient } from '@supabase/supabase-js'
import { describe, expect, inject, test } from 'vitest'
import { EmbeddedDatabase } from '../embedded-database.ts'

// What a hosted project forbids, the embedded one forbids too: else a fault shows only after the deployment.

const address = inject('embedded')
const database = new EmbeddedDatabase(address)
const options = { auth: { persistSession: false, autoRefreshToken: false } }
const secret = createClient(address.supabaseUrl, address.supabaseSecretKey, options)
const rest = (path: string, headers: Record<string, string>, init: RequestInit = {}) =>
  fetch(`${address.supabaseUrl}/rest/v1/${path}`, { ...init, headers })

const tables = await database.query<{ name: string }>(
  "select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' order by 1",
)

test('there are tables to try', () => expect(tables.length).toBeGreaterThan(10))

describe.each(tables)('the table $name', ({ name }) => {
  test('is closed to the secret key too: the functions are the only way', async () => {
    const closed = { code: '42501', message: expect.stringContaining(`permission denied for table ${name}`) }
    expect((await secret.from(name).select('*').limit(1)).error).toMatchObject(closed)
    expect((await secret.from(name).insert({})).error).toMatchObject(closed)
    expect((await secret.from(name).update({}).not('ctid', 'is', null)).error).toMatchObject(closed)
    expect((await secret.from(name).delete().not('ctid', 'is', null)).error).toMatchObject(closed)
  })
})

test('a function that nobody granted is closed to the secret key', async () => {
  const name = `not_granted_${randomUUID().replaceAll('-', '')}`
  await database.query(
    `create function public.${name}() returns integer language sql set search_path = '' as 'select 1'`,
  )
  await database.query(`revoke all on function public.${name}() from public, anon, authenticated, service_role`)
  await database.query("notify pgrst, 'reload schema'")
  const { data, error } = await secret.rpc(name)
  await database.query(`drop function public.${name}()`)
  expect(data).toBeNull()
  expect(error?.code).toMatch(/^(?:42501|PGRST202)$/)
})

test('a key in the Authorization header alone is none', async () => {
  const response = await rest('rpc/ping', { authorization: `Bearer ${address.supabaseSecretKey}` }, { method: 'POST' })
  expect(response.status).toBe(401)
})

test('a key that is wrong by one character is refused', async () => {
  for (const apikey of [`${address.supabaseSecretKey}x`, address.supabaseSecretKey.slice(0, -1), '', 'sb_secret_'])
    expect((await rest('rpc/ping', { apikey }, { method: 'POST' })).status, apikey).toBe(401)
})

test('schemas that are not exposed cannot be named', async () => {
  for (const schema of ['fusou', 'pg_catalog', 'information_schema', 'auth'])
    for (const header of ['accept-profile', 'content-profile']) {
      const method = header === 'accept-profile' ? 'GET' : 'POST'
      const response = await rest('rpc/ping', { apikey: address.supabaseSecretKey, [header]: schema }, { method })
      expect([404, 406], `${schema} by ${header}`).toContain(response.status)
    }
})

test('nobody signs in without a name', async () => {
  const { data, error } = await createClient(
    address.supabaseUrl,
    address.publishableKey,
    options,
  ).auth.signInAnonymously()
  expect(data.user).toBeNull()
  expect(error).not.toBeNull()
})
