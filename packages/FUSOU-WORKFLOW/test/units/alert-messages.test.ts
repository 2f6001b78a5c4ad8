import type { AlertNotice } from '@fusou/catalog'
import { describe, expect, test } from 'vitest'
import { pagerDutyEvent } from '../../src/alerts/pagerduty-event.ts'
import { slackMessage } from '../../src/alerts/slack-message.ts'

const notice = (changes: Partial<AlertNotice> = {}): AlertNotice => ({
  kind: 'dead_letters',
  action: 'trigger',
  incident: 7,
  severity: 'critical',
  summary: 'summary',
  found: 3,
  details: {},
  raisedAt: '2026-11-22T08:00:00+00:00',
  at: '2026-11-22T09:00:00+00:00',
  ...changes,
})

/** The texts of the blocks of a message. */
const blocksOf = (changes: Partial<AlertNotice>, source = 'prod') =>
  slackMessage(notice(changes), source).blocks.map(({ type, text }) => {
    expect([type, text.type]).toEqual(['section', 'mrkdwn'])
    return text.text
  })
const details = (details: AlertNotice['details']) => blocksOf({ details })[1]

describe('a message for Slack', () => {
  test('has one section where there are no details, and says what is over', () => {
    expect(blocksOf({})).toEqual(['*[prod] CRITICAL dead_letters: summary*'])
    expect(blocksOf({ action: 'resolve' })).toEqual([
      '*[prod] RESOLVED dead_letters (was: summary)*',
      'It had been raised at 2026-11-22T08:00:00+00:00.',
    ])
    expect(slackMessage(notice(), 'prod').text).toBe('[prod] CRITICAL dead_letters: summary')
  })

  test('counts ten codes at the most', () => {
    const codes = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`c${i}`, i + 1]))
    expect(details({ codes: codes(2) })).toBe('c0 × 1, c1 × 2')
    expect(details({ codes: codes(10) })?.split(', ')).toHaveLength(10)
    expect(details({ codes: codes(11) })?.split(', ')).toHaveLength(10)
  })

  test('names ten new causes at the most, and how many more there are', () => {
    const causes = (count: number) => Array.from({ length: count }, (_, i) => `c${i}`)
    expect(details({ newCauses: causes(2) })).toBe('New: c0, c1')
    expect(details({ newCauses: causes(2), newCauseCount: 2 })).toBe('New: c0, c1')
    expect(details({ newCauses: causes(2), newCauseCount: 5 })).toBe('New: c0, c1 and 3 more')
    expect(details({ newCauses: causes(10) })?.split(', ')).toHaveLength(10)
    expect(details({ newCauses: causes(11) })?.split(', ')).toHaveLength(10)
    expect(details({ newCauses: ['<a>'] })).toBe('New: &lt;a&gt;')
    expect(details({ newCauses: [] })).toBeUndefined()
  })

  test('says when the cron ran last', () => {
    expect(details({ lastRunAt: '2026-11-20', lastTriggerAt: 'x' })).toBe(
      'It came last at x.\nThe cron ran last at 2026-11-20.',
    )
  })

  test('says when the trigger came last', () => {
    expect(details({ lastTriggerAt: '2026-11-20' })).toBe('It came last at 2026-11-20.')
    expect(details({ codes: { a: 1 }, lastTriggerAt: 'x', examples: [{ code: 'b' }] })?.split('\n')).toEqual([
      'a × 1',
      'It came last at x.',
      '• b',
    ])
  })

  test.each([
    [{ code: 'corrupt_file' }, 'corrupt_file'],
    [{ step: 'compact-1' }, 'at compact-1'],
    [{ message: 'torn' }, 'torn'],
    [{ datasetId: 'd' }, 'dataset d'],
    [{ fileId: 'f' }, 'file f'],
    [{ jobId: 'j' }, 'job j'],
    [{ priority: 'manual' }, 'manual'],
    [{ waitsFor: 'slot' }, 'waits for a slot'],
    [{ waitsFor: 'queue' }, 'waits for the queue'],
    [{ waitingSince: '2026' }, 'waiting since 2026'],
    [
      { code: 'c', step: 's', message: 'm', datasetId: 'd', fileId: 'f', jobId: 'j' },
      'c · at s · m · dataset d · file f · job j',
    ],
    [{ priority: 'p', waitsFor: 'slot', waitingSince: 'w' }, 'p · waits for a slot · waiting since w'],
    [{ code: 'c', step: null, message: null }, 'c'],
  ] as [NonNullable<AlertNotice['details']['examples']>[number], string][])(
    'tells of the example %j',
    (example, line) => {
      expect(details({ examples: [example] })).toBe(`• ${line}`)
    },
  )

  test('cuts a text behind a hundred characters, and says so', () => {
    const text = (length: number) => details({ examples: [{ message: 'x'.repeat(length) }] })
    expect(text(100)).toBe(`• ${'x'.repeat(100)}`)
    expect(text(101)).toBe(`• ${'x'.repeat(100)}…`)
  })

  test('cuts a section behind 3,000 characters', () => {
    const examples = Array.from({ length: 40 }, () => ({ message: 'x'.repeat(100) }))
    expect(details({ examples })).toHaveLength(3000)
    expect(details({ examples: examples.slice(0, 20) })?.length).toBe(20 * 103 - 1)
  })

  test.each([
    ['a & b', 'a &amp; b'],
    ['<a> <b>', '&lt;a&gt; &lt;b&gt;'],
    ['a\n\t b', 'a b'],
    ['*a*', '\u200b*a\u200b*'],
    ['a_b', 'a_b'],
    ['_a', '\u200b_a'],
    ['a~ `b', 'a\u200b~ \u200b`b'],
    ['\ud800', '\ufffd'],
  ])('shows %j as it is', (given, shown) => {
    expect(details({ examples: [{ message: given }] })).toBe(`• ${shown}`)
    expect(blocksOf({ summary: given })[0]).toBe(`*[prod] CRITICAL dead_letters: ${shown}*`)
    expect(blocksOf({}, given)[0]).toBe(`*[${shown}] CRITICAL dead_letters: summary*`)
  })
})

describe('an event for PagerDuty', () => {
  test('has all that the notice says', () => {
    expect(pagerDutyEvent(notice({ details: { codes: { a: 1 } } }), 'prod', 'key')).toEqual({
      routing_key: 'key',
      event_action: 'trigger',
      dedup_key: 'prod:dead_letters:7',
      payload: {
        summary: 'summary',
        source: 'prod',
        severity: 'critical',
        timestamp: '2026-11-22T09:00:00+00:00',
        custom_details: { kind: 'dead_letters', found: 3, raised_at: '2026-11-22T08:00:00+00:00', codes: { a: 1 } },
      },
    })
  })

  test('has a summary of 1,024 characters at the most', () => {
    const summary = (length: number) =>
      pagerDutyEvent(notice({ summary: 'x'.repeat(length) }), 's', 'k').payload.summary
    expect([summary(1024).length, summary(1025).length]).toEqual([1024, 1024])
  })
})
