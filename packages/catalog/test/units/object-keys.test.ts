import { describe, expect, test } from 'vitest'
import {
  datasetPrefix,
  factsKey,
  HEALTH_KEY,
  INSTALLATION_KEY,
  mergedKey,
  objectOf,
  uploadKey,
} from '../../src/index.ts'

describe('keys of the bucket', () => {
  const [upload, merged] = [uploadKey('d'), mergedKey('d', { jobId: 'j', attempt: 2 }, 3)]

  test('lie under the prefix of their dataset, each key once', () => {
    expect(datasetPrefix('d')).toBe('datasets/d/')
    for (const key of [upload, merged, factsKey(merged)]) expect(key.startsWith('datasets/d/')).toBe(true)
    expect(new Set([upload, uploadKey('d'), merged, mergedKey('d', { jobId: 'j', attempt: 2 }, 3)]).size).toBe(4)
  })

  test('belong to an object: their own, or that of their sidecar', () => {
    expect(objectOf(upload)).toBe(upload)
    expect(objectOf(factsKey(merged))).toBe(merged)
  })

  test.each([INSTALLATION_KEY, HEALTH_KEY])('of the system belong to none: %s', (key) => {
    expect(objectOf(key)).toBeUndefined()
  })
})
