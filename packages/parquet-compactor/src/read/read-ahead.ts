/** Bound on results that wait in memory. */
export interface AheadRoom<Item> {
  bytes: number
  of(item: Item): number
}

/**
 * Start work on the next items while the current one is used; results come in order.
 * @param limit items under way or waiting at one time, the current one included
 * @param room  further bound on them; one is always begun
 */
export async function* readAhead<Item, Result>(
  items: readonly Item[],
  limit: number,
  work: (item: Item) => Promise<Result>,
  room?: AheadRoom<Item>,
): AsyncGenerator<Result> {
  const started: Promise<Result>[] = []
  let left = room?.bytes ?? 0
  for (let next = 0, at = 0; at < items.length; at++) {
    while (next < items.length && started.length < limit) {
      const item = items[next]!
      const bytes = room?.of(item) ?? 0
      if (bytes > left && started.length > 0) break
      left -= bytes
      next++
      const promise = work(item)
      // a failure is thrown in its turn; until then it must not count as unhandled
      promise.catch(() => {})
      started.push(promise)
    }
    yield await started.shift()!
    left += room?.of(items[at]!) ?? 0
  }
}
