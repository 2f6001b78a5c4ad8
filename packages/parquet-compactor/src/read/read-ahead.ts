/**
 * Start work on the next items while the current one is used; results come in order.
 * @param limit items under way or waiting at one time, the current one included
 */
export async function* readAhead<Item, Result>(
  items: readonly Item[],
  limit: number,
  work: (item: Item) => Promise<Result>,
): AsyncGenerator<Result> {
  const started: Promise<Result>[] = []
  for (let next = 0, at = 0; at < items.length; at++) {
    while (next < items.length && started.length < limit) {
      const promise = work(items[next++]!)
      // a failure is thrown in its turn; until then it must not count as unhandled
      promise.catch(() => {})
      started.push(promise)
    }
    yield await started.shift()!
  }
}
