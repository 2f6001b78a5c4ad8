import { type Catalog, type OutboxMessage, publishOutbox } from '@fusou/catalog'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

const message = (id: number): OutboxMessage => ({ id, type: 'job.dead', payload: {} })

let lines: unknown[]
beforeEach(() => {
  lines = []
  vi.spyOn(console, 'error').mockImplementation((line) => void lines.push(JSON.parse(line)))
})
afterEach(() => vi.restoreAllMocks())

/** @param broken calls that the database does not answer */
async function publish(
  messages: OutboxMessage[],
  send: (message: OutboxMessage) => Promise<unknown>,
  broken: string[] = [],
) {
  const calls: unknown[][] = []
  const called = async (...call: unknown[]) => {
    calls.push(call)
    await Promise.resolve()
    if (broken.includes(call[0] as string)) throw new Error(`${call[0]} away`)
  }
  const catalog = {
    completeOutbox: (...args: unknown[]) => called('completeOutbox', ...args),
    releaseOutbox: (...args: unknown[]) => called('releaseOutbox', ...args),
  }
  const sent = await publishOutbox(catalog as unknown as Catalog, 's', messages, send)
  return { sent, calls }
}

const refuses =
  (...ids: number[]) =>
  async ({ id }: OutboxMessage) => {
    if (ids.includes(id)) throw new Error('full')
  }

test('messages that are sent are marked together, and nothing is logged', async () => {
  expect(await publish([message(1), message(2)], refuses())).toEqual({
    sent: 2,
    calls: [['completeOutbox', [1, 2], 's']],
  })
  expect(await publish([], refuses())).toEqual({ sent: 0, calls: [] })
  expect(lines).toEqual([])
})

test('messages that are refused are given back with the reason, those of one reason together', async () => {
  const { sent, calls } = await publish([message(1), message(2), message(3)], refuses(1, 3))
  expect(sent).toBe(1)
  expect(calls).toEqual([
    ['completeOutbox', [2], 's'],
    ['releaseOutbox', [1, 3], 's', 'Error: full'],
  ])
  expect(lines).toMatchObject([{ event: 'outbox_not_settled', sender: 's', sent: 1, failed: 2 }])
})

test('what the database does not answer is logged, and never thrown', async () => {
  const { sent, calls } = await publish([message(1), message(2)], refuses(2), ['completeOutbox', 'releaseOutbox'])
  expect([sent, calls.length]).toEqual([1, 2])
  expect(JSON.stringify(lines)).toContain('completeOutbox away')
  expect(JSON.stringify(lines)).toContain('releaseOutbox away')
})
