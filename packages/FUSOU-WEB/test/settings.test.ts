import { beforeAll, describe, expect, test } from 'vitest'
import { call, expectProblem, json, newDataset, OPERATOR, post, upload } from './support/api.ts'
import { CARRIERS, FLIGHTS, FLIGHTS_EMPTY } from './support/files.ts'
import { signUp, type User } from './support/tokens.ts'

interface Described {
  settings: Record<string, unknown>
  changed: string[]
}
const asJson = (body: unknown) => ({ headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
const patch = (path: string, body: unknown, { token }: { token: string }) =>
  call(path, { method: 'PATCH', token, ...asJson(body) })

let owner: User
beforeAll(async () => {
  owner = await signUp()
})

async function newTable(bytes = FLIGHTS): Promise<{ datasetId: string; dataset: string; table: string }> {
  const datasetId = newDataset()
  await upload(owner, bytes, { datasetId, tableId: 't' })
  const dataset = `/api/datasets/${datasetId}`
  return { datasetId, dataset, table: `${dataset}/tables/t` }
}

describe('settings of a dataset', () => {
  test('are shown with their defaults, changed one by one, and set back by null', async () => {
    const { dataset } = await newTable()
    const before = await json<Described>(dataset, owner)
    expect(before).toMatchObject({
      settings: {
        targetFileBytes: 134_217_728,
        retentionSeconds: 604_800,
        mergeMinFiles: 32,
        mergeMinBytes: 33_554_432,
        mergeMaxAgeSeconds: 900,
        deleteAfterDays: null,
      },
      changed: [],
      public: false,
    })
    const changed = await patch(dataset, { mergeMinFiles: 2, deleteAfterDays: 30, public: true }, owner)
    expect(await changed.json()).toMatchObject({
      public: true,
      settings: { mergeMinFiles: 2, deleteAfterDays: 30, mergeMinBytes: 33_554_432 },
      changed: ['deleteAfterDays', 'mergeMinFiles'],
    })
    await patch(dataset, { mergeMinFiles: null, deleteAfterDays: null, public: false }, owner)
    const { settings, changed: left } = await json<Described>(dataset, owner)
    expect({ settings, left }).toEqual({ settings: before.settings, left: [] })
  })

  test('make a dataset public: whoever is signed in reads it, and no more', async () => {
    const { dataset, datasetId } = await newTable()
    const stranger = await signUp()
    await expectProblem(call(dataset, stranger), 'unknown_dataset')
    await patch(dataset, { public: true }, owner)
    expect((await json<{ role: string }>(dataset, stranger)).role).toBe('reader')
    await expectProblem(patch(dataset, { public: false }, stranger), 'forbidden')
    const listed = await json<{ datasets: { id: string }[] }>(
      `/api/datasets?scope=public&prefix=${datasetId}`,
      stranger,
    )
    expect(listed.datasets.map(({ id }) => id)).toEqual([datasetId])
    expect((await json<{ datasets: unknown[] }>('/api/datasets', stranger)).datasets).toEqual([])
  })

  test.each([
    [{ targetFileBytes: 0 }, 'targetFileBytes'],
    [{ targetFileBytes: 2 ** 30 + 1 }, 'targetFileBytes'],
    [{ retentionSeconds: -1 }, 'retentionSeconds'],
    [{ mergeMinFiles: 1.5 }, 'mergeMinFiles'],
    [{ deleteAfterDays: 0 }, 'deleteAfterDays'],
    [{ mergeMinFile: 2 }, 'mergeMinFile'],
    [{ public: 'yes' }, 'public'],
  ])('refuse %j, and name %s', async (changes, field) => {
    const { dataset } = await newTable()
    const problem = await expectProblem(patch(dataset, changes, owner), 'invalid_request')
    expect(problem.errors?.map((fault) => fault.field)).toContain(field)
  })
})

describe('settings of a table', () => {
  test('are shown with its columns and their types, and say which were changed', async () => {
    const { table } = await newTable()
    const described = await json<Described & { schemas: { columns: { name: string }[] }[] }>(table, owner)
    expect(described).toMatchObject({
      settings: {
        sortBy: null,
        dedupeBy: null,
        keep: 'last',
        codec: 'keep',
        schema: 'separate',
        rowGroupRows: 131_072,
      },
      changed: [],
      files: { count: 1, fragments: 1, quarantined: 0, periods: 1, lastMergedAt: null },
      tiers: [{ tier: 0, files: 1 }],
      waiting: [],
      openJob: null,
    })
    const [schema] = described.schemas
    expect(schema).toMatchObject({ files: 1, apartReason: null, columnsOmitted: 0 })
    const name = schema!.columns[0]!.name
    expect(schema!.columns[0]).toEqual({
      name,
      type: expect.any(String),
      nullable: expect.any(Boolean),
      repeated: false,
      sortable: true,
    })
    const answer = await patch(table, { sortBy: [{ column: name, descending: true }], codec: 'zstd' }, owner)
    expect(await answer.json()).toMatchObject({
      settings: { sortBy: [{ column: name, descending: true, nullsFirst: false }], codec: 'zstd', keep: 'last' },
      changed: ['codec', 'sortBy'],
    })
  })

  test('can be made before the first upload', async () => {
    const { dataset } = await newTable()
    expect((await patch(`${dataset}/tables/later`, { sortBy: [{ column: 'at' }] }, owner)).status).toBe(200)
    expect(await json<Described>(`${dataset}/tables/later`, owner)).toMatchObject({
      changed: ['sortBy'],
      files: { count: 0 },
      schemas: [],
    })
  })

  test.each([
    [{ sortBy: [] }, 'sortBy'],
    [{ sortBy: [{ column: 'a' }, { column: 'a' }] }, 'sortBy'],
    [{ sortBy: [{ colum: 'a' }] }, 'sortBy[0].colum'],
    [{ dedupeBy: ['a', 'a'] }, 'dedupeBy'],
    [{ keep: 'middle' }, 'keep'],
    [{ codec: 'lzo' }, 'codec'],
    [{ schema: 'strict' }, 'schema'],
    [{ rowGroupRows: 1 }, 'rowGroupRows'],
    [{ rowGroupBytes: 2 ** 30 }, 'rowGroupBytes'],
    [{ bloom: true }, 'bloom'],
  ])('refuse %j, and name %s', async (changes, field) => {
    const { table } = await newTable()
    const problem = await expectProblem(patch(table, changes, owner), 'invalid_request')
    expect(problem.errors?.map((fault) => fault.field)).toContain(field)
  })

  test.each([
    [{ sortBy: [{ column: 'nowhere' }] }, 'sortBy: no file of the table has a column nowhere'],
    [{ dedupeBy: ['nowhere'] }, 'dedupeBy: no file of the table has a column nowhere'],
  ])('refuse %j, which no file can follow', async (changes, detail) => {
    const { table } = await newTable()
    expect((await expectProblem(patch(table, changes, owner), 'invalid_request')).detail).toContain(detail)
  })

  test('let it take one schema only: another is refused and leaves nothing', async () => {
    const { datasetId, table } = await newTable()
    await patch(table, { schema: 'reject' }, owner)
    await expectProblem(upload(owner, CARRIERS, { datasetId, tableId: 't' }), 'schema_rejected')
    const same = await upload(owner, FLIGHTS, { datasetId, tableId: 't', periodTag: '2026' })
    expect(await same.json()).toMatchObject({ duplicate: false, files: [{ newSchema: false }] })
    await patch(table, { schema: null }, owner)
    const other = await upload(owner, CARRIERS, { datasetId, tableId: 't' })
    expect(await other.json()).toMatchObject({ files: [{ newSchema: true }] })
  })
})

describe('settings of the installation', () => {
  test('are read and changed by operators', async () => {
    const before = await json<Record<string, number>>('/api/admission', OPERATOR)
    const put = (body: unknown) => call('/api/admission', { method: 'PUT', ...OPERATOR, ...asJson(body) })
    expect(await (await put({ ageingSeconds: 60 })).json()).toEqual({ ...before, ageingSeconds: 60 })
    await put(before)
    await expectProblem(put({ maxRunningJobs: 0 }), 'invalid_request')
    const retention = await json<Record<string, number>>('/api/retention', OPERATOR)
    const kept = await call('/api/retention', { method: 'PUT', ...OPERATOR, ...asJson(retention) })
    expect(await kept.json()).toEqual(retention)
    const day = { jobsSeconds: 86_399 }
    await expectProblem(call('/api/retention', { method: 'PUT', ...OPERATOR, ...asJson(day) }), 'invalid_request')
  })
})

describe('what small files wait for', () => {
  test('is told rule by rule', async () => {
    const { datasetId, dataset, table } = await newTable()
    await patch(dataset, { mergeMinFiles: 3 }, owner)
    const waitingOf = async () =>
      (await json<{ waiting: { dueAt: string; oldestNewFileAt: string }[] }>(table, owner)).waiting
    expect(await waitingOf(), 'one file alone waits for nothing').toEqual([])
    await upload(owner, FLIGHTS_EMPTY, { datasetId, tableId: 't' })
    const waiting = await waitingOf()
    expect(waiting).toMatchObject([
      {
        periodTag: '0',
        smallFiles: 2,
        newFiles: 2,
        newBytes: FLIGHTS.byteLength + FLIGHTS_EMPTY.byteLength,
        due: false,
        tierIsFull: false,
        rules: [
          { rule: 'mergeMinFiles', have: 2, need: 3 },
          { rule: 'mergeMinBytes', have: FLIGHTS.byteLength + FLIGHTS_EMPTY.byteLength, need: 33_554_432 },
          { rule: 'mergeMaxAgeSeconds', need: 900 },
        ],
      },
    ])
    expect(Date.parse(waiting[0]!.dueAt) - Date.parse(waiting[0]!.oldestNewFileAt)).toBe(900_000)
    await patch(dataset, { mergeMinFiles: 2 }, owner)
    expect(await waitingOf()).toMatchObject([{ due: true }])
  })
})

test('datasets are listed page by page: own and shared ones, by the beginning of their ids', async () => {
  const [user, other] = [await signUp(), await signUp()]
  const ids = ['a-1', 'a-2', 'b-1'].map((name) => `${name}-${user.id}`)
  for (const id of ids) await call(`/api/datasets/${id}`, { method: 'PUT', ...user, ...asJson({}) })
  const shared = `a-3-${user.id}`
  await call(`/api/datasets/${shared}`, { method: 'PUT', ...other, ...asJson({}) })
  await call(`/api/datasets/${shared}/grants/${user.id}`, { method: 'PUT', ...other, ...asJson({ role: 'writer' }) })
  const list = async (query: string) => {
    const seen: [string, string][] = []
    let cursor: string | null = ''
    while (cursor !== null) {
      const page: { datasets: { id: string; role: string }[]; nextCursor: string | null } = await json(
        `/api/datasets?${query}&limit=2&cursor=${cursor}`,
        user,
      )
      seen.push(...page.datasets.map(({ id, role }) => [id, role] as [string, string]))
      cursor = page.nextCursor
    }
    return seen
  }
  expect(await list('')).toEqual([
    [ids[0], 'owner'],
    [ids[1], 'owner'],
    [shared, 'writer'],
    [ids[2], 'owner'],
  ])
  expect(await list('scope=own&prefix=a-')).toEqual([
    [ids[0], 'owner'],
    [ids[1], 'owner'],
  ])
  expect(await list('scope=shared')).toEqual([[shared, 'writer']])
})

test('the versions of a dataset say what each changed', async () => {
  const { datasetId, dataset } = await newTable()
  const second = await upload(owner, CARRIERS, { datasetId, tableId: 'u' })
  const { fileId } = await second.json<{ fileId: string }>()
  await json(`/api/files/${fileId}`, { method: 'DELETE', token: owner.token })
  const page = await json<{ versions: unknown[]; nextCursor: null }>(`${dataset}/versions`, owner)
  expect(page).toMatchObject({
    version: 3,
    nextCursor: null,
    versions: [
      { version: 3, change: 'deletion', filesAdded: 0, filesRemoved: 1, tables: ['u'] },
      { version: 2, change: 'upload', filesAdded: 1, filesRemoved: 0, tables: ['u'] },
      { version: 1, change: 'upload', filesAdded: 1, filesRemoved: 0, tables: ['t'] },
    ],
  })
  const first = await json<{ versions: { version: number }[]; nextCursor: string }>(
    `${dataset}/versions?limit=2`,
    owner,
  )
  const rest = await json<typeof first>(`${dataset}/versions?limit=2&cursor=${first.nextCursor}`, owner)
  expect([...first.versions, ...rest.versions].map(({ version }) => version)).toEqual([3, 2, 1])
})

test('a call that is no such table or version names where to look', async () => {
  const { dataset } = await newTable()
  expect((await expectProblem(call(`${dataset}/tables/none`, owner), 'unknown_table')).detail).toContain(
    '/tables lists',
  )
  await post('/api/compaction/sanitize-state', { datasetId: dataset.split('/')[3], rewrite: true }, owner)
  await expectProblem(
    post('/api/compaction/sanitize-state', { datasetId: 'x', rewrite: 'yes' }, owner),
    'invalid_request',
  )
})
