import { AN_OPERATOR, asUser } from '@fusou/catalog'
import fc from 'fast-check'
import { type FileMetaData, parquetMetadataAsync, parquetReadObjects } from 'hyparquet'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { expect, test } from 'vitest'
import { bindings, call, catalog, json, newDataset, post, upload } from './support/api.ts'
import { sha256 } from './support/files.ts'
import { newUser } from './support/tokens.ts'

// Readers of a table file, between any two requests of whom the table changes in any way: each gets the rows of the version
// whose footer it has read, or an error once that version has been vacuumed, and never others.

const WALKS = 6
const ROWS_OF_GROUP = 3
const RETENTION_SECONDS = 3600
const LEASE_SECONDS = 600
const owner = await newUser()

const period = fc.constantFrom('1', '2')
const action = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('upload'), rows: fc.integer({ min: 0, max: 8 }), period }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('delete'), period }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'restore' } as const) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('merge'), period }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'vacuum' } as const) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('open'), suffix: fc.boolean(), pinned: fc.boolean() }) },
  { weight: 12, arbitrary: fc.record({ kind: fc.constant('read'), pick: fc.nat() }) },
)
type Action = typeof action extends fc.Arbitrary<infer T> ? T : never

/** A reader whose version is vacuumed before its first row. */
const MEETS_VACUUM: Action[] = [
  { kind: 'open', suffix: true, pinned: false },
  { kind: 'upload', rows: 2, period: '2' },
  { kind: 'delete', period: '1' },
  { kind: 'vacuum' },
]

/** An engine in the middle of a scan. */
interface Reader {
  readonly version: number
  readonly metadata: FileMetaData
  readonly file: { byteLength: number; slice(start: number, end?: number): Promise<ArrayBuffer> }
  groupsRead: number
  readonly ids: number[]
}

class Walk {
  readonly datasetId = newDataset()
  /** ids of rows, ascending, of each version that there ever was */
  readonly #versions = new Map<number, number[]>()
  /** by the hash of their bytes: a file that is restored has another id */
  readonly #live = new Map<string, { ids: number[]; period: string }>()
  readonly #deletions: { id: number; files: [string, { ids: number[]; period: string }][] }[] = []
  #nextId = 0
  #readers: Reader[] = []
  finished = 0
  gone = 0

  async step(step: Action): Promise<void> {
    switch (step.kind) {
      case 'upload':
        return this.#upload(step.rows, step.period)
      case 'delete':
        return this.#delete(step.period)
      case 'restore':
        return this.#restore()
      case 'merge':
        return this.#merge(step.period)
      case 'vacuum':
        return this.#vacuum()
      case 'open':
        return this.#open(step)
      default:
        return this.#read(step.pick)
    }
  }

  /** Every reader reads on to its end. */
  async finish(): Promise<void> {
    while (this.#readers.length > 0) await this.#read(0)
  }

  async #upload(rows: number, period: string): Promise<void> {
    const ids = Array.from({ length: rows }, () => this.#nextId++)
    // two files without rows are two uploads only if their bytes differ
    const bytes = fileOf(ids, `file ${this.#nextId++}`)
    const answer = await upload(owner, bytes, { datasetId: this.datasetId, tableId: 't', periodTag: period })
    expect(answer.status).toBe(202)
    this.#live.set(await sha256(bytes), { ids, period })
    await this.#note()
  }

  async #delete(period: string): Promise<void> {
    const path = `/api/datasets/${this.datasetId}/tables/t/periods/${period}`
    const { deletion } = await json<{ deletion: { id: number } | null }>(path, { ...owner, method: 'DELETE' })
    const files = this.#filesOf(period)
    expect(deletion === null).toBe(files.length === 0)
    if (deletion) this.#deletions.push({ id: deletion.id, files })
    for (const [hash] of files) this.#live.delete(hash)
    await this.#note()
  }

  async #restore(): Promise<void> {
    const deletion = this.#deletions.pop()
    if (deletion === undefined) return
    const path = `/api/datasets/${this.datasetId}/deletions/${deletion.id}/restore`
    const answer = await post(path, {}, { ...owner })
    // vacuum has taken it
    if (answer.status === 410) return
    expect(answer.status).toBe(200)
    for (const [hash, file] of deletion.files) this.#live.set(hash, file)
    await this.#note()
  }

  #filesOf(period: string) {
    return [...this.#live].filter(([, file]) => file.period === period)
  }

  /** As a job does it; another writer stands for the engine. */
  async #merge(period: string): Promise<void> {
    const requester = asUser(owner.id)
    const { datasetId } = this
    const asked = await catalog.requestCompaction({ datasetId, requester, sender: 'a test' })
    if (asked.outcome !== 'requested') throw new Error(asked.outcome)
    const message = { datasetId, priority: 'manual', jobId: asked.jobId } as const
    const claimed = await catalog.acceptMessage(crypto.randomUUID(), message, LEASE_SECONDS)
    if (claimed.outcome !== 'claimed') throw new Error(claimed.outcome)
    const attempt = { jobId: claimed.jobId, attempt: claimed.attempt }
    const inputs = this.#filesOf(period)
    const isMerge = inputs.length > 1
    const listed = await json<{ files: { id: string; sha256: string }[] }>(`/api/datasets/${datasetId}/files`, owner)
    const inputIds = inputs.map(([hash]) => listed.files.find((file) => file.sha256 === hash)!.id)
    const planned = await catalog.savePlan(attempt, isMerge ? [inputIds] : [])
    expect(planned).toEqual({ outcome: 'ok', merges: Number(isMerge) })
    if (isMerge) {
      const ids = inputs.flatMap(([, file]) => file.ids)
      const opened = await catalog.openMerge(attempt, 1, { leaseSeconds: LEASE_SECONDS })
      if (opened.outcome !== 'ok') throw new Error(opened.outcome)
      const output = { ...(await this.#store(ids)), fingerprint: opened.fingerprint! }
      expect((await catalog.commitMerge(attempt, 1, output, LEASE_SECONDS)).outcome).toBe('committed')
      for (const [hash] of inputs) this.#live.delete(hash)
      this.#live.set(output.sha256, { ids, period })
    }
    await catalog.finishJob(attempt, { result: {}, more: false, sender: 'a test' })
    await this.#note()
  }

  async #store(ids: readonly number[]) {
    const bytes = fileOf(ids, `merge ${this.#nextId++}`)
    const r2Key = `datasets/${this.datasetId}/merged/${crypto.randomUUID()}.parquet`
    await bindings.BUCKET.put(r2Key, bytes)
    const rowGroups = Math.ceil(ids.length / ROWS_OF_GROUP)
    const sizes = { bytes: bytes.byteLength, rows: ids.length, rowGroups }
    return { r2Key, ...sizes, sha256: await sha256(bytes) }
  }

  async #vacuum(): Promise<void> {
    await catalog.configureDataset(this.datasetId, AN_OPERATOR, { retentionSeconds: 0 })
    const keys = await catalog.claimGarbage(1000)
    await bindings.BUCKET.delete(keys.filter((key) => key.startsWith(`datasets/${this.datasetId}/`)))
    await catalog.configureDataset(this.datasetId, AN_OPERATOR, { retentionSeconds: RETENTION_SECONDS })
  }

  async #open({ suffix, pinned }: { suffix: boolean; pinned: boolean }): Promise<void> {
    if (this.#live.size === 0) return
    const pin = pinned ? `@${await this.#version()}` : ''
    const path = `/api/datasets/${this.datasetId}/tables/t${pin}.parquet`
    const file = suffix ? await openByEnd(path) : await openByHead(path)
    const metadata = await parquetMetadataAsync(file)
    const version = Number(metadata.key_value_metadata!.find(({ key }) => key === 'fusou.version')!.value)
    expect(Number(metadata.num_rows)).toBe(this.#versions.get(version)!.length)
    this.#readers.push({ version, metadata, file, groupsRead: 0, ids: [] })
  }

  /** One row group, by as many requests as it takes. */
  async #read(pick: number): Promise<void> {
    const reader = this.#readers[pick % this.#readers.length]
    if (reader === undefined) return
    const groups = reader.metadata.row_groups
    const isEnd = reader.groupsRead === groups.length
    if (isEnd) {
      expect(reader.ids.toSorted((a, b) => a - b)).toEqual(this.#versions.get(reader.version))
      this.finished += 1
    } else if (await this.#readGroup(reader)) return
    this.#readers = this.#readers.filter((other) => other !== reader)
  }

  /** @returns false if the version is gone */
  async #readGroup(reader: Reader): Promise<boolean> {
    const { file, metadata } = reader
    const before = metadata.row_groups.slice(0, reader.groupsRead)
    const rowStart = before.reduce((sum, group) => sum + Number(group.num_rows), 0)
    const rowEnd = rowStart + Number(metadata.row_groups[reader.groupsRead]!.num_rows)
    try {
      if (rowEnd > rowStart) {
        const rows = await parquetReadObjects({ file, metadata, columns: ['id'], rowStart, rowEnd })
        reader.ids.push(...rows.map(({ id }) => id as number))
      }
      reader.groupsRead += 1
      return true
    } catch (error) {
      // 404 where nothing is left of the table
      expect(String(error)).toMatch(/^Error: (410|404: .*unknown_table)/)
      expect(reader.version, 'only what was vacuumed is gone').toBeLessThan(await this.#oldestVersion())
      this.gone += 1
      return false
    }
  }

  async #note(): Promise<void> {
    const ids = [...this.#live.values()].flatMap((file) => file.ids).toSorted((a, b) => a - b)
    this.#versions.set(await this.#version(), ids)
  }

  async #version(): Promise<number> {
    return (await json<{ version: number }>(`/api/datasets/${this.datasetId}`, owner)).version
  }

  async #oldestVersion(): Promise<number> {
    return (await json<{ oldestVersion: number }>(`/api/datasets/${this.datasetId}`, owner)).oldestVersion
  }
}

const fileOf = (ids: readonly number[], mark: string) =>
  new Uint8Array(
    parquetWriteBuffer({
      columnData: [
        { name: 'id', data: [...ids], type: 'INT32' },
        { name: 'text', data: ids.map((id) => `row ${id}`), type: 'STRING' },
      ],
      rowGroupSize: ROWS_OF_GROUP,
      kvMetadata: [{ key: 'mark', value: mark }],
    }),
  )

const fileAt = (path: string, byteLength: number) => ({
  byteLength,
  async slice(start: number, end = byteLength) {
    const response = await call(path, { ...owner, headers: { range: `bytes=${start}-${end - 1}` } })
    if (response.status !== 206) throw new Error(`${response.status}: ${await response.text()}`)
    return response.arrayBuffer()
  },
})

async function openByHead(path: string) {
  const head = await call(path, { ...owner, method: 'HEAD' })
  expect(head.status).toBe(200)
  return fileAt(path, Number(head.headers.get('content-length')))
}

async function openByEnd(path: string) {
  const end = await call(path, { ...owner, headers: { range: 'bytes=-8' } })
  expect(end.status).toBe(206)
  return fileAt(path, Number(end.headers.get('content-range')!.split('/')[1]))
}

test('a reader gets the rows of the version whose footer it has read, or an error', async () => {
  let finished = 0
  let gone = 0
  await fc.assert(
    fc.asyncProperty(fc.array(action, { minLength: 20, maxLength: 40, size: 'max' }), async (steps) => {
      const walk = new Walk()
      await walk.step({ kind: 'upload', rows: 4, period: '1' })
      for (const step of steps) await walk.step(step)
      await walk.finish()
      finished += walk.finished
      gone += walk.gone
    }),
    { numRuns: WALKS, endOnFailure: true, examples: [[MEETS_VACUUM]] },
  )
  expect(finished).toBeGreaterThan(0)
  expect(gone).toBeGreaterThan(0)
}, 300_000)
