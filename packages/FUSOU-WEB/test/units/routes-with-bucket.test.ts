import { readFileSync } from 'node:fs'
import { DatasetSettings, FusouError, TableSettings } from '@fusou/catalog'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { callRoute, OPERATOR, requesterOf, USER } from './app-of-routes.ts'

afterEach(() => vi.useRealTimers())

const ID = '6f0c7c64-8a7a-4f0e-9d3a-2b0d7ad8d6a1'
const OTHER = '0b9e3f0c-54e6-4c1c-a3fb-7a63e5a6c7f3'
const me = requesterOf(USER)
const operator = requesterOf(OPERATOR)
const cursorOf = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const away = () => Promise.reject(new Error('10001'))
const FLIGHTS = new Uint8Array(readFileSync(`${import.meta.dirname}/../fixtures/flights.parquet`))

describe('a dataset', () => {
  test('is shown with the settings that it has, and with those of its own named', async () => {
    const dataset = { id: 'd', files: 3, settings: { retentionSeconds: 5, mergeMinFiles: 7 } }
    const { json, calls } = await callRoute('GET', '/api/datasets/d', {
      answers: { describeDataset: { outcome: 'ok', dataset } },
    })
    expect(calls).toEqual([['describeDataset', 'd', me]])
    expect(json).toEqual({
      id: 'd',
      files: 3,
      settings: DatasetSettings.parse(dataset.settings),
      changed: ['mergeMinFiles', 'retentionSeconds'],
    })
    const unknown = { describeDataset: { outcome: 'unknown_dataset' } }
    expect((await callRoute('GET', '/api/datasets/d', { answers: unknown })).json).toMatchObject({
      code: 'unknown_dataset',
    })
  })

  test('is configured, and made public, each by itself', async () => {
    const configured = { outcome: 'configured', settings: { retentionSeconds: 5 }, public: true }
    const { json, calls } = await callRoute('PATCH', '/api/datasets/d', {
      body: { retentionSeconds: 5, public: true },
      answers: { configureDataset: configured },
    })
    expect(calls).toEqual([['configureDataset', 'd', me, { retentionSeconds: 5 }, true]])
    const settings = DatasetSettings.parse({ retentionSeconds: 5 })
    expect(json).toEqual({ datasetId: 'd', public: true, settings, changed: ['retentionSeconds'] })
    const unknown = { body: {}, answers: { configureDataset: { outcome: 'unknown_dataset' } } }
    expect((await callRoute('PATCH', '/api/datasets/d', unknown)).json).toMatchObject({ code: 'unknown_dataset' })
  })

  const owners: string[] = []
  const bucketThatNames = (owner: string | null, written = true) => ({
    put: async (_key: string, value: string) => {
      owners.push(value)
      return written ? {} : null
    },
    get: async () => owner && { text: async () => JSON.stringify({ owner }) },
  })

  test.each([
    ['free', 'reserved', 201],
    ['free', 'yours', 200],
    ['yours', 'yours', 200],
  ])('that is %s is reserved, which the bucket hears first: %s, %i', async (looked, outcome, status) => {
    owners.length = 0
    const reserveDataset = (_id: string, _requester: object, isLook?: boolean) => ({
      outcome: isLook ? looked : outcome,
      ownerId: ID,
    })
    const given = { answers: { reserveDataset }, bucket: bucketThatNames(null) }
    const { status: answered, json, calls } = await callRoute('PUT', '/api/datasets/d', given)
    expect([answered, json]).toEqual([status, { datasetId: 'd', ownerId: ID }])
    expect(calls).toEqual([
      ['reserveDataset', 'd', me, true],
      ['reserveDataset', 'd', me],
    ])
    expect(owners).toHaveLength(looked === 'free' ? 1 : 0)
  })

  test('of somebody else is not reserved, whether the bucket or the catalog knows it', async () => {
    const answers = { reserveDataset: { outcome: 'free', ownerId: ID } }
    const named = await callRoute('PUT', '/api/datasets/d', { answers, bucket: bucketThatNames(OTHER, false) })
    expect([named.json.code, named.calls.length]).toEqual(['unknown_dataset', 1])
    const known = { answers: { reserveDataset: { outcome: 'unknown_dataset' } } }
    expect((await callRoute('PUT', '/api/datasets/d', known)).json).toMatchObject({ code: 'unknown_dataset' })
    const failing = await callRoute('PUT', '/api/datasets/d', { answers, bucket: { put: away } })
    expect(failing.json).toMatchObject({ code: 'storage_unavailable' })
  })

  test('is handed over, and the bucket is told of all its owners', async () => {
    owners.length = 0
    const transferred = { outcome: 'transferred', ownerId: OTHER, earlierOwners: [ID] }
    const call = (answer: object, bucket: object = bucketThatNames(null)) =>
      callRoute('POST', '/api/datasets/d/transfer', {
        body: { userId: OTHER },
        answers: { transferDataset: answer },
        bucket,
      })
    const { json, calls } = await call(transferred)
    expect(calls).toEqual([['transferDataset', 'd', me, OTHER]])
    expect(json).toEqual({ datasetId: 'd', ownerId: OTHER })
    expect(owners.map((text) => JSON.parse(text))).toEqual([{ owner: OTHER, earlierOwners: [ID] }])
    for (const code of ['unknown_user', 'unknown_dataset'])
      expect((await call({ outcome: code })).json).toMatchObject({ code })
    expect((await call(transferred, { put: away })).json).toMatchObject({ code: 'storage_unavailable' })
  })
})

describe('a table', () => {
  const sample = { id: ID, r2Key: 'k', offset: 0, length: FLIGHTS.length }
  const range = async (_: string, { range }: { range: { offset: number; length: number } }) => ({
    size: FLIGHTS.length,
    arrayBuffer: async () => FLIGHTS.slice(range.offset, range.offset + range.length).buffer,
  })
  const bucket = { get: vi.fn(range) }
  const schema = (fingerprint: string, given: object | null = sample) => ({ fingerprint, files: 1, sample: given })
  const described = (schemas: object[]) => ({ outcome: 'ok', version: 4, settings: { codec: 'zstd' }, schemas })

  test('is shown with the columns of its first five schemas of which a file is there', async () => {
    bucket.get.mockClear()
    const schemas = [schema('a'), schema('none', null), ...['b', 'c', 'd', 'e', 'f'].map((name) => schema(name))]
    const { json, calls } = await callRoute('GET', '/api/datasets/d/tables/t', {
      answers: { describeTable: described(schemas) },
      bucket,
    })
    expect(calls).toEqual([['describeTable', 'd', 't', me]])
    expect(json).toMatchObject({ datasetId: 'd', table: 't', version: 4, changed: ['codec'] })
    expect(json.settings).toEqual(TableSettings.parse({ codec: 'zstd' }))
    const shown = json.schemas as { fingerprint: string; columns: object[] | null; columnsOmitted: number }[]
    expect(shown.map(({ fingerprint, columns }) => [fingerprint, columns !== null])).toEqual([
      ['a', true],
      ['none', false],
      ['b', true],
      ['c', true],
      ['d', true],
      ['e', true],
      ['f', false],
    ])
    expect(new Set(shown.map(({ columnsOmitted }) => columnsOmitted))).toEqual(new Set([0]))
    expect(shown[0]).not.toHaveProperty('sample')
    for (const column of shown[0]!.columns!)
      expect(Object.keys(column)).toEqual(['name', 'type', 'nullable', 'repeated', 'sortable'])
  })

  test.each(['unknown_table', 'unknown_dataset'])('is not shown where there is none: %s', async (code) => {
    const answers = { describeTable: { outcome: code } }
    expect((await callRoute('GET', '/api/datasets/d/tables/t', { answers })).json).toMatchObject({ code })
  })

  const configure = (body: object, answers: object = {}) =>
    callRoute('PATCH', '/api/datasets/d/tables/t', {
      body,
      bucket,
      answers: {
        describeTable: described([schema('a')]),
        configureTable: { outcome: 'configured', settings: body },
        ...answers,
      },
    })

  test('is configured; only columns are looked up in its files', async () => {
    const { json, calls } = await configure({ codec: 'zstd' })
    expect(calls).toEqual([['configureTable', 'd', 't', me, { codec: 'zstd' }]])
    expect(json).toEqual({
      datasetId: 'd',
      table: 't',
      settings: TableSettings.parse({ codec: 'zstd' }),
      changed: ['codec'],
    })
    const unknown = { configureTable: { outcome: 'unknown_dataset' } }
    expect((await configure({ codec: 'zstd' }, unknown)).json).toMatchObject({ code: 'unknown_dataset' })
  })

  test.each([{ sortBy: [{ column: 'nothing' }] }, { dedupeBy: ['nothing'] }])(
    'is not put in the order of a column that no file has: %j',
    async (body) => {
      const { status, json, calls } = await configure(body)
      expect([status, calls.length]).toEqual([400, 1])
      expect(json.detail).toBe(`in the body: ${Object.keys(body)[0]}: no file of the table has a column nothing`)
      // before its first upload any name is taken
      const table = { describeTable: { outcome: 'unknown_table' } }
      expect((await configure(body, table)).status).toBe(200)
      expect((await configure(body, { describeTable: described([schema('a', null)]) })).status).toBe(200)
    },
  )
})

describe('operators', () => {
  const call = (method: string, path: string, given: object) => callRoute(method, path, { caller: OPERATOR, ...given })

  test.each([
    ['GET', '/api/limits', undefined, ['readLimits', operator, null]],
    ['GET', `/api/limits?owner=${ID}`, undefined, ['readLimits', operator, ID]],
    ['PUT', '/api/limits', { datasets: 4 }, ['configureLimits', operator, null, { datasets: 4 }]],
    ['PUT', '/api/limits', { owner: ID, datasets: 4 }, ['configureLimits', operator, ID, { datasets: 4 }]],
    ['GET', '/api/admission', undefined, ['readAdmission', operator]],
    ['PUT', '/api/admission', { maxRunningJobs: 4 }, ['configureAdmission', operator, { maxRunningJobs: 4 }]],
    ['GET', '/api/retention', undefined, ['readRetention', operator]],
    ['PUT', '/api/retention', { jobsSeconds: 86_400 }, ['configureRetention', operator, { jobsSeconds: 86_400 }]],
  ] as [string, string, object | undefined, [string, ...unknown[]]][])(
    'read and set what holds for the installation: %s %s %j',
    async (method, path, body, asks) => {
      const { json, calls } = await call(method, path, { body, answers: { [asks[0]]: { any: 'answer' } } })
      expect([calls, json]).toEqual([[asks], { any: 'answer' }])
      expect((await callRoute(method, path, { ...(body && { body }) })).json).toMatchObject({ code: 'forbidden' })
    },
  )

  test('say to which catalog a bucket belongs, unless either has changed meanwhile', async () => {
    const text = JSON.stringify({ id: ID, stamp: 3 })
    const puts: unknown[][] = []
    const accept = (answer: object, written = true) => {
      const bucket = {
        get: async () => ({ etag: 'e', text: async () => text }),
        put: async (...given: unknown[]) => {
          puts.push(given)
          return written ? {} : null
        },
      }
      const body = { problem: 'foreign_bucket', by: 'me' }
      return call('POST', '/api/installation/accept', { body, bucket, answers: { acceptInstallation: answer } })
    }
    const look = { id: ID, stamp: 3 }
    const { json, calls, lines } = await accept({ outcome: 'accepted', id: OTHER, stamp: 5 })
    expect([json, calls]).toEqual([
      { success: true, installationId: OTHER },
      [['acceptInstallation', operator, 'foreign_bucket', look]],
    ])
    expect(puts).toMatchObject([['.fusou/installation.json', JSON.stringify({ id: OTHER, stamp: 5 }), {}]])
    const line = {
      event: 'installation_accepted',
      requestId: 'r',
      by: 'me',
      problem: 'foreign_bucket',
      bucket: look,
      id: OTHER,
    }
    expect(lines).toEqual([['log', line]])
    const changed = await accept({ outcome: 'changed', problem: null })
    expect(changed.json).toMatchObject({ code: 'count_changed', detail: 'problem: it is none now' })
    const other = await accept({ outcome: 'changed', problem: 'missing_stamp' })
    expect(other.json).toMatchObject({ detail: 'problem: it is missing_stamp now' })
    expect((await accept({ outcome: 'accepted', id: OTHER, stamp: 5 }, false)).json).toMatchObject({
      code: 'storage_unavailable',
    })
  })

  test.each([true, false])(
    'accept the orphans that they have looked at, and no other number of them: %s',
    async (releaseKept) => {
      const accept = (answer: object) =>
        call('POST', '/api/vacuum/accept', {
          body: { orphans: 7, by: 'me', releaseKept },
          answers: { acceptOrphans: answer },
        })
      const { json, calls, lines } = await accept({ outcome: 'accepted', orphans: 7, released: 2 })
      expect(json).toEqual({ success: true, orphans: 7, released: 2 })
      expect(calls).toEqual([['acceptOrphans', operator, expect.any(String), 7, releaseKept]])
      expect(lines).toEqual([['log', { event: 'orphans_accepted', requestId: 'r', by: 'me', orphans: 7, released: 2 }]])
      const changed = await accept({ outcome: 'changed', orphans: 8 })
      expect(changed.json).toMatchObject({ code: 'count_changed', detail: expect.stringContaining('found 8 orphans') })
    },
  )

  test('adopt page by page: a scan of the bucket, then each dataset', async () => {
    const list = async () => ({ objects: [{ key: 'datasets/d/a', size: 1 }], truncated: true })
    const page = { beginAdoption: { scan: ID }, beginAdoptionPage: { outcome: 'ok', unnamed: [], merged: [] } }
    const adopt = (body: object, answers: object, bucket: object = { list }) =>
      call('POST', '/api/adopt', { body, answers, bucket })
    const first = await adopt({}, page)
    expect(first.calls.map(([name]) => name)).toEqual(['beginAdoption', 'beginAdoptionPage'])
    const scanned = { objects: 1, unnamed: 0 }
    const next = cursorOf({ phase: 'scan', scan: ID, after: 'datasets/d/a' })
    expect(first.json).toMatchObject({ success: true, scanned, nextCursor: next })
    const last = await adopt({ cursor: next }, page, { list: async () => ({ objects: [], truncated: false }) })
    expect(last.calls).toEqual([['beginAdoptionPage', ID, { after: 'datasets/d/a', last: null, keys: [] }]])
    const begin = cursorOf({ phase: 'adopt', scan: ID, after: null })
    expect(last.json.nextCursor).toBe(begin)

    const dataset = { datasetId: 'd', counts: {}, items: [], missing: 1 }
    for (const dryRun of [true, false]) {
      const adopted = await adopt(
        { cursor: begin, dryRun },
        { adoptDataset: { outcome: 'ok', more: true, ...dataset } },
      )
      expect(adopted.calls).toEqual([['adoptDataset', ID, { after: null, limit: 500, dryRun }]])
      expect(adopted.json).toEqual({ success: true, dryRun, dataset, nextCursor: begin })
      const line = { event: 'dataset_adopted', requestId: 'r', datasetId: 'd', counts: {} }
      expect(adopted.lines).toEqual(dryRun ? [] : [['log', line]])
    }
    const whole = await adopt({ cursor: begin }, { adoptDataset: { outcome: 'ok', more: false, ...dataset } })
    expect(whole.json.nextCursor).toBe(cursorOf({ phase: 'adopt', scan: ID, after: 'd' }))
    const done = await adopt({ cursor: begin, dryRun: true }, { adoptDataset: { outcome: 'done' } })
    expect(done.json).toEqual({ success: true, dryRun: true, nextCursor: null })
    expect((await adopt({ cursor: begin }, { adoptDataset: { outcome: 'unknown_scan' } })).json).toMatchObject({
      code: 'unknown_scan',
    })
  })

  test('see what the database refused as a fault of ours', async () => {
    const answers = { readAdmission: new FusouError('database_refused', 'no') }
    expect(await call('GET', '/api/admission', { answers })).toMatchObject({
      status: 500,
      json: { code: 'database_refused' },
    })
  })
})
