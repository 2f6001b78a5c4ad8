import { MAX_FILE_WORK_BYTES, MAX_FOOTER_BYTES, UPLOAD_LIMITS } from '@fusou/catalog'
import { expect, test } from 'vitest'
import { type HostileFile, hostileFile, levelRun } from '../../parquet-compactor/test/hostile-file.ts'
import { holdFooter, holdForm, MAX_FORM_BYTES } from '../src/upload/upload-memory.ts'
import { call, catalog, expectProblem, newDataset, stored, upload } from './support/api.ts'
import { FLIGHTS, joinBytes, LONG_FOOTER } from './support/files.ts'
import { newUser } from './support/tokens.ts'

const user = await newUser()
const NOTHING = { objects: 0, files: 0 }
const HUGE = 2 ** 53 - 1

const nulls = (rows: number, pages = 1): HostileFile => ({
  repetition: 1,
  pages: Array.from({ length: pages }, () => ({ values: rows, body: levelRun(rows, 0) })),
})
const page = { values: 2, body: new Uint8Array(8) }

/** Files of some hundred bytes, and what the refusal says. */
const HOSTILE: [what: string, file: HostileFile, detail: RegExp][] = [
  ['2^53 - 1 rows without columns', { columns: 0, rows: [HUGE] }, /9007199254740991 rows, where \d+ are allowed/],
  ['rows without columns that its bytes could have', { columns: 0, rows: [1000] }, /the schema has no columns/],
  ['no rows and no columns', { columns: 0, rows: [] }, /the schema has no columns/],
  ['2^53 - 1 rows of a column', { pages: [page], rows: [HUGE] }, /c0: 9007199254740991 values in \d+ bytes/],
  ['2^40 rows in each of many row groups', { ...nulls(8), rows: [2 ** 40, 2 ** 40] }, /c0: 1099511627776 values in/],
  [
    'values of lists without rows',
    { repetition: 2, pages: [page], rows: [0], values: HUGE },
    /c0: 9007199254740991 values/,
  ],
  [
    'more uncompressed bytes than one file may have',
    { pages: [page], uncompressedBytes: MAX_FILE_WORK_BYTES },
    /1073741824 uncompressed bytes, 2 values and 1 column chunks are work of \d+ bytes, where 1073741824 are allowed/,
  ],
  ['more nulls than one file may have', nulls(10_000_000, 110), /1100000000 values and 1 column chunks/],
]

test.each(HOSTILE)('%s: refused with the figure, and nothing is left', async (_what, file, detail) => {
  const datasetId = newDataset()
  const bytes = hostileFile(file)
  expect(bytes.length).toBeLessThan(16_000)
  const problem = await expectProblem(upload(user, bytes, { datasetId, tableId: 't' }), 'unsupported_parquet')
  expect(problem.detail).toMatch(/^t: /)
  expect(problem.detail).toMatch(detail)
  expect(await stored(datasetId)).toEqual(NOTHING)
})

test('the work of a file is registered with it', async () => {
  const datasetId = newDataset()
  const user = await newUser()
  for (const bytes of [hostileFile(nulls(1000)), hostileFile(nulls(1001))])
    expect((await upload(user, bytes, { datasetId, tableId: 't' })).status).toBe(202)
  const message = { datasetId, priority: 'manual' as const }
  const attempt = await catalog.acceptMessage(crypto.randomUUID(), message, 60)
  if (attempt.outcome !== 'claimed') throw new Error(attempt.outcome)
  const listed = await catalog.listMergeableFiles(attempt, 10)
  if (listed.outcome !== 'ok') throw new Error(listed.outcome)
  const [first, second] = listed.files.map(({ workBytes }) => workBytes)
  expect(first).toBeGreaterThan(1000 + 4096)
  expect(second! - first!).toBe(1)
})

/** A file whose footer has exactly so many bytes. */
function withFooter(bytes: number): Uint8Array<ArrayBuffer> {
  const of = (last: number) =>
    hostileFile({ columns: 10_000, rows: Array.from({ length: 25 }, () => 0), keyValues: [['key', 'v'.repeat(last)]] })
  const footerOf = (file: Uint8Array) => new DataView(file.buffer).getUint32(file.length - 8, true) + 8
  const length = 500_000
  return of(length + bytes - footerOf(of(length)))
}

test('a footer of the limit is read, and one byte more is refused', async () => {
  const datasetId = newDataset()
  const most = withFooter(MAX_FOOTER_BYTES)
  const answer = await upload(user, most, { datasetId, tableId: 't' })
  expect(answer.status).toBe(202)
  const problem = await expectProblem(
    upload(user, withFooter(MAX_FOOTER_BYTES + 1), { datasetId, tableId: 't' }),
    'unsupported_parquet',
  )
  expect(problem.detail).toContain(
    `t: a footer of ${MAX_FOOTER_BYTES + 1} bytes, where ${MAX_FOOTER_BYTES} are allowed`,
  )
})

test('columns of the limit are taken, and one more is refused', async () => {
  const datasetId = newDataset()
  const { maxColumns } = UPLOAD_LIMITS
  const of = (columns: number) => hostileFile({ columns, rows: [] })
  expect((await upload(user, of(maxColumns), { datasetId, tableId: 't' })).status).toBe(202)
  const problem = await expectProblem(
    upload(user, of(maxColumns + 1), { datasetId, tableId: 't' }),
    'unsupported_parquet',
  )
  expect(problem.detail).toContain(`${maxColumns + 1} columns and groups, where ${maxColumns} are allowed`)
})

test('key-value metadata of the limit is taken, and one byte more is refused', async () => {
  const datasetId = newDataset()
  const of = (bytes: number) => hostileFile({ ...nulls(3), keyValues: [['k', 'v'.repeat(bytes - 1)]] })
  const { maxKeyValueBytes } = UPLOAD_LIMITS
  expect((await upload(user, of(maxKeyValueBytes), { datasetId, tableId: 't' })).status).toBe(202)
  const problem = await expectProblem(
    upload(user, of(maxKeyValueBytes + 1), { datasetId, tableId: 't' }),
    'unsupported_parquet',
  )
  expect(problem.detail).toContain(`${maxKeyValueBytes + 1} bytes of key-value metadata`)
})

function formOf(datasetId: string, bytes: Uint8Array<ArrayBuffer>): FormData {
  const form = new FormData()
  form.set('datasetId', datasetId)
  form.set('tableId', 't')
  form.set('file', new File([bytes], 'f.parquet'))
  return form
}

test('forms that do not fit into the memory of the isolate come again later; small ones go on', async () => {
  const datasetId = newDataset()
  const send = (bytes: Uint8Array<ArrayBuffer>) =>
    call('/api/compaction/upload', { token: user.token, method: 'POST', body: formOf(datasetId, bytes) })
  const large = joinBytes(FLIGHTS, new Uint8Array(6 * 1024 * 1024))
  {
    using _ = await holdForm(MAX_FORM_BYTES)
    const [refused, taken] = await Promise.all([send(large), send(joinBytes(FLIGHTS))])
    expect(taken.status).toBe(202)
    expect(refused.headers.get('retry-after')).toBe('5')
    await expectProblem(refused, 'overloaded')
  }
  // the memory is free again: now the file itself is looked at
  await expectProblem(send(large), 'invalid_parquet')
  await expectProblem(send(large), 'invalid_parquet')
})

test('long footers that do not fit into the memory of the isolate come again later, and their object is taken back', async () => {
  const datasetId = newDataset()
  const send = () => upload(user, LONG_FOOTER, { datasetId, tableId: 't' })
  {
    using _ = await holdFooter(MAX_FOOTER_BYTES)
    await expectProblem(send(), 'overloaded')
  }
  expect(await stored(datasetId)).toEqual({ objects: 0, files: 0 })
  expect((await send()).status).toBe(202)
})
