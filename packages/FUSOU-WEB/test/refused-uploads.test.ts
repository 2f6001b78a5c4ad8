import { claimDatasetOwner, type ErrorCode, readDatasetOwner } from '@fusou/catalog'
import { expect, test } from 'vitest'
import { bindings, call, catalog, expectProblem, newDataset, stored, upload } from './support/api.ts'
import { CARRIERS, FLIGHTS, joinBytes, LONG_FOOTER } from './support/files.ts'
import { newUser } from './support/tokens.ts'

const user = await newUser()
const NOTHING = { objects: 0, files: 0 }
const MEBIBYTE = 1024 * 1024
/** Longer than a chunk, so that a put is under way before its end is seen. */
const LONG = joinBytes(...Array.from({ length: 10 }, () => LONG_FOOTER))

/** FLIGHTS with bytes from `at` on overwritten; negative counts from the end. */
function bend(at: number, ...bytes: number[]): Uint8Array<ArrayBuffer> {
  const bent = joinBytes(FLIGHTS)
  bent.set(bytes, at < 0 ? bent.length + at : at)
  return bent
}

const notParquet: [what: string, bytes: Uint8Array<ArrayBuffer>][] = [
  ['text', joinBytes(new TextEncoder().encode('flight,origin\n1,HNL\n'.repeat(100)))],
  ['no bytes at all', new Uint8Array()],
  ['fewer bytes than any Parquet file', FLIGHTS.slice(0, 6)],
  ['Parquet without its end', FLIGHTS.slice(0, -20)],
  ['Parquet without its beginning', FLIGHTS.slice(50)],
  ['another magic at the head', bend(0, 0x50, 0x4b)],
  ['a footer longer than the file', bend(-8, 0xff, 0xff, 0xff, 0x7f)],
  ['a footer of length 0', bend(-8, 0, 0, 0, 0)],
  ['a footer that points outside the file', joinBytes(FLIGHTS.slice(0, 4), FLIGHTS.slice(60))],
  ['a footer of noise', bend(-60, ...Array.from({ length: 50 }, (_, index) => (index * 37) % 251))],
]

test.each(notParquet)('%s is refused and leaves nothing', async (_what, bytes) => {
  const datasetId = newDataset()
  await expectProblem(upload(user, bytes, { datasetId, tableId: 't' }), 'invalid_parquet')
  expect(await stored(datasetId)).toEqual(NOTHING)
})

test('an encrypted file is refused as such', async () => {
  const datasetId = newDataset()
  const encrypted = bend(-4, ...new TextEncoder().encode('PARE'))
  await expectProblem(upload(user, encrypted, { datasetId, tableId: 't' }), 'unsupported_parquet')
  expect(await stored(datasetId)).toEqual(NOTHING)
})

test('a bad slice behind good ones refuses the whole object, naming its table', async () => {
  const datasetId = newDataset()
  const bad = bend(-8, 0xff, 0xff)
  const tableOffsets = JSON.stringify([
    { table_name: 'carriers', start_byte: 0, byte_length: CARRIERS.length },
    { table_name: 'flights', start_byte: CARRIERS.length, byte_length: bad.length },
  ])
  const problem = await expectProblem(
    upload(user, joinBytes(CARRIERS, bad), { datasetId, tableOffsets }),
    'invalid_parquet',
  )
  expect(problem.detail).toContain('flights')
  expect(await stored(datasetId)).toEqual(NOTHING)
})

test('a bad slice at the end of a long body takes back what was written', async () => {
  const datasetId = newDataset()
  const bad = bend(-8, 0xff, 0xff)
  const tableOffsets = JSON.stringify([
    ...Array.from({ length: 10 }, (_, index) => entry(index * LONG_FOOTER.length, LONG_FOOTER.length)),
    entry(LONG.length, bad.length),
  ])
  await expectProblem(upload(user, joinBytes(LONG, bad), { datasetId, tableOffsets }), 'invalid_parquet')
  expect(await stored(datasetId)).toEqual(NOTHING)
})

test('a bad slice early in a long body ends the upload before the rest is stored', async () => {
  const datasetId = newDataset()
  const bad = bend(-4, 0)
  const tableOffsets = JSON.stringify([
    { table_name: 'flights', start_byte: 0, byte_length: bad.length },
    { table_name: 'rest', start_byte: bad.length, byte_length: LONG.length },
  ])
  await expectProblem(upload(user, joinBytes(bad, LONG), { datasetId, tableOffsets }), 'invalid_parquet')
  expect(await stored(datasetId)).toEqual(NOTHING)
})

test('a bad footer that is seen only after the put takes the object back, and vacuum is told too', async () => {
  const datasetId = newDataset()
  const bad = LONG_FOOTER.slice()
  bad.fill(0xff, bad.length - 200_100, bad.length - 199_000)
  await expectProblem(upload(user, bad, { datasetId, tableId: 't' }), 'invalid_parquet')
  expect(await stored(datasetId)).toEqual(NOTHING)
  expect((await catalog.claimGarbage(1000)).filter((key) => key.includes(datasetId))).toHaveLength(1)
})

test('of two users who send the first file of a dataset at once, one owns it and the other leaves nothing', async () => {
  const datasetId = newDataset()
  const racers = [user, await newUser()]
  const answers = await Promise.all(racers.map((racer) => upload(racer, FLIGHTS, { datasetId, tableId: 't' })))
  expect(answers.map(({ status }) => status).sort()).toEqual([202, 404])
  expect(await stored(datasetId)).toEqual({ objects: 1, files: 1 })
  const winner = racers[answers.findIndex(({ status }) => status === 202)]!
  expect(await readDatasetOwner(bindings.BUCKET, datasetId)).toEqual({ owner: winner.id, earlierOwners: [] })
})

test('an id that the bucket names as somebody else’s is not free, also where the catalog has forgotten it', async () => {
  const datasetId = newDataset()
  const stranger = await newUser()
  await claimDatasetOwner(bindings.BUCKET, datasetId, user.id)
  await expectProblem(upload(stranger, FLIGHTS, { datasetId, tableId: 't' }), 'unknown_dataset')
  expect(await stored(datasetId)).toEqual({ objects: 0, files: 0 })
  expect((await upload(user, FLIGHTS, { datasetId, tableId: 't' })).status).toBe(202)
})

const size = FLIGHTS.length
const entry = (start: unknown, length: unknown, table: unknown = 't') => ({
  table_name: table,
  start_byte: start,
  byte_length: length,
})
const badOffsets: [what: string, offsets: unknown, code: ErrorCode, detail: string][] = [
  ['behind the end', [entry(0, size + 1)], 'invalid_table_offsets', `ends at byte ${size + 1}`],
  ['beginning behind the end', [entry(0, size), entry(size + 10, 5)], 'invalid_table_offsets', 'ends at byte'],
  ['overlapping', [entry(0, 300), entry(200, size - 200)], 'invalid_table_offsets', 'begins at byte 200'],
  ['the same bytes twice', [entry(0, size), entry(0, size, 'u')], 'invalid_table_offsets', 'begins at byte 0'],
  ['with a gap', [entry(0, 100), entry(200, size - 200)], 'invalid_table_offsets', 'from 100 to 200'],
  ['with a gap at the start', [entry(4, size - 4)], 'invalid_table_offsets', 'from 0 to 4'],
  ['with a gap at the end', [entry(0, size - 4)], 'invalid_table_offsets', `from ${size - 4} to ${size}`],
  ['empty', [], 'invalid_request', 'tableOffsets'],
  ['of no bytes', [entry(0, 0)], 'invalid_request', 'tableOffsets[0].byte_length'],
  ['negative', [entry(-1, size)], 'invalid_request', 'tableOffsets[0].start_byte'],
  ['fractional', [entry(0.5, size)], 'invalid_request', 'tableOffsets[0].start_byte'],
  ['huge', [entry(0, 1e300)], 'invalid_request', 'tableOffsets[0].byte_length'],
  ['in words', [entry(0, 'all')], 'invalid_request', 'tableOffsets[0].byte_length'],
  ['for a table with a slash', [entry(0, size, '../t')], 'invalid_request', 'tableOffsets[0].table_name'],
  ['of another format', [{ ...entry(0, size), format: 'avro' }], 'invalid_request', 'tableOffsets[0].format'],
  ['not a list', entry(0, size), 'invalid_request', 'tableOffsets'],
  ['too many', Array.from({ length: 257 }, (_, index) => entry(index, 1)), 'invalid_request', 'tableOffsets'],
]

test.each(badOffsets)('table offsets %s are refused', async (_what, offsets, code, detail) => {
  const datasetId = newDataset()
  const tableOffsets = JSON.stringify(offsets)
  const problem = await expectProblem(upload(user, FLIGHTS, { datasetId, tableId: 't', tableOffsets }), code)
  expect(problem.detail).toContain(detail)
  expect(await stored(datasetId)).toEqual(NOTHING)
})

test('table offsets that are not JSON are refused', async () => {
  const query = { datasetId: newDataset(), tableOffsets: '[{' }
  expect((await expectProblem(upload(user, FLIGHTS, query), 'invalid_request')).detail).toContain('tableOffsets')
})

const badFields: [what: string, fields: Record<string, string>, field: string][] = [
  ['no dataset', { tableId: 't' }, 'datasetId'],
  ['no table', { datasetId: 'd' }, 'tableId'],
  ['a dataset with a slash', { datasetId: 'a/b', tableId: 't' }, 'datasetId'],
  ['a dataset that climbs', { datasetId: '..', tableId: 't' }, 'datasetId'],
  ['a dataset of 200 characters', { datasetId: 'd'.repeat(200), tableId: 't' }, 'datasetId'],
  ['a dataset with a line break', { datasetId: 'a\nb', tableId: 't' }, 'datasetId'],
  ['a dataset that ends in a line break', { datasetId: 'a\n', tableId: 't' }, 'datasetId'],
  ['a table with a zero byte', { datasetId: 'd', tableId: 't\0' }, 'tableId'],
  ['a table with a backslash', { datasetId: 'd', tableId: 'a\\b' }, 'tableId'],
  ['a table of 200 characters', { datasetId: 'd', tableId: 't'.repeat(200) }, 'tableId'],
  ['a period tag with a blank', { datasetId: 'd', tableId: 't', periodTag: '1 2' }, 'periodTag'],
  ['a file name with a path', { datasetId: 'd', tableId: 't', fileName: '../../etc/passwd' }, 'fileName'],
  ['a file name with a control character', { datasetId: 'd', tableId: 't', fileName: 'a\u0007' }, 'fileName'],
]

test.each(badFields)('%s is refused, naming the field', async (_what, fields, field) => {
  const problem = await expectProblem(upload(user, FLIGHTS, fields), 'invalid_request')
  expect(problem.errors?.map((error) => error.field)).toEqual([field])
  expect(await stored(fields.datasetId ?? '')).toEqual(NOTHING)
})

test.each(badFields)('%s is refused in a form too', async (_what, fields, field) => {
  const form = new FormData()
  for (const [name, value] of Object.entries(fields)) form.set(name, value)
  form.set('file', new File([FLIGHTS], 'f.parquet'))
  const problem = await expectProblem(
    call('/api/compaction/upload', { token: user.token, method: 'POST', body: form }),
    'invalid_request',
  )
  expect(problem.errors?.map((error) => error.field)).toEqual([field])
})

test('all faults of a request are named at once', async () => {
  const problem = await expectProblem(upload(user, FLIGHTS, { datasetId: '/', tableId: '/' }), 'invalid_request')
  expect(problem.errors?.map((error) => error.field)).toEqual(['datasetId', 'tableId'])
})

test('a form without a file, or with two, is refused', async () => {
  const form = new FormData()
  form.set('datasetId', newDataset())
  form.set('tableId', 't')
  const send = () => call('/api/compaction/upload', { token: user.token, method: 'POST', body: form })
  expect((await expectProblem(send(), 'invalid_request')).detail).toContain('file')
  form.append('file', new File([FLIGHTS], 'a'))
  form.append('file', new File([FLIGHTS], 'b'))
  expect((await expectProblem(send(), 'invalid_request')).detail).toContain('file')
})

test('a form that does not parse is refused', async () => {
  const headers = { 'content-type': 'multipart/form-data; boundary=x' }
  await expectProblem(upload(user, FLIGHTS, {}, headers), 'invalid_form')
})

test.each(['text/csv', 'application/json', 'application/x-www-form-urlencoded', ''])(
  'the content type "%s" is refused',
  async (type) => {
    const datasetId = newDataset()
    const query = { datasetId, tableId: 't' }
    await expectProblem(upload(user, FLIGHTS, query, { 'content-type': type }), 'unsupported_media_type')
    expect(await stored(datasetId)).toEqual(NOTHING)
  },
)

/** A body whose bytes are made as they are read. */
function bodyOf(bytes: number, chunk = MEBIBYTE): ReadableStream {
  let left = bytes
  return new ReadableStream({
    pull(controller) {
      if (left === 0) return controller.close()
      const next = Math.min(left, chunk)
      left -= next
      controller.enqueue(new Uint8Array(next))
    },
  })
}

test('a body of unknown length is refused', async () => {
  const datasetId = newDataset()
  const response = call(`/api/compaction/upload?datasetId=${datasetId}&tableId=t`, {
    token: user.token,
    method: 'POST',
    body: bodyOf(1000),
    headers: { 'content-type': 'application/octet-stream' },
  })
  await expectProblem(response, 'length_required')
  expect(await stored(datasetId)).toEqual(NOTHING)
})

test.each([
  ['a body over the limit', 'application/octet-stream', 100 * MEBIBYTE + 1],
  ['a form over the limit of forms', 'multipart/form-data; boundary=x', 16 * MEBIBYTE + 1],
])('%s is refused before it is read', async (_what, type, bytes) => {
  const datasetId = newDataset()
  const headers = { 'content-length': String(bytes), 'content-type': type }
  await expectProblem(upload(user, FLIGHTS, { datasetId, tableId: 't' }, headers), 'body_too_large')
  expect(await stored(datasetId)).toEqual(NOTHING)
})

test.each([
  ['shorter', FLIGHTS, 1],
  ['longer', FLIGHTS, -1],
  ['shorter, of many chunks,', LONG, 1],
  ['longer, of many chunks,', LONG, -1],
])('a body %s than declared is refused and leaves nothing', async (_what, body, difference) => {
  const datasetId = newDataset()
  const headers = { 'content-length': String(body.length + difference) }
  await expectProblem(upload(user, body, { datasetId, tableId: 't' }, headers), 'length_mismatch')
  expect(await stored(datasetId)).toEqual(NOTHING)
})

test('a body that breaks off leaves nothing', async () => {
  const datasetId = newDataset()
  let pulls = 0
  const body = new ReadableStream({
    pull(controller) {
      if (pulls++ < 3) controller.enqueue(new Uint8Array(MEBIBYTE))
      else controller.error(new Error('the connection is gone'))
    },
  })
  const response = call(`/api/compaction/upload?datasetId=${datasetId}&tableId=t`, {
    token: user.token,
    method: 'POST',
    body,
    headers: { 'content-type': 'application/octet-stream', 'content-length': String(8 * MEBIBYTE) },
  })
  await expectProblem(response, 'length_mismatch')
  expect(await stored(datasetId)).toEqual(NOTHING)
})

test('too many uploads of one user are told to wait', async () => {
  const datasetId = newDataset()
  const hasty = await newUser('00000000-0000-4000-8000-000000000429')
  const response = await upload(hasty, FLIGHTS, { datasetId, tableId: 't' })
  expect(response.headers.get('retry-after')).toBe('60')
  await expectProblem(response, 'rate_limited')
  expect(await stored(datasetId)).toEqual(NOTHING)
})

test.each([undefined, 'nonsense'])('without a valid token (%s) nothing is read', async (token) => {
  const datasetId = newDataset()
  const response = call(`/api/compaction/upload?datasetId=${datasetId}&tableId=t`, {
    token,
    method: 'POST',
    body: FLIGHTS,
    headers: { 'content-type': 'application/octet-stream' },
  })
  await expectProblem(response, token === undefined ? 'unauthenticated' : 'invalid_token')
  expect(await stored(datasetId)).toEqual(NOTHING)
})
