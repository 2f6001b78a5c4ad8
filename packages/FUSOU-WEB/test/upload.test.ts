import { AN_OPERATOR, asUser, factsKey, ownerKey, readDatasetOwner } from '@fusou/catalog'
import { describe, expect, test, vi } from 'vitest'
import {
  askForMerge,
  bindings,
  call,
  catalog,
  expectProblem,
  json,
  newDataset,
  OPERATOR,
  stored,
  upload,
} from './support/api.ts'
import { CARRIERS, FLIGHTS, FLIGHTS_EMPTY, joinBytes, LONG_FOOTER, sha256 } from './support/files.ts'
import { newUser } from './support/tokens.ts'

const user = await newUser()

async function listed(datasetId: string) {
  const page = await catalog.listFiles({ datasetId, requester: AN_OPERATOR, limit: 100 })
  return page.outcome === 'ok' ? page.files : []
}

test('a file sent as the body is stored and registered, and says that it is not worth a job yet', async () => {
  const datasetId = newDataset()
  const response = await upload(user, FLIGHTS, {
    datasetId,
    tableId: 'flights',
    periodTag: '42',
    fileName: 'a.parquet',
  })
  expect(response.status).toBe(202)
  const [file] = await listed(datasetId)
  expect(await response.json()).toEqual({
    success: true,
    datasetId,
    tableId: 'flights',
    periodTag: '42',
    fileName: 'a.parquet',
    fileSize: FLIGHTS.byteLength,
    rows: 3,
    sha256: await sha256(FLIGHTS),
    duplicate: false,
    healed: false,
    version: 1,
    fileId: file!.id,
    files: [
      {
        fileId: file!.id,
        table: 'flights',
        periodTag: '42',
        duplicate: false,
        healed: false,
        quarantine: null,
        newSchema: true,
      },
    ],
    jobId: null,
  })
  expect(await stored(datasetId)).toEqual({ objects: 1, files: 1 })
})

test('uploads that are worth a job name it, and its message is on the queue', async () => {
  const datasetId = newDataset()
  await upload(user, FLIGHTS, { datasetId, tableId: 'flights' })
  await catalog.configureDataset(datasetId, AN_OPERATOR, { mergeMinFiles: 2 })
  const answer = await upload(user, FLIGHTS_EMPTY, { datasetId, tableId: 'flights' })
  const { jobId } = await answer.json<{ jobId: string }>()
  const message = await vi.waitUntil(() => bindings.MESSAGES.get(jobId, 'json'), { timeout: 20_000 })
  expect(message).toMatchObject({ datasetId, priority: 'realtime', jobId })
})

test('a file in a form is stored too, and says the period it does not know as "0"', async () => {
  const datasetId = newDataset()
  const form = new FormData()
  form.set('datasetId', datasetId)
  form.set('tableId', 'flights')
  form.set('file', new File([FLIGHTS], 'from a form.parquet'))
  const response = await call('/api/compaction/upload', { token: user.token, method: 'POST', body: form })
  expect(await response.json()).toMatchObject({
    periodTag: '0',
    fileName: 'from a form.parquet',
    rows: 3,
    fileSize: FLIGHTS.byteLength,
    sha256: await sha256(FLIGHTS),
  })
  expect(await stored(datasetId)).toEqual({ objects: 1, files: 1 })
})

describe('an object of several tables', () => {
  const object = joinBytes(FLIGHTS, CARRIERS, FLIGHTS_EMPTY)
  const offsets = [
    { table_name: 'carriers', start_byte: FLIGHTS.byteLength, byte_length: CARRIERS.byteLength, format: 'parquet' },
    { table_name: 'flights', start_byte: 0, byte_length: String(FLIGHTS.byteLength), format: 'parquet' },
    {
      table_name: 'late',
      start_byte: String(FLIGHTS.byteLength + CARRIERS.byteLength),
      byte_length: FLIGHTS_EMPTY.byteLength,
      format: 'parquet',
    },
  ]

  test('becomes one file a slice, in any order of entries, numbers as strings, tables without rows', async () => {
    const datasetId = newDataset()
    const answer = await json<{ tables: unknown; files: { fileId: string; table: string }[] }>(
      `/api/compaction/upload?${new URLSearchParams({ datasetId, tableOffsets: JSON.stringify(offsets) })}`,
      {
        token: user.token,
        method: 'POST',
        body: object,
        headers: { 'content-type': 'application/octet-stream' },
      },
    )
    expect(answer).toMatchObject({ tableId: null, fileId: null, version: 1, rows: 5, sha256: await sha256(object) })
    expect(answer.files.map(({ table }) => table)).toEqual(['flights', 'carriers', 'late'])
    expect(answer.files.map(({ fileId }) => fileId).sort()).toEqual(
      (await listed(datasetId)).map(({ id }) => id).sort(),
    )
    expect(answer.tables).toEqual([
      { table: 'flights', rows: 3, bytes: FLIGHTS.byteLength, sha256: await sha256(FLIGHTS) },
      { table: 'carriers', rows: 2, bytes: CARRIERS.byteLength, sha256: await sha256(CARRIERS) },
      { table: 'late', rows: 0, bytes: FLIGHTS_EMPTY.byteLength, sha256: await sha256(FLIGHTS_EMPTY) },
    ])
    expect(await stored(datasetId)).toEqual({ objects: 1, files: 3 })
  })
})

test('one entry may span the whole object', async () => {
  const tableOffsets = JSON.stringify([
    { table_name: 'flights', start_byte: 0, byte_length: FLIGHTS.byteLength, format: 'parquet' },
  ])
  const response = await upload(user, FLIGHTS, { datasetId: newDataset(), tableId: 'flights', tableOffsets })
  expect(await response.json()).toMatchObject({ rows: 3, tables: [{ table: 'flights', rows: 3 }] })
})

test('the same file twice is stored once and answered as a duplicate, with the newest job', async () => {
  const datasetId = newDataset()
  await upload(user, FLIGHTS, { datasetId, tableId: 't' })
  const { jobId } = await askForMerge(user, datasetId)
  const again = await upload(user, FLIGHTS, { datasetId, tableId: 't' })
  expect(again.status).toBe(202)
  expect(await again.json()).toMatchObject({ duplicate: true, jobId, rows: 3 })
  expect((await stored(datasetId)).files).toBe(1)
})

describe('the same file again', () => {
  type Answer = { fileId: string; version: number; duplicate: boolean; healed: boolean }
  const t = { tableId: 't' }
  const send = async (datasetId: string, query: Record<string, string> = t) =>
    (await upload(user, FLIGHTS, { datasetId, ...query })).json<Answer>()
  const placeOf = async (fileId: string) => (await catalog.getFile(fileId, asUser(user.id)))!
  const bytesOf = async (fileId: string) =>
    new Uint8Array(await (await call(`/api/files/${fileId}`, { token: user.token })).arrayBuffer())

  test('names the file that there is, and reads no byte of it', async () => {
    const datasetId = newDataset()
    const first = await send(datasetId)
    const heads = vi.spyOn(bindings.BUCKET, 'head')
    const gets = vi.spyOn(bindings.BUCKET, 'get')
    expect(await send(datasetId)).toMatchObject({ fileId: first.fileId, version: 1, duplicate: true, healed: false })
    expect([heads.mock.calls.length, gets.mock.calls.length]).toEqual([1, 0])
    vi.restoreAllMocks()
  })

  const damages: [string, (key: string, bytes: Uint8Array<ArrayBuffer>) => Promise<unknown>][] = [
    ['is gone', (key) => bindings.BUCKET.delete(key)],
    ['is too short', (key, bytes) => bindings.BUCKET.put(key, bytes.slice(0, -1))],
  ]
  test.each(damages)('heals a file whose object %s', async (_what, damage) => {
    const datasetId = newDataset()
    const { fileId } = await send(datasetId)
    const before = await placeOf(fileId)
    await damage(before.r2Key, FLIGHTS.slice())
    expect(await send(datasetId)).toMatchObject({ fileId, version: 2, duplicate: false, healed: true })
    expect(await bytesOf(fileId)).toEqual(FLIGHTS)
    expect((await placeOf(fileId)).r2Key).not.toBe(before.r2Key)
    expect(await catalog.claimGarbage(1000)).toContain(before.r2Key)
    expect(await send(datasetId)).toMatchObject({ fileId, version: 2, duplicate: true, healed: false })
  })

  /** As a merge does that finds the file damaged. */
  async function quarantine(datasetId: string, fileId: string) {
    await upload(user, FLIGHTS_EMPTY, { datasetId, tableId: 't' })
    const { jobId } = await askForMerge(user, datasetId)
    const accepted = await catalog.acceptMessage(crypto.randomUUID(), { datasetId, jobId, priority: 'manual' }, 60)
    if (accepted.outcome !== 'claimed') throw new Error(accepted.outcome)
    const mergeable = await catalog.listMergeableFiles(accepted, 10)
    if (mergeable.outcome !== 'ok') throw new Error(mergeable.outcome)
    await catalog.savePlan(accepted, [mergeable.files.map(({ id }) => id)])
    const fault = { fileId, r2Key: (await placeOf(fileId)).r2Key, code: 'corrupt_file', message: 'torn' } as const
    expect(await catalog.setAsideInputs(accepted, 1, [fault])).toMatchObject({ setAside: 1 })
    await catalog.finishJob(accepted, { result: {}, more: false, sender: 'test' })
  }

  test('heals a file in quarantine whose object holds other bytes of the same length', async () => {
    const datasetId = newDataset()
    const { fileId } = await send(datasetId)
    await bindings.BUCKET.put((await placeOf(fileId)).r2Key, FLIGHTS.slice().fill(0xff, 10, 20))
    await quarantine(datasetId, fileId)
    expect(await send(datasetId)).toMatchObject({
      fileId,
      healed: true,
      files: [{ quarantine: null }],
    })
    expect(await bytesOf(fileId)).toEqual(FLIGHTS)
    expect((await listed(datasetId)).map((file) => file.quarantine)).toEqual([null, null])
  })

  test('leaves a file in quarantine whose object holds these very bytes, and says so', async () => {
    const datasetId = newDataset()
    const { fileId } = await send(datasetId)
    await quarantine(datasetId, fileId)
    const again = await send(datasetId)
    expect(again).toMatchObject({ fileId, duplicate: true, healed: false, files: [{ quarantine: 'corrupt_file' }] })
  })

  test('is tried again when what is stored cannot be looked at, and its object is taken back', async () => {
    const datasetId = newDataset()
    await send(datasetId)
    const head = vi.spyOn(bindings.BUCKET, 'head').mockRejectedValue(new Error('overloaded'))
    await expectProblem(upload(user, FLIGHTS, { datasetId, ...t }), 'storage_unavailable')
    head.mockRestore()
    expect((await catalog.claimGarbage(1000)).filter((key) => key.includes(datasetId))).toHaveLength(1)
    expect(await stored(datasetId)).toEqual({ objects: 1, files: 1 })
  })
})

test('the first upload of a dataset is stored only once the bucket names its owner', async () => {
  const datasetId = newDataset()
  const put = bindings.BUCKET.put.bind(bindings.BUCKET)
  const spy = vi.spyOn(bindings.BUCKET, 'put').mockImplementation(((key: string, ...rest: [never]) => {
    return key === ownerKey(datasetId) ? Promise.reject(new Error('overloaded')) : put(key, ...rest)
  }) as typeof put)
  await expectProblem(upload(user, FLIGHTS, { datasetId, tableId: 't' }), 'storage_unavailable')
  spy.mockRestore()
  const again = await upload(user, FLIGHTS, { datasetId, tableId: 't' })
  expect(await again.json()).toMatchObject({ duplicate: false, version: 1 })
  expect(await stored(datasetId)).toEqual({ objects: 1, files: 1 })
  expect(await readDatasetOwner(bindings.BUCKET, datasetId)).toEqual({ owner: user.id, earlierOwners: [] })
})

describe('an upload that replaces a file', () => {
  const send = (bytes: Uint8Array<ArrayBuffer>, query: Record<string, string>) =>
    upload(user, bytes, { tableId: 't', ...query })

  test('takes its place in one version', async () => {
    const datasetId = newDataset()
    const { fileId } = await (await send(FLIGHTS, { datasetId })).json<{ fileId: string }>()
    const answer = await send(CARRIERS, { datasetId, replaces: fileId })
    expect(await answer.json()).toMatchObject({ version: 2, duplicate: false })
    expect((await listed(datasetId)).map(({ rows }) => rows)).toEqual([2])
  })

  test('of which nobody knows, or of somebody else, is not found', async () => {
    const datasetId = newDataset()
    await send(FLIGHTS, { datasetId })
    await expectProblem(send(CARRIERS, { datasetId, replaces: crypto.randomUUID() }), 'unknown_file')
    const other = await newUser()
    const theirs = await (await upload(other, FLIGHTS, { datasetId: newDataset(), tableId: 't' })).json<{
      fileId: string
    }>()
    await expectProblem(send(CARRIERS, { datasetId, replaces: theirs.fileId }), 'unknown_file')
    expect((await listed(datasetId)).map(({ rows }) => rows)).toEqual([3])
    expect(await stored(datasetId)).toEqual({ objects: 1, files: 1 })
  })

  test('names one file of one table', async () => {
    const datasetId = newDataset()
    const offsets = JSON.stringify([{ table_name: 't', start_byte: 0, byte_length: FLIGHTS.length }])
    for (const query of [{ replaces: 'seven' }, { replaces: crypto.randomUUID(), tableOffsets: offsets }]) {
      const problem = await expectProblem(send(FLIGHTS, { datasetId, ...query }), 'invalid_request')
      expect(problem.errors?.map(({ field }) => field)).toEqual(['replaces'])
    }
  })
})

test('a footer longer than what is kept of the end is read back from the bucket', async () => {
  const datasetId = newDataset()
  expect(await (await upload(user, LONG_FOOTER, { datasetId, tableId: 't' })).json()).toMatchObject({ rows: 5 })
  expect(await stored(datasetId)).toEqual({ objects: 1, files: 1 })
})

test('a body of many chunks arrives whole', async () => {
  const datasetId = newDataset()
  const count = 20
  const object = joinBytes(...Array.from({ length: count }, () => LONG_FOOTER))
  const tableOffsets = JSON.stringify(
    Array.from({ length: count }, (_, index) => ({
      table_name: `t${index}`,
      start_byte: index * LONG_FOOTER.byteLength,
      byte_length: LONG_FOOTER.byteLength,
    })),
  )
  const answer = await (await upload(user, object, { datasetId, tableOffsets })).json()
  expect(answer).toMatchObject({ rows: 5 * count, fileSize: object.byteLength, sha256: await sha256(object) })
  const { objects } = await bindings.BUCKET.list({ prefix: `datasets/${datasetId}/uploads/` })
  const kept = await bindings.BUCKET.get(objects[0]!.key)
  expect(await sha256(new Uint8Array(await kept!.arrayBuffer()))).toBe(await sha256(object))
})

test('somebody else’s dataset takes nothing: it is refused before a byte is stored', async () => {
  const datasetId = newDataset()
  await upload(user, FLIGHTS, { datasetId, tableId: 't' })
  await expectProblem(upload(await newUser(), CARRIERS, { datasetId, tableId: 't' }), 'unknown_dataset')
  expect(await stored(datasetId)).toEqual({ objects: 1, files: 1 })
})

test('an operator has no datasets and cannot upload', async () => {
  const datasetId = newDataset()
  await expectProblem(upload({ id: '', ...OPERATOR }, FLIGHTS, { datasetId, tableId: 't' }), 'forbidden')
  expect(await stored(datasetId)).toEqual({ objects: 0, files: 0 })
})

describe('an object says of itself where it belongs, for the day the catalog is lost', () => {
  const objectsOf = async (datasetId: string) =>
    (await bindings.BUCKET.list({ prefix: `datasets/${datasetId}/`, include: ['customMetadata'] })).objects

  test('its dataset, owner, period and table, and of a small one also hash and rows', async () => {
    const datasetId = newDataset()
    await upload(user, FLIGHTS, { datasetId, tableId: 'flights', periodTag: '2026-11' })
    const [object] = await objectsOf(datasetId)
    expect(object!.customMetadata).toEqual({
      dataset: datasetId,
      owner: user.id,
      period: '2026-11',
      tier: '0',
      slices: JSON.stringify([['flights', FLIGHTS.length]]),
      sha256: await sha256(FLIGHTS),
      rows: '3',
      fingerprint: expect.any(String),
    })
  })

  test('the longest names of as many tables as there may be, in a sidecar of its own', async () => {
    const datasetId = newDataset()
    const count = 256
    const names = Array.from({ length: count }, (_, index) => `${'t'.repeat(124)}${1000 + index}`)
    const offsets = names.map((table_name, index) => ({
      table_name,
      start_byte: index * FLIGHTS.length,
      byte_length: FLIGHTS.length,
    }))
    const form = new FormData()
    form.set('datasetId', datasetId)
    form.set('tableOffsets', JSON.stringify(offsets))
    form.set('file', new Blob(names.map(() => FLIGHTS)), 'many.bin')
    const answer = await call('/api/compaction/upload', { token: user.token, method: 'POST', body: form })
    expect(answer.status, await answer.clone().text()).toBe(202)
    const [object, sidecar] = await objectsOf(datasetId)
    expect(sidecar!.key).toBe(factsKey(object!.key))
    expect(object!.customMetadata).not.toHaveProperty('slices')
    const facts = await (await bindings.BUCKET.get(sidecar!.key))!.json()
    expect(facts).toEqual({ slices: names.map((name) => [name, FLIGHTS.length]) })
  })
})
