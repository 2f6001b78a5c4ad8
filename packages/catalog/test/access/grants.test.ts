import { expect, test } from 'vitest'
import { describeRaces } from '../races/race-database.ts'

// On a real server with the default privileges of a hosted project, where all that a migration makes is open at first.

const EVERYBODY = ['anon', 'authenticated', 'service_role']

describeRaces('who may do what', (database) => {
  const functions = (schema: string) =>
    database.query<{ name: string; definer: boolean; config: string[] | null; grantees: string[] }>(
      `select p.oid::regprocedure::text as name, p.prosecdef as definer, p.proconfig as config,
         array(
           select coalesce(r.rolname, 'public')::text
           from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a left join pg_roles r on r.oid = a.grantee
           where a.grantee <> p.proowner order by 1
         ) as grantees
       from pg_proc p where p.pronamespace = $1::regnamespace order by 1`,
      schema,
    )

  test('the public functions run with the rights of their owner, and only for the secret key', async () => {
    const all = await functions('public')
    expect(all.length).toBeGreaterThan(30)
    for (const fn of all) {
      expect(fn).toEqual({ name: fn.name, definer: true, config: ['search_path=""'], grantees: ['service_role'] })
    }
  })

  test('their parts are for nobody', async () => {
    const all = await functions('fusou')
    expect(all.length).toBeGreaterThan(10)
    for (const fn of all) {
      expect(fn).toEqual({ name: fn.name, definer: false, config: ['search_path=""'], grantees: [] })
    }
    for (const role of EVERYBODY) {
      const [row] = await database.query("select has_schema_privilege($1, 'fusou', 'usage') as usage", role)
      expect({ role, ...row }).toEqual({ role, usage: false })
    }
  })

  const tables = () =>
    database.query<{ name: string }>(
      "select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')",
    )

  test('every table has row-level security, no policy that opens it, and no grant', async () => {
    const found = await database.query<{ name: string; rls: boolean; grantees: string[]; policies: number }>(
      `select c.relname as name, c.relrowsecurity as rls,
         array(
           select coalesce(r.rolname, 'public')::text
           from aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) a left join pg_roles r on r.oid = a.grantee
           where a.grantee <> c.relowner order by 1
         ) as grantees,
         (select count(*)::int from pg_policy where polrelid = c.oid) as policies
       from pg_class c where c.relnamespace in ('public'::regnamespace, 'fusou'::regnamespace) and c.relkind in ('r', 'p')
       order by 1`,
    )
    expect(found.map((table) => table.name)).toEqual(
      expect.arrayContaining(['alerts', 'datasets', 'dead_letters', 'files', 'garbage', 'jobs', 'merges', 'outbox']),
    )
    for (const table of found) expect(table).toEqual({ name: table.name, rls: true, grantees: [], policies: 0 })
  })

  test('no sequence, view or column is open either', async () => {
    const open = await database.query(
      `select c.relname, r.rolname, a.privilege_type
       from pg_class c, aclexplode(c.relacl) a join pg_roles r on r.oid = a.grantee
       where c.relnamespace in ('public'::regnamespace, 'fusou'::regnamespace) and a.grantee <> c.relowner
       union all
       select a.attname, null, null from pg_attribute a join pg_class c on c.oid = a.attrelid
       where c.relnamespace = 'public'::regnamespace and a.attacl is not null`,
    )
    expect(open).toEqual([])
  })

  test.each(EVERYBODY)('%s reads and writes no table', async (role) => {
    const session = await database.pool.connect()
    try {
      await session.query(`set role ${role}`)
      for (const { name: table } of await tables()) {
        await expect(session.query(`select * from public.${table}`)).rejects.toMatchObject({ code: '42501' })
        await expect(session.query(`delete from public.${table}`)).rejects.toMatchObject({ code: '42501' })
      }
      await expect(session.query("select fusou.mark_for_deletion('x')")).rejects.toMatchObject({ code: '42501' })
      const ping = session.query('select public.ping()')
      if (role === 'service_role') await expect(ping).resolves.toMatchObject({ rowCount: 1 })
      else await expect(ping).rejects.toMatchObject({ code: '42501' })
    } finally {
      await session.query('reset role')
      session.release()
    }
  })
})
