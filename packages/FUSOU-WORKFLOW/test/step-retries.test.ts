import { FusouError } from '@fusou/catalog'
import { describe, expect, test, vi } from 'vitest'
import { permanentStops } from '../src/workflow/step-retries.ts'

const attempt = { jobId: crypto.randomUUID(), attempt: 1 }

describe('a step that fails', () => {
  test.each([
    ['storage_unavailable', true],
    ['database_unavailable', true],
    ['internal', true],
    ['conflict', false],
    ['row_count_mismatch', false],
    ['stale_attempt', false],
    ['cancelled', false],
    ['database_refused', false],
  ] as const)('with %s is made again: %s', async (code, retried) => {
    const logged = ['error', 'log'].map((level) => vi.spyOn(console, level as 'log').mockReturnValue())
    const thrown = await permanentStops(attempt, 'compact-1', () => Promise.reject(new FusouError(code, 'why'))).catch(
      (error: unknown) => error as Error,
    )
    for (const spy of logged) spy.mockRestore()
    expect(thrown.message).toBe(`${code}: why`)
    expect(thrown.name === 'NonRetryableError').toBe(!retried)
  })
})
