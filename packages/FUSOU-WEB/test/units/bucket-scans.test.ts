import { createHash } from 'node:crypto'
import type { Catalog, StoredCopy } from '@fusou/catalog'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { scanBucket } from '../../src/adopt/scan-bucket.ts'
import { readLeaves, scanObject } from '../../src/adopt/scan-object.ts'
import { findBrokenCopies } from '../../src/upload/find-broken-copies.ts'
import { previewVacuum } from '../../src/vacuum/preview-vacuum.ts'

vi.mock('../../src/adopt/scan-object.ts', () => ({ scanObject: vi.fn(), readLeaves: vi.fn() }))
beforeEach(() => {
  vi.mocked(scanObject).mockReset()
  vi.mocked(readLeaves).mockReset()
})
afterEach(() => vi.useRealTimers())

const OWNER = '0b9e3f0c-54e6-4c1c-a3fb-7a63e5a6c7f2'
const FILE = '6f0c7c64-8a7a-4f0e-9d3a-2b0d7ad8d6a1'
const away = () => Promise.reject(new Error('10001'))

describe('a page of the scan', () => {
  const key = (name: string) => `datasets/d/uploads/${name}.parquet`
  const note = (r2Key: string) => ({
    r2Key,
    offset: 0,
    known: false,
    datasetId: 'd',
    table: 't',
    periodTag: 'p',
    level: 0,
  })
  const merged = (r2Key: string) => ({ r2Key, datasetId: 'd', table: 't', periodTag: 'p', level: 2 })

  interface Given {
    sizes: Record<string, number>
    truncated?: boolean
    after?: string | null
    unnamed?: string[]
    live?: string[]
    begun?: string
    noted?: string
    owner?: object | null
    bucket?: object
  }
  async function scan({
    sizes,
    truncated = false,
    after = null,
    unnamed = [],
    live = [],
    begun = 'ok',
    noted = 'ok',
    owner = null,
    bucket = {},
  }: Given) {
    const lists: unknown[] = []
    const begins: unknown[] = []
    const notes: unknown[][] = []
    const owners: string[] = []
    vi.mocked(scanObject).mockImplementation(async (_, object) => [note(object.key)])
    const fake = {
      list: async (options: unknown) => {
        lists.push(options)
        return { objects: Object.entries(sizes).map(([name, size]) => ({ key: name, size })), truncated }
      },
      get: async (name: string) => {
        owners.push(name)
        return owner === null ? null : { text: async () => JSON.stringify(owner) }
      },
      ...bucket,
    }
    const catalog = {
      beginAdoptionPage: async (...given: unknown[]) => {
        begins.push(given)
        return { outcome: begun, unnamed, merged: live.map(merged) }
      },
      noteAdoptionObjects: async (scanId: string, objects: unknown[]) => {
        notes.push([scanId, objects])
        return { outcome: noted }
      },
    }
    const result = await scanBucket(fake as unknown as R2Bucket, catalog as unknown as Catalog, 'scan', after).catch(
      (error: unknown) => error,
    )
    return { result, lists, begins, notes, owners }
  }
  const [a, b, c] = [key('a'), key('b'), key('c')]

  test('begins at the start of the bucket or behind a key, and ends with its last key or that of the bucket', async () => {
    const first = await scan({ sizes: { [a]: 1, [`${a}.facts`]: 1 }, truncated: true })
    expect(first.lists).toEqual([{ prefix: 'datasets/', limit: 200, include: ['customMetadata'] }])
    expect(first.begins).toEqual([['scan', { after: null, last: `${a}.facts`, keys: [a] }]])
    expect(first.result).toEqual({ last: `${a}.facts`, objects: 1, unnamed: 0 })
    const last = await scan({ sizes: { [`${a}.facts`]: 1, [b]: 1 }, after: a })
    expect(last.lists).toMatchObject([{ startAfter: a }])
    expect(last.begins).toEqual([['scan', { after: a, last: null, keys: [b] }]])
    expect(last.result).toEqual({ last: null, objects: 1, unnamed: 0 })
  })

  test('inspects what no row names, and tells whom the bucket names as the owner, asked once', async () => {
    const owner = { owner: OWNER, earlierOwners: [FILE] }
    const { result, notes, owners } = await scan({ sizes: { [a]: 1, [b]: 1, [c]: 1 }, unnamed: [a, c], owner })
    const named = { datasetOwner: OWNER, earlierOwners: [FILE] }
    expect(notes).toEqual([
      ['scan', [{ ...note(a), ...named }]],
      ['scan', [{ ...note(c), ...named }]],
    ])
    expect(owners).toEqual(['.fusou/owners/d.json'])
    expect(result).toEqual({ last: null, objects: 3, unnamed: 2 })
    expect((await scan({ sizes: { [a]: 1 }, unnamed: [a] })).notes).toEqual([['scan', [note(a)]]])
  })

  test('reads the origin of live merged files, where they tell it', async () => {
    vi.mocked(readLeaves).mockImplementation(async (_, name) =>
      name === a ? { leaves: ['l'], ancestors: ['x'] } : undefined,
    )
    const { result, notes } = await scan({ sizes: { [a]: 1, [b]: 1 }, live: [a, b] })
    expect(notes).toEqual([['scan', [{ ...merged(a), leaves: ['l'], ancestors: ['x'], offset: 0, known: true }]]])
    expect(result).toEqual({ last: null, objects: 2, unnamed: 0 })
  })

  test('ends behind the object with which it has read 128 MiB of what no row names', async () => {
    const MIB = 2 ** 20
    const bound = await scan({ sizes: { [a]: 128 * MIB, [b]: 1 }, unnamed: [a, b] })
    expect(bound.result).toEqual({ last: a, objects: 1, unnamed: 1 })
    const below = await scan({ sizes: { [a]: 128 * MIB - 1, [b]: 1, [c]: 1 }, unnamed: [a, b, c] })
    expect(below.result).toEqual({ last: b, objects: 2, unnamed: 2 })
    const last = await scan({ sizes: { [a]: 1, [b]: 128 * MIB }, unnamed: [a, b] })
    expect(last.result).toEqual({ last: null, objects: 2, unnamed: 2 })
    const named = await scan({ sizes: { [a]: 128 * MIB, [b]: 1 }, unnamed: [b] })
    expect(named.result).toEqual({ last: null, objects: 2, unnamed: 1 })
  })

  test.each([{ begun: 'unknown_scan' }, { noted: 'unknown_scan' }])(
    'is refused where another has begun: %j',
    async (outcome) => {
      const { result } = await scan({ sizes: { [a]: 1 }, unnamed: [a], ...outcome })
      expect(result).toMatchObject({ code: 'unknown_scan' })
    },
  )

  test('can be repeated where the bucket does not answer', async () => {
    const sizes = { [a]: 1 }
    const cause = expect.objectContaining({ message: '10001' })
    for (const bucket of [{ list: away }, { get: away }])
      expect((await scan({ sizes, unnamed: [a], bucket })).result).toMatchObject({ code: 'storage_unavailable', cause })
    vi.mocked(readLeaves).mockImplementation(away)
    expect((await scan({ sizes, live: [a] })).result).toMatchObject({ code: 'storage_unavailable', cause })
  })
})

describe('copies of an upload', () => {
  const BYTES = new TextEncoder().encode('0123456789')
  const sha256 = (from: number, to: number) => createHash('sha256').update(BYTES.subarray(from, to)).digest('hex')
  const copy = (changes: Partial<StoredCopy>): StoredCopy => ({
    fileId: FILE,
    r2Key: 'k',
    offset: 2,
    length: 8,
    sha256: sha256(2, 10),
    quarantined: false,
    ...changes,
  })
  function fakeBucket(changes: object = {}) {
    const heads: string[] = []
    const gets: unknown[] = []
    const bucket = {
      head: async (key: string) => {
        heads.push(key)
        return key === 'k' ? { size: BYTES.length } : null
      },
      get: async (key: string, { range }: { range: { offset: number; length: number } }) => {
        gets.push([key, range])
        return { body: new Blob([BYTES.subarray(range.offset, range.offset + range.length)]).stream() }
      },
      ...changes,
    }
    return { bucket: bucket as unknown as R2Bucket, heads, gets }
  }

  test('are broken where their object is gone or ends before they do, which one look at each object tells', async () => {
    const { bucket, heads, gets } = fakeBucket()
    const copies = [copy({}), copy({ offset: 3 }), copy({ r2Key: 'gone', offset: 0, length: 1 }), copy({ length: 9 })]
    expect(await findBrokenCopies(bucket, copies)).toEqual([copies[1], copies[3], copies[2]])
    expect([heads, gets]).toEqual([['k', 'gone'], []])
  })

  test('in quarantine are read, and broken where they hold other bytes', async () => {
    const { bucket, gets } = fakeBucket()
    const well = copy({ quarantined: true })
    const other = copy({ quarantined: true, offset: 0, length: 8 })
    expect(await findBrokenCopies(bucket, [well, other])).toEqual([other])
    expect(gets).toEqual([
      ['k', { offset: 2, length: 8 }],
      ['k', { offset: 0, length: 8 }],
    ])
    expect(await findBrokenCopies(fakeBucket({ get: async () => null }).bucket, [well])).toEqual([well])
  })

  test.each(['head', 'get'])('are not known where the bucket does not take %s', async (method) => {
    const { bucket } = fakeBucket({ [method]: away })
    await expect(findBrokenCopies(bucket, [copy({ quarantined: true })])).rejects.toMatchObject({
      code: 'storage_unavailable',
      cause: { message: '10001' },
    })
  })
})

describe('a dry run of vacuum', () => {
  const at = '2026-11-22T08:00:00Z'
  const page = (item: object, next: object | null = null) => ({ items: [{ r2Key: 'k', since: at, ...item }], next })
  const pages = { unreadable: [{ index: 0, row: {} }] }

  async function preview(position: Parameters<typeof previewVacuum>[2], answers: object, bucket: object = {}) {
    const calls: unknown[][] = []
    const catalog = Object.fromEntries(
      Object.entries(answers).map(([name, answer]) => [
        name,
        async (...given: unknown[]) => {
          calls.push([name, ...given])
          return answer
        },
      ]),
    )
    const result = await previewVacuum(catalog as unknown as Catalog, bucket as R2Bucket, position, 9)
    return { result, calls }
  }

  test('begins with what is superseded: an object goes, unless it holds others that stay', async () => {
    const { result, calls } = await preview(null, {
      previewSuperseded: { ...page({ objectStays: false, bytes: 5 }, { at, id: FILE }), ...pages },
    })
    expect(calls).toEqual([['previewSuperseded', null, 9]])
    expect(result).toEqual({
      items: [{ reason: 'superseded', action: 'delete_object', r2Key: 'k', since: at, bytes: 5 }],
      ...pages,
      next: { reason: 'superseded', after: { at, id: FILE } },
    })
    const after = { at, id: FILE }
    const stays = await preview({ reason: 'superseded', after }, { previewSuperseded: page({ objectStays: true }) })
    expect(stays.calls).toEqual([['previewSuperseded', after, 9]])
    expect(stays.result.items).toMatchObject([{ action: 'forget_file' }])
    expect(stays.result.items[0]).not.toHaveProperty('objectStays')
    expect(stays.result.next).toEqual({ reason: 'refused', after: null })
  })

  test('goes on with what was refused, and how large it is', async () => {
    const head = async (key: string) => (key === 'k' ? { size: 7 } : null)
    const answer = { ...page({}), ...pages }
    answer.items.push({ r2Key: 'gone', since: at })
    const { result, calls } = await preview(
      { reason: 'refused', after: { key: 'a' } },
      { previewRefused: answer },
      { head },
    )
    expect(calls).toEqual([['previewRefused', { key: 'a' }, 9]])
    const refused = { reason: 'refused', action: 'delete_object', since: at }
    expect(result).toEqual({
      items: [
        { ...refused, r2Key: 'k', bytes: 7 },
        { ...refused, r2Key: 'gone', bytes: null },
      ],
      ...pages,
      next: { reason: 'incomplete_upload', after: null },
    })
  })

  test('then with uploads in parts', async () => {
    const { result, calls } = await preview(
      { reason: 'incomplete_upload', after: null },
      { previewIncompleteUploads: { ...page({ jobId: FILE }), ...pages } },
    )
    expect(calls).toEqual([['previewIncompleteUploads', null, 9]])
    expect(result).toEqual({
      items: [{ reason: 'incomplete_upload', action: 'abort_upload', r2Key: 'k', since: at, jobId: FILE, bytes: null }],
      ...pages,
      next: { reason: 'orphan', after: null },
    })
  })

  test('and ends with objects that are older than a day and have no row', async () => {
    vi.useFakeTimers({ now: Date.parse('2026-11-22T08:00:00Z'), toFake: ['Date'] })
    const uploaded = (key: string, iso: string, size = 3) => ({ key, size, uploaded: new Date(iso) })
    const objects = [
      uploaded('datasets/d/a', '2026-11-21T07:59:59Z'),
      uploaded('datasets/d/a.facts', '2026-11-21T07:59:59Z', 4),
      uploaded('datasets/d/named', '2026-11-20T00:00:00Z'),
      uploaded('.fusou/health', '2026-11-20T00:00:00Z'),
      uploaded('datasets/d/young', '2026-11-21T08:00:00Z'),
    ]
    const lists: unknown[] = []
    const bucket = (truncated: boolean) => ({
      list: async (options: unknown) => {
        lists.push(options)
        return { objects, truncated }
      },
    })
    const answers = { listOrphans: ['datasets/d/a'] }
    const first = await preview({ reason: 'orphan', after: null }, answers, bucket(true))
    expect(first.calls).toEqual([['listOrphans', ['datasets/d/a', 'datasets/d/a', 'datasets/d/named']]])
    const orphan = { reason: 'orphan', action: 'delete_object', since: '2026-11-21T07:59:59.000Z' }
    expect(first.result).toEqual({
      items: [
        { ...orphan, r2Key: 'datasets/d/a', bytes: 3 },
        { ...orphan, r2Key: 'datasets/d/a.facts', bytes: 4 },
      ],
      next: { reason: 'orphan', after: { key: 'datasets/d/young' } },
    })
    const last = await preview({ reason: 'orphan', after: { key: 'x' } }, answers, bucket(false))
    expect(last.result.next).toBeNull()
    expect(lists).toEqual([{ limit: 9 }, { limit: 9, startAfter: 'x' }])
    const empty = await preview({ reason: 'orphan', after: null }, answers, {
      list: async () => ({ objects: [], truncated: true }),
    })
    expect([empty.calls, empty.result]).toEqual([[], { items: [], next: null }])
  })
})
