/** How often a waiter looks again, in milliseconds. */
const POLL_MS = 50

/**
 * Bounds what everything in this isolate holds together. Waiters poll with a timer of their own: a promise settled by
 * another request's context could leave a Worker with nothing under way, which the runtime takes for a hang.
 */
export class MemoryBudget {
  #freeBytes: number
  readonly #totalBytes: number

  constructor(totalBytes: number) {
    this.#totalBytes = totalBytes
    this.#freeBytes = totalBytes
  }

  /** Run `body` while holding `bytes` of the budget; waits until they are free. */
  async hold<T>(bytes: number, body: () => Promise<T>): Promise<T> {
    if (bytes > this.#totalBytes) throw new RangeError(`${bytes} bytes of a budget of ${this.#totalBytes}`)
    while (this.#freeBytes < bytes) await scheduler.wait(POLL_MS)
    this.#freeBytes -= bytes
    try {
      return await body()
    } finally {
      this.#freeBytes += bytes
    }
  }
}
