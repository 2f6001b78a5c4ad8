import { randomUUID } from 'node:crypto'
import { AN_OPERATOR, type WebhookEvent } from '@fusou/catalog'
import { beforeEach, describe, expect, test } from 'vitest'
import { DataSetUnderTest } from '../data-set-under-test.ts'
import { ownDatabase } from '../own-database.ts'

// Owners are told of what happens to their datasets, at least once, whatever receivers do.

const database = await ownDatabase()
const { catalog } = database

async function hook(dataset: DataSetUnderTest, ...events: WebhookEvent[]): Promise<string> {
  const id = randomUUID()
  const webhook = { id, url: `https://hooks.example.com/${id}`, events, secret: 'whsec_AAAA' }
  const created = await catalog.createWebhook(dataset.id, AN_OPERATOR, webhook)
  if (created.outcome !== 'created') throw new Error(created.outcome)
  return id
}
const claim = () => catalog.claimWebhooks(100, 60)
const stateOf = async (dataset: DataSetUnderTest) => {
  const listed = await catalog.listWebhooks(dataset.id, AN_OPERATOR)
  if (listed.outcome !== 'ok') throw new Error(listed.outcome)
  return listed.webhooks[0]!
}
/** As if so many seconds had passed for what waits. */
const pass = (seconds: number) =>
  database.query(
    `update webhook_messages set next_attempt_at = next_attempt_at - make_interval(secs => $1),
       locked_until = locked_until - make_interval(secs => $1)`,
    seconds,
  )

let dataset: DataSetUnderTest
beforeEach(async () => {
  await database.query('delete from webhooks')
  dataset = new DataSetUnderTest(catalog)
  await dataset.store()
})

describe('a webhook', () => {
  test('is told of new versions, of those that nobody was told of yet only the newest', async () => {
    await hook(dataset, 'dataset.changed')
    await dataset.store()
    await dataset.store()
    const due = await claim()
    expect(due).toMatchObject([
      { attempt: 1, event: 'dataset.changed', data: { datasetId: dataset.id, version: 3 }, secret: 'whsec_AAAA' },
    ])
    await dataset.store()
    expect(await claim(), 'the one that is on its way stays as it is').toMatchObject([{ data: { version: 4 } }])
  })

  test('is told of each job that has ended, and how', async () => {
    await hook(dataset, 'job.ended')
    await dataset.store()
    const { jobId } = await dataset.trigger()
    await dataset.compact()
    await dataset.store()
    const second = await dataset.trigger()
    await catalog.cancelJob(second.jobId, AN_OPERATOR)
    expect(await claim()).toMatchObject([
      { event: 'job.ended', data: { datasetId: dataset.id, jobId, state: 'succeeded', rowsOut: 20 } },
      { event: 'job.ended', data: { jobId: second.jobId, state: 'cancelled' } },
    ])
  })

  test('gets a message once, when it was delivered', async () => {
    await hook(dataset, 'dataset.changed')
    await dataset.store()
    const [message] = await claim()
    expect(await claim(), 'it is on its way').toEqual([])
    expect(await catalog.settleWebhook(message!, { outcome: 'delivered' })).toEqual({ outcome: 'settled' })
    await pass(100_000)
    expect(await claim()).toEqual([])
    expect(await stateOf(dataset)).toMatchObject({
      lastDeliveredAt: expect.any(String),
      failingSince: null,
      waiting: 0,
    })
  })

  test('gets it again when the sender died, and the late word of that one counts no more', async () => {
    await hook(dataset, 'dataset.changed')
    await dataset.store()
    const [first] = await claim()
    await pass(61)
    const [second] = await claim()
    expect([second!.id, second!.attempt]).toEqual([first!.id, 2])
    expect(await catalog.settleWebhook(first!, { outcome: 'delivered' })).toEqual({ outcome: 'stale' })
    expect(await catalog.settleWebhook(second!, { outcome: 'delivered' })).toEqual({ outcome: 'settled' })
  })

  test('that fails is tried again after growing pauses, and says since when', async () => {
    await hook(dataset, 'dataset.changed')
    await dataset.store()
    const [message] = await claim()
    await catalog.settleWebhook(message!, { outcome: 'failed', error: 'the receiver answered 500' })
    expect(await claim()).toEqual([])
    await pass(11)
    expect(await claim()).toMatchObject([{ id: message!.id, attempt: 2 }])
    expect(await stateOf(dataset)).toMatchObject({
      failingSince: expect.any(String),
      lastError: 'the receiver answered 500',
      disabledAt: null,
      waiting: 1,
    })
  })

  test.each([
    ['that answers that it is gone', 'gone', '0 days'],
    ['that has failed for three days', 'failed', '73 hours'],
  ] as const)('%s is disabled, and what waits for it goes', async (_, outcome, since) => {
    const id = await hook(dataset, 'dataset.changed')
    await dataset.store()
    const [message] = await claim()
    await database.query(`update webhooks set failing_since = now() - $1::interval where id = $2`, since, id)
    await catalog.settleWebhook(message!, { outcome, error: 'no' })
    expect(await stateOf(dataset)).toMatchObject({ disabledAt: expect.any(String), waiting: 0 })
    await dataset.store()
    expect(await stateOf(dataset)).toMatchObject({ waiting: 0 })
  })

  test('of another dataset hears nothing', async () => {
    await hook(dataset, 'dataset.changed', 'job.ended')
    await new DataSetUnderTest(catalog).store()
    expect(await claim()).toEqual([])
  })
})
