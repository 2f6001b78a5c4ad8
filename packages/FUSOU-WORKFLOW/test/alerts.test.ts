import { createExecutionContext, createMessageBatch, getQueueResult } from 'cloudflare:test'
import { type AlertNotice, AN_OPERATOR, Environment } from '@fusou/catalog'
import { describe, expect, inject, test, vi } from 'vitest'
import { alertChannels } from '../src/alerts/alert-channels.ts'
import { ALERT_RULES } from '../src/alerts/alert-rules.ts'
import { pagerDutyEvent } from '../src/alerts/pagerduty-event.ts'
import { postAlert, retryAfterSeconds } from '../src/alerts/post-alert.ts'
import { raiseAlerts } from '../src/alerts/raise-alerts.ts'
import { slackMessage } from '../src/alerts/slack-message.ts'
import { consumeDeadLetters } from '../src/consume/consume-dead-letters.ts'
import { deliverDueAlerts } from '../src/maintenance/tell-alerts.ts'
import type { Answer, Received } from './alert-receiver.ts'
import { fragment, newDatasetId, newUserId, uploadAndAsk } from './fragments.ts'
import { catalog, env, POLL } from './test-env.ts'

const receiverUrl = inject('alertReceiverUrl')
/** Of a receiver that hangs. */
const TIMEOUT_MS = 5000
const ROUTING_KEY = 'R0123456789abcdefghijklmnopqrstu'

type PagerDutyEvent = ReturnType<typeof pagerDutyEvent>

/** A receiver of its own, that answers so and then accepts. */
const newReceiver = (...answers: Answer[]) => receiverAt(crypto.randomUUID(), ...answers)

async function receiverAt(name: string, ...answers: Answer[]) {
  await fetch(`${receiverUrl}/answers/${name}`, { method: 'PUT', body: JSON.stringify(answers) })
  const received = async () => (await (await fetch(`${receiverUrl}/received/${name}`)).json()) as Received[]
  return { url: `${receiverUrl}/hooks/${name}`, received }
}

const environment = (variables: Partial<Record<keyof Environment, string>>) =>
  Environment.parse({
    SUPABASE_URL: 'http://127.0.0.1:1',
    SUPABASE_SECRET_KEY: 'none',
    OPERATOR_TOKEN: 'x'.repeat(32),
    ...variables,
  })

const notice = (changes: Partial<AlertNotice> = {}): AlertNotice => ({
  kind: 'dead_letters',
  action: 'trigger',
  incident: 7,
  severity: 'error',
  summary: '3 dead letters in 60 min',
  found: 3,
  details: { codes: { corrupt_file: 3 }, examples: [{ code: 'corrupt_file', datasetId: 'd', message: 'torn' }] },
  raisedAt: '2026-11-22T08:00:00+00:00',
  at: '2026-11-22T09:00:00+00:00',
  ...changes,
})

/** All that is logged while it runs. */
async function logOf(body: () => Promise<unknown>): Promise<string> {
  const lines: string[] = []
  const spies = [vi.spyOn(console, 'error'), vi.spyOn(console, 'log')]
  for (const spy of spies) spy.mockImplementation((line: string) => void lines.push(line))
  try {
    await body()
  } finally {
    for (const spy of spies) spy.mockRestore()
  }
  return lines.join('\n')
}

describe('a message for Slack', () => {
  test('says what happened in its text, and gives counts and examples in its blocks', () => {
    const message = slackMessage(notice(), 'production')
    expect(message.text).toBe('[production] ERROR dead_letters: 3 dead letters in 60 min')
    expect(message.blocks.map(({ text }) => text)).toEqual([
      { type: 'mrkdwn', text: `*${message.text}*` },
      { type: 'mrkdwn', text: 'corrupt_file × 3\n• corrupt_file · torn · dataset d' },
    ])
    expect(slackMessage(notice({ action: 'resolve' }), 'production').text).toContain('RESOLVED dead_letters')
  })

  test('lets no text of a client link, mention, format or break a line', () => {
    const message = '<!channel> & <https://evil.example|click> *bold* `code`\n_so_ \ud800'
    const { blocks } = slackMessage(notice({ details: { examples: [{ message, code: '<b>' }] } }), '<s>')
    const text = blocks.map((block) => block.text.text).join('\n')
    expect(text).not.toMatch(/[<>]|&(?!amp;|lt;|gt;)/)
    expect(text).toContain('&lt;!channel&gt; &amp; &lt;https://evil.example|click&gt;')
    expect(text.split('\n')).toHaveLength(2)
    expect(text).not.toMatch(/[ ][*_`]\w/)
    expect(text.isWellFormed()).toBe(true)
  })

  test('names the file that a merge has set aside', () => {
    const fileId = crypto.randomUUID()
    const { blocks } = slackMessage(notice({ kind: 'files_set_aside', details: { examples: [{ fileId }] } }), 's')
    expect(JSON.stringify(blocks)).toContain(`file ${fileId}`)
  })

  test('stays within what Slack takes, however long the texts are', () => {
    const examples = Array.from({ length: 5 }, () => ({ message: '<'.repeat(10_000), datasetId: 'd'.repeat(10_000) }))
    const codes = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`code_${index}`, 1]))
    const { blocks } = slackMessage(notice({ details: { codes, examples } }), 's')
    for (const { text } of blocks) expect(text.text.length).toBeLessThanOrEqual(3000)
    expect(JSON.stringify(blocks)).not.toMatch(/&l?t?"/)
  })
})

test('an event for PagerDuty has one key for all of an incident, and another for the next', () => {
  const event = pagerDutyEvent(notice(), 'production', ROUTING_KEY)
  expect(event).toMatchObject({
    routing_key: ROUTING_KEY,
    event_action: 'trigger',
    dedup_key: 'production:dead_letters:7',
    payload: {
      summary: '3 dead letters in 60 min',
      source: 'production',
      severity: 'error',
      timestamp: '2026-11-22T09:00:00+00:00',
      custom_details: { found: 3, codes: { corrupt_file: 3 } },
    },
  })
  const resolved = pagerDutyEvent(notice({ action: 'resolve' }), 'production', ROUTING_KEY)
  expect(resolved).toMatchObject({ event_action: 'resolve', dedup_key: event.dedup_key })
  expect(pagerDutyEvent(notice({ incident: 8 }), 'production', ROUTING_KEY).dedup_key).not.toBe(event.dedup_key)
})

describe('the channels', () => {
  test('are those that the environment sets up', () => {
    expect([...alertChannels(environment({})).keys()]).toEqual([])
    const both = alertChannels(
      environment({ SLACK_WEBHOOK_URL: 'https://hooks.example/T/B/x', PAGERDUTY_ROUTING_KEY: ROUTING_KEY }),
    )
    expect([...both.keys()]).toEqual(['slack', 'pagerduty'])
    expect(both.get('pagerduty')?.url).toBe('https://events.pagerduty.com/v2/enqueue')
  })

  test.each([
    ['http://hooks.example/T/B/x'],
    ['ftp://127.0.0.1/x'],
    ['http://127.0.0.1.evil.example/x'],
    ['http://localhost@evil.example/'],
    ['file:///etc/passwd'],
    ['not an address'],
  ])('are refused at %s: a secret goes over TLS, or to this machine', (url) => {
    expect(() => environment({ SLACK_WEBHOOK_URL: url })).toThrow()
  })
})

describe('posting', () => {
  test.each([
    [{ status: 200 }, { outcome: 'delivered' }],
    [{ status: 500 }, { outcome: 'refused', permanent: false, error: 'the receiver answered 500' }],
    [{ status: 408 }, { outcome: 'refused', permanent: false }],
    [
      { status: 429, headers: { 'retry-after': '17' } },
      { permanent: false, retryAfterSeconds: 17 },
    ],
    [
      { status: 503, headers: { 'retry-after': '5' } },
      { permanent: false, retryAfterSeconds: 5 },
    ],
    [{ status: 400 }, { outcome: 'refused', permanent: true }],
    [{ status: 404 }, { outcome: 'refused', permanent: true }],
  ] as const)('to what answers %j is %j', async (answer, expected) => {
    const receiver = await newReceiver(answer as Answer)
    expect(await postAlert(receiver.url, {}, 5000)).toMatchObject(expected)
  })

  test('follows no redirect', async () => {
    const elsewhere = await newReceiver()
    const receiver = await newReceiver({ status: 307, headers: { location: elsewhere.url } })
    expect(await postAlert(receiver.url, {}, 5000)).toMatchObject({ outcome: 'refused', permanent: true })
    expect(await elsewhere.received()).toEqual([])
  })

  test('gives up on what hangs, and on what is not there, and names neither', async () => {
    const receiver = await newReceiver('hang')
    for (const [url, timeoutMs] of [
      [receiver.url, 50],
      ['http://127.0.0.1:9/T/B/secret', 5000],
    ] as const) {
      const posted = await postAlert(url, {}, timeoutMs)
      expect(posted).toMatchObject({ outcome: 'refused', permanent: false })
      expect(JSON.stringify(posted)).not.toMatch(/127|secret|hooks/)
    }
  })

  test.each([
    [null, 0],
    ['30', 30],
    ['-1', 0],
    ['soon', 0],
    ['Sun, 22 Nov 2026 09:00:10 GMT', 10],
    ['Sun, 22 Nov 2026 08:00:00 GMT', 0],
  ])('reads Retry-After: %s as %i seconds', (header, seconds) => {
    expect(retryAfterSeconds(header, Date.parse('2026-11-22T09:00:00Z'))).toBe(seconds)
  })
})

/** Jobs die in other tests too: their alert stands, and was told, before one of letters is looked at. */
const DYING = { ...ALERT_RULES, failureRatio: 0, failureMinJobs: 1 }
async function notifyOfDeadJobs() {
  const { url } = await newReceiver()
  const channels = alertChannels(
    environment({ SLACK_WEBHOOK_URL: url, PAGERDUTY_ROUTING_KEY: ROUTING_KEY, PAGERDUTY_EVENTS_URL: receiverUrl }),
  )
  const datasetId = newDatasetId()
  const { jobId } = await uploadAndAsk(datasetId, newUserId(), [{ table: 't', bytes: fragment(0, 1) }])
  const accepted = await catalog.acceptMessage('m', { datasetId, jobId, priority: 'manual' }, 600)
  if (accepted.outcome !== 'claimed') throw new Error(accepted.outcome)
  await catalog.failAttempt(accepted, { code: 'internal', step: 's', message: 'no', transient: false }, 600, null)
  await raiseAlerts(catalog, channels, { ...DYING, deadLettersWindowSeconds: 0 })
}

describe('an alert', () => {
  test('of a dead letter is told by the consumer to both channels, again until they take it, and resolved', async () => {
    await notifyOfDeadJobs()
    const slack = await newReceiver({ status: 500 }, 'hang', { status: 429, headers: { 'retry-after': '1' } })
    // only the host is configured; the path is PagerDuty's own
    const pagerDuty = await receiverAt('enqueue', 'hang')
    const secrets = [slack.url, ROUTING_KEY]
    const channels = alertChannels(
      environment({
        SLACK_WEBHOOK_URL: slack.url,
        PAGERDUTY_ROUTING_KEY: ROUTING_KEY,
        PAGERDUTY_EVENTS_URL: receiverUrl,
      }),
      TIMEOUT_MS,
    )

    const letter = { id: crypto.randomUUID(), timestamp: new Date(), attempts: 1, body: { datasetId: newDatasetId() } }
    const batch = createMessageBatch('dev-kc-compaction-dlq', [letter])
    const log = await logOf(async () => {
      await consumeDeadLetters(batch, env, catalog, channels)
      expect((await getQueueResult(batch, createExecutionContext())).explicitAcks).toEqual([letter.id])
      await expect
        .poll(async () => {
          await deliverDueAlerts(catalog, channels)
          return (await slack.received()).map(({ answered }) => (answered === 'hang' ? answered : answered.status))
        }, POLL)
        .toEqual([500, 'hang', 429, 202])
    })
    for (const secret of secrets) expect(log).not.toContain(secret)
    expect(log).toContain('the receiver answered 429')

    const told = (await slack.received()).map(({ body }) => body)
    expect(told[0]).toMatchObject({
      text: expect.stringMatching(/^\[fusou\] ERROR dead_letters: \d+ dead letters? in/),
    })
    expect(new Set(told.map((body) => JSON.stringify(body))).size).toBe(1)

    await raiseAlerts(catalog, channels)
    expect(await slack.received()).toHaveLength(4)

    const resolving = { ...DYING, deadLettersWindowSeconds: 0, quietSeconds: 0 }
    await raiseAlerts(catalog, channels, resolving)
    await expect
      .poll(async () => {
        await deliverDueAlerts(catalog, channels)
        return (await slack.received()).at(-1)?.body
      }, POLL)
      .toMatchObject({ text: expect.stringContaining('RESOLVED dead_letters') })

    const isOfLetters = ({ payload }: PagerDutyEvent) => payload.custom_details.kind === 'dead_letters'
    const events = (await pagerDuty.received()).map(({ body }) => body as PagerDutyEvent).filter(isOfLetters)
    expect(events.map((event) => event.event_action)).toEqual(['trigger', 'trigger', 'resolve'])
    expect(new Set(events.map((event) => event.dedup_key)).size).toBe(1)
  })

  test('that a receiver refuses for good is dead at once, and shows in the status', async () => {
    const before = (await catalog.jobStatus(AN_OPERATOR)).outbox!.deadAlerts
    const slack = await newReceiver({ status: 404 })
    const channels = alertChannels(environment({ SLACK_WEBHOOK_URL: slack.url }))
    await catalog.recordDeadLetter({
      queue: 'q',
      messageId: crypto.randomUUID(),
      body: {},
      code: 'invalid_message',
      message: 'no',
      attempts: 1,
      datasetId: null,
      jobId: null,
    })
    await raiseAlerts(catalog, channels, { ...ALERT_RULES, silenceSeconds: 0 })
    await expect
      .poll(async () => {
        await deliverDueAlerts(catalog, channels)
        return (await catalog.jobStatus(AN_OPERATOR)).outbox!.deadAlerts
      }, POLL)
      .toBeGreaterThan(before)
    expect((await slack.received()).length).toBeGreaterThan(0)
  })

  test('does not keep a letter from being settled when the database goes away in between', async () => {
    const letter = { id: crypto.randomUUID(), timestamp: new Date(), attempts: 1, body: { datasetId: newDatasetId() } }
    const batch = createMessageBatch('dev-kc-compaction-dlq', [letter])
    const failing = new Proxy(catalog, {
      get(target, name: keyof typeof catalog) {
        if (name === 'raiseAlerts') return () => Promise.reject(new Error('database_unavailable: gone'))
        return target[name].bind(target)
      },
    })
    const log = await logOf(() => consumeDeadLetters(batch, env, failing, new Map()))
    expect(log).toContain('alerts_not_raised')
    expect((await getQueueResult(batch, createExecutionContext())).explicitAcks).toEqual([letter.id])
  })
})
