import { asUser } from '@fusou/catalog'
import parse from 'parse-prometheus-text-format'
import { describe, expect, test } from 'vitest'
import { inTextFormat } from '../src/metrics/text-format.ts'
import { askForMerge, call, catalog, expectProblem, newDataset, newJobOf, OPERATOR } from './support/api.ts'
import { newUser } from './support/tokens.ts'

const owner = await newUser()

async function scrape() {
  const response = await call('/api/metrics', OPERATOR)
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
  const text = await response.text()
  const families = parse(text)
  // The parser joins the histograms of one family whatever their labels: as untyped samples each is kept.
  const samples = parse(text.replaceAll(/^(# TYPE \S+) histogram$/gm, '$1 untyped'))
  const all = (name: string) => samples.flatMap((family) => (family.name === name ? family.metrics : []))
  const number = (name: string, labels: Record<string, string> = {}) => {
    const found = all(name).filter((sample) => {
      const entries = Object.entries(sample.labels ?? {})
      return entries.length === Object.keys(labels).length && entries.every(([key, text]) => labels[key] === text)
    })
    expect(found, `${name} ${JSON.stringify(labels)}`).toHaveLength(1)
    return Number(found[0]!.value)
  }
  return { text, families, all, number }
}

/** A job that ends dead at its second attempt, with steps of these durations, in seconds. */
async function newDeadJob(steps: Record<string, number>): Promise<void> {
  const { datasetId, jobId } = await newJobOf(owner)
  await catalog.acceptMessage(crypto.randomUUID(), { datasetId, jobId, priority: 'manual' }, 60)
  const failure = { code: 'storage_unavailable', step: 'compact-1', message: 'no answer' }
  await catalog.failAttempt({ jobId, attempt: 1 }, { ...failure, transient: true }, 60, null)
  await catalog.enterStep({ jobId, attempt: 2 }, 'update-metadata', { leaseSeconds: 60, finished: steps })
  const end = await catalog.failAttempt({ jobId, attempt: 2 }, { ...failure, transient: false }, 60, 'test')
  expect(end.outcome).toBe('dead')
  // as the cron does each minute
  while ((await catalog.tallyJobs(1000)) > 0);
}

/** A job that merges files of 300 and 400 bytes, with 2 and 4 rows, into one of 450 bytes. */
async function newMergedJob(): Promise<void> {
  const datasetId = newDataset()
  for (const [length, rows] of [
    [300, 2],
    [400, 4],
  ] as const) {
    const slice = { table: 't', periodTag: '0', offset: 0, length, rows, rowGroups: 1, fingerprint: 'f' }
    const sha256 = crypto.randomUUID().replaceAll('-', '').repeat(2)
    const object = { r2Key: `fragments/${crypto.randomUUID()}`, slices: [{ ...slice, sha256 }] }
    await catalog.registerUpload({ datasetId, requester: asUser(owner.id), object, sender: 'test' })
  }
  const { jobId } = await askForMerge(owner, datasetId)
  await catalog.acceptMessage(crypto.randomUUID(), { datasetId, jobId, priority: 'manual' }, 60)
  const attempt = { jobId, attempt: 1 }
  const files = await catalog.listMergeableFiles(attempt, 10)
  if (files.outcome !== 'ok') throw new Error(files.outcome)
  await catalog.savePlan(attempt, [files.files.map(({ id }) => id)])
  const output = { r2Key: `compacted/${crypto.randomUUID()}`, bytes: 450, rows: 6, rowGroups: 1, fingerprint: 'f' }
  const committed = await catalog.commitMerge(attempt, 1, { ...output, sha256: 'a'.repeat(64) }, 60)
  expect(committed.outcome).toBe('committed')
  await catalog.finishJob(attempt, { result: {}, more: false, sender: 'test' })
}

describe('the metrics', () => {
  test('have a HELP and a TYPE line each, names with base units, and only lines of the format', async () => {
    await newDeadJob({ 'get-metadata': 1 })
    const { text, families } = await scrape()
    for (const { name, type, help } of families) {
      expect(name).toMatch(/^fusou_[a-z_]+$/)
      expect(name.endsWith('_total')).toBe(type === 'COUNTER')
      expect(name).not.toMatch(/_(ms|milliseconds|minutes|kb|mb|mib)(_|$)/)
      expect(help).not.toBe('')
    }
    expect(text.endsWith('\n')).toBe(true)
    const sample =
      /^fusou_[a-z_]+(\{[a-z_]+="(?:[^"\\\n]|\\["\\n])*"(?:,[a-z_]+="(?:[^"\\\n]|\\["\\n])*")*\})? (\d\S*)$/
    for (const line of text.trimEnd().split('\n')) {
      if (line.startsWith('#'))
        expect(line).toMatch(/^# (HELP fusou_[a-z_]+ \S.*|TYPE fusou_[a-z_]+ (counter|gauge|histogram))$/)
      else expect(line).toMatch(sample)
    }
  })

  test('count jobs, outcomes, retries and steps, the merges of a job as one step', async () => {
    const before = await scrape()
    const step = `a "step" \\ of\nits own ${crypto.randomUUID()}`
    await newDeadJob({ 'compact-1': 0.5, 'compact-12': 2, [step]: 4000 })
    const after = await scrape()
    const dead = { kind: 'compaction', state: 'dead' }
    expect(after.number('fusou_jobs', dead)).toBeGreaterThan(before.number('fusou_jobs', dead))
    for (const state of ['queued', 'running', 'succeeded', 'cancelled']) after.number('fusou_jobs', { ...dead, state })
    const outcome = { kind: 'compaction', outcome: 'dead' }
    const grown = (name: string, labels: Record<string, string>) =>
      after.number(name, labels) - before.number(name, labels)
    expect(grown('fusou_job_outcomes_total', outcome)).toBeGreaterThanOrEqual(1)
    expect(grown('fusou_job_retries_total', { kind: 'compaction' })).toBeGreaterThanOrEqual(1)

    const histogram = 'fusou_job_step_duration_seconds'
    expect(after.families.find(({ name }) => name === histogram)?.type).toBe('HISTOGRAM')
    const merges = { kind: 'compaction', step: 'compact' }
    const count = after.number(`${histogram}_count`, merges)
    expect(count).toBeGreaterThanOrEqual(2)
    expect(after.number(`${histogram}_sum`, merges)).toBeGreaterThanOrEqual(2.5)
    const buckets = after.all(`${histogram}_bucket`).filter(({ labels }) => labels?.step === 'compact')
    const counts = buckets.map(({ value }) => Number(value))
    expect(counts).toEqual(counts.toSorted((a, b) => a - b))
    expect(buckets.at(-1)).toMatchObject({ labels: { le: '+Inf' }, value: String(count) })
    expect(after.all(`${histogram}_count`).map(({ labels }) => labels?.step)).not.toContain('compact-1')

    const long = { kind: 'compaction', step }
    expect(after.number(`${histogram}_sum`, long)).toBe(4000)
    expect(after.number(`${histogram}_bucket`, { ...long, le: '1800' })).toBe(0)
    expect(after.number(`${histogram}_bucket`, { ...long, le: '+Inf' })).toBe(1)
  })

  test('count what merges read as in and what they wrote as out, each by its own amount', async () => {
    const before = await scrape()
    await newMergedJob()
    const after = await scrape()
    const grown = (name: string, direction: string) => {
      const labels = { kind: 'compaction', direction }
      return after.number(`fusou_job_${name}_total`, labels) - before.number(`fusou_job_${name}_total`, labels)
    }
    expect({ in: grown('files', 'in'), out: grown('files', 'out') }).toEqual({ in: 2, out: 1 })
    expect({ in: grown('rows', 'in'), out: grown('rows', 'out') }).toEqual({ in: 6, out: 6 })
    expect({ in: grown('bytes', 'in'), out: grown('bytes', 'out') }).toEqual({ in: 700, out: 450 })
  })

  test('tell when the cron ran last, as a time', async () => {
    await catalog.recordCronRun()
    const ranAt = (await scrape()).number('fusou_cron_last_run_timestamp_seconds')
    expect(Math.abs(Date.now() / 1000 - ranAt)).toBeLessThan(60)
  })

  test('tell of the outbox, the dead letters and what waits', async () => {
    const before = await scrape()
    // no sender: the message waits for a relay, which there is none of here
    await newDeadJob({})
    const letter = { code: 'job_dead', message: 'no', attempts: 1, datasetId: null, jobId: null, body: {} }
    await catalog.recordDeadLetter({ queue: 'dev-kc-compaction-dlq', messageId: crypto.randomUUID(), ...letter })
    const after = await scrape()
    expect(after.number('fusou_dead_letters')).toBeGreaterThan(before.number('fusou_dead_letters'))
    expect(after.number('fusou_outbox_messages', { status: 'pending' })).toBeGreaterThanOrEqual(1)
    expect(after.number('fusou_outbox_oldest_age_seconds')).toBeGreaterThan(0)
    for (const status of ['in_progress', 'dead']) after.number('fusou_outbox_messages', { status })
    expect(after.number('fusou_dead_letters_oldest_age_seconds')).toBeGreaterThan(0)
    for (const alert of ['dead_letters', 'failure_rate', 'oldest_waiting', 'missed_daily_trigger']) {
      expect([0, 1]).toContain(after.number('fusou_alert_raised', { alert }))
      after.number('fusou_alert_incidents_total', { alert })
    }
    const vacuum = ['fusou_vacuum_garbage_objects', 'fusou_vacuum_oldest_garbage_age_seconds', 'fusou_uploads_in_parts']
    const counters = ['fusou_vacuum_deleted_objects_total', 'fusou_vacuum_aborted_uploads_total']
    for (const name of [...vacuum, ...counters, 'fusou_daily_trigger_age_seconds']) after.number(name)
    const gauges = [
      'fusou_jobs_oldest_waiting_seconds',
      'fusou_quarantined_files',
      'fusou_datasets_waiting',
      'fusou_jobs_expired_leases',
    ]
    for (const name of [...gauges, 'fusou_jobs_oldest_queued_seconds']) after.number(name)
  })

  test('are for operators only', async () => {
    await expectProblem(call('/api/metrics'), 'unauthenticated')
    await expectProblem(call('/api/metrics', owner), 'forbidden')
  })
})

test('help and labels are escaped', () => {
  const text = inTextFormat([
    {
      name: 'fusou_x',
      type: 'gauge',
      help: 'a \\ and\na "b"',
      samples: [{ labels: { l: 'a \\ and\na "b"' }, value: 1e21 }],
    },
  ])
  expect(text).toBe(
    '# HELP fusou_x a \\\\ and\\na "b"\n# TYPE fusou_x gauge\nfusou_x{l="a \\\\ and\\na \\"b\\""} 1e+21\n',
  )
})
