import { describe, expect, test } from 'vitest'
import { callRoute, requesterOf, USER } from './app-of-routes.ts'

const ID = '6f0c7c64-8a7a-4f0e-9d3a-2b0d7ad8d6a1'
const AT = '2026-11-22T08:00:00Z'
const me = requesterOf(USER)
const cursorOf = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** Lists that are read page by page: rows, and the position that the next page begins behind. */
const LISTS: {
  path: string
  method: string
  /** the call for a page of three */
  call: (position: unknown) => unknown[]
  answer: (rows: object[]) => object
  row: (at: number) => object
  position: (at: number) => object
  passed: (at: number) => unknown
  field: string
  limit: number
  rest?: object
}[] = [
  {
    path: '/api/datasets',
    method: 'listDatasets',
    call: (after) => [me, { scope: 'all', prefix: undefined, after, limit: 4 }],
    answer: (rows) => rows,
    row: (at) => ({ id: `d${at}` }),
    position: (at) => ({ id: `d${at}` }),
    passed: (at) => `d${at}`,
    field: 'datasets',
    limit: 100,
  },
  {
    path: '/api/datasets/d/tables',
    method: 'listTables',
    call: (after) => ['d', me, { after, limit: 4 }],
    answer: (tables) => ({ outcome: 'ok', version: 9, tables }),
    row: (at) => ({ table: `t${at}` }),
    position: (at) => ({ table: `t${at}` }),
    passed: (at) => `t${at}`,
    field: 'tables',
    limit: 100,
    rest: { datasetId: 'd', version: 9 },
  },
  {
    path: '/api/datasets/d/grants',
    method: 'listGrants',
    call: (after) => ['d', me, { after, limit: 4 }],
    answer: (grants) => ({ outcome: 'ok', ownerId: ID, grants }),
    row: (at) => ({ userId: `${ID.slice(0, -1)}${at}` }),
    position: (at) => ({ userId: `${ID.slice(0, -1)}${at}` }),
    passed: (at) => `${ID.slice(0, -1)}${at}`,
    field: 'grants',
    limit: 100,
    rest: { datasetId: 'd', ownerId: ID },
  },
  {
    path: '/api/datasets/d/deletions',
    method: 'listDeletions',
    call: (before) => ['d', me, { before, limit: 4 }],
    answer: (deletions) => ({ outcome: 'ok', deletions }),
    row: (at) => ({ id: at + 1 }),
    position: (at) => ({ id: at + 1 }),
    passed: (at) => at + 1,
    field: 'deletions',
    limit: 50,
    rest: { datasetId: 'd' },
  },
  {
    path: '/api/keys',
    method: 'listKeys',
    call: (before) => [me, { before, limit: 4 }],
    answer: (rows) => rows,
    row: (at) => ({ id: `${ID.slice(0, -1)}${at}`, createdAt: AT, name: 'n' }),
    position: (at) => ({ createdAt: AT, id: `${ID.slice(0, -1)}${at}` }),
    passed: (at) => ({ createdAt: AT, id: `${ID.slice(0, -1)}${at}` }),
    field: 'keys',
    limit: 100,
  },
  {
    path: '/api/audit',
    method: 'listAudit',
    call: (before) => [me, { datasetId: undefined, action: undefined, before, limit: 4 }],
    answer: (rows) => rows,
    row: (at) => ({ id: at + 1 }),
    position: (at) => ({ id: at + 1 }),
    passed: (at) => at + 1,
    field: 'entries',
    limit: 100,
  },
  {
    path: '/api/jobs',
    method: 'pageJobs',
    call: (before) => [{ requester: me, before, limit: 4 }],
    answer: (jobs) => ({ jobs }),
    row: (at) => ({ id: `${ID.slice(0, -1)}${at}`, createdAt: AT }),
    position: (at) => ({ createdAt: AT, id: `${ID.slice(0, -1)}${at}` }),
    passed: (at) => ({ createdAt: AT, id: `${ID.slice(0, -1)}${at}` }),
    field: 'jobs',
    limit: 50,
  },
]

describe.each(LISTS)('$path', ({ path, method, call, answer, row, position, passed, field, limit, rest = {} }) => {
  const rows = (count: number) => Array.from({ length: count }, (_, at) => row(at))
  const list = (query: string, count: number) =>
    callRoute('GET', path + query, { answers: { [method]: answer(rows(count)) } })

  test('shows a page, and where the next begins if there is one', async () => {
    const more = await list('?limit=3', 4)
    expect(more.calls).toEqual([[method, ...call(undefined)]])
    expect(more.json).toEqual({ ...rest, [field]: rows(3), nextCursor: cursorOf(position(2)) })
    for (const count of [3, 0])
      expect((await list('?limit=3', count)).json).toEqual({ ...rest, [field]: rows(count), nextCursor: null })
  })

  test('goes on behind a cursor', async () => {
    const { calls } = await list(`?limit=3&cursor=${cursorOf(position(7))}`, 0)
    expect(calls).toEqual([[method, ...call(passed(7))]])
    expect((await list('?cursor=e30', 0)).status).toBe(400)
  })

  test('has a page of its own size by default', async () => {
    const { calls } = await list('', 0)
    expect(JSON.stringify(calls)).toContain(`"limit":${limit + 1}`)
  })
})

describe('the versions of a dataset', () => {
  const list = async (oldestVersion: number, versions: number[], query = '') => {
    const answer = { outcome: 'ok', version: 9, oldestVersion, versions: versions.map((version) => ({ version })) }
    return callRoute('GET', `/api/datasets/d/versions${query}`, { answers: { listVersions: answer } })
  }

  test.each([
    [3, [9, 8, 4], { version: 4 }],
    [3, [9, 8, 3], null],
    [0, [2], { version: 2 }],
    [0, [1], null],
    [3, [], null],
  ])('from %i, of which %j are shown, go on behind %j', async (oldestVersion, versions, next) => {
    const { json, calls } = await list(oldestVersion, versions)
    const shown = versions.map((version) => ({ version }))
    const nextCursor = next && cursorOf(next)
    expect(json).toEqual({ datasetId: 'd', version: 9, oldestVersion, versions: shown, nextCursor })
    expect(calls).toEqual([['listVersions', 'd', me, { before: undefined, limit: 50 }]])
  })

  test('are read behind a cursor', async () => {
    const { calls } = await list(0, [], `?limit=7&cursor=${cursorOf({ version: 5 })}`)
    expect(calls).toEqual([['listVersions', 'd', me, { before: 5, limit: 7 }]])
  })
})
