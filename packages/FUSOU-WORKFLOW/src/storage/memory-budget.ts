/** How often a waiter looks again, in milliseconds. */
const POLL_MS = 50

/**
 * Bounds what everything in this isolate holds together. Waiters poll with a timer of their own: a promise settled by
 * another request's context could leave a Worker with nothing under way, which the runtime takes for a hang.
 * A hold ends with its body or, should the runtime drop the body in the middle, at its deadline.
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
    if (bytes > this.#totalBytes) throw new RangeError(`${bytes} bytes of a budget of ${this.#totalBytes}`)
    while (this.#freeBytes() < bytes) await scheduler.wait(POLL_MS)
    const hold = { bytes, until: Date.now() + this.#maxHoldMs }
    this.#holds.add(hold)
    try {
      return await body()
    } finally {
      this.#holds.delete(hold)
    }
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
