import { AN_OPERATOR } from '@fusou/catalog'
import { parquetMetadataAsync, parquetReadObjects } from 'hyparquet'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { describe, expect, test } from 'vitest'
import {
  bindings,
  call,
  catalog,
  expectProblem,
  json,
  newDataset,
  OPERATOR,
  ORIGIN,
  post,
  upload,
} from './support/api.ts'
import { CARRIERS, FLIGHTS, FLIGHTS_EMPTY, joinBytes } from './support/files.ts'
import { newUser, type User } from './support/tokens.ts'

const owner = await newUser()
const stranger = await newUser()

async function newTable(...files: [period: string, bytes: Uint8Array<ArrayBuffer>][]): Promise<string> {
  const datasetId = newDataset()
  for (const [periodTag, bytes] of files)
    expect((await upload(owner, bytes, { datasetId, tableId: 't', periodTag })).status).toBe(202)
  return datasetId
}
const twoPeriods = () => newTable(['1', FLIGHTS], ['2', FLIGHTS])
const pathOf = (datasetId: string, pin = '') => `/api/datasets/${datasetId}/tables/t${pin}.parquet`

/** As an engine reads: the length by HEAD, then ranges. */
async function openFile(path: string, user: User | undefined = owner) {
  const head = await call(path, { ...user, method: 'HEAD' })
  expect(head.status).toBe(200)
  const ranges: [number, number][] = []
  const byteLength = Number(head.headers.get('content-length'))
  const file = {
    byteLength,
    async slice(start: number, end = byteLength) {
      ranges.push([start, end])
      const response = await call(path, { ...user, headers: { range: `bytes=${start}-${end - 1}` } })
      if (response.status !== 206)
        throw new Error(`${response.status} for ${start} to ${end}: ${await response.text()}`)
      expect(response.headers.get('content-range')).toMatch(new RegExp(`^bytes ${start}-${end - 1}/\\d+$`))
      return response.arrayBuffer()
    },
  }
  return { file, ranges, head }
}
async function rowsOf(path: string, user?: User) {
  return parquetReadObjects({ file: (await openFile(path, user)).file })
}
const flightRows = async () => parquetReadObjects({ file: FLIGHTS.buffer.slice(0) })

describe('a table as one file', () => {
  test('has the rows of all its files, or of one period', async () => {
    const datasetId = await twoPeriods()
    const rows = await flightRows()
    expect(await rowsOf(pathOf(datasetId))).toEqual([...rows, ...rows])
    expect(await rowsOf(`${pathOf(datasetId)}?period=2`)).toEqual(rows)
    expect(await rowsOf(pathOf(datasetId, '@1'))).toEqual(rows)
    expect(await rowsOf(pathOf(datasetId, '@2'))).toEqual([...rows, ...rows])
  })

  test('has nulls where a file lacks a column', async () => {
    const { file } = await openFile(pathOf(await newTable(['1', FLIGHTS], ['2', CARRIERS])))
    const columns = (await parquetMetadataAsync(file)).schema.slice(1).map(({ name }) => name)
    const rows = await parquetReadObjects({ file, columns })
    const [flights, carriers] = [await flightRows(), await parquetReadObjects({ file: CARRIERS.buffer.slice(0) })]
    const empty = Object.fromEntries(Object.keys({ ...flights[0], ...carriers[0] }).map((name) => [name, null]))
    expect(rows).toEqual([...flights, ...carriers].map((row) => ({ ...empty, ...row })))
  })

  test('says its version, its rows and what it leaves out', async () => {
    const datasetId = await twoPeriods()
    const { head } = await openFile(pathOf(datasetId))
    expect(Object.fromEntries(head.headers)).toMatchObject({
      'accept-ranges': 'bytes',
      'content-type': 'application/vnd.apache.parquet',
      etag: 'W/"2-0"',
      'x-fusou-version': '2',
      'x-fusou-rows': String((await flightRows()).length * 2),
      'x-fusou-left-out': '0',
    })
  })

  test('is counted in three requests', async () => {
    const { file, ranges } = await openFile(pathOf(await twoPeriods()))
    const { num_rows } = await parquetMetadataAsync(file)
    expect(Number(num_rows)).toBe((await flightRows()).length * 2)
    expect(ranges.length + 1).toBeLessThanOrEqual(3)
  })

  test('is sent whole as the pinned version, without the gaps', async () => {
    const datasetId = await twoPeriods()
    const moved = await call(`${pathOf(datasetId)}?period=1`, owner)
    expect(moved.status).toBe(307)
    expect(moved.headers.get('location')).toBe(`${pathOf(datasetId, '@2')}?period=1`)
    const whole = await call(pathOf(datasetId, '@2'), owner)
    expect(whole.status).toBe(200)
    const bytes = await whole.arrayBuffer()
    expect(bytes.byteLength).toBe(Number(whole.headers.get('content-length')))
    expect(bytes.byteLength).toBeLessThan(FLIGHTS.length * 2 + 10_000)
    expect(await parquetReadObjects({ file: bytes })).toHaveLength((await flightRows()).length * 2)
  })

  test('has no whole in place of its addresses, of which most never held anything', async () => {
    const path = pathOf(await twoPeriods())
    await expectProblem(call(path, { ...owner, headers: { range: 'bytes=0-' } }), 'bytes_gone')
  })

  test('keeps the version whose footer was read while others come', async () => {
    const datasetId = await twoPeriods()
    const { file } = await openFile(pathOf(datasetId))
    const metadata = await parquetMetadataAsync(file)
    await upload(owner, joinBytes(FLIGHTS_EMPTY), { datasetId, tableId: 't', periodTag: '3' })
    const discarded = (await json<{ files: { id: string }[] }>(`/api/datasets/${datasetId}/files`, owner)).files
    await call(`/api/files/${discarded[0]!.id}`, { ...owner, method: 'DELETE' })
    const rows = await flightRows()
    expect(await rowsOf(pathOf(datasetId)), 'a new reader').toHaveLength(rows.length)
    expect(await parquetReadObjects({ file, metadata }), 'the old one').toEqual([...rows, ...rows])
  })

  test('has no bytes in place of those that were vacuumed', async () => {
    const datasetId = await twoPeriods()
    const { file } = await openFile(pathOf(datasetId))
    const metadata = await parquetMetadataAsync(file)
    const { files } = await json<{ files: { id: string }[] }>(`/api/datasets/${datasetId}/files`, owner)
    for (const { id } of files) await call(`/api/files/${id}`, { ...owner, method: 'DELETE' })
    await upload(owner, FLIGHTS, { datasetId, tableId: 't', periodTag: '9' })
    await catalog.configureDataset(datasetId, AN_OPERATOR, { retentionSeconds: 0 })
    await expect.poll(() => catalog.claimGarbage(100)).not.toEqual([])
    await expectProblem(call(pathOf(datasetId, '@2'), owner), 'version_gone')
    await expect(parquetReadObjects({ file, metadata })).rejects.toThrow('410')
    expect(await rowsOf(pathOf(datasetId))).toEqual(await flightRows())
  })

  test('is refused where files cannot be read together, with the reason', async () => {
    const numbers = parquetWriteBuffer({ columnData: [{ name: 'at', data: [1, 2], type: 'INT32' }] })
    const texts = parquetWriteBuffer({ columnData: [{ name: 'at', data: ['1', '2'], type: 'STRING' }] })
    const datasetId = await newTable(['1', new Uint8Array(numbers)], ['2', new Uint8Array(texts)])
    const refused = await expectProblem(call(pathOf(datasetId), owner), 'table_refused')
    expect(refused.detail).toMatch(/at.*period 2/)
    expect(await rowsOf(`${pathOf(datasetId)}?period=1`)).toEqual([{ at: 1 }, { at: 2 }])
  })

  test('is an error when an object was lost behind our back', async () => {
    const datasetId = await twoPeriods()
    const { file } = await openFile(pathOf(datasetId))
    const metadata = await parquetMetadataAsync(file)
    const { objects } = await bindings.BUCKET.list({ prefix: `datasets/${datasetId}/uploads/` })
    await bindings.BUCKET.delete(objects.map(({ key }) => key))
    await expect(parquetReadObjects({ file, metadata })).rejects.toThrow('object_missing')
    await upload(owner, CARRIERS, { datasetId, tableId: 'other' })
    await expectProblem(call(pathOf(datasetId), owner), 'object_missing')
  })
})

describe('a request for a table', () => {
  test.each([
    ['behind the end', (length: number) => `bytes=${length}-`, 416],
    ['the last byte', (length: number) => `bytes=${length - 1}-`, 206],
    ['empty from the end', () => 'bytes=-0', 416],
    ['from the end', () => 'bytes=-8', 206],
    ['several', () => 'bytes=0-3,8-9', 416],
    ['backwards', () => 'bytes=5-3', 416],
    ['of another unit', () => 'rows=0-3', 200],
  ])('of a range %s is answered %#', async (_, rangeOf, status) => {
    const datasetId = await twoPeriods()
    for (const pin of ['', '@2']) {
      const { file } = await openFile(pathOf(datasetId, pin))
      const response = await call(pathOf(datasetId, pin), { ...owner, headers: { range: rangeOf(file.byteLength) } })
      expect(response.status, pin).toBe(pin === '' && status === 200 ? 307 : status)
      if (status === 206) expect(response.headers.get('content-range')).toMatch(new RegExp(`/${file.byteLength}$`))
      await response.arrayBuffer()
    }
  })

  test('of a pinned version may be kept forever, and is repeated by If-Range', async () => {
    const path = pathOf(await twoPeriods(), '@1')
    const first = await call(path, { ...owner, headers: { range: 'bytes=0-3' } })
    expect(first.headers.get('cache-control')).toContain('immutable')
    const etag = first.headers.get('etag')!
    expect(etag).toMatch(/^"/)
    const conditional = (headers: Record<string, string>) => call(path, { ...owner, headers })
    expect((await conditional({ 'if-none-match': etag })).status).toBe(304)
    expect((await conditional({ range: 'bytes=0-3', 'if-range': etag })).status).toBe(206)
    expect((await conditional({ range: 'bytes=0-3', 'if-range': '"other"' })).status).toBe(200)
    await expectProblem(conditional({ 'if-match': '"other"' }), 'precondition_failed')
  })

  test('of the newest version is repeated by If-None-Match until there is a newer one', async () => {
    const datasetId = await newTable(['1', FLIGHTS])
    const etag = (await call(pathOf(datasetId), { ...owner, method: 'HEAD' })).headers.get('etag')!
    const again = () => call(pathOf(datasetId), { ...owner, headers: { 'if-none-match': etag } })
    expect((await again()).status).toBe(304)
    await upload(owner, FLIGHTS, { datasetId, tableId: 't', periodTag: '2' })
    expect((await again()).status).toBe(307)
  })

  test.each([
    ['/api/datasets/%/tables/t@x.parquet', 'invalid_request'],
    ['/api/datasets/%/tables/t@01.parquet', 'invalid_request'],
    ['/api/datasets/%/tables/t@9.parquet', 'unknown_version'],
    ['/api/datasets/%/tables/nothing.parquet', 'unknown_table'],
    ['/api/datasets/%/tables/t.parquet?period=9', 'unknown_table'],
    ['/api/datasets/%/tables/t.parquet?perod=1', 'invalid_request'],
    ['/api/datasets/%/tables/a b.parquet', 'invalid_request'],
  ] as const)('%s is refused', async (path, code) => {
    await expectProblem(call(path.replace('%', await twoPeriods()), owner), code)
  })

  test('of somebody else finds nothing', async () => {
    const datasetId = await twoPeriods()
    await expectProblem(call(pathOf(datasetId), stranger), 'unknown_dataset')
    await call(pathOf(datasetId), { ...owner, method: 'HEAD' })
    await expectProblem(call(pathOf(datasetId), { ...stranger, headers: { range: 'bytes=0-3' } }), 'unknown_dataset')
    expect((await call(pathOf(datasetId), { ...OPERATOR, method: 'HEAD' })).status).toBe(200)
  })
})

describe('a link', () => {
  const link = async (datasetId: string, body: Record<string, unknown> = {}, user = owner) =>
    (await post(`/api/datasets/${datasetId}/tables/t/links`, body, user)).json<{ url: string; keyId: string }>()
  const read = (url: string, init: RequestInit = {}) => call(url.replace(ORIGIN, ''), init)

  test('reads the table without a token, the newest version or the one that it names', async () => {
    const datasetId = await twoPeriods()
    const rows = await flightRows()
    const newest = await link(datasetId)
    const pinned = await link(datasetId, { version: 1 })
    const period = await link(datasetId, { period: '2' })
    expect(await rowsOf(newest.url, {} as User)).toHaveLength(rows.length * 2)
    expect(await rowsOf(pinned.url, {} as User)).toHaveLength(rows.length)
    expect(await rowsOf(period.url, {} as User)).toHaveLength(rows.length)
  })

  test('leads from the newest version to the same pinned, signed alike', async () => {
    const { url } = await link(await twoPeriods(), { period: '2' })
    const moved = await read(url)
    expect(moved.status).toBe(307)
    const pinned = new URL(moved.headers.get('location')!, ORIGIN)
    expect(pinned.searchParams.get('expires')).toBe(new URL(url).searchParams.get('expires'))
    const whole = await read(pinned.href)
    expect(await parquetReadObjects({ file: await whole.arrayBuffer() })).toEqual(await flightRows())
  })

  test('is one of a list of links to files', async () => {
    const datasetId = await twoPeriods()
    const { files } = await json<{ files: { url: string }[] }>(`/api/datasets/${datasetId}/files?links=signed`, owner)
    for (const { url } of files) expect((await (await read(url)).arrayBuffer()).byteLength).toBe(FLIGHTS.length)
  })

  test.each([
    ['another table', (url: URL) => new URL(url.href.replace('/t.', '/u.'))],
    ['a pinned version', (url: URL) => new URL(url.href.replace('/t.', '/t@1.'))],
    ['another period', (url: URL) => url.searchParams.set('period', '1')],
    ['a later end', (url: URL) => url.searchParams.set('expires', '99999999999')],
    ['another key', (url: URL) => url.searchParams.set('key', crypto.randomUUID())],
    ['two keys', (url: URL) => url.searchParams.append('key', url.searchParams.get('key')!)],
    ['no key', (url: URL) => url.searchParams.delete('key')],
    [
      'a cut signature',
      (url: URL) => url.searchParams.set('signature', url.searchParams.get('signature')!.slice(0, -4)),
    ],
    ['a signature that is none', (url: URL) => url.searchParams.set('signature', '*')],
  ])('for %s is refused', async (_, change) => {
    const url = new URL((await link(await twoPeriods())).url)
    await expectProblem(read((change(url) ?? url).href), 'invalid_token')
  })

  test('reads nothing else, and writes nothing', async () => {
    const datasetId = await twoPeriods()
    const { search } = new URL((await link(datasetId)).url)
    await expectProblem(read(`/api/datasets/${datasetId}/files${search}`), 'invalid_token')
    await expectProblem(read(`/api/datasets/${datasetId}${search}`), 'unauthenticated')
    await expectProblem(read((await link(datasetId)).url, { method: 'DELETE' }), 'unauthenticated')
  })

  test('ends with its key, with the right of its user, and by itself', async () => {
    const datasetId = await twoPeriods()
    const { url, keyId } = await link(datasetId)
    expect((await read(url, { method: 'HEAD' })).status).toBe(200)
    await json(`/api/keys/${keyId}`, { ...owner, method: 'DELETE' })
    await expectProblem(read(url), 'unknown_dataset')
    const short = new URL((await link(datasetId, { expiresInSeconds: 60 })).url)
    expect(Number(short.searchParams.get('expires')) * 1000 - Date.now()).toBeLessThanOrEqual(60_000)
    for (const expiresInSeconds of [59, 604_801])
      await expectProblem(
        post(`/api/datasets/${datasetId}/tables/t/links`, { expiresInSeconds }, owner),
        'invalid_request',
      )
  })

  test('is made by who may read, for an operator by nobody', async () => {
    const datasetId = await twoPeriods()
    const path = `/api/datasets/${datasetId}/tables/t/links`
    await expectProblem(post(path, {}, stranger), 'unknown_dataset')
    await expectProblem(post(path, {}, OPERATOR), 'forbidden')
  })
})

describe('pages of other origins', () => {
  test('may read, after a preflight, and see the headers that engines need', async () => {
    const datasetId = await twoPeriods()
    const preflight = await preflightOf(pathOf(datasetId))
    expect(preflight.status).toBe(204)
    expect(Object.fromEntries(preflight.headers)).toMatchObject({
      'access-control-allow-origin': '*',
      'access-control-allow-methods': 'GET,HEAD',
      'access-control-max-age': '86400',
    })
    expect(preflight.headers.get('access-control-allow-headers')).toContain('Range')
    const head = await call(pathOf(datasetId), { ...owner, method: 'HEAD', headers: { origin: 'https://app.test' } })
    expect(head.headers.get('access-control-allow-origin')).toBe('*')
    expect(head.headers.get('access-control-expose-headers')).toContain('Content-Length')
    expect(head.headers.get('vary'), 'so that a cache keeps the answers to origins apart').toContain('Origin')
    const refused = await call(pathOf(datasetId), { headers: { origin: 'https://app.test' } })
    expect(refused.status).toBe(401)
    expect(refused.headers.get('access-control-allow-origin'), 'so that the page sees why').toBe('*')
  })

  test('may do nothing else', async () => {
    const response = await preflightOf('/api/keys')
    expect(response.status).toBe(405)
    expect(response.headers.get('access-control-allow-origin')).toBeNull()
  })
})

const preflightOf = (path: string) =>
  call(path, {
    method: 'OPTIONS',
    headers: {
      origin: 'https://app.test',
      'access-control-request-method': 'GET',
      'access-control-request-headers': 'authorization,range',
    },
  })
