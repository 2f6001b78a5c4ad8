import { createHash } from 'node:crypto'
import { AN_OPERATOR, asUser, uploadKey } from '@fusou/catalog'
import { inspectParquet, memorySource } from '@fusou/parquet-compactor'
import { parquetReadObjects } from 'hyparquet'
import { type ColumnSource, parquetWriteBuffer } from 'hyparquet-writer'
import { catalog, env } from './test-env.ts'

export const newDatasetId = () => `test-${crypto.randomUUID()}`
export const newUserId = () => crypto.randomUUID()

/** A Parquet file of `rows` rows, their ids from `first` on. */
export function fragment(
  first: number,
  rows: number,
  extraColumn?: string,
  nameOf = (id: number) => `name-${id}`,
): Uint8Array<ArrayBuffer> {
  const ids = Int32Array.from({ length: rows }, (_, row) => first + row)
  const names = Array.from(ids, nameOf)
  const columnData: ColumnSource[] = [
    { name: 'id', data: ids, type: 'INT32', nullable: false },
    { name: 'name', data: names, type: 'STRING' },
  ]
  if (extraColumn !== undefined) columnData.push({ name: extraColumn, data: ids, type: 'INT32', nullable: false })
  return new Uint8Array(parquetWriteBuffer({ columnData }))
}

export interface Part {
  table: string
  periodTag?: string
  bytes: Uint8Array
  /** a file whose schema the catalog takes this one's to be */
  registeredAs?: Uint8Array
}

/** An upload whose owner asks for a merge at once; the message is not sent. */
export async function uploadAndAsk(datasetId: string, userId: string, parts: readonly Part[]) {
  const { r2Key } = await upload(datasetId, userId, parts)
  const asked = await catalog.requestCompaction({ datasetId, requester: asUser(userId), sender: 'test' })
  if (asked.outcome !== 'requested') throw new Error(asked.outcome)
  return { r2Key, jobId: asked.jobId, outbox: asked.outbox }
}

/** Put the parts end to end into one object and register it, as the upload route does. */
export async function upload(datasetId: string, userId: string, parts: readonly Part[]) {
  const r2Key = uploadKey(datasetId)
  await env.BUCKET.put(r2Key, await new Blob(parts.map(({ bytes }) => bytes as Uint8Array<ArrayBuffer>)).arrayBuffer())
  let offset = 0
  const slices = []
  for (const { table, periodTag = '0', bytes, registeredAs = bytes } of parts) {
    const summary = await inspectParquet(memorySource(table, bytes))
    slices.push({
      table,
      periodTag,
      offset,
      length: bytes.byteLength,
      rows: summary.rowCount,
      rowGroups: summary.rowGroupCount,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      fingerprint: (await inspectParquet(memorySource(table, registeredAs))).schemaFingerprint,
    })
    offset += bytes.byteLength
  }
  const registered = await catalog.registerUpload({
    datasetId,
    requester: asUser(userId),
    object: { r2Key, slices },
    sender: 'test',
  })
  if (registered.outcome !== 'stored') throw new Error(`the upload was answered ${registered.outcome}`)
  return { r2Key, jobId: registered.jobId }
}

export async function liveFiles(datasetId: string) {
  const page = await catalog.listFiles({ datasetId, requester: AN_OPERATOR, limit: 1000 })
  if (page.outcome !== 'ok') throw new Error(page.outcome)
  return page.files
}

/** Every row of the live files of a table, read by hyparquet. */
export async function liveIds(datasetId: string, table: string): Promise<number[]> {
  const ids: number[] = []
  for (const listed of await liveFiles(datasetId)) {
    if (listed.table !== table) continue
    const file = await catalog.getFile(listed.id, AN_OPERATOR)
    const object = await env.BUCKET.get(file!.r2Key, { range: { offset: file!.offset, length: file!.length } })
    const rows = await parquetReadObjects({ file: await object!.arrayBuffer() })
    ids.push(...rows.map((row) => row.id as number))
  }
  return ids.sort((a, b) => a - b)
}

export const range = (first: number, rows: number) => Array.from({ length: rows }, (_, row) => first + row)
