import { randomUUID } from 'node:crypto'
import {
  CompactionMessage,
  DatasetId,
  DeadJobMessage,
  JobId,
  PeriodTag,
  RefusedMessage,
  TableName,
} from '@fusou/catalog'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

const jobId = randomUUID()

describe('a compaction message', () => {
  test('needs nothing but the dataset', () => {
    expect(CompactionMessage.parse({ datasetId: 'weather' })).toEqual({ datasetId: 'weather', priority: 'manual' })
  })

  test('keeps what it says, and drops what it has no use for', () => {
    const whole = {
      datasetId: 'weather',
      triggeredAt: '2026-11-22T02:00:00.000Z',
      priority: 'scheduled',
      jobId,
      table: 'hourly',
      periodTag: '0',
      metricId: 'm',
    }
    expect(CompactionMessage.parse({ ...whole, future: 1 })).toEqual(whole)
  })

  test.each([
    ['nothing', undefined],
    ['null', null],
    ['text', 'weather'],
    ['a list', [{ datasetId: 'weather' }]],
    ['no dataset', {}],
    ['a dataset that is a number', { datasetId: 7 }],
    ['an empty dataset', { datasetId: '' }],
    ['a dataset with a slash', { datasetId: 'a/b' }],
    ['a dataset of 129 characters', { datasetId: 'a'.repeat(129) }],
    ['a dataset and a line feed', { datasetId: 'weather\n' }],
    ['a priority that is none', { priority: 'urgent' }],
    ['a null priority', { priority: null }],
    ['a job id that is not one', { jobId: '7' }],
    ['a job id that is a number', { jobId: 7 }],
    ['a time that is none', { triggeredAt: 'yesterday' }],
    ['a time that is a number', { triggeredAt: 1_763_776_800 }],
    ['a table with a quote', { table: "a'b" }],
    ['an empty table', { table: '' }],
    ['a period tag that is a number', { periodTag: 0 }],
    ['a metric id of 129 characters', { metricId: 'm'.repeat(129) }],
  ])('with %s does not parse', (_name, message) => {
    const isPart = typeof message === 'object' && message !== null && !Array.isArray(message)
    const whole = isPart && Object.keys(message).length > 0 ? { datasetId: 'weather', ...message } : message
    expect(CompactionMessage.safeParse(whole).success).toBe(false)
  })

  test('of any JSON at all either parses or says why; it never throws', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (json) => {
        const result = CompactionMessage.safeParse(json)
        expect(result.error?.issues.length ?? 1).toBeGreaterThan(0)
      }),
      { seed: 1, numRuns: 300 },
    )
  })
})

describe('a name', () => {
  test.each([
    [
      DatasetId,
      ['a', '7', 'A.b_c-d', randomUUID(), `a${'b'.repeat(127)}`],
      ['', '.a', '_a', '-a', 'a b', 'é', 'a\0', `a${'b'.repeat(128)}`],
    ],
    [TableName, ['a', '_a', '7'], ['', '.a', '-a', '../a', 'a b']],
    [PeriodTag, ['0', '2026-11', '_'], ['', '.', 'a/b', ' ']],
    [JobId, [jobId], ['', jobId.slice(1), `${jobId} `, 'null']],
  ])('is as its schema says %#', (schema, good, bad) => {
    for (const name of good) expect({ name, ok: schema.safeParse(name).success }).toEqual({ name, ok: true })
    for (const name of bad) expect({ name, ok: schema.safeParse(name).success }).toEqual({ name, ok: false })
  })
})

describe('what the dead-letter queue carries', () => {
  const dead = { datasetId: 'weather', jobId, attempt: 5, code: 'conflict', step: null, message: null }

  test('is a dead job or a refused message, and one is not taken for the other', () => {
    const refused = { refused: { queue: 'q', messageId: 'm', code: 'invalid_message', message: 'no' }, body: null }
    expect(DeadJobMessage.parse(dead)).toEqual(dead)
    expect(RefusedMessage.parse(refused)).toEqual(refused)
    expect(DeadJobMessage.safeParse(refused).success).toBe(false)
    expect(RefusedMessage.safeParse(dead).success).toBe(false)
  })

  test.each([{ attempt: -1 }, { attempt: 1.5 }, { attempt: '5' }, { jobId: null }, { step: 1 }])(
    'is no dead job with %j',
    (bad) => expect(DeadJobMessage.safeParse({ ...dead, ...bad }).success).toBe(false),
  )
})
