import { DuckDBInstance } from '@duckdb/node-api'
import { beforeAll, expect, test } from 'vitest'
import { checksumTable, compareChecksums } from '../src/demo/checksum-table.ts'

const connection = await (await DuckDBInstance.create()).connect()
const COLUMNS = ['id', 'name', 'amount']

beforeAll(async () => {
  await connection.run(`create table source as
    select i as id, 'name ' || i % 7 as name, case when i % 5 > 0 then i * 10 end as amount from range(1000) t(i)`)
})

/** What the comparison says of the source and a relation made from it. */
async function differences(relation: string): Promise<string[]> {
  const [source, result] = [
    await checksumTable(connection, 'source', COLUMNS),
    await checksumTable(connection, relation, COLUMNS),
  ]
  return compareChecksums(source, result)
}

test('the same rows in another order are the same', async () => {
  expect(await differences('(from source order by hash(id))')).toEqual([])
})

test.each([
  ['a lost row', '(from source where id <> 500)', '999 rows instead of 1000'],
  ['a doubled row', '(from source union all from source where id = 500)', '1001 rows instead of 1000'],
  ['a row lost and another doubled', '(from source where id <> 500 union all from source where id = 501)', 'column id'],
  [
    'a changed value',
    "(select * replace (if(id = 500, 'other', name) as name) from source)",
    'column name has other values',
  ],
  ['a value that became null', '(select * replace (nullif(amount, 9990) as amount) from source)', 'column amount'],
  ['a null that became zero', '(select * replace (coalesce(amount, 0) as amount) from source)', 'column amount'],
  ['another type', '(select * replace (id::integer as id) from source)', 'column id is INTEGER instead of BIGINT'],
  ['no rows at all', '(from source limit 0)', '0 rows instead of 1000'],
])('%s is seen', async (_, relation, said) => {
  expect((await differences(relation)).join('; ')).toContain(said)
})

test('values that changed places between rows are seen', async () => {
  const swapped =
    "(select * replace (case id when 1 then 'name 2' when 2 then 'name 1' else name end as name) from source)"
  expect(await differences(swapped)).toEqual(['the columns have the same values, but in other rows'])
})
