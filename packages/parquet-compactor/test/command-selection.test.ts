import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { findInputs } from '../src/command/find-inputs.ts'
import { verifyMerge } from '../src/command/verify-merge.ts'
import { verifySelection } from '../src/command/verify-selection.ts'
import { query, readWithDuckDB, writeWithDuckDB } from './engines.ts'
import { run } from './run-in-process.ts'

const root = realpathSync(mkdtempSync(join(tmpdir(), 'parquet-selection-')))
let folder = ''
let runs = 0

beforeEach(() => {
  folder = join(root, `${runs++}`)
  mkdirSync(folder)
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

const at = (name: string) => join(folder, name)

async function put(name: string, select: string): Promise<string> {
  writeFileSync(at(name), await writeWithDuckDB(select))
  return at(name)
}

/** Every kind of key: 40 of them, some null, over 120 rows. */
const rows = (from: number, to: number) => `select i, (i * 37 % 120)::int as n, i % 40 as k,
  case when i % 11 > 0 then 's' || i % 13 end as s, (i * 7 % 50 - 25)::utinyint as u, (i % 9 - 4)::decimal(38, 2) as d,
  case i % 10 when 0 then 'nan'::double when 1 then -0.0 when 2 then 0.0 else i % 7 - 3 end as f,
  {'a': i % 6, 'b': [i, null]} as st, i % 3 = 0 as b, make_timestamp(i * 1000 % 77) as t from range(${from}, ${to}) t(i)`
const ROWS = rows(0, 120).replace('i * 7 % 50 - 25', 'i * 7 % 50')
const part = (from: number, to: number) => rows(from, to).replace('i * 7 % 50 - 25', 'i * 7 % 50')

describe('sorted and without duplicates', () => {
  test.each([
    ['n', 'n'],
    ['s:desc:nulls-first,i', 's desc nulls first, i'],
    ['f,d:desc,i:desc', 'f, d desc, i desc'],
    ['st.a,b:desc,u,i', 'st.a, b desc, u, i'],
    ['t,i', 't, i'],
  ])('--sort-by %s is ORDER BY, and verified', async (columns, orderBy) => {
    const inputs = [await put('1', part(0, 50)), await put('2', part(50, 120))]
    const { exitCode, stdout, stderr } = await run('--verify', '--sort-by', columns, '-o', at('out'), ...inputs)
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    expect(stdout).toContain('verified: 120 rows as they are to be')
    expect(await readWithDuckDB([readFileSync(at('out'))])).toEqual(
      await query(
        `select * from (${ROWS}) order by ${orderBy.replaceAll(',', ' nulls last,').replace('first nulls last', 'first')}`,
      ),
    )
  })

  test.each([
    ['last', 'max'],
    ['first', 'min'],
  ])('--dedupe-by keeps the %s row', async (keep, pick) => {
    const inputs = [await put('1', part(0, 50)), await put('2', part(50, 120))]
    const { exitCode, stdout } = await run('--verify', '--dedupe-by', 'k,b', '--keep', keep, '-o', at('out'), ...inputs)
    expect(exitCode).toBe(0)
    const kept = await query(
      `select * from (${ROWS}) where i in (select ${pick}(i) from (${ROWS}) group by k, b) order by i`,
    )
    expect(stdout).toContain(`${120 - kept.length} duplicate rows left out`)
    expect(await readWithDuckDB([readFileSync(at('out'))])).toEqual(kept)
  })

  test('both at once', async () => {
    const inputs = [await put('1', part(0, 50)), await put('2', part(50, 120))]
    const args = ['--verify', '--dedupe-by', 'f,s', '--sort-by', 'i:desc', '-o', at('out'), ...inputs]
    expect(await run(...args)).toMatchObject({ exitCode: 0 })
    const kept = `select max(i) from (${ROWS}) group by case when f = 0 then 0 else f end, s`
    expect(await readWithDuckDB([readFileSync(at('out'))])).toEqual(
      await query(`select * from (${ROWS}) where i in (${kept}) order by i desc`),
    )
  })

  test('--plan prints which row groups are merged by values', async () => {
    const inputs = [await put('1', part(0, 50)), await put('2', part(50, 120)), await put('3', part(100, 110))]
    const { exitCode, stdout } = await run('--plan', '--sort-by', 'i', ...inputs)
    expect(exitCode).toBe(0)
    expect(stdout).toContain('3 files, 130 rows')
    expect(stdout).toContain('in order: 1 row group, 50 rows\nmerge values: 2 row groups, 80 rows')
    const plan = JSON.parse((await run('--plan', '--json', '--dedupe-by', 'i', ...inputs)).stdout)
    expect(plan).toMatchObject({ rows: 130, rowGroups: [], selection: { rows: 120 } })
    expect(readdirSync(folder)).toEqual(['1', '2', '3'])
  })
})

test('--schema union joins files of several schemas and says what changed', async () => {
  const inputs = [await put('1', 'select 1::int as a, 2 as b'), await put('2', 'select 3::bigint as a, 4 as c')]
  const { exitCode, stdout } = await run('--schema', 'union', '-o', at('out'), ...inputs)
  expect(exitCode).toBe(0)
  expect(stdout).toContain('column a: widened from int32 to int64')
  expect(stdout).toContain('column c: added')
  expect(await readWithDuckDB([readFileSync(at('out'))])).toEqual([
    ['1', 2, null],
    ['3', null, 4],
  ])
})

const WIDE = `select i::bigint as a, i % 3 as b, {'x': i, 'y': i / 2} as st, [{'p': i, 'q': 'q' || i}, null] as l,
  map {'k' || i: {'m': i, 'n': -i}} as m, i::double as f`
const NARROW = `select i::utinyint as a, 'c' || i as c, {'x': i} as st, [{'p': i}, null] as l, map {'k' || i: {'m': i}} as m,
  (i / 4)::float as f, (-i)::int as neg`
const NARROW_NEG = '(-i)::bigint as neg'

test.each([[[]], [['--sort-by', 'f,a']], [['--dedupe-by', 'f']]])(
  '--verify compares rows of several schemas with those of their union: %j',
  async (more) => {
    const inputs = [
      await put('1', `${NARROW} from range(0, 40) t(i)`),
      await put('2', `${WIDE}, ${NARROW_NEG} from range(40, 100) t(i)`),
    ]
    const { exitCode, stderr, stdout } = await run('--verify', '--schema', 'union', ...more, '-o', at('out'), ...inputs)
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    expect(stdout).toContain('verified: ')
  },
)

test.each([
  ['a value', 'when a = 7 then 8 else a end as a', 'row 7 of the output is not row 7 of .*: column 0'],
  ['a value where there is none', 'when a = 3 then 1 else b end as b', 'row 3 of the output is not row 3 of .*'],
  ['a row', undefined, 'has 99 rows, the inputs 100|ends after 99 rows'],
])('--verify tells of the union %s that is not in the inputs', async (_, change, fault) => {
  const inputs = [
    await put('1', `${NARROW} from range(0, 40) t(i)`),
    await put('2', `${WIDE}, ${NARROW_NEG} from range(40, 100) t(i)`),
  ]
  await run('--schema', 'union', '-o', at('united'), ...inputs)
  const replaced = change ? `* replace (case ${change})` : '*'
  await put('out', `select ${replaced} from read_parquet('${at('united')}') ${change ? '' : 'limit 99'}`)
  const [files, [out]] = [await findInputs([at('1'), at('2')]), await findInputs([at('out')])]
  await expect(verifyMerge(files, out!, { isUnion: true })).rejects.toThrow(new RegExp(`^verify_failed: .*(${fault})`))
  await expect(verifyMerge(files, out!)).rejects.toThrow('its schema is not that of the output')
})

test.each([
  [['--keep', 'first'], 'wrong_usage: --keep is for --dedupe-by'],
  [['--dedupe-by', 'k', '--keep', 'any'], 'wrong_usage: --keep takes first, last'],
  [['--sort-by', 'k,,i'], 'wrong_usage: --sort-by takes columns'],
  [['--sort-by', 'nothing'], 'bad_option: sortBy: there is no column nothing'],
  [['--sort-by', 'k:down'], 'bad_option: sortBy: there is no column k:down'],
  [['--dedupe-by', 'st.b.list.element'], 'bad_option: dedupeBy: column st.b.list.element has any number'],
  [['--schema', 'any'], 'wrong_usage: --schema takes strict, union'],
])('%j is wrong usage', async (args, message) => {
  const input = await put('in', part(0, 10))
  const { exitCode, stderr } = await run(...args, '-o', at('out'), input)
  expect(stderr).toContain(`parquet-compact: ${message}`)
  expect(exitCode).toBe(2)
  expect(readdirSync(folder)).toEqual(['in'])
})

describe('verify tells', () => {
  const sorted = (select: string, orderBy = 'f, i') => `select * from (${select}) order by ${orderBy}`
  const unique = (pick: string, orderBy = 'i') =>
    sorted(`select * from (${ROWS}) where i in (select ${pick}(i) from (${ROWS}) group by k)`, orderBy)
  const bySort = { sortBy: [{ column: 'f' }, { column: 'i' }] }
  const byKey = { dedupeBy: ['k'] }
  const faults: [string, object, string, string | undefined][] = [
    ['nothing where rows are sorted', bySort, sorted(ROWS), undefined],
    [
      'a value',
      bySort,
      sorted(ROWS.replace("'s' || i % 13", "'s' || case i when 5 then 9 else i % 13 end")),
      'other rows',
    ],
    ['a row twice instead of another', bySort, sorted(`${part(0, 119)} union all ${part(7, 8)}`), 'other rows'],
    ['a row less', bySort, sorted(part(0, 119)), 'has 1 rows less'],
    ['a row more', bySort, sorted(rows(0, 121).replace('- 25', '')), 'has 1 rows more'],
    ['rows out of order', bySort, sorted(ROWS, 'f, i desc'), 'row 1 of .* is out of order: column i'],
    ['NaN before numbers', bySort, sorted(ROWS, 'isnan(f) desc, f, i'), 'row 12 of .* is out of order: column f'],
    ['nothing without duplicates', byKey, unique('max'), undefined],
    ['the wrong one of several', byKey, unique('min'), 'is not the last row of its key'],
    ['a key twice', byKey, `select * from (${unique('max')}) union all ${part(119, 120)}`, 'stands there already'],
    ['a key less', byKey, `select * from (${unique('max')}) where k <> 7`, 'lacks 1 keys'],
    ['kept rows in another order', byKey, unique('max', 'i desc'), 'stands behind a row that came later'],
    ['nothing sorted without duplicates', { ...byKey, ...bySort }, unique('max', 'f, i'), undefined],
    ['a type', bySort, sorted(ROWS.replace('i % 40 as k', '(i % 40)::int as k')), 'its schema is not'],
  ]
  test.each(faults)('%s', async (_, selecting, output, fault) => {
    await put('1', part(0, 50))
    await put('2', part(50, 120))
    await put('out', output)
    const [inputs, [out]] = [await findInputs([at('1'), at('2')]), await findInputs([at('out')])]
    for (const keysAtATime of [7, 1000]) {
      const verified = verifySelection(inputs, out!, selecting, { keysAtATime })
      if (fault) await expect(verified).rejects.toThrow(new RegExp(`^verify_failed: .*${fault}`))
      else expect(await verified).toBe('dedupeBy' in selecting ? 40 : 120)
    }
  })
})
