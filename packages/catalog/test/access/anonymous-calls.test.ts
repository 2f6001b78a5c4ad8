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
const tables = await database.query<{ table: string; column: string }>(
  `select distinct on (c.relname) c.relname as table, a.attname as column
   from pg_class c join pg_attribute a on a.attrelid = c.oid
   where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and a.attnum > 0 and a.attidentity = ''
   order by c.relname, a.attnum`,
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

  test('finds every table of the catalog', () => expect(tables.length).toBeGreaterThan(10))

  test.each(tables)(
    'sees no row of $table, removes none and adds none, signed in or not',
    async ({ table, column }) => {
      const dataset = new DataSetUnderTest(database.catalog)
      await dataset.upload({}, {})
      const rows = () => database.query(`select ${column} from public.${table}`)
      const before = (await rows()).length
      for (const client of [anonymous, await signedIn()]) {
        // A call that fails for another reason would prove nothing.
        const hidden = ({ data, error }: { data: unknown; error: { code: string } | null }) =>
          error ? expect(error.code).toBe('42501') : expect(data).toEqual([])
        hidden(await client.from(table).select())
        hidden(await client.from(table).delete().not(column, 'is', null).select())
        const { error } = await client
          .from(table)
          .insert({ [column]: null })
          .select()
        expect(error?.code).toBe('42501')
      }
      // Other tests add rows meanwhile, and none of them removes any here.
      expect((await rows()).length).toBeGreaterThanOrEqual(before)
      expect(await dataset.files()).toHaveLength(2)
    },
  )

  test('is kept from tables that hold rows', async () => {
    await new DataSetUnderTest(database.catalog).upload({}, {})
    for (const table of ['datasets', 'files', 'jobs', 'outbox', 'alerts', 'heartbeats'])
      expect(await database.query(`select 1 from public.${table} limit 1`), table).toHaveLength(1)
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
  for (const name of ['mark_for_deletion', 'end_job', 'request_job']) {
    const { error } = await createClient(address.supabaseUrl, address.supabaseSecretKey, options).rpc(name, {})
    expect(error?.code).toMatch(/^PGRST202|42883$/)
  }
})
