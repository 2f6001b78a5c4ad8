import { randomUUID } from 'node:crypto'
import type { AlertChannel, AlertNotice, AlertRules, OutboxMessage } from '@fusou/catalog'
import { AN_OPERATOR, asUser } from '@fusou/catalog'
import { beforeEach, describe, expect, test } from 'vitest'
import { DataSetUnderTest, LEASE_SECONDS } from '../data-set-under-test.ts'
import { ownDatabase } from '../own-database.ts'

// One alert a kind at a time: told once to each channel, again after a silence, and resolved to whom it was told.

const database = await ownDatabase()
const { catalog } = database

const BOTH: AlertChannel[] = ['slack', 'pagerduty']
const DAY_SECONDS = 86_400
/** Nothing fires but what a test asks for. */
const RULES: AlertRules = {
  deadLettersWindowSeconds: 3600,
  failureWindowSeconds: 3600,
  failureRatio: 0.5,
  failureMinJobs: 4,
  waitingBoundSeconds: 1800,
  triggerBoundSeconds: DAY_SECONDS,
  newCausesSeconds: 900,
  silenceSeconds: 4 * 3600,
  quietSeconds: 300,
}

const raise = async (channels = BOTH, rules: Partial<AlertRules> = {}) => {
  await database.nextTick()
  return catalog.raiseAlerts({ ...RULES, ...rules }, channels, 'a look')
}
const noticesOf = (outbox: readonly OutboxMessage[]) =>
  outbox.map(({ type, payload }) => ({ type, ...(payload as unknown as AlertNotice) }))
const settle = (outbox: readonly OutboxMessage[]) =>
  catalog.completeOutbox(
    outbox.map(({ id }) => id),
    'a look',
  )
const letPass = (seconds: number) =>
  database.query(
    `update alerts set told_at = told_at - make_interval(secs => $1), quiet_since = quiet_since - make_interval(secs => $1),
       causes_told_at = causes_told_at - make_interval(secs => $1)`,
    seconds,
  )

function recordLetter(letter: { jobId?: string; datasetId?: string; code?: string } = {}) {
  return catalog.recordDeadLetter({
    queue: 'the queue',
    messageId: randomUUID(),
    body: {},
    code: letter.code ?? 'delivery_failed',
    message: 'no',
    attempts: 1,
    datasetId: letter.datasetId ?? null,
    jobId: letter.jobId ?? null,
  })
}

async function endJob(how: 'succeeded' | 'dead') {
  const dataset = new DataSetUnderTest(catalog)
  await dataset.upload()
  const attempt = await dataset.start()
  if (how === 'dead') await dataset.fail(attempt, { transient: false })
  else await dataset.finish(attempt)
  return { dataset, jobId: attempt.jobId }
}

beforeEach(async () => {
  await database.transaction(
    { text: 'delete from dead_letters' },
    { text: "delete from outbox where type like 'alert.%'" },
    { text: "update jobs set finished_at = now() - interval '2 days' where finished_at is not null" },
    { text: "update jobs set state = 'cancelled', finished_at = now() where state = 'queued'" },
    { text: "update heartbeats set beat_at = now() where name = 'daily_trigger'" },
    {
      text: `update alerts set raised_at = null, quiet_since = null, told = '{}', told_at = null, summary = null, details = '{}', known_causes = '{}', causes_told_at = null`,
    },
  )
})

describe('an alert', () => {
  test('is raised once for all letters of the window, with their counts and examples', async () => {
    expect((await raise()).changes).toEqual([])
    for (let count = 0; count < 7; count++)
      await recordLetter({ code: count < 5 ? 'delivery_failed' : 'invalid_message' })
    const { changes, outbox } = await raise()
    expect(changes).toEqual([{ kind: 'dead_letters', change: 'raised', summary: '7 dead letters in 60 min' }])
    const [first] = noticesOf(outbox)
    expect(noticesOf(outbox)).toMatchObject(BOTH.map((channel) => ({ type: `alert.${channel}`, action: 'trigger' })))
    expect(first).toMatchObject({
      severity: 'error',
      found: 7,
      details: { codes: { delivery_failed: 5, invalid_message: 2 } },
    })
    expect(first!.details.examples).toHaveLength(5)
    expect((await catalog.jobStatus(AN_OPERATOR)).alerts).toMatchObject([
      { kind: 'dead_letters', told: ['pagerduty', 'slack'] },
    ])
  })

  test('is silent from then on, until the silence has passed', async () => {
    await recordLetter()
    await settle((await raise()).outbox)
    await recordLetter()
    expect(await raise()).toEqual({ changes: [], outbox: [] })
    await letPass(RULES.silenceSeconds)
    const reminded = await raise()
    expect(reminded.changes).toEqual([])
    expect(noticesOf(reminded.outbox)).toMatchObject([{ found: 2 }, { found: 2 }])
    await settle(reminded.outbox)
    expect((await raise()).outbox).toEqual([])
  })

  test('is resolved when the trouble has been away for a while, and is another incident when it comes back', async () => {
    await recordLetter()
    const raised = await raise()
    await settle(raised.outbox)
    const away = { deadLettersWindowSeconds: 0 }
    expect(await raise(BOTH, away)).toEqual({ changes: [], outbox: [] })
    expect(await raise()).toEqual({ changes: [], outbox: [] })
    expect(await raise(BOTH, away)).toEqual({ changes: [], outbox: [] })
    await letPass(RULES.quietSeconds)
    const resolved = await raise(BOTH, away)
    expect(resolved.changes).toMatchObject([{ kind: 'dead_letters', change: 'resolved' }])
    const { incident } = noticesOf(raised.outbox)[0]!
    expect(noticesOf(resolved.outbox)).toMatchObject(BOTH.map(() => ({ action: 'resolve', incident })))
    await settle(resolved.outbox)
    expect((await raise(BOTH, away)).outbox).toEqual([])
    expect(noticesOf((await raise()).outbox)).toMatchObject(
      BOTH.map(() => ({ action: 'trigger', incident: incident + 1 })),
    )
  })

  test('is told to a channel that is set up later, and resolved only to whom it was told', async () => {
    await recordLetter()
    expect((await raise([])).outbox).toEqual([])
    const slack = await raise(['slack'])
    expect(noticesOf(slack.outbox)).toMatchObject([{ type: 'alert.slack' }])
    await settle(slack.outbox)
    const resolved = await raise(BOTH, { deadLettersWindowSeconds: 0, quietSeconds: 0 })
    expect(noticesOf(resolved.outbox)).toMatchObject([{ type: 'alert.slack', action: 'resolve' }])
  })

  test('is told in order: its end waits for its beginning, and for nothing of another channel', async () => {
    await recordLetter()
    const raised = await raise()
    const [slack, pagerDuty] = raised.outbox
    await settle([pagerDuty!])
    await catalog.releaseOutbox([slack!.id], 'a look', 'the receiver answered 500', { retryAfterSeconds: 600 })
    const resolved = await raise(BOTH, { deadLettersWindowSeconds: 0, quietSeconds: 0 })
    expect(noticesOf(resolved.outbox)).toMatchObject([{ type: 'alert.pagerduty', action: 'resolve' }])
    await settle(resolved.outbox)

    const claim = () =>
      catalog.claimOutbox({ maxBatch: 10, lockSeconds: 60, workerId: 'a look', includeTypePrefix: 'alert.' })
    expect(await claim()).toEqual([])
    await database.query('update outbox set next_attempt_at = now() where id = $1', slack!.id)
    const late = await claim()
    expect(noticesOf(late)).toMatchObject([{ type: 'alert.slack', action: 'trigger' }])
    expect(await claim()).toEqual([])
    await settle(late)
    expect(noticesOf(await claim())).toMatchObject([{ type: 'alert.slack', action: 'resolve' }])
  })
})

describe('an alert that stands', () => {
  const told = (outbox: readonly OutboxMessage[]) =>
    noticesOf(outbox).map(({ action, details }) => ({ action, details }))

  test('speaks again of a new cause and of a new dataset, and of nothing that it was told of before', async () => {
    await recordLetter({ code: 'delivery_failed', datasetId: 'one' })
    await settle((await raise()).outbox)
    await letPass(RULES.newCausesSeconds)
    await recordLetter({ code: 'delivery_failed', datasetId: 'one' })
    expect(await raise()).toEqual({ changes: [], outbox: [] })

    await recordLetter({ code: 'delivery_failed', datasetId: 'two' })
    const grown = await raise()
    expect(grown.changes).toMatchObject([{ kind: 'dead_letters', change: 'grown' }])
    expect(told(grown.outbox)).toMatchObject(
      BOTH.map(() => ({ action: 'trigger', details: { newCauses: ['delivery_failed in two'], newCauseCount: 1 } })),
    )
    await settle(grown.outbox)
    expect(await raise()).toEqual({ changes: [], outbox: [] })

    await letPass(RULES.newCausesSeconds)
    await recordLetter({ code: 'invalid_message', datasetId: 'two' })
    const again = await raise()
    expect(told(again.outbox)[0]).toMatchObject({ details: { newCauses: ['invalid_message in two'] } })
  })

  test('speaks of new causes no more often than its rule says, and then of all of them', async () => {
    await recordLetter({ datasetId: 'one' })
    await settle((await raise()).outbox)
    for (const datasetId of ['two', 'three']) {
      await recordLetter({ datasetId })
      expect(await raise()).toEqual({ changes: [], outbox: [] })
    }
    await letPass(RULES.newCausesSeconds)
    const grown = await raise(['slack'])
    expect(told(grown.outbox)).toMatchObject([
      { details: { newCauses: ['delivery_failed in three', 'delivery_failed in two'], newCauseCount: 2 } },
    ])
  })

  test('keeps a bounded digest of what it is about, and names ten new causes at the most', async () => {
    await recordLetter({ datasetId: 'first' })
    await settle((await raise(['slack'])).outbox)
    await database.query(
      `insert into dead_letters (queue, message_id, body, code, message, attempts, dataset_id)
       select 'q', 'many-' || n, '{}', 'delivery_failed', 'no', 1, 'many-' || n from generate_series(1, 500) n`,
    )
    const grown = await raise(['slack'], { newCausesSeconds: 0 })
    const [notice] = noticesOf(grown.outbox)
    expect(notice!.details.newCauses).toHaveLength(10)
    expect(notice!.details.newCauseCount).toBeGreaterThan(100)
    await settle(grown.outbox)
    const [alert] = await database.query<{ known: number }>(
      "select cardinality(known_causes) as known from alerts where kind = 'dead_letters'",
    )
    expect(alert!.known).toBe(200)
    await recordLetter({ datasetId: 'one more' })
    expect(await raise(['slack'], { newCausesSeconds: 0 })).toEqual({ changes: [], outbox: [] })
  })

  test('begins with an empty digest when it is raised again', async () => {
    await recordLetter({ datasetId: 'one' })
    await settle((await raise()).outbox)
    await settle((await raise(BOTH, { deadLettersWindowSeconds: 0, quietSeconds: 0 })).outbox)
    await recordLetter({ datasetId: 'two' })
    const raised = await raise()
    expect(raised.changes).toMatchObject([{ change: 'raised' }])
    expect(noticesOf(raised.outbox)[0]!.details.newCauses).toBeUndefined()
  })
})

test('the last run of the cron is in the answer of a ping, in the status of operators and in the metrics', async () => {
  await database.query("update heartbeats set beat_at = now() - interval '10 minutes' where name = 'cron'")
  expect((await catalog.ping()).cron.ageSeconds).toBeGreaterThanOrEqual(600)
  expect(await catalog.recordCronRun()).toEqual({ outcome: 'recorded' })
  const { cron, now } = await catalog.ping()
  expect(cron.ageSeconds).toBeLessThan(60)
  expect(Date.parse(now) - Date.parse(cron.lastRunAt)).toBeLessThan(60_000)
  expect((await catalog.jobStatus(AN_OPERATOR)).cron!.lastRunAt).toBe(cron.lastRunAt)
  expect((await catalog.jobStatus(asUser(randomUUID()))).cron).toBeNull()
  expect((await catalog.metrics()).cronRanAt).toBeCloseTo(Date.parse(cron.lastRunAt) / 1000, 0)
})

describe('a message that was refused', () => {
  const oneMessage = async () => {
    await recordLetter()
    return (await raise(['slack'])).outbox[0]!
  }
  const row = async (id: number) =>
    (
      await database.query<{ status: string; pause: number; error: string }>(
        'select status, error, extract(epoch from next_attempt_at - now())::integer as pause from outbox where id = $1',
        id,
      )
    )[0]!

  test('for good is dead at once, and shows in the status', async () => {
    const { id } = await oneMessage()
    await catalog.releaseOutbox([id], 'a look', 'the receiver answered 404', { permanent: true })
    expect(await row(id)).toMatchObject({ status: 'dead', error: 'the receiver answered 404' })
    expect((await catalog.jobStatus(AN_OPERATOR)).outbox).toMatchObject({ deadAlerts: 1 })
  })

  test('is due when its receiver wants it, within an hour', async () => {
    const { id } = await oneMessage()
    await catalog.releaseOutbox([id], 'a look', 'the receiver answered 429', { retryAfterSeconds: 120 })
    expect((await row(id)).pause).toBeGreaterThan(100)
    expect((await row(id)).pause).toBeLessThanOrEqual(120)
    await database.query(
      "update outbox set status = 'in_progress', locked_by = 'l', locked_until = now() where id = $1",
      id,
    )
    await catalog.releaseOutbox([id], 'l', 'the receiver answered 429', { retryAfterSeconds: 1e9 })
    expect((await row(id)).pause).toBeLessThanOrEqual(3600)
  })

  test('is tried with pauses of up to a quarter of an hour', async () => {
    const { id } = await oneMessage()
    await database.query('update outbox set attempts = 15 where id = $1', id)
    await catalog.releaseOutbox([id], 'a look', 'the receiver answered 500')
    expect((await row(id)).pause).toBeGreaterThan(400)
    expect((await row(id)).pause).toBeLessThanOrEqual(900)
  })
})

describe('trouble is', () => {
  test('a dead letter, until somebody asks for its work again', async () => {
    const { dataset, jobId } = await endJob('dead')
    await recordLetter({ jobId, datasetId: dataset.id })
    expect((await raise([])).changes).toMatchObject([{ kind: 'dead_letters', change: 'raised' }])
    await catalog.retryJob(jobId, AN_OPERATOR, 'a test')
    expect((await raise([], { quietSeconds: 0 })).changes).toMatchObject([{ kind: 'dead_letters', change: 'resolved' }])
    expect((await catalog.jobStatus(AN_OPERATOR)).deadLetters).toEqual({ open: 0, oldestSeconds: null })
  })

  test('no dead letter that comes after somebody asked for its work again', async () => {
    const { dataset, jobId } = await endJob('dead')
    await catalog.retryJob(jobId, AN_OPERATOR, 'a test')
    await recordLetter({ jobId, datasetId: dataset.id })
    expect((await raise([])).changes).toEqual([])
  })

  test('a share of jobs that die, once enough have ended', async () => {
    const rules = { failureRatio: 0.5, failureMinJobs: 4 }
    for (const how of ['dead', 'dead', 'succeeded'] as const) await endJob(how)
    expect((await raise(['slack'], rules)).changes).toEqual([])
    const { jobId } = await endJob('dead')
    const { changes, outbox } = await raise(['slack'], rules)
    expect(changes).toEqual([{ kind: 'failure_rate', change: 'raised', summary: '3 of 4 jobs died in 60 min' }])
    expect(noticesOf(outbox)[0]).toMatchObject({ severity: 'critical', details: { codes: { storage_unavailable: 3 } } })
    expect(noticesOf(outbox)[0]!.details.examples).toContainEqual(
      expect.objectContaining({ jobId, step: 'compact-1', code: 'storage_unavailable' }),
    )
    for (let count = 0; count < 3; count++) await endJob('succeeded')
    expect((await raise(['slack'], { ...rules, quietSeconds: 0 })).changes).toMatchObject([{ change: 'resolved' }])
  })

  test('a job that waits too long, but not for another of its dataset', async () => {
    const dataset = new DataSetUnderTest(catalog)
    await dataset.upload()
    const first = await dataset.start()
    const { jobId } = await dataset.upload()
    await database.query("update jobs set created_at = now() - interval '2 hours' where id = $1", first.jobId)
    await database.query("update jobs set created_at = now() - interval '1 hour' where id = $1", jobId)
    expect((await raise([])).changes).toEqual([])
    expect((await catalog.jobStatus(asUser(dataset.owner))).oldestWaitingSeconds).toBeNull()
    // only now does it begin to wait for the queue
    await dataset.finish(first)
    expect((await raise([])).changes).toEqual([])
    expect((await catalog.jobStatus(asUser(dataset.owner))).oldestWaitingSeconds).toBeLessThan(1800)
    await database.query("update jobs set finished_at = now() - interval '50 minutes' where id = $1", first.jobId)
    expect((await raise([])).changes).toEqual([
      {
        kind: 'oldest_waiting',
        change: 'raised',
        summary: '1 job waiting for longer than 30 min, the oldest for 50 min',
      },
    ])
    await dataset.deliver(jobId, { leaseSeconds: LEASE_SECONDS })
    expect((await raise([], { quietSeconds: 0 })).changes).toMatchObject([{ change: 'resolved' }])
  })

  test('a job that waits too long for a slot, and says so', async () => {
    const dataset = new DataSetUnderTest(catalog)
    const { maxRunningJobs } = await catalog.configureAdmission(AN_OPERATOR, {})
    const busy = new DataSetUnderTest(catalog)
    await busy.upload()
    await busy.start()
    await catalog.configureAdmission(AN_OPERATOR, { maxRunningJobs: 1 })
    const { jobId } = await dataset.upload()
    expect((await dataset.job(jobId)).admittedAt).toBeNull()
    await database.query("update jobs set created_at = now() - interval '1 hour' where id = $1", jobId)
    const { changes, outbox } = await raise(['slack'])
    expect(changes).toMatchObject([
      { summary: '1 job waiting for longer than 30 min, the oldest for 60 min, 1 for a slot' },
    ])
    expect(noticesOf(outbox)[0]!.details.examples).toMatchObject([{ jobId, waitsFor: 'slot' }])
    expect((await catalog.jobStatus(AN_OPERATOR)).slots).toEqual({ taken: expect.any(Number), all: 1 })
    expect((await catalog.jobStatus(asUser(dataset.owner))).slots).toBeNull()
    await catalog.configureAdmission(AN_OPERATOR, { maxRunningJobs })
    await catalog.admitJobs()
    expect((await raise([])).changes).toEqual([])
    expect((await catalog.getJob(jobId, AN_OPERATOR))?.admittedAt).toEqual(expect.any(String))
  })

  test('a daily trigger that stays away', async () => {
    await new DataSetUnderTest(catalog).upload()
    await database.query("update heartbeats set beat_at = now() - interval '26 hours' where name = 'daily_trigger'")
    expect((await raise([])).changes).toEqual([
      { kind: 'missed_daily_trigger', change: 'raised', summary: 'the daily trigger has not come for 26 h' },
    ])
    await catalog.triggerScheduled(1, 'a test')
    expect((await raise([], { quietSeconds: 0 })).changes).toMatchObject([{ change: 'resolved' }])
  })
})
