import { AN_OPERATOR } from '@fusou/catalog'
import { describe, expect, test } from 'vitest'
import { bindings, call, catalog, expectProblem, json, newDataset, OPERATOR, upload } from './support/api.ts'
import { CARRIERS, FLIGHTS, FLIGHTS_EMPTY, joinBytes, sha256 } from './support/files.ts'
import { newUser } from './support/tokens.ts'

interface Listed {
  id: string
  table: string
  periodTag: string
  bytes: number
  rows: number
  sha256: string
  url: string
}
interface FilesPage {
  datasetId: string
  version: number
  files: Listed[]
  nextCursor: string | null
}

const owner = await newUser()
const stranger = await newUser()

async function newFiles(): Promise<{ datasetId: string; files: Listed[] }> {
  const datasetId = newDataset()
  const tableOffsets = JSON.stringify([
    { table_name: 'flights', start_byte: 0, byte_length: FLIGHTS.length },
    { table_name: 'carriers', start_byte: FLIGHTS.length, byte_length: CARRIERS.length },
  ])
  const response = await upload(owner, joinBytes(FLIGHTS, CARRIERS), { datasetId, tableOffsets })
  expect(response.status).toBe(202)
  return { datasetId, files: (await json<FilesPage>(`/api/datasets/${datasetId}/files`, owner)).files }
}

const bytesOf = async (response: Response) => new Uint8Array(await response.arrayBuffer())

describe('the bytes of a file', async () => {
  const { files } = await newFiles()
  const carriers = files.find(({ table }) => table === 'carriers')!
  const path = `/api/files/${carriers.id}`
  const etag = `"${await sha256(CARRIERS)}"`
  const size = CARRIERS.length

  test('are those of the slice alone', async () => {
    const response = await call(path, owner)
    expect(response.status).toBe(200)
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'application/vnd.apache.parquet',
      'content-length': String(size),
      'content-disposition': `attachment; filename="carriers-${carriers.id}.parquet"`,
      'accept-ranges': 'bytes',
      'cache-control': 'private, no-cache',
      etag,
    })
    expect(await bytesOf(response)).toEqual(CARRIERS)
  })

  test('are told of by HEAD', async () => {
    const response = await call(path, { ...owner, method: 'HEAD' })
    expect(response.status).toBe(200)
    expect(response.headers.get('content-length')).toBe(String(size))
    expect(response.headers.get('accept-ranges')).toBe('bytes')
    expect(response.headers.get('etag')).toBe(etag)
    expect(await response.text()).toBe('')
  })

  const ranges: [range: string, start: number, end: number][] = [
    ['bytes=0-3', 0, 4],
    ['bytes=4-', 4, size],
    ['bytes=-8', size - 8, size],
    [`bytes=${size - 1}-`, size - 1, size],
    [`bytes=10-${size + 500}`, 10, size],
    [`bytes=-${size + 500}`, 0, size],
  ]

  test.each(ranges)('can be had in part: %s', async (range, start, end) => {
    const response = await call(path, { ...owner, headers: { range } })
    expect(response.status).toBe(206)
    expect(response.headers.get('content-range')).toBe(`bytes ${start}-${end - 1}/${size}`)
    expect(response.headers.get('content-length')).toBe(String(end - start))
    expect(await bytesOf(response)).toEqual(CARRIERS.slice(start, end))
  })

  test.each(['bytes=0-1,4-5', 'bytes=5-2', 'bytes=-', 'bytes=a-b', 'lines=0-1'])(
    'come whole for a range that may be ignored: %s',
    async (range) => {
      const response = await call(path, { ...owner, headers: { range } })
      expect(response.status).toBe(200)
      expect(await bytesOf(response)).toEqual(CARRIERS)
    },
  )

  test.each([`bytes=${size}-`, `bytes=${size + 5}-${size + 9}`, 'bytes=-0'])('have no range %s', async (range) => {
    const response = await call(path, { ...owner, headers: { range } })
    expect(response.headers.get('content-range')).toBe(`bytes */${size}`)
    await expectProblem(response, 'range_not_satisfiable')
  })

  test('are not sent again to who has them', async () => {
    for (const tag of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const response = await call(path, { ...owner, headers: { 'if-none-match': tag } })
      expect(response.status).toBe(304)
      expect(response.headers.get('etag')).toBe(etag)
    }
    expect((await call(path, { ...owner, headers: { 'if-none-match': '"other"' } })).status).toBe(200)
  })

  test('go on only where they are the same', async () => {
    const part = async (ifRange: string) =>
      (await call(path, { ...owner, headers: { range: 'bytes=0-3', 'if-range': ifRange } })).status
    expect(await part(etag)).toBe(206)
    expect(await part('"other"')).toBe(200)
    expect(await part('Sun, 22 Nov 2026 00:00:00 GMT')).toBe(200)
    expect((await call(path, { ...owner, headers: { 'if-match': etag } })).status).toBe(200)
    await expectProblem(call(path, { ...owner, headers: { 'if-match': '"other"' } }), 'precondition_failed')
  })

  test('are the owner’s and the operator’s, and for others not there', async () => {
    expect(await bytesOf(await call(path, OPERATOR))).toEqual(CARRIERS)
    await expectProblem(call(path, stranger), 'unknown_file')
    await expectProblem(call(path), 'unauthenticated')
  })
})

test('a file id that is none is refused, one of nothing is unknown', async () => {
  const problem = await expectProblem(call('/api/files/abc', owner), 'invalid_request')
  expect(problem.errors).toEqual([{ field: 'id', message: 'a file id is a UUID' }])
  await expectProblem(call(`/api/files/${crypto.randomUUID()}`, owner), 'unknown_file')
})

test('an object that the bucket has lost is said to be missing', async () => {
  const { datasetId, files } = await newFiles()
  const { objects } = await bindings.BUCKET.list({ prefix: `datasets/${datasetId}/uploads/` })
  await bindings.BUCKET.delete(objects[0]!.key)
  await expectProblem(call(`/api/files/${files[0]!.id}`, owner), 'object_missing')
})

describe('the files of a dataset', () => {
  test('are listed with addresses that work', async () => {
    const { datasetId, files } = await newFiles()
    expect(files).toMatchObject([
      { table: 'carriers', periodTag: '0', level: 0, rows: 2, bytes: CARRIERS.length, sha256: await sha256(CARRIERS) },
      { table: 'flights', periodTag: '0', level: 0, rows: 3, bytes: FLIGHTS.length, sha256: await sha256(FLIGHTS) },
    ])
    expect(files[1]!.url).toBe(`https://fusou.test/api/files/${files[1]!.id}`)
    expect(await bytesOf(await call(files[1]!.url, owner))).toEqual(FLIGHTS)
    const only = await json<FilesPage>(`/api/datasets/${datasetId}/files?table=flights&period=0`, owner)
    expect(only.files).toEqual([files[1]])
    expect((await json<FilesPage>(`/api/datasets/${datasetId}/files?period=1`, owner)).files).toEqual([])
  })

  test('come in pages that are all of one version', async () => {
    const { datasetId, files } = await newFiles()
    const list = (query: string) => json<FilesPage>(`/api/datasets/${datasetId}/files?${query}`, owner)
    const first = await list('limit=1')
    expect(first).toMatchObject({ datasetId, version: 1, files: [files[0]] })
    expect((await upload(owner, FLIGHTS_EMPTY, { datasetId, tableId: 'late' })).status).toBe(202)
    const second = await list(`limit=1&cursor=${first.nextCursor}`)
    expect(second).toMatchObject({ version: 1, files: [files[1]], nextCursor: null })
    expect((await list('')).version).toBe(2)
    expect((await list('')).files).toHaveLength(3)
    expect((await list('version=1')).files).toEqual(files)
  })

  test('are not listed for others, nor for versions that there are not', async () => {
    const { datasetId } = await newFiles()
    const path = `/api/datasets/${datasetId}/files`
    expect((await json<FilesPage>(path, OPERATOR)).files).toHaveLength(2)
    await expectProblem(call(path, stranger), 'unknown_dataset')
    await expectProblem(call(`/api/datasets/${newDataset()}/files`, owner), 'unknown_dataset')
    await expectProblem(call(`${path}?version=99`, owner), 'unknown_version')
  })

  test('of a version that vacuum has taken are gone', async () => {
    const { datasetId } = await newFiles()
    const path = `/api/datasets/${datasetId}/files?version=1`
    expect((await upload(owner, FLIGHTS_EMPTY, { datasetId, tableId: 'flights' })).status).toBe(202)
    await mergeAndVacuum(datasetId)
    await expectProblem(call(path, owner), 'version_gone')
  })

  const bad: [query: string, field: string][] = [
    ['limit=0', 'limit'],
    ['limit=1001', 'limit'],
    ['limit=ten', 'limit'],
    ['version=-1', 'version'],
    ['version=1e9', 'version'],
    ['version=1.5', 'version'],
    ['table=a/b', 'table'],
    ['period=%00', 'period'],
    ['quarantined=maybe', 'quarantined'],
    ['cursor=abc', 'cursor'],
    ['cursor=e30', 'cursor'],
    [`cursor=${'x'.repeat(2000)}`, 'cursor'],
  ]

  test.each(bad)('are not listed by %s', async (query, field) => {
    const problem = await expectProblem(call(`/api/datasets/d/files?${query}`, owner), 'invalid_request')
    expect(problem.errors?.map((error) => error.field)).toEqual([field])
  })

  test('are not listed by a cursor of another version', async () => {
    const { datasetId } = await newFiles()
    const { nextCursor } = await json<FilesPage>(`/api/datasets/${datasetId}/files?limit=1`, owner)
    const query = `version=0&cursor=${nextCursor}`
    await expectProblem(call(`/api/datasets/${datasetId}/files?${query}`, owner), 'invalid_request')
  })

  test('of a name with a slash, a control character or 200 characters are not there', async () => {
    for (const name of ['a%2Fb', 'a%00', '..%2F..', 'x'.repeat(200)])
      await expectProblem(call(`/api/datasets/${name}/files`, owner), 'invalid_request')
  })
})

/** What a job and vacuum would do: the flights become one file, and what it was made of is forgotten at once. */
async function mergeAndVacuum(datasetId: string): Promise<void> {
  await catalog.configureDataset(datasetId, AN_OPERATOR, { retentionSeconds: 0 })
  const accepted = await catalog.acceptMessage(crypto.randomUUID(), { datasetId, priority: 'manual' }, 60)
  if (accepted.outcome !== 'claimed') throw new Error(accepted.outcome)
  const listed = await catalog.listMergeableFiles(accepted, 100)
  if (listed.outcome !== 'ok') throw new Error(listed.outcome)
  await catalog.savePlan(accepted, [listed.files.filter(({ table }) => table === 'flights').map(({ id }) => id)])
  await catalog.openMerge(accepted, 1, { leaseSeconds: 60 })
  const output = {
    r2Key: `datasets/${datasetId}/merged/1.parquet`,
    bytes: 1,
    rows: 3,
    rowGroups: 1,
    sha256: '0'.repeat(64),
    fingerprint: 'f',
  }
  expect((await catalog.commitMerge(accepted, 1, output, 60)).outcome).toBe('committed')
  await catalog.claimGarbage(100)
}
