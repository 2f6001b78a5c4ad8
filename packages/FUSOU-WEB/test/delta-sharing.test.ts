import { AN_OPERATOR } from '@fusou/catalog'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { describe, expect, test } from 'vitest'
import type { Problem } from '../src/http/problem.ts'
import { call, catalog, expectProblem, json, newDataset, ORIGIN, post, upload } from './support/api.ts'
import { newUser } from './support/tokens.ts'

const owner = await newUser()
const stranger = await newUser()
const SHARES = '/api/delta-sharing/shares'
const tableOf = (share: string) => `${SHARES}/${share}/schemas/default/tables/t`

/** A file of numbers from `from` to before `to`, with a text and a null column. */
function numbers(from: number, to: number): Uint8Array<ArrayBuffer> {
  const n = Array.from({ length: to - from }, (_, i) => from + i)
  const columnData = [
    { name: 'n', data: n, type: 'INT32' as const },
    { name: 's', data: n.map((i) => `s${String(i).padStart(4, '0')}`), type: 'STRING' as const },
    { name: 'gap', data: n.map((i) => (i % 2 === 0 ? null : BigInt(i))), type: 'INT64' as const },
  ]
  return new Uint8Array(parquetWriteBuffer({ columnData }))
}
const FIRST = numbers(0, 10)
const SECOND = numbers(100, 150)

async function newShare(...files: Uint8Array<ArrayBuffer>[]): Promise<string> {
  const datasetId = newDataset()
  for (const bytes of files.length > 0 ? files : [FIRST, SECOND])
    expect((await upload(owner, bytes, { datasetId, tableId: 't' })).status).toBe(202)
  return datasetId
}

interface SharedFile {
  url: string
  id: string
  size: number
  partitionValues: object
  stats: string
  expirationTimestamp: number
}
interface Answer {
  version: number
  protocol: { minReaderVersion: number }
  metaData: { schemaString: string; numFiles: number; size: number; partitionColumns: string[]; format: object }
  files: SharedFile[]
}

async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text()
  expect(response.status, text).toBe(200)
  expect(response.headers.get('content-type')).toBe('application/x-ndjson; charset=utf-8')
  expect(text.endsWith('\n')).toBe(true)
  const [protocol, metaData, ...files] = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  const version = Number(response.headers.get('delta-table-version'))
  return { version, ...protocol, ...metaData, files: files.map(({ file }) => file) }
}
const query = async (share: string, body: object = {}, user: { token: string } = owner) =>
  answerOf(await post(`${tableOf(share)}/query`, body, user))

describe('a share', () => {
  test('is a dataset, with one schema and its tables, by pages', async () => {
    const dotted = `${newDataset()}.x`
    for (const tableId of ['a', 'b.c', 'd']) await upload(owner, FIRST, { datasetId: dotted, tableId })
    const name = dotted.replace('.', '%2E')
    expect(await json(`${SHARES}/${dotted}`, owner)).toEqual({ share: { name, id: dotted } })
    expect(await json(`${SHARES}/${dotted}/schemas`, owner)).toEqual({ items: [{ name: 'default', share: name }] })
    const names: string[] = []
    let token: string | undefined
    do {
      const page: { items: { name: string }[]; nextPageToken?: string } = await json(
        `${SHARES}/${dotted}/schemas/default/tables?maxResults=2${token === undefined ? '' : `&pageToken=${token}`}`,
        owner,
      )
      names.push(...page.items.map((item) => item.name))
      token = page.nextPageToken
    } while (token !== undefined)
    expect(names).toEqual(['a', 'b%2Ec', 'd'])
    const escaped = `${SHARES}/${encodeURIComponent(name)}/schemas/default/tables/b%252Ec/version`
    expect((await call(escaped, owner)).status).toBe(200)
    expect((await json<{ items: object[] }>(`${SHARES}/${dotted}/all-tables`, owner)).items).toHaveLength(3)
  })

  test('is listed by pages to whoever may read it, and to nobody else', async () => {
    const user = await newUser()
    const ids = [newDataset(), newDataset(), newDataset()].sort()
    for (const datasetId of ids) await upload(user, FIRST, { datasetId, tableId: 't' })
    const first = await json<{ items: { id: string }[]; nextPageToken: string }>(`${SHARES}?maxResults=2`, user)
    const second = await json<{ items: { id: string }[] }>(`${SHARES}?pageToken=${first.nextPageToken}`, user)
    expect([...first.items, ...second.items].map(({ id }) => id)).toEqual(ids)
    expect(second).not.toHaveProperty('nextPageToken')
    expect(await json(SHARES, stranger)).toEqual({ items: [] })
  })
})

describe('a table', () => {
  test('has a schema in Spark’s JSON, and no partitions', async () => {
    const share = await newShare()
    const { metaData, protocol, version, files } = await answerOf(await call(`${tableOf(share)}/metadata`, owner))
    expect([protocol.minReaderVersion, version, files]).toEqual([1, 2, []])
    expect(metaData).toMatchObject({ format: { provider: 'parquet' }, partitionColumns: [], numFiles: 2 })
    expect(metaData.size).toBe(FIRST.length + SECOND.length)
    const field = (name: string, type: string) => ({ name, type, nullable: expect.any(Boolean), metadata: {} })
    expect(JSON.parse(metaData.schemaString)).toEqual({
      type: 'struct',
      fields: [field('n', 'integer'), field('s', 'string'), field('gap', 'long')],
    })
  })

  test('is its files, with exact sizes, statistics and links that anybody reads', async () => {
    const { files, version } = await query(await newShare())
    expect(version).toBe(2)
    expect(files.map(({ size, partitionValues }) => ({ size, partitionValues }))).toEqual([
      { size: FIRST.length, partitionValues: {} },
      { size: SECOND.length, partitionValues: {} },
    ])
    expect(JSON.parse(files[1]!.stats)).toEqual({
      numRecords: 50,
      minValues: { n: 100, s: 's0100', gap: 101 },
      maxValues: { n: 149, s: 's0149', gap: 149 },
      nullCount: { n: 0, s: 0, gap: 25 },
    })
    const read = await call(files[0]!.url.replace(ORIGIN, ''))
    expect(new Uint8Array(await read.arrayBuffer())).toEqual(FIRST)
    expect(files[0]!.expirationTimestamp).toBeGreaterThan(Date.now())
  })

  test('is read at an earlier version, by number or by moment', async () => {
    const share = await newShare(FIRST)
    const { versions } = await json<{ versions: { at: string }[] }>(`/api/datasets/${share}/versions`, owner)
    await upload(owner, SECOND, { datasetId: share, tableId: 't' })
    const at = versions[0]!.at
    expect((await query(share, { version: 1 })).files).toHaveLength(1)
    expect(await query(share, { timestamp: at })).toMatchObject({ version: 1 })
    expect((await query(share)).files).toHaveLength(2)
    const since = async (moment: string) =>
      (await call(`${tableOf(share)}/version?startingTimestamp=${encodeURIComponent(moment)}`, owner)).headers.get(
        'delta-table-version',
      )
    expect(await since('2020-01-01T00:00:00Z')).toBe('1')
    expect((await call(`${tableOf(share)}/version`, owner)).headers.get('delta-table-version')).toBe('2')
    const late = encodeURIComponent('2999-01-01T00:00:00Z')
    await expectProblem(call(`${tableOf(share)}/version?startingTimestamp=${late}`, owner), 'unknown_version')
    const early = { timestamp: '2020-01-01T00:00:00Z' }
    await expectProblem(post(`${tableOf(share)}/query`, early, owner), 'version_gone')
  })

  test('is gone at a version that was vacuumed', async () => {
    const share = await newShare()
    const { files } = await query(share)
    await call(`/api/files/${files[0]!.id}`, { ...owner, method: 'DELETE' })
    await catalog.configureDataset(share, AN_OPERATOR, { retentionSeconds: 0 })
    await expect.poll(() => catalog.claimGarbage(100)).not.toEqual([])
    await expectProblem(post(`${tableOf(share)}/query`, { version: 2 }, owner), 'version_gone')
    expect((await query(share)).files.map(({ id }) => id)).toEqual([files[1]!.id])
  })

  test('has as many files as a limit needs, but all that a predicate may need', async () => {
    const share = await newShare()
    const filesOf = async (body: object) => (await query(share, body)).files.length
    expect(await filesOf({ limitHint: 0 })).toBe(0)
    expect(await filesOf({ limitHint: 10 })).toBe(1)
    expect(await filesOf({ limitHint: 11 })).toBe(2)
    expect(await filesOf({ limitHint: 1, predicateHints: ['n > 1'] })).toBe(2)
  })

  test('is refused where a column has no type in Delta, by its name', async () => {
    const half = parquetWriteBuffer({ columnData: [{ name: 'half', data: [1, 2], type: 'FLOAT16' }] })
    const share = await newShare(new Uint8Array(half))
    const refused = await expectProblem(post(`${tableOf(share)}/query`, {}, owner), 'table_refused')
    expect(refused.detail).toMatch(/column half is FLOAT16/)
  })

  test('is refused where its files cannot be read together', async () => {
    const texts = parquetWriteBuffer({ columnData: [{ name: 'n', data: ['1'], type: 'STRING' }] })
    const share = await newShare(FIRST, new Uint8Array(texts))
    const refused = await expectProblem(post(`${tableOf(share)}/query`, {}, owner), 'table_refused')
    expect(refused.detail).toMatch(/column n /)
  })
})

describe('a predicate', () => {
  const column = (name: string) => ({ op: 'column', name, valueType: 'int' })
  const literal = (value: string) => ({ op: 'literal', value, valueType: 'int' })
  const compare = (op: string, name: string, value: string) => ({ op, children: [column(name), literal(value)] })
  const both = (op: string, ...children: object[]) => ({ op, children })

  test.each([
    [compare('lessThan', 'n', '100'), [0]],
    [compare('lessThanOrEqual', 'n', '100'), [0, 1]],
    [compare('greaterThan', 'n', '9'), [1]],
    [compare('greaterThanOrEqual', 'n', '149'), [1]],
    [compare('equal', 'n', '50'), []],
    [both('equal', literal('5'), column('n')), [0]],
    [both('lessThan', literal('50'), column('n')), [1]],
    [both('not', compare('lessThan', 'n', '100')), [1]],
    [both('and', compare('greaterThan', 'n', '5'), compare('lessThan', 'n', '50')), [0]],
    [both('or', compare('equal', 'n', '5'), compare('equal', 'n', '120')), [0, 1]],
    [both('isNull', column('n')), []],
    [both('not', both('isNull', column('gap'))), [0, 1]],
    [compare('equal', 's', 's0101'), [1]],
    [compare('equal', 'nothing', '1'), [0, 1]],
    [compare('resembles', 'n', '1'), [0, 1]],
    [compare('equal', 'n', 'many'), [0, 1]],
    ['text', [0, 1]],
  ])('%j leaves out files that have no row for it %#', async (predicate, expected) => {
    const share = await newShare()
    const all = (await query(share)).files.map(({ id }) => id)
    const { files } = await query(share, { jsonPredicateHints: JSON.stringify(predicate) })
    expect(files.map(({ id }) => all.indexOf(id))).toEqual(expected)
  })

  test('that is no JSON is refused, and one that is too deep leaves out nothing', async () => {
    const share = await newShare()
    await expectProblem(post(`${tableOf(share)}/query`, { jsonPredicateHints: '{' }, owner), 'invalid_request')
    const deep = `${'{"op":"not","children":['.repeat(2000)}${']}'.repeat(2000)}`
    expect((await query(share, { jsonPredicateHints: deep })).files).toHaveLength(2)
  })
})

describe('a profile', () => {
  const make = (body: object = {}) =>
    post('/api/keys?as=delta-sharing-profile', { name: 'an analyst', scopes: ['read'], ...body }, owner)

  test('is what clients read from a file, and ends with its key', async () => {
    const share = await newShare()
    const made = await make({ datasets: [share], expiresAt: '2999-01-01T00:00:00Z' })
    expect(made.status).toBe(201)
    const profile = await made.json<{ endpoint: string; bearerToken: string }>()
    expect(profile).toEqual({
      shareCredentialsVersion: 1,
      endpoint: `${ORIGIN}/api/delta-sharing`,
      bearerToken: expect.stringMatching(/^fsk_/),
      expirationTime: '2999-01-01T00:00:00.000Z',
    })
    const reader = { token: profile.bearerToken }
    expect(await json(SHARES, reader)).toEqual({ items: [{ name: share, id: share }] })
    const { files } = await query(share, {}, reader)
    expect((await call(files[0]!.url.replace(ORIGIN, ''), { method: 'HEAD' })).status).toBe(200)
    await json(made.headers.get('location')!, { ...owner, method: 'DELETE' })
    // the database refuses at once what the edge still remembers for a minute
    await expectProblem(post(`${tableOf(share)}/query`, {}, reader), 'unknown_dataset')
    await expectProblem(call(files[0]!.url.replace(ORIGIN, '')), 'unknown_file')
  })

  test('without an end has none, and one that may do more than read is refused', async () => {
    expect(await (await make()).json()).not.toHaveProperty('expirationTime')
    await expectProblem(make({ scopes: ['read', 'upload'] }), 'invalid_request')
  })
})

describe('an error', () => {
  test.each([
    ['without a token', {}, 'unauthenticated'],
    ['with a forged key', { token: `fsk_${'0'.repeat(32)}_${'A'.repeat(43)}` }, 'invalid_token'],
  ] as const)('%s has the form of the protocol', async (_, user, code) => {
    const problem = (await expectProblem(call(SHARES, user), code)) as Problem
    expect(problem).toMatchObject({ errorCode: code, message: problem.detail })
  })

  test('does not tell what exists from what does not', async () => {
    const share = await newShare()
    for (const path of [
      '',
      '/schemas',
      '/all-tables',
      '/schemas/default/tables/t/version',
      '/schemas/x/tables/t/metadata',
    ]) {
      const [there, nowhere] = await Promise.all(
        [share, newDataset()].map(async (id) => {
          const response = await call(`${SHARES}/${id}${path}`, stranger)
          expect(response.status).toBe(404)
          const { errorCode, message } = await response.json<Problem>()
          return { errorCode, message: message!.replace(id, 'ID') }
        }),
      )
      expect(there).toEqual(nowhere)
    }
  })

  test.each([
    ['schemas/other/tables', 'unknown_table'],
    ['schemas/default/tables/other/version', 'unknown_table'],
    ['schemas/default/tables/other/metadata', 'unknown_table'],
    ['schemas/default/tables?maxResults=0', 'invalid_request'],
    ['schemas?pageToken=AA', 'invalid_request'],
    ['all-tables?pageToken=AA', 'invalid_request'],
    ['schemas/default/tables/t/version?startingTimestamp=yesterday', 'invalid_request'],
    ['schemas/default/tables/t/changes?startingVersion=0', 'not_found'],
  ] as const)('of %s is %s', async (path, code) => {
    const problem = await expectProblem(call(`${SHARES}/${await newShare()}/${path}`, owner), code)
    expect(problem.errorCode).toBe(code)
  })

  test.each([
    [{ version: 99 }, 'unknown_version'],
    [{ version: -1 }, 'invalid_request'],
    [{ version: 1, timestamp: '2026-01-01T00:00:00Z' }, 'invalid_request'],
    [{ startingVersion: 1 }, 'invalid_request'],
    [{ limitHint: 'x' }, 'invalid_request'],
  ] as const)('of a query with %j is %s', async (body, code) => {
    await expectProblem(post(`${tableOf(await newShare())}/query`, body, owner), code)
  })
})
