import { FusouError } from '@fusou/catalog'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { retryDelaySeconds } from '../../src/consume/retry-delay.ts'
import { LEASE_SECONDS } from '../../src/leases.ts'
import {
  databaseRetries,
  MERGE_TIMEOUT_MINUTES,
  mergeRetries,
  permanentStops,
} from '../../src/workflow/step-retries.ts'
import { timed } from '../../src/workflow/timed.ts'
import { logOf } from './fakes.ts'
import { NonRetryableError } from './platform.ts'

const attempt = { jobId: 'j', attempt: 2 }

afterEach(() => {
  vi.restoreAllMocks()
  vi.useRealTimers()
})

describe('the pauses of a step', () => {
  // FNV-1a of 32 bits: '' is 0x811c9dc5, 'a' is 0xe40c292c, 'foobar' is 0xbf9cf968
  test.each([
    ['', 0x811c9dc5],
    ['a', 0xe40c292c],
    ['foobar', 0xbf9cf968],
  ])('are spread by the instance %j', (id, hash) => {
    expect(databaseRetries(id)).toEqual({
      retries: { limit: 5, delay: 2000 + (hash % 2000), backoff: 'exponential' },
      timeout: '2 minutes',
    })
    expect(mergeRetries(id)).toEqual({
      retries: { limit: 3, delay: 10_000 + (hash % 10_000), backoff: 'exponential' },
      timeout: '14 minutes',
    })
  })

  test('and its time fit into the lease that it renews', () => {
    expect(MERGE_TIMEOUT_MINUTES * 60).toBeLessThan(LEASE_SECONDS)
    expect(LEASE_SECONDS).toBe(900)
  })
})

describe('a step that fails', () => {
  const failing = (error: unknown) => async () => {
    let thrown: unknown
    const log = await logOf(async () => {
      thrown = await permanentStops(attempt, 's', () => Promise.reject(error)).catch((caught: unknown) => caught)
    })
    return { thrown, log }
  }

  test('is tried again where the error passes', async () => {
    const error = new FusouError('storage_unavailable', 'away')
    const { thrown, log } = await failing(error)()
    expect(thrown).toBe(error)
    const line = { event: 'step_failed', ...attempt, step: 's', retried: true, error: 'storage_unavailable: away' }
    expect(log).toEqual([['error', line]])
  })

  test.each(['conflict', 'row_count_mismatch', 'unknown_job'] as const)('is not tried again for %s', async (code) => {
    const { thrown, log } = await failing(new FusouError(code, 'no'))()
    expect(thrown).toBeInstanceOf(NonRetryableError)
    expect(thrown).toMatchObject({ message: `${code}: no` })
    expect(log).toMatchObject([['error', { retried: false }]])
  })

  test.each(['cancelled', 'stale_attempt'] as const)(
    'is no error in the log where the attempt is over: %s',
    async (code) => {
      const { thrown, log } = await failing(new FusouError(code, 'no'))()
      expect(thrown).toBeInstanceOf(NonRetryableError)
      expect(log).toMatchObject([['info', { event: 'step_failed', retried: false }]])
    },
  )

  test('gives its value where nothing fails', async () => {
    expect(await logOf(async () => expect(await permanentStops(attempt, 's', async () => 7)).toBe(7))).toEqual([])
  })
})

test('a step is timed in seconds', async () => {
  vi.useFakeTimers({ now: 5000 })
  const running = timed(async () => {
    vi.setSystemTime(7500)
    return 'x'
  })
  expect(await running).toEqual({ value: 'x', seconds: 2.5 })
})

describe('the pause before the next delivery', () => {
  test.each([
    [1, 5, 10],
    [2, 10, 20],
    [3, 20, 40],
    [6, 160, 320],
    [7, 300, 600],
    [100, 300, 600],
  ])('number %i is between %i and %i seconds', (attempts, least, most) => {
    vi.spyOn(Math, 'random').mockReturnValue(0)
    expect(retryDelaySeconds(attempts)).toBe(least)
    vi.spyOn(Math, 'random').mockReturnValue(0.999_999)
    expect(retryDelaySeconds(attempts)).toBe(most)
  })
})
