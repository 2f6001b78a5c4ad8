import { createHash, randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { FusouError, MAX_FACTS_BYTES } from '@fusou/catalog'
import type { Context } from 'hono'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { readLeaves, scanObject } from '../../src/adopt/scan-object.ts'
import type { AppEnv } from '../../src/bindings.ts'
import { publishAfterAnswer } from '../../src/publish.ts'
import { readColumns } from '../../src/routes/datasets/table-columns.ts'
import { SliceInspector } from '../../src/upload/slice-inspector.ts'

const fixture = (name: string) => new Uint8Array(readFileSync(`${import.meta.dirname}/../fixtures/${name}.parquet`))
const [FLIGHTS, CARRIERS, LONG_FOOTER] = ['flights', 'carriers', 'long-footer'].map(fixture) as [
  Uint8Array,
  Uint8Array,
  Uint8Array,
]
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
const join = (...parts: Uint8Array[]) => new Uint8Array(Buffer.concat(parts))
const leaf = 'ab'.repeat(32)
const owner = randomUUID()
const job = randomUUID()
const KEY = 'datasets/d/uploads/u.parquet'

interface Sidecar {
  text: string
  size?: number
}
/** A bucket with one object and perhaps a sidecar. */
function bucketOf(bytes: Uint8Array | null, sidecar?: Sidecar) {
  const gets: unknown[] = []
  const get = async (key: string, options?: { range: { offset: number; length: number } }) => {
    gets.push(options === undefined ? key : [key, options])
    if (key === `${KEY}.facts`) return sidecar ? { size: sidecar.size ?? 1, text: async () => sidecar.text } : null
    if (bytes === null) return null
    const { offset, length } = options?.range ?? { offset: 0, length: bytes.length }
    const part = bytes.slice(offset, offset + length)
    return { size: bytes.length, body: new Blob([part]).stream(), arrayBuffer: async () => part.buffer }
  }
  return { bucket: { get } as unknown as R2Bucket, gets }
}
const scan = (bytes: Uint8Array | null, customMetadata: object, sidecar?: Sidecar, size = bytes?.length ?? 1) =>
  scanObject(bucketOf(bytes, sidecar).bucket, { key: KEY, size, customMetadata } as unknown as R2Object)

const place = { r2Key: KEY, known: false, datasetId: 'd', table: 't', periodTag: 'p' }
const faulty = (fault: string, changes: object = {}) => [{ ...place, offset: 0, level: 0, fault, ...changes }]
const nowhere = { datasetId: 'unknown', table: 'unknown', periodTag: '0' }

describe('an upload that no row names', () => {
  const upload = { dataset: 'd', owner, period: 'p', tier: '0' }
  const slices = [
    ['t', FLIGHTS.length],
    ['v', CARRIERS.length],
  ]
  const found = [
    { ...place, ownerId: owner, level: 0, offset: 0, length: FLIGHTS.length, rows: 3, sha256: sha256(FLIGHTS) },
    {
      ...place,
      table: 'v',
      ownerId: owner,
      level: 0,
      offset: FLIGHTS.length,
      length: CARRIERS.length,
      rows: 2,
      sha256: sha256(CARRIERS),
    },
  ]
  const object = join(FLIGHTS, CARRIERS)

  test('is what its bytes are, where its metadata or its sidecar says', async () => {
    expect(await scan(object, { ...upload, slices: JSON.stringify(slices) })).toMatchObject(found)
    expect(await scan(object, upload, { text: JSON.stringify({ slices }) })).toMatchObject(found)
    const bound = { text: JSON.stringify({ slices }), size: MAX_FACTS_BYTES }
    expect(await scan(object, upload, bound)).toMatchObject(found)
  })

  test.each<[string, Sidecar | undefined]>([
    ['no sidecar', undefined],
    ['one that is not JSON', { text: '{' }],
    ['one of another form', { text: '{"slices":[]}' }],
    ['one that is too long', { text: JSON.stringify({ slices }), size: MAX_FACTS_BYTES + 1 }],
  ])('with no slices and %s does not tell its tables', async (_, sidecar) => {
    expect(await scan(object, upload, sidecar)).toEqual(faulty('no_metadata', { table: 'unknown' }))
  })

  test('whose slices are not as long as it is, whose bytes are gone, or no Parquet, is named by its first table', async () => {
    const metadata = { ...upload, slices: JSON.stringify(slices) }
    expect(await scan(object, metadata, undefined, object.length + 1)).toEqual(faulty('no_metadata'))
    expect(await scan(null, metadata, undefined, object.length)).toEqual(faulty('not_parquet'))
    expect(await scan(new Uint8Array(object.length), metadata)).toEqual(faulty('not_parquet'))
  })
})

describe('a merged object that no row names', () => {
  const merged = { dataset: 'd', owner, table: 't', period: 'p', tier: '2', job, fingerprint: 'f' }
  const facts = (rows: number[], duplicateRows = 0, ancestors: string[] = ['k']): Sidecar => ({
    text: JSON.stringify({ leaves: rows.map((count) => [leaf, count]), ancestors, duplicateRows }),
  })

  test('is what its bytes are, with the uploads that its sidecar names', async () => {
    const whole = { ...place, ownerId: owner, level: 2, offset: 0, rows: 3, sha256: sha256(FLIGHTS), ancestors: ['k'] }
    expect(await scan(FLIGHTS, merged, facts([1, 2]))).toMatchObject([{ ...whole, leaves: [leaf, leaf] }])
    expect(await scan(FLIGHTS, merged, facts([5], 2))).toMatchObject([{ ...whole, leaves: [leaf] }])
  })

  test.each<[string, Sidecar | undefined, string]>([
    ['has no sidecar', undefined, 'no_lineage'],
    ['names no upload', facts([]), 'no_lineage'],
    ['names fewer rows', facts([2]), 'lineage_mismatch'],
    ['names more rows', facts([4]), 'lineage_mismatch'],
    ['names more rows than its merges left out', facts([5], 1), 'lineage_mismatch'],
  ])('that %s is for a person', async (_, sidecar, fault) => {
    expect(await scan(FLIGHTS, merged, sidecar)).toEqual(faulty(fault))
  })

  test('that is no Parquet is named as such', async () => {
    expect(await scan(new Uint8Array(12), merged, facts([3]))).toEqual(faulty('not_parquet'))
  })

  test('that is live tells its origin, if it can', async () => {
    expect(await readLeaves(bucketOf(FLIGHTS, facts([1])).bucket, KEY)).toEqual({ leaves: [leaf], ancestors: ['k'] })
    expect(await readLeaves(bucketOf(FLIGHTS).bucket, KEY)).toBeUndefined()
  })
})

test('an object without metadata, or of more than 1 GiB, is for a person', async () => {
  expect(await scan(FLIGHTS, {})).toEqual(faulty('no_metadata', nowhere))
  expect(await scan(FLIGHTS, {}, undefined, 2 ** 30)).toEqual(faulty('no_metadata', nowhere))
  expect(await scan(FLIGHTS, {}, undefined, 2 ** 30 + 1)).toEqual(faulty('too_large', nowhere))
})

describe('the inspector', () => {
  const slices = [FLIGHTS, CARRIERS, LONG_FOOTER].map((bytes, index, all) => ({
    table: `t${index}`,
    offset: all.slice(0, index).reduce((sum, before) => sum + before.length, 0),
    length: bytes.length,
  }))
  const object = join(FLIGHTS, CARRIERS, LONG_FOOTER)
  const readObject = vi.fn(async (offset: number, length: number) => object.slice(offset, offset + length))
  beforeEach(() => readObject.mockClear())

  test.each([1000, 4096, 1 << 20])(
    'finds the same in chunks of %i bytes, and reads long footers back',
    async (size) => {
      const inspector = new SliceInspector(slices)
      for (let at = 0; at < object.length; at += size) await inspector.take(object.slice(at, at + size))
      expect(inspector.known()).toBeUndefined()
      const { sha256: whole, slices: found } = await inspector.finish(readObject)
      expect(whole).toBe(sha256(object))
      expect(found).toMatchObject([
        { ...slices[0], rows: 3, rowGroups: 1, sha256: sha256(FLIGHTS) },
        { ...slices[1], rows: 2, rowGroups: 1, sha256: sha256(CARRIERS) },
        { ...slices[2], rows: 5, sha256: sha256(LONG_FOOTER) },
      ])
      expect(readObject).toHaveBeenCalled()
      for (const [offset] of readObject.mock.calls) expect(offset).toBeGreaterThanOrEqual(slices[2]!.offset)
    },
  )

  test('knows an object of one slice once its last byte has passed', async () => {
    const inspector = new SliceInspector([slices[0]!])
    await inspector.take(FLIGHTS.subarray(0, -1))
    expect(inspector.known()).toBeUndefined()
    await inspector.take(FLIGHTS.subarray(-1))
    const { slices: found } = await inspector.finish(readObject)
    expect(inspector.known()).toEqual({ sha256: sha256(FLIGHTS), rows: '3', fingerprint: found[0]!.fingerprint })
    expect(readObject).not.toHaveBeenCalled()
  })
})

describe('the columns of a file', () => {
  const sample = { id: 'f', r2Key: KEY, offset: 0, length: FLIGHTS.length }

  test('are read from its footer', async () => {
    const columns = await readColumns(bucketOf(FLIGHTS).bucket, sample)
    expect(columns!.length).toBeGreaterThan(1)
    const behind = bucketOf(join(CARRIERS, FLIGHTS)).bucket
    expect(await readColumns(behind, { ...sample, offset: CARRIERS.length })).toEqual(columns)
  })

  test('are not known where its bytes are gone or damaged', async () => {
    expect(await readColumns(bucketOf(null).bucket, sample)).toBeUndefined()
    expect(await readColumns(bucketOf(new Uint8Array(FLIGHTS.length)).bucket, sample)).toBeUndefined()
    expect(await readColumns(bucketOf(FLIGHTS).bucket, { ...sample, length: FLIGHTS.length + 1 })).toBeUndefined()
  })

  test('can be asked for again where the bucket does not answer', async () => {
    const failing = { get: () => Promise.reject(new Error('10001')), head: async () => ({ size: FLIGHTS.length }) }
    await expect(readColumns(failing as unknown as R2Bucket, sample)).rejects.toMatchObject({
      code: 'storage_unavailable',
      detail: 'the schema could not be read; try again',
      cause: { code: 'read_failed' },
    })
  })
})

describe('the messages of a change', () => {
  afterEach(() => vi.restoreAllMocks())
  async function publish(types: (string | null)[], send: () => Promise<void> = async () => {}) {
    const calls: unknown[][] = []
    const waited: Promise<unknown>[] = []
    const method =
      (name: string) =>
      async (...given: unknown[]) =>
        void calls.push([name, ...given])
    const queue = (...given: unknown[]) => {
      calls.push(['send', ...given])
      return send()
    }
    const context = {
      var: {
        requestId: 'r',
        services: { catalog: { completeOutbox: method('complete'), releaseOutbox: method('release') } },
      },
      env: { COMPACTION_QUEUE: { send: queue } },
      executionCtx: { waitUntil: (promise: Promise<unknown>) => waited.push(promise) },
    }
    vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const messages = types.map((type, id) => type && { id, type, payload: { id } })
    publishAfterAnswer(context as unknown as Context<AppEnv>, messages as never)
    await Promise.all(waited)
    return { calls, waited: waited.length }
  }

  test('are sent after the answer, and settled under the name of the request', async () => {
    const { calls, waited } = await publish(['compaction.requested', null])
    expect(calls).toEqual([
      ['send', { id: 0 }, { contentType: 'json' }],
      ['complete', [0], 'web:r'],
    ])
    expect(waited).toBe(1)
    expect(await publish([null])).toEqual({ calls: [], waited: 0 })
  })

  test('that no queue takes are left to the relay', async () => {
    const odd = await publish(['job.dead'])
    expect(odd.calls).toMatchObject([
      ['release', [0], 'web:r', expect.stringContaining('no queue here takes job.dead')],
    ])
    const refused = await publish(['compaction.requested'], () => Promise.reject(new FusouError('internal', 'full')))
    expect(refused.calls.map(([name]) => name)).toEqual(['send', 'release'])
  })
})
