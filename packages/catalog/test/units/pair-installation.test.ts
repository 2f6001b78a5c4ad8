import { type Catalog, INSTALLATION_KEY, pairInstallation } from '@fusou/catalog'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

const ID = '0b9e3f0c-54e6-4c1c-a3fb-7a63e5a6c7f2'
const lines: unknown[] = []
beforeEach(() => {
  lines.length = 0
  for (const level of ['log', 'error'] as const)
    vi.spyOn(console, level).mockImplementation((line) => void lines.push([level, JSON.parse(line)]))
})
afterEach(() => vi.restoreAllMocks())

type Listed = { objects: { key: string; uploaded: Date }[]; truncated: boolean }

/** Pairs a bucket that has these texts, one a look, with a catalog that gives these answers. */
async function pair(
  texts: (string | null)[],
  answers: object[],
  { listed = { objects: [], truncated: false } as Listed, written = true } = {},
) {
  const looks: unknown[] = []
  const puts: { key: string; value: string; options: { onlyIf: unknown; httpMetadata: unknown } }[] = []
  const lists: unknown[] = []
  const bucket = {
    get: async (key: string) => {
      expect(key).toBe(INSTALLATION_KEY)
      const text = texts.length > 1 ? texts.shift()! : texts[0]!
      return text === null ? null : { etag: 'e', text: async () => text }
    },
    put: async (key: string, value: string, options: object) => {
      puts.push({ key, value, options: options as never })
      return written ? {} : null
    },
    list: async (options: { limit: number }) => {
      lists.push(options)
      return listed
    },
  }
  const checkInstallation = async (look: unknown) => {
    looks.push(look)
    return answers.length > 1 ? answers.shift() : answers[0]
  }
  const result = await pairInstallation(bucket, { checkInstallation } as unknown as Catalog).catch((error) => error)
  return { result, looks, puts, lists }
}

const paired = (write: boolean) => ({ outcome: 'paired', id: ID, stamp: 8, write })
const text = JSON.stringify({ id: ID, stamp: 7 })

describe('a bucket with an installation', () => {
  test('is compared by its id and stamp, and left as it is within the minute', async () => {
    const { result, looks, puts, lists } = await pair([text], [paired(false)])
    expect([result, looks, puts, lists]).toEqual([{ paired: true, stamp: 8 }, [{ id: ID, stamp: 7 }], [], []])
  })

  test.each([true, false])('gets the raised stamp, unless it has changed since: %s', async (written) => {
    const { result, puts } = await pair([text], [paired(true)], { written })
    expect(result).toEqual({ paired: true, stamp: 8 })
    expect(puts).toEqual([
      {
        key: INSTALLATION_KEY,
        value: JSON.stringify({ id: ID, stamp: 8 }),
        options: { httpMetadata: { contentType: 'application/json' }, onlyIf: { etagMatches: 'e' } },
      },
    ])
  })

  test.each(['{', '{}', JSON.stringify({ id: ID, stamp: -1 }), JSON.stringify({ id: 'x', stamp: 1 })])(
    'that reads %s belongs to somebody else',
    async (odd) => {
      const { looks } = await pair([odd], [paired(false)])
      expect(looks).toEqual([{ id: '00000000-0000-0000-0000-000000000000', stamp: 0 }])
    },
  )

  test('that does not fit is told, with the problem and what the bucket says', async () => {
    const { result, puts } = await pair([text], [{ outcome: 'problem', problem: 'foreign_bucket' }])
    expect([result, puts]).toEqual([{ paired: false, problem: 'foreign_bucket' }, []])
    const line = { event: 'installation_problem', problem: 'foreign_bucket', bucket: { id: ID, stamp: 7 } }
    expect(lines).toEqual([['error', line]])
  })
})

describe('a bucket without an installation', () => {
  const claim = { outcome: 'claim', id: ID, stamp: 3 }
  const day = (day: number) => new Date(Date.UTC(2026, 10, day))

  test('is claimed where it has none, and read again', async () => {
    const { result, looks, puts, lists } = await pair([null, text], [claim, paired(false)])
    expect(result).toEqual({ paired: true, stamp: 8 })
    expect(lists).toEqual([{ limit: 1000 }])
    expect(looks).toEqual([
      { objects: 0, truncated: false, oldestAt: null },
      { id: ID, stamp: 7 },
    ])
    expect(puts).toMatchObject([{ key: INSTALLATION_KEY, value: JSON.stringify({ id: ID, stamp: 3 }) }])
    expect((puts[0]!.options.onlyIf as Headers).get('if-none-match')).toBe('*')
    expect(lines).toEqual([['log', { event: 'bucket_claimed', installation: ID }]])
  })

  test('is not said to be claimed where another isolate was faster', async () => {
    const { result } = await pair([null, text], [claim, paired(false)], { written: false })
    expect([result, lines]).toEqual([{ paired: true, stamp: 8 }, []])
  })

  test('tells how many objects it has, without those of the system, and since when', async () => {
    const listed = {
      objects: [
        { key: 'datasets/d/uploads/a.parquet', uploaded: day(9) },
        { key: 'datasets/d/uploads/b.parquet', uploaded: day(5) },
        { key: 'datasets/d/uploads/c.parquet', uploaded: day(7) },
        { key: '.fusou/health', uploaded: day(1) },
      ],
      truncated: true,
    }
    const { looks } = await pair([null], [paired(false)], { listed })
    expect(looks).toEqual([{ objects: 3, truncated: true, oldestAt: day(5).toISOString() }])
  })

  test('that keeps changing is given up after four looks', async () => {
    const { result, looks, puts } = await pair([null], [claim])
    expect([looks.length, puts.length]).toEqual([4, 4])
    expect(result).toMatchObject({ code: 'storage_unavailable' })
    expect(result.message).toContain('keeps changing')
  })
})

test.each(['get', 'text', 'list', 'put'])('a bucket that does not take %s is away for the moment', async (fails) => {
  const cause = new Error('10001')
  const answer = (name: string, value: unknown) => async () => {
    if (name === fails) throw cause
    return value
  }
  const object = fails === 'list' ? null : { etag: 'e', text: answer('text', text) }
  const bucket = {
    get: answer('get', object),
    list: answer('list', { objects: [], truncated: false }),
    put: answer('put', {}),
  }
  const catalog = { checkInstallation: async () => paired(true) } as unknown as Catalog
  await expect(pairInstallation(bucket as never, catalog)).rejects.toMatchObject({ code: 'storage_unavailable', cause })
})
