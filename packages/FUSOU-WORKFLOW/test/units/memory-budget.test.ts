import { MemoryBudget } from '@fusou/catalog'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 })
  vi.stubGlobal('scheduler', { wait: (ms: number) => new Promise((resolve) => setTimeout(resolve, ms)) })
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

/** Holds until it is told to end; says whether it has begun. */
function hold(budget: MemoryBudget, bytes: number) {
  const state = { began: false, end: () => {}, fail: (_: Error) => {} }
  const held = budget.hold(bytes, () => {
    state.began = true
    return new Promise<string>((resolve, reject) => {
      state.end = () => resolve('done')
      state.fail = reject
    })
  })
  return { state, held }
}

describe('a budget of memory', () => {
  test('is held by as many as fit, to the byte', async () => {
    const budget = new MemoryBudget(100, 60_000)
    const [first, second, third] = [hold(budget, 60), hold(budget, 40), hold(budget, 1)]
    await vi.advanceTimersByTimeAsync(1000)
    expect([first, second, third].map(({ state }) => state.began)).toEqual([true, true, false])
    second.state.end()
    expect(await second.held).toBe('done')
    await vi.advanceTimersByTimeAsync(49)
    await vi.advanceTimersByTimeAsync(51)
    expect(third.state.began).toBe(true)
  })

  test('is given back by a body that fails', async () => {
    const budget = new MemoryBudget(100, 60_000)
    const first = hold(budget, 100)
    await vi.advanceTimersByTimeAsync(1)
    first.state.fail(new Error('torn'))
    await expect(first.held).rejects.toThrow('torn')
    const second = hold(budget, 100)
    await vi.advanceTimersByTimeAsync(1)
    expect(second.state.began).toBe(true)
  })

  test('is given back at the deadline where the runtime dropped the body', async () => {
    const budget = new MemoryBudget(100, 60_000)
    hold(budget, 100)
    const second = hold(budget, 1)
    await vi.advanceTimersByTimeAsync(59_999)
    expect(second.state.began).toBe(false)
    await vi.advanceTimersByTimeAsync(60)
    expect(second.state.began).toBe(true)
  })

  test('is waited for up to a bound, in steps of 50 ms', async () => {
    const budget = new MemoryBudget(100, 60_000)
    using _ = await budget.acquire(1)
    const outcomes: string[] = []
    const wait = (maxWaitMs: number) =>
      budget.acquire(100, maxWaitMs).catch((error) => outcomes.push(`${maxWaitMs}: ${error.code}`))
    for (const maxWaitMs of [0, 1, 100, 101]) void wait(maxWaitMs)
    await vi.advanceTimersByTimeAsync(0)
    expect(outcomes).toEqual(['0: overloaded'])
    await vi.advanceTimersByTimeAsync(49)
    expect(outcomes).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(1)
    expect(outcomes.slice(1)).toEqual(['1: overloaded'])
    await vi.advanceTimersByTimeAsync(50)
    expect(outcomes.slice(2)).toEqual(['100: overloaded'])
    await vi.advanceTimersByTimeAsync(49)
    expect(outcomes).toHaveLength(3)
    await vi.advanceTimersByTimeAsync(1)
    expect(outcomes.slice(3)).toEqual(['101: overloaded'])
  })

  test('refuses what it can never give', async () => {
    const budget = new MemoryBudget(100, 60_000)
    await expect(budget.hold(101, async () => {})).rejects.toThrow(new RangeError('101 bytes of a budget of 100'))
    expect(await budget.hold(100, async () => 'all')).toBe('all')
  })
})
