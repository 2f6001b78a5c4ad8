import { FusouError } from './fusou-error.ts'

/** How often a waiter looks again, in milliseconds. */
const POLL_MS = 50

/**
 * Bounds what everything in this isolate holds together. Waiters poll with a timer of their own: a promise settled by
 * another request's context could leave a Worker with nothing under way, which the runtime takes for a hang.
 * A hold ends when it is disposed of or, should the runtime drop its request in the middle, at its deadline.
 */
export class MemoryBudget {
  readonly #totalBytes: number
  readonly #maxHoldMs: number
  readonly #holds = new Set<{ bytes: number; until: number }>()

  constructor(totalBytes: number, maxHoldMs: number) {
    this.#totalBytes = totalBytes
    this.#maxHoldMs = maxHoldMs
  }

  /** Run `body` while holding `bytes` of the budget; waits until they are free. */
  async hold<T>(bytes: number, body: () => Promise<T>): Promise<T> {
    using _ = await this.acquire(bytes)
    return await body()
  }

  /**
   * Hold `bytes` of the budget until the result is disposed of.
   * @param maxWaitMs how long to wait until they are free; default without an end
   * @throws FusouError `overloaded` if they are not free by then
   */
  async acquire(bytes: number, maxWaitMs = Number.POSITIVE_INFINITY): Promise<Disposable> {
    if (bytes > this.#totalBytes) throw new RangeError(`${bytes} bytes of a budget of ${this.#totalBytes}`)
    for (let waitedMs = 0; this.#freeBytes() < bytes; waitedMs += POLL_MS) {
      if (waitedMs >= maxWaitMs)
        throw new FusouError('overloaded', 'others hold the memory that this takes; try again in some seconds')
      await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    }
    const hold = { bytes, until: Date.now() + this.#maxHoldMs }
    this.#holds.add(hold)
    return { [Symbol.dispose]: () => void this.#holds.delete(hold) }
  }

  #freeBytes(): number {
    let free = this.#totalBytes
    for (const hold of this.#holds) {
      if (hold.until <= Date.now()) this.#holds.delete(hold)
      else free -= hold.bytes
    }
    return free
  }
}
