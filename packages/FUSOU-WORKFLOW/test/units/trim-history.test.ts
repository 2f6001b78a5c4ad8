import { expect, test } from 'vitest'
import type { Env } from '../../src/env.ts'
import { trimHistory } from '../../src/maintenance/trim-history.ts'
import { fakeCatalog } from './fakes.ts'

const gone = (jobs: number, letters = 0, messages = 0, streams = 0, auditEntries = 0) => ({
  jobs,
  letters,
  messages,
  streams,
  auditEntries,
})

test('history goes batch by batch while any kind fills one, and all of it is counted', async () => {
  const limit = await firstLimit()
  const batches = [gone(limit, 1, 2, 3, 4), gone(4, limit, 5, 6, 7), gone(7, 8, 9, 10, 11)]
  const { catalog, calls } = fakeCatalog({ trimHistory: () => batches.shift() })
  expect(await trimHistory({} as Env, catalog)).toEqual(gone(limit + 11, limit + 9, 16, 19, 22))
  expect(calls).toHaveLength(3)
})

test('history that has nothing to go is looked at once', async () => {
  const { catalog, calls } = fakeCatalog({ trimHistory: () => gone(0) })
  expect(await trimHistory({} as Env, catalog)).toEqual(gone(0))
  expect(calls).toHaveLength(1)
})

/** How many rows of a kind one call is to take. */
async function firstLimit(): Promise<number> {
  const { catalog, calls } = fakeCatalog({ trimHistory: () => gone(0) })
  await trimHistory({} as Env, catalog)
  return calls[0]![1] as number
}
