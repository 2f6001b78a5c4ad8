import { DEFAULT_MERGE_POLICY, isMergeDue, ORPHAN_AGE_MS } from '@fusou/catalog'
import { describe, expect, test } from 'vitest'
import { BUCKET_BODY_TIMEOUT_MS, BUCKET_CALL_TIMEOUT_MS } from '../../src/bucket/bounded-bucket.ts'
import { MAX_FACTS_BYTES, MAX_LEAVES, MAX_METADATA_BYTES } from '../../src/bucket/object-facts.ts'
import {
  MAX_FILE_WORK_BYTES,
  MAX_MERGE_WORK_BYTES,
  MERGE_LIMITS,
  MERGE_MEMORY_BYTES,
  UPLOAD_LIMITS,
} from '../../src/policy/merge-limits.ts'

const MIB = 2 ** 20

// Documents, the database and the memory of a Worker count on these figures: whoever changes one looks at the others.
describe('the figures', () => {
  test('of merges', () => {
    expect([MERGE_MEMORY_BYTES, MAX_MERGE_WORK_BYTES, MAX_FILE_WORK_BYTES]).toEqual([64 * MIB, 2048 * MIB, 1024 * MIB])
    const upload = { maxFooterBytes: 8 * MIB, maxColumns: 16_384, maxKeyValueBytes: 2 * MIB, maxWorkBytes: 1024 * MIB }
    expect(UPLOAD_LIMITS).toEqual(upload)
    expect(MERGE_LIMITS).toEqual({ ...upload, maxWorkBytes: 2048 * MIB })
    expect(DEFAULT_MERGE_POLICY).toEqual({ mergeMinFiles: 32, mergeMinBytes: 32 * MIB, mergeMaxAgeSeconds: 900 })
  })

  test('of objects', () => {
    // R2 takes 8,192 bytes of custom metadata
    expect([MAX_METADATA_BYTES, MAX_LEAVES, MAX_FACTS_BYTES]).toEqual([8192, 100_000, 16 * MIB])
    // a sidecar of as many uploads, each with its hash and its rows, fits
    const longest = JSON.stringify(['f'.repeat(64), 2 ** 31 - 1]).length + 1
    expect(MAX_LEAVES * longest).toBeLessThan(MAX_FACTS_BYTES)
    expect([BUCKET_CALL_TIMEOUT_MS, BUCKET_BODY_TIMEOUT_MS, ORPHAN_AGE_MS]).toEqual([30_000, 60_000, 86_400_000])
  })
})

describe('fragments are worth a merge', () => {
  const policy = { mergeMinFiles: 3, mergeMinBytes: 100, mergeMaxAgeSeconds: 60 }
  test.each([
    [2, 99, 59, false],
    [3, 0, 0, true],
    [2, 100, 0, true],
    [2, 0, 60, true],
    [1, 100, 60, false],
    [1, 1000, 0, false],
  ])('%i files of %i bytes, the oldest of %i s: %s', (files, bytes, ageSeconds, isDue) => {
    expect(isMergeDue(policy, { files, bytes, ageSeconds })).toBe(isDue)
  })
})
