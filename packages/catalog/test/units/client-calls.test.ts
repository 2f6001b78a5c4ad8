import { AN_OPERATOR, asUser, type Catalog, connectCatalog } from '@fusou/catalog'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { ATTEMPT, CALLS, FENCE, FILE, JOB, MESSAGE } from './every-call.ts'

let sent: { name: string; body: unknown } | undefined
let answer: unknown
const catalog = connectCatalog({ supabaseUrl: 'https://project.example', supabaseSecretKey: 'sb_secret_x' })

beforeAll(() => {
  vi.stubGlobal('fetch', async (url: string | URL, init: RequestInit) => {
    const [, name] = /\/rest\/v1\/rpc\/(\w+)$/.exec(String(url)) ?? []
    sent = { name: name!, body: JSON.parse(String(init.body)) }
    return Response.json(answer)
  })
})
afterAll(() => vi.unstubAllGlobals())

/** What a method sends; what it makes of the answer does not matter here. */
async function sentBy(call: (catalog: Catalog) => Promise<unknown>): Promise<[name: string, body: unknown]> {
  sent = undefined
  answer = null
  await call(catalog).catch(() => undefined)
  return [sent!.name, sent!.body]
}

test.each(CALLS.map(([call, name, body], i) => ({ call, name, body, i })))(
  'call $i is one of $name',
  async ({ call, name, body }) => {
    expect(await sentBy(call)).toEqual([name, body])
  },
)

type Method = (catalog: Catalog) => Promise<unknown>

/** Answers that a method takes, each as it is; what is not listed is refused. */
const ANSWERS: [title: string, call: Method, answers: unknown[]][] = [
  [
    'checkUpload',
    (c) => c.checkUpload('d', asUser('u')),
    [{ outcome: 'ok', ownerId: JOB, isNew: true }, ...named('unknown_dataset')],
  ],
  [
    'requestCompaction',
    (c) => c.requestCompaction({ datasetId: 'd', requester: AN_OPERATOR, sender: 's' }),
    [
      { outcome: 'requested', jobId: JOB, joined: true, outbox: MESSAGE },
      { outcome: 'requested', jobId: JOB, joined: false, outbox: null },
      { outcome: 'unknown_dataset' },
    ],
  ],
  [
    'triggerScheduled',
    (c) => c.triggerScheduled(1, 's'),
    [{ datasets: [{ datasetId: 'd', jobId: JOB }], remaining: 4, outbox: [MESSAGE] }],
  ],
  [
    'configureDataset',
    (c) => c.configureDataset('d', AN_OPERATOR, {}),
    [{ outcome: 'configured', settings: { a: 1 }, public: true }, ...named('unknown_dataset')],
  ],
  [
    'acceptMessage',
    (c) => c.acceptMessage('m', { datasetId: 'd', priority: 'manual' }, 5),
    [
      { outcome: 'claimed', jobId: JOB, attempt: 1 },
      { outcome: 'running', jobId: JOB, attempt: 1 },
      { outcome: 'waiting', jobId: JOB },
      { outcome: 'ended', jobId: JOB, state: 'dead' },
      ...named('unknown_dataset', 'unknown_job'),
    ],
  ],
  ['enterStep', (c) => c.enterStep(ATTEMPT, 'x', { leaseSeconds: 1 }), named('ok', ...FENCE)],
  ['renewLease', (c) => c.renewLease(ATTEMPT, 1), [{ outcome: 'ok', silentLeases: 2 }, ...named(...FENCE)]],
  ['savePlan', (c) => c.savePlan(ATTEMPT, []), [{ outcome: 'ok', merges: 3 }, ...named('conflict', ...FENCE)]],
  [
    'openMerge',
    (c) => c.openMerge(ATTEMPT, 1, { leaseSeconds: 1 }),
    named('committed', 'nothing_left', 'unknown_merge', ...FENCE),
  ],
  [
    'commitMerge',
    (c) => c.commitMerge(ATTEMPT, 1, {} as never, 1),
    [
      { outcome: 'committed', version: 4 },
      ...named('superseded', 'conflict', 'row_count_mismatch', 'unknown_merge', ...FENCE),
    ],
  ],
  [
    'setAsideInputs',
    (c) => c.setAsideInputs(ATTEMPT, 1, []),
    [
      { outcome: 'ok', setAside: 1 },
      { outcome: 'nothing_left', setAside: 2 },
      { outcome: 'committed', setAside: 0 },
      ...named('unknown_merge', ...FENCE),
    ],
  ],
  [
    'finishJob',
    (c) => c.finishJob(ATTEMPT, { result: {}, more: false, sender: 's' }),
    ['succeeded', 'dead', ...FENCE].map((outcome) => ({ outcome, outbox: [MESSAGE] })),
  ],
  [
    'failAttempt',
    (c) => c.failAttempt(ATTEMPT, { code: 'c', step: 's', message: 'm', transient: true }, 1, null),
    [
      { outcome: 'retrying', attempt: 2, delaySeconds: 1.5, outbox: [] },
      ...['dead', ...FENCE].map((outcome) => ({ outcome, outbox: [MESSAGE] })),
    ],
  ],
  [
    'cancelJob',
    (c) => c.cancelJob(JOB, AN_OPERATOR),
    [{ outcome: 'ended', state: 'dead' }, ...named('cancelled', 'cancelling', 'unknown_job')],
  ],
  [
    'retryJob',
    (c) => c.retryJob(JOB, AN_OPERATOR, 's'),
    [
      { outcome: 'requested', jobId: JOB, joined: false, outbox: MESSAGE },
      { outcome: 'not_dead', state: 'running' },
      { outcome: 'unknown_job' },
    ],
  ],
  ['listExpiredLeases', (c) => c.listExpiredLeases(1), [[], [{ jobId: JOB, attempt: 2 }]]],
  ['admitJobs', (c) => c.admitJobs(), [0, 7]],
  ['completeOutbox', (c) => c.completeOutbox([1], 's'), [1]],
  ['tallyJobs', (c) => c.tallyJobs(1), [5]],
  [
    'discardFile',
    (c) => c.discardFile(FILE, AN_OPERATOR),
    [
      { outcome: 'discarded', datasetId: 'd', table: 't', periodTag: 'p', rows: 1, version: 2 },
      ...named('file_superseded', 'unknown_file'),
    ],
  ],
  [
    'releaseFile',
    (c) => c.releaseFile(FILE, AN_OPERATOR),
    [{ outcome: 'released', datasetId: 'd', code: 'c' }, ...named('not_quarantined', 'unknown_file')],
  ],
  ['trimHistory', (c) => c.trimHistory(1), [{ jobs: 1, letters: 2, messages: 3, streams: 4, auditEntries: 5 }]],
]

function named(...outcomes: string[]): { outcome: string }[] {
  return outcomes.map((outcome) => ({ outcome }))
}

describe.each(ANSWERS)('%s', (_, call, answers) => {
  test('gives each answer as it came', async () => {
    for (const one of answers) {
      answer = one
      expect(await call(catalog)).toEqual(one)
    }
  })

  test('refuses answers of another form', async () => {
    // with one field less, or of an outcome that nobody foresaw
    const others = answers.flatMap((one) =>
      typeof one === 'object' && one !== null && !Array.isArray(one)
        ? Object.keys(one).map((field) => Object.fromEntries(Object.entries(one).filter(([name]) => name !== field)))
        : [],
    )
    for (const one of [{ outcome: 'unforeseen' }, 'text', 0.5, ...others]) {
      answer = one
      await expect(call(catalog), JSON.stringify(one)).rejects.toMatchObject({ code: 'database_mismatch' })
    }
  })
})
