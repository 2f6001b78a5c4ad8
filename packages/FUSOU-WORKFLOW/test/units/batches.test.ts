import { describe, expect, test } from 'vitest'
import type { Env } from '../../src/env.ts'
import { deleteExpiredData } from '../../src/maintenance/delete-expired-data.ts'
import { sweepOrphans } from '../../src/maintenance/sweep-orphans.ts'
import { trimHistory } from '../../src/maintenance/trim-history.ts'
import { vacuum } from '../../src/maintenance/vacuum.ts'
import { fakeCatalog, logOf } from './fakes.ts'

const PAIRED = { checkInstallation: () => ({ outcome: 'paired', write: false, stamp: 8 }) } as const
const UNPAIRED = { checkInstallation: () => ({ outcome: 'problem', problem: 'foreign_bucket' }) } as const
const DAY_MS = 86_400_000
const key = (id: number) => `datasets/d/uploads/${id}.parquet`

/** A bucket of pages of objects, which keeps what is deleted and aborted. */
function fakeBucket(pages: { key: string; uploaded: Date }[][], abort: () => Promise<void> = async () => {}) {
  const deleted: string[][] = []
  const aborted: string[][] = []
  const lists: unknown[] = []
  const bucket = {
    get: async () => ({ etag: 'e', text: async () => '{}' }),
    list: async (options: { cursor?: string; limit: number }) => {
      lists.push(options)
      const at = Number(options.cursor ?? 0)
      const truncated = at < pages.length - 1
      return { objects: pages[at] ?? [], truncated, ...(truncated && { cursor: String(at + 1) }) }
    },
    delete: async (keys: string[]) => void deleted.push(keys),
    resumeMultipartUpload: (...names: string[]) => ({
      abort: () => {
        aborted.push(names)
        return abort()
      },
    }),
  }
  return { env: { BUCKET: bucket } as unknown as Env, deleted, aborted, lists }
}

test('data that is too old is deleted from fifty datasets a minute', async () => {
  const { catalog, calls } = fakeCatalog({ deleteExpiredData: () => ({ datasets: 2, files: 7 }) })
  expect(await deleteExpiredData({} as Env, catalog)).toEqual({ datasets: 2, files: 7 })
  expect(calls).toEqual([['deleteExpiredData', 50]])
})

test('history that always fills its batches is left to the next minute after ten of 500 rows', async () => {
  const full = { jobs: 500, letters: 0, messages: 0, streams: 0, auditEntries: 0 }
  const { catalog, calls } = fakeCatalog({ trimHistory: () => full })
  expect(await trimHistory({} as Env, catalog)).toEqual({ ...full, jobs: 5000 })
  expect(calls).toEqual(Array.from({ length: 10 }, () => ['trimHistory', 500]))
})

describe('the vacuum', () => {
  const clean = async (sizes: (batch: number) => number, uploads: object[] = [], abort?: () => Promise<void>) => {
    let batch = 0
    const { env, deleted, aborted } = fakeBucket([], abort)
    const { catalog, calls } = fakeCatalog({
      ...PAIRED,
      listAbandonedUploads: () => uploads,
      closeMultiparts: (keys: readonly string[]) => keys.length,
      claimGarbage: () => Array.from({ length: sizes(batch++) }, (_, i) => key(i)),
      completeGarbage: () => undefined,
    })
    const result = await vacuum(env, catalog).catch((error: unknown) => error)
    return { result, deleted, aborted, calls: calls.filter(([method]) => method !== 'checkInstallation') }
  }

  test('deletes each object with its sidecar, then says so, and goes on while batches are full', async () => {
    const { result, deleted, calls } = await clean((batch) => [500, 1][batch]!)
    expect(result).toEqual({ deleted: 501, aborted: 0 })
    expect(deleted.map(({ length }) => length)).toEqual([1000, 2])
    expect(deleted[1]).toEqual([key(0), `${key(0)}.facts`])
    expect(calls.map(([method]) => method)).toEqual([
      'listAbandonedUploads',
      'claimGarbage',
      'completeGarbage',
      'claimGarbage',
      'completeGarbage',
    ])
    expect(calls.slice(0, 2)).toEqual([
      ['listAbandonedUploads', 50, 8],
      ['claimGarbage', 500, 8],
    ])
    expect(calls.at(-1)).toEqual(['completeGarbage', [key(0)]])
  })

  test('deletes nothing where nothing is garbage, and leaves the rest to the next minute after ten batches', async () => {
    const nothing = await clean(() => 0)
    expect([nothing.result, nothing.deleted]).toEqual([{ deleted: 0, aborted: 0 }, []])
    expect(nothing.calls.map(([method]) => method)).toEqual(['listAbandonedUploads', 'claimGarbage'])
    const much = await clean(() => 500)
    expect([much.result, much.deleted.length]).toEqual([{ deleted: 5000, aborted: 0 }, 10])
  })

  const UPLOADS = [
    { r2Key: 'a', uploadId: 'u' },
    { r2Key: 'b', uploadId: 'v' },
  ]
  test.each(['', 'The specified multipart upload does not exist', 'abort: (10024)'])(
    'closes uploads in parts that it aborts, also where the bucket says %j',
    async (text) => {
      const abort = text === '' ? undefined : () => Promise.reject(new Error(text))
      const { result, aborted, calls } = await clean(() => 0, UPLOADS, abort)
      expect(result).toEqual({ deleted: 0, aborted: 2 })
      expect(aborted).toEqual([
        ['a', 'u'],
        ['b', 'v'],
      ])
      expect(calls[1]).toEqual(['closeMultiparts', ['a', 'b']])
    },
  )

  test.each([new Error('10024'), 'does not exist'])('stops at the error %s of an abort', async (error) => {
    const { result, calls } = await clean(
      () => 0,
      UPLOADS,
      () => Promise.reject(error),
    )
    expect([result, calls.length]).toEqual([error, 1])
  })

  test('and the sweep leave everything alone while bucket and catalog do not belong together', async () => {
    const { env, deleted, lists } = fakeBucket([[]])
    const { catalog, calls } = fakeCatalog(UNPAIRED)
    const log = await logOf(async () => {
      expect(await vacuum(env, catalog)).toEqual({ deleted: 0, aborted: 0 })
      expect(await sweepOrphans(env, catalog)).toEqual({ suspects: 0, marked: 0 })
    })
    expect(log).toMatchObject(Array(2).fill(['error', { event: 'installation_problem', problem: 'foreign_bucket' }]))
    expect([deleted, lists]).toEqual([[], []])
    expect(new Set(calls.map(([method]) => method))).toEqual(new Set(['checkInstallation']))
  })
})

describe('the sweep', () => {
  const sweep = async (pages: { key: string; uploaded: Date }[][], marked: (batch: number) => number = () => 0) => {
    const { env, lists } = fakeBucket(pages)
    let cursor: string | null = null
    let done = false
    let batch = 0
    const { catalog, calls } = fakeCatalog({
      ...PAIRED,
      beginSweep: () => (done ? { due: false, cursor: null } : { due: true, round: 4, cursor }),
      recordSweepPage: ((_: string, page: { nextCursor: string | null; oldKeys: string[] }) => {
        cursor = page.nextCursor
        done = cursor === null
        return { orphans: page.oldKeys.length }
      }) as never,
      markOrphans: () => marked(batch++),
    })
    const result = await sweepOrphans(env, catalog)
    const pagesRecorded = calls.filter(([method]) => method === 'recordSweepPage').map(([, , page]) => page)
    return { result, lists, recorded: pagesRecorded, calls }
  }
  const now = Date.now()
  const object = (name: string, ageMs: number) => ({ key: name, uploaded: new Date(now - ageMs) })

  test('counts objects once with their sidecars, suspects those of more than a day, and rests after the last page', async () => {
    const { result, lists, recorded } = await sweep([
      [
        object(key(0), DAY_MS + 60_000),
        object(`${key(0)}.facts`, DAY_MS + 60_000),
        object(key(1), DAY_MS - 60_000),
        object('.fusou/health', DAY_MS * 9),
      ],
      [object(`${key(2)}.facts`, DAY_MS * 2)],
    ])
    expect(lists).toEqual([{ limit: 1000 }, { limit: 1000, cursor: '1' }])
    expect(recorded).toEqual([
      { round: 4, cursor: null, nextCursor: '1', objects: 2, oldKeys: [key(0)], pauseSeconds: 0, stamp: 8 },
      { round: 4, cursor: '1', nextCursor: null, objects: 1, oldKeys: [key(2)], pauseSeconds: 21_600, stamp: 8 },
    ])
    expect(result).toEqual({ suspects: 2, marked: 0 })
  })

  test('walks ten pages a minute', async () => {
    const { recorded } = await sweep(Array.from({ length: 12 }, () => []))
    expect(recorded).toHaveLength(10)
  })

  test('marks in batches of 500 while they are full, ten at the most', async () => {
    const some = await sweep([], (batch) => [500, 499][batch]!)
    expect(some.result).toEqual({ suspects: 0, marked: 999 })
    expect(some.calls.at(-1)).toEqual(['markOrphans', expect.any(String), 500, 8])
    expect((await sweep([], () => 500)).result).toEqual({ suspects: 0, marked: 5000 })
  })
})
