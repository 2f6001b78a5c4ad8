import { factsKey, MAX_FACTS_BYTES, MAX_LEAVES, type MergeInput } from '@fusou/catalog'
import { describe, expect, test } from 'vitest'
import { describeMerged, writeLineage } from '../../src/storage/lineage.ts'
import { logOf } from './fakes.ts'

const sha = (id: number) => id.toString(16).padStart(64, '0')
const input = (id: number, level: number) => ({ level, sha256: sha(id), rows: 10 + id, r2Key: `k${id}` }) as MergeInput

/** A bucket with these sidecars, by the number of their input. */
function fakeBucket(sidecars: Record<number, { text: string; size?: number }>, failing?: 'get' | 'text' | 'put') {
  const puts: unknown[][] = []
  const answer = async <Value>(method: typeof failing, value: Value) => {
    if (method === failing) throw new Error('10001')
    return value
  }
  const bucket = {
    get: (key: string) => {
      const sidecar = Object.entries(sidecars).find(([id]) => key === factsKey(`k${id}`))?.[1]
      const object = sidecar && { size: sidecar.size ?? 1, text: () => answer('text', sidecar.text) }
      return answer('get', object ?? null)
    },
    put: (...given: unknown[]) => {
      puts.push(given)
      return answer('put', {})
    },
  }
  return { bucket: bucket as unknown as R2Bucket, puts }
}

const facts = (leaves: [string, number][], ancestors: string[], duplicateRows = 0) => ({
  text: JSON.stringify({ leaves, ancestors, duplicateRows }),
})

describe('the metadata of a merged object', () => {
  const merge = { datasetId: 'd', ownerId: 'o', table: 't', periodTag: 'p', fingerprint: 'f' }

  test('names its tier, one above its inputs', () => {
    expect(describeMerged('j', { ...merge, inputs: [input(1, 0), input(2, 4), input(3, 1)] })).toEqual({
      dataset: 'd',
      owner: 'o',
      table: 't',
      period: 'p',
      tier: '5',
      job: 'j',
      fingerprint: 'f',
    })
  })

  test('says so where it unites schemas', () => {
    expect(describeMerged('j', { ...merge, fingerprint: null, inputs: [input(1, 0)] })).toMatchObject({
      fingerprint: 'union',
      tier: '1',
    })
  })
})

describe('the sidecar of a merged object', () => {
  test('has the uploads among its inputs, and all that its merged inputs had', async () => {
    const { bucket, puts } = fakeBucket({
      3: facts([[sha(7), 1]], ['old'], 20),
      4: facts([[sha(8), 2]], [], 300),
    })
    await writeLineage(bucket, 'out', [input(1, 0), input(2, 0), input(3, 1), input(4, 2)], 4000)
    const written = {
      leaves: [
        [sha(1), 11],
        [sha(2), 12],
        [sha(7), 1],
        [sha(8), 2],
      ],
      ancestors: ['k3', 'old', 'k4'],
      duplicateRows: 4320,
    }
    expect(puts).toEqual([
      [factsKey('out'), JSON.stringify(written), { httpMetadata: { contentType: 'application/json' } }],
    ])
  })

  test.each([
    ['is missing', {}],
    ['is not JSON', { 3: { text: '{' } }],
    ['has another form', { 3: { text: '{}' } }],
    ['is too long to be ours', { 3: { ...facts([], []), size: MAX_FACTS_BYTES + 1 } }],
  ])('is not written where that of an input %s', async (_, sidecars) => {
    const { bucket, puts } = fakeBucket(sidecars)
    const log = await logOf(() => writeLineage(bucket, 'out', [input(1, 0), input(3, 1)], 0))
    expect(log).toEqual([['error', { event: 'lineage_unknown', key: 'out', input: 'k3' }]])
    expect(puts).toEqual([])
  })

  test('is read up to its bound', async () => {
    const { bucket, puts } = fakeBucket({ 3: { ...facts([], []), size: MAX_FACTS_BYTES } })
    expect(await logOf(() => writeLineage(bucket, 'out', [input(3, 1)], 0))).toEqual([])
    expect(puts).toHaveLength(1)
  })

  test.each([
    ['uploads', MAX_LEAVES, 0],
    ['ancestors', 0, MAX_LEAVES - 1],
  ])('names %s up to a bound, and is left out beyond it', async (_, leaves, ancestors) => {
    const { bucket, puts } = fakeBucket({
      3: facts(
        Array.from({ length: leaves }, (_, i) => [sha(i), 1]),
        Array.from({ length: ancestors }, (_, i) => `a${i}`),
      ),
      4: facts([[sha(MAX_LEAVES), 1]], []),
    })
    expect(await logOf(() => writeLineage(bucket, 'out', [input(3, 1)], 0))).toEqual([])
    expect(puts).toHaveLength(1)
    const log = await logOf(() => writeLineage(bucket, 'out', [input(3, 1), input(4, 1)], 0))
    expect(log).toMatchObject([['error', { event: 'lineage_too_long', key: 'out' }]])
    expect(Math.max(...(['leaves', 'ancestors'] as const).map((field) => Number(log[0]![1][field])))).toBe(
      MAX_LEAVES + 1,
    )
    expect(puts).toHaveLength(1)
  })

  test.each(['get', 'text', 'put'] as const)('is tried again where the bucket does not take %s', async (failing) => {
    const { bucket } = fakeBucket({ 3: facts([], []) }, failing)
    await expect(writeLineage(bucket, 'out', [input(3, 1)], 0)).rejects.toMatchObject({
      code: 'storage_unavailable',
      cause: expect.objectContaining({ message: '10001' }),
    })
  })
})
