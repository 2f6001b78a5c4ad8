import { randomUUID } from 'node:crypto'
import { createClient } from '@supabase/supabase-js'
import { describe, expect, inject, test } from 'vitest'
import { DataSetUnderTest } from '../data-set-under-test.ts'
import { EmbeddedDatabase } from '../embedded-database.ts'

// Over HTTP, as a browser that holds the publishable key could try it.

const address = inject('embedded')
const database = new EmbeddedDatabase(address)
const options = { auth: { persistSession: false, autoRefreshToken: false } }
const anonymous = createClient(address.supabaseUrl, address.publishableKey, options)
const functions = await database.query<{ name: string; args: string[] }>(
  `select p.proname as name, p.proargnames as args from pg_proc p
   where p.pronamespace = 'public'::regnamespace and p.prosecdef order by 1`,
)
const tables = await database.query<{ table: string }>(
  "select relname as table from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'",
)
/** Arguments by name alone: who may not call is refused before any is looked at. */
const nulls = (args: string[] | null) => Object.fromEntries((args ?? []).map((name) => [name, null]))

async function signedIn() {
  const user = createClient(address.supabaseUrl, address.publishableKey, options)
  const { error } = await user.auth.signUp({ email: `${randomUUID()}@example.com`, password: randomUUID() })
  expect(error).toBeNull()
  return user
}

describe('the publishable key', () => {
  test('finds every function of the catalog', () => expect(functions.length).toBeGreaterThan(30))

  test.each(functions)('may not call $name', async ({ name, args }) => {
    const { data, error } = await anonymous.rpc(name, nulls(args))
    expect({ data, code: error?.code }).toEqual({ data: null, code: '42501' })
  })

  test.each(tables)('sees no row of $table and removes none, signed in or not', async ({ table }) => {
    const dataset = new DataSetUnderTest(database.catalog)
    await dataset.upload({}, {})
    const count = () => database.query(`select count(*) from public.${table}`)
    const before = await count()
    for (const client of [anonymous, await signedIn()]) {
      const selected = await client.from(table).select()
      expect(selected.data ?? []).toEqual([])
      await client.from(table).delete().not('ctid', 'is', null)
      const inserted = await client.from(table).insert({})
      expect(inserted.error).not.toBeNull()
    }
    expect(Number((await count())[0]!.count)).toBeGreaterThanOrEqual(Number(before[0]!.count))
    expect(await dataset.files()).toHaveLength(2)
  })
})

test('a signed-in user may call no function either', async () => {
  const user = await signedIn()
  for (const { name, args } of functions) {
    const { error } = await user.rpc(name, nulls(args))
    expect({ name, code: error?.code }).toEqual({ name, code: '42501' })
  }
})

test('the parts of the functions are not there over HTTP', async () => {
  for (const name of ['doom', 'end_job', 'request_job']) {
    const { error } = await createClient(address.supabaseUrl, address.supabaseSecretKey, options).rpc(name, {})
    expect(error?.code).toMatch(/^PGRST202|42883$/)
  }
})
