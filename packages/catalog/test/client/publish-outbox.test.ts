import { randomUUID } from 'node:crypto'
import { connectCatalog, OutboxMessage, publishOutbox } from '@fusou/catalog'
import { afterAll, beforeEach, describe, expect, inject, test, vi } from 'vitest'
import { DataSetUnderTest, SENDER } from '../data-set-under-test.ts'
import { EmbeddedDatabase } from '../embedded-database.ts'

const database = new EmbeddedDatabase(inject('embedded'))
const { catalog } = database

/** Messages that SENDER holds the lock of. */
async function messages(count: number): Promise<OutboxMessage[]> {
  const uploads = Array.from({ length: count }, () => new DataSetUnderTest(catalog).upload())
  return (await Promise.all(uploads)).map(({ outbox }) => outbox!)
}
const rows = (sent: readonly OutboxMessage[]) =>
  database.query<{ status: string; attempts: number; error: string | null }>(
    'select status, attempts, error from outbox where id = any ($1::bigint[]) order by id',
    sent.map((message) => message.id),
  )
const unavailable = (message: OutboxMessage) => Promise.reject(new Error(`queue refused ${message.id}`))

describe('publishing', () => {
  const logged = vi.spyOn(console, 'error')
  beforeEach(() => void logged.mockReset().mockImplementation(() => {}))
  afterAll(() => logged.mockRestore())

  test('sends each message once, in order, and marks it', async () => {
    const all = (await messages(3)).sort((a, b) => a.id - b.id)
    const sent: OutboxMessage[] = []
    expect(await publishOutbox(catalog, SENDER, all, async (message) => sent.push(message))).toBe(3)
    expect(sent).toEqual(all)
    expect(await rows(all)).toMatchObject([{ status: 'published' }, { status: 'published' }, { status: 'published' }])
    expect(logged).not.toHaveBeenCalled()
  })

  test('gives back what could not be sent, with the reason, and logs it in one line', async () => {
    const all = await messages(1)
    expect(await publishOutbox(catalog, SENDER, all, unavailable)).toBe(0)
    expect(await rows(all)).toEqual([{ status: 'pending', attempts: 1, error: `Error: queue refused ${all[0]!.id}` }])
    expect(logged).toHaveBeenCalledTimes(1)
    expect(JSON.parse(logged.mock.calls[0]![0])).toMatchObject({ event: 'outbox_not_settled', sent: 0, failed: 1 })
  })

  test('sends the others when one fails', async () => {
    const all = (await messages(3)).sort((a, b) => a.id - b.id)
    const send = (message: OutboxMessage) => (message === all[1] ? unavailable(message) : Promise.resolve())
    expect(await publishOutbox(catalog, SENDER, all, send)).toBe(2)
    expect((await rows(all)).map((row) => row.status)).toEqual(['published', 'pending', 'published'])
  })

  test('releases each that failed with a reason of its own, and what is no object as just that', async () => {
    const all = (await messages(3)).sort((a, b) => a.id - b.id)
    const odd = OutboxMessage.parse({ ...all[0]!, payload: 'text' })
    const send = vi.fn((message: OutboxMessage) => (message === all[2] ? Promise.resolve() : unavailable(message)))
    expect(await publishOutbox(catalog, SENDER, [odd, all[1]!, all[2]!], send)).toBe(1)
    expect(send).not.toHaveBeenCalledWith(odd)
    expect(await rows(all)).toMatchObject([
      { status: 'pending', attempts: 1, error: `Error: the payload of message ${odd.id} is not an object` },
      { status: 'pending', attempts: 1, error: `Error: queue refused ${all[1]!.id}` },
      { status: 'published' },
    ])
  })

  test('of what another has locked meanwhile marks nothing', async () => {
    const all = await messages(1)
    await publishOutbox(catalog, 'somebody else', all, async () => {})
    await publishOutbox(catalog, 'somebody else', all, unavailable)
    expect(await rows(all)).toMatchObject([{ status: 'in_progress', attempts: 0 }])
  })

  test('does not throw when the database is away: the lock runs out and the relay sends again', async () => {
    const all = await messages(1)
    const away = connectCatalog({ supabaseUrl: 'http://127.0.0.1:9', supabaseSecretKey: 'sb_secret_x' })
    expect(await publishOutbox(away, SENDER, all, async () => {})).toBe(1)
    expect(await rows(all)).toMatchObject([{ status: 'in_progress' }])
    expect(JSON.parse(logged.mock.calls[0]![0])).toMatchObject({ event: 'outbox_not_settled', sent: 1, failed: 0 })
  })

  test('of nothing asks nothing', async () => {
    const away = connectCatalog({ supabaseUrl: 'http://127.0.0.1:9', supabaseSecretKey: randomUUID() })
    expect(await publishOutbox(away, SENDER, [], unavailable)).toBe(0)
    expect(logged).not.toHaveBeenCalled()
  })
})
