import { randomUUID } from 'node:crypto'
import {
  describeUpload,
  MAX_LEAVES,
  MAX_METADATA_BYTES,
  MergedFacts,
  MergedMetadata,
  UploadFacts,
  UploadMetadata,
} from '@fusou/catalog'
import { describe, expect, test } from 'vitest'

const common = { dataset: 'd', owner: randomUUID(), period: '2026-11' }
const upload = { ...common, tier: '0' }
const merged = { ...common, tier: '1', table: 't', job: randomUUID(), fingerprint: 'f' }
const slicesOf = (count: number) => Array.from({ length: count }, (_, index) => [`t${index}`, index + 1])

describe('the metadata of an upload', () => {
  test.each([
    ['without slices', upload],
    ['with one slice', { ...upload, slices: '[["t",1]]' }],
    ['with 256 slices', { ...upload, slices: JSON.stringify(slicesOf(256)) }],
  ])('is taken %s', (_what, metadata) => {
    expect(UploadMetadata.safeParse(metadata).success).toBe(true)
  })

  test.each([
    ['no slices at all', { slices: '[]' }],
    ['257 slices', { slices: JSON.stringify(slicesOf(257)) }],
    ['a slice of no bytes', { slices: '[["t",0]]' }],
    ['a slice of half a byte', { slices: '[["t",1.5]]' }],
    ['a slice without a name', { slices: '[["",1]]' }],
    ['a slice with a third part', { slices: '[["t",1,2]]' }],
    ['slices that are not JSON', { slices: '[' }],
    ['slices longer than metadata may be', { slices: `[["t",1]]${' '.repeat(MAX_METADATA_BYTES)}` }],
    ['the tier of a merge', { tier: '1' }],
    ['an owner that is no id', { owner: 'me' }],
    ['a dataset with a slash', { dataset: 'a/b' }],
    ['a period with a space', { period: 'a b' }],
  ])('is refused with %s', (_what, change) => {
    expect(UploadMetadata.safeParse({ ...upload, ...change }).success).toBe(false)
  })
})

describe('the metadata of a merged object', () => {
  test.each(['1', '9', '10', '999'])('is taken with tier %s', (tier) => {
    expect(MergedMetadata.safeParse({ ...merged, tier, fingerprint: 'f'.repeat(200) }).success).toBe(true)
  })

  test.each([
    { tier: '0' },
    { tier: '01' },
    { tier: '1000' },
    { tier: '-1' },
    { table: '' },
    { job: 'j' },
    { fingerprint: 'f'.repeat(201) },
  ])('is refused with %j', (change) => {
    expect(MergedMetadata.safeParse({ ...merged, ...change }).success).toBe(false)
  })
})

describe('the sidecar', () => {
  const sha256 = '0123456789abcdef'.repeat(4)
  const facts = { leaves: [[sha256, 0]], ancestors: ['k'.repeat(1024)] }

  test('of a merge names uploads by hash and rows, and the objects that it replaced', () => {
    expect(MergedFacts.safeParse(facts).success).toBe(true)
    for (const change of [
      { leaves: [[sha256.toUpperCase(), 1]] },
      { leaves: [[`${sha256}0`, 1]] },
      { leaves: [[sha256.slice(1), 1]] },
      { leaves: [[sha256, -1]] },
      { leaves: [[sha256, 0.5]] },
      { ancestors: ['k'.repeat(1025)] },
    ])
      expect(MergedFacts.safeParse({ ...facts, ...change }).success, JSON.stringify(change).slice(0, 60)).toBe(false)
  })

  test('of a merge names no more than it may', () => {
    const leaves = (count: number) => ({ ...facts, leaves: Array.from({ length: count }, () => [sha256, 1]) })
    const ancestors = (count: number) => ({ ...facts, ancestors: Array.from({ length: count }, () => 'k') })
    for (const many of [leaves, ancestors]) {
      expect(MergedFacts.safeParse(many(MAX_LEAVES)).success).toBe(true)
      expect(MergedFacts.safeParse(many(MAX_LEAVES + 1)).success).toBe(false)
    }
  })

  test('of an upload has its slices', () => {
    expect(UploadFacts.safeParse({ slices: slicesOf(256) }).success).toBe(true)
    for (const slices of [[], slicesOf(257), [['t', 0]]]) expect(UploadFacts.safeParse({ slices }).success).toBe(false)
  })
})

describe('an upload is described', () => {
  const describeWith = (names: readonly string[]) =>
    describeUpload({
      datasetId: 'd',
      ownerId: common.owner,
      periodTag: '0',
      slices: names.map((table, index) => ({ table, length: index + 1 })),
      known: { rows: '3' },
    })

  test('by its metadata alone while its slices take 6,144 bytes, and then by a sidecar', () => {
    // `["…",n]` and a comma each, and the brackets
    const names = Array.from({ length: 48 }, (_, index) => `${index}`.padStart(121, 'x'))
    const text = (last: string) => JSON.stringify([...names.slice(0, 47), last].map((name, index) => [name, index + 1]))
    const last = 'y'.repeat(121 - (text('y'.repeat(121)).length - 6144))
    expect(text(last).length).toBe(6144)
    const small = describeWith([...names.slice(0, 47), last])
    expect(small).toEqual({
      metadata: { dataset: 'd', owner: common.owner, period: '0', tier: '0', slices: text(last), rows: '3' },
      facts: undefined,
    })
    const large = describeWith([...names.slice(0, 47), `${last}y`])
    expect(large.metadata).not.toHaveProperty('slices')
    expect(UploadFacts.parse(JSON.parse(large.facts!)).slices).toHaveLength(48)
  })
})
