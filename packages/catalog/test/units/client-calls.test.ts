import { AN_OPERATOR, asUser, type Catalog, connectCatalog, type Requester } from '@fusou/catalog'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'

const JOB = '6f0c7c64-8a7a-4f0e-9d3a-2b0d7ad8d6a1'
const FILE = '0b9e3f0c-54e6-4c1c-a3fb-7a63e5a6c7f2'
const ATTEMPT = { jobId: JOB, attempt: 7 }
const FENCE = ['stale_attempt', 'cancelled', 'unknown_job']
const MESSAGE = { id: 3, type: 'compaction.requested', payload: { datasetId: 'd' } }

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

const KEY: Requester = { kind: 'key', id: 'k', user: 'u' }
const NEW_KEY = {
  id: 'k',
  name: 'n',
  hint: 'fsk_',
  secretSha256: 'h',
  scopes: ['read'] as const,
  datasets: null,
  expiresAt: null,
}

const DECLARED = { datasetId: 'd', table: 't', periodTag: 'p', fileName: 'f', byteLength: 9, sha256: 'h' }

/** Each method, with arguments that all differ, and without those that may be left out. */
const CALLS: [call: (catalog: Catalog) => Promise<unknown>, name: string, body: Record<string, unknown>][] = [
  [(c) => c.ping(), 'ping', {}],
  [(c) => c.checkUpload('d', asUser('u')), 'check_upload', { p_dataset_id: 'd', p_caller: { user: 'u' } }],
  [
    (c) => c.requestCompaction({ datasetId: 'd', requester: asUser('u'), table: 't', periodTag: 'p', sender: 's' }),
    'request_compaction',
    { p_dataset_id: 'd', p_caller: { user: 'u' }, p_table: 't', p_period_tag: 'p', p_sender: 's', p_rewrite: false },
  ],
  [
    (c) => c.requestCompaction({ datasetId: 'd', requester: AN_OPERATOR, rewrite: true, sender: 's' }),
    'request_compaction',
    {
      p_dataset_id: 'd',
      p_caller: { operator: true },
      p_table: null,
      p_period_tag: null,
      p_sender: 's',
      p_rewrite: true,
    },
  ],
  [(c) => c.triggerScheduled(9, 's'), 'trigger_scheduled', { p_limit: 9, p_sender: 's' }],
  [
    (c) => c.configureDataset('d', AN_OPERATOR, { retentionSeconds: 1 }),
    'configure_dataset',
    { p_dataset_id: 'd', p_caller: { operator: true }, p_settings: { retentionSeconds: 1 }, p_public: null },
  ],
  [
    (c) =>
      c.acceptMessage(
        'm',
        { datasetId: 'd', jobId: JOB, priority: 'manual', table: 't', periodTag: 'p', metricId: 'x' },
        5,
      ),
    'accept_message',
    {
      p_message_id: 'm',
      p_dataset_id: 'd',
      p_job_id: JOB,
      p_priority: 'manual',
      p_table: 't',
      p_period_tag: 'p',
      p_metric_id: 'x',
      p_lease_seconds: 5,
    },
  ],
  [
    (c) => c.acceptMessage('m', { datasetId: 'd', priority: 'realtime' }, 5),
    'accept_message',
    {
      p_message_id: 'm',
      p_dataset_id: 'd',
      p_job_id: null,
      p_priority: 'realtime',
      p_table: null,
      p_period_tag: null,
      p_metric_id: null,
      p_lease_seconds: 5,
    },
  ],
  [
    (c) => c.enterStep(ATTEMPT, 'x', { leaseSeconds: 5, finished: { a: 1 } }),
    'enter_step',
    { p_job_id: JOB, p_attempt: 7, p_step: 'x', p_lease_seconds: 5, p_finished: { a: 1 } },
  ],
  [
    (c) => c.enterStep(ATTEMPT, 'x', { leaseSeconds: 5 }),
    'enter_step',
    { p_job_id: JOB, p_attempt: 7, p_step: 'x', p_lease_seconds: 5, p_finished: {} },
  ],
  [(c) => c.renewLease(ATTEMPT, 5), 'enter_step', { p_job_id: JOB, p_attempt: 7, p_step: null, p_lease_seconds: 5 }],
  [(c) => c.listMergeableFiles(ATTEMPT, 9), 'list_mergeable_files', { p_job_id: JOB, p_attempt: 7, p_max_files: 9 }],
  [(c) => c.savePlan(ATTEMPT, [['a', 'b']]), 'save_plan', { p_job_id: JOB, p_attempt: 7, p_merges: [['a', 'b']] }],
  [
    (c) => c.openMerge(ATTEMPT, 2, { leaseSeconds: 5, finished: { a: 1 } }),
    'open_merge',
    { p_job_id: JOB, p_attempt: 7, p_index: 2, p_lease_seconds: 5, p_finished: { a: 1 } },
  ],
  [
    (c) => c.openMerge(ATTEMPT, 2, { leaseSeconds: 5 }),
    'open_merge',
    { p_job_id: JOB, p_attempt: 7, p_index: 2, p_lease_seconds: 5, p_finished: {} },
  ],
  [
    (c) => c.commitMerge(ATTEMPT, 2, { r2Key: 'k' } as never, 5),
    'commit_merge',
    { p_job_id: JOB, p_attempt: 7, p_index: 2, p_output: { r2Key: 'k' }, p_lease_seconds: 5 },
  ],
  [
    (c) => c.setAsideInputs(ATTEMPT, 2, [{ fileId: 'f', r2Key: 'k', code: 'corrupt_file', message: 'm' }]),
    'set_aside_inputs',
    {
      p_job_id: JOB,
      p_attempt: 7,
      p_index: 2,
      p_faults: [{ fileId: 'f', r2Key: 'k', code: 'corrupt_file', message: 'm' }],
    },
  ],
  [
    (c) => c.finishJob(ATTEMPT, { result: { r: 1 }, more: true, finished: { a: 1 }, sender: 's' }),
    'finish_job',
    { p_job_id: JOB, p_attempt: 7, p_result: { r: 1 }, p_more: true, p_finished: { a: 1 }, p_sender: 's' },
  ],
  [
    (c) => c.finishJob(ATTEMPT, { result: {}, more: false, sender: 's' }),
    'finish_job',
    { p_job_id: JOB, p_attempt: 7, p_result: {}, p_more: false, p_finished: {}, p_sender: 's' },
  ],
  [
    (c) => c.failAttempt(ATTEMPT, { code: 'c', step: 'x', message: 'm', transient: true }, 5, 's'),
    'fail_attempt',
    {
      p_job_id: JOB,
      p_attempt: 7,
      p_code: 'c',
      p_step: 'x',
      p_message: 'm',
      p_transient: true,
      p_lease_seconds: 5,
      p_sender: 's',
      p_counted: true,
    },
  ],
  [
    (c) => c.failAttempt(ATTEMPT, { code: 'c', step: 'x', message: 'm', transient: true, counted: false }, 5, 's'),
    'fail_attempt',
    {
      p_job_id: JOB,
      p_attempt: 7,
      p_code: 'c',
      p_step: 'x',
      p_message: 'm',
      p_transient: true,
      p_lease_seconds: 5,
      p_sender: 's',
      p_counted: false,
    },
  ],
  [(c) => c.cancelJob(JOB, asUser('u')), 'cancel_job', { p_job_id: JOB, p_caller: { user: 'u' } }],
  [(c) => c.retryJob(JOB, asUser('u'), 's'), 'retry_job', { p_job_id: JOB, p_caller: { user: 'u' }, p_sender: 's' }],
  [
    (c) =>
      c.redrive({
        requester: asUser('u'),
        jobIds: [JOB],
        datasetId: 'd',
        code: 'c',
        dryRun: true,
        limit: 9,
        sender: 's',
      }),
    'redrive',
    {
      p_caller: { user: 'u' },
      p_job_ids: [JOB],
      p_dataset_id: 'd',
      p_code: 'c',
      p_dry_run: true,
      p_limit: 9,
      p_sender: 's',
    },
  ],
  [
    (c) => c.redrive({ requester: AN_OPERATOR, dryRun: false, limit: 9, sender: 's' }),
    'redrive',
    {
      p_caller: { operator: true },
      p_job_ids: null,
      p_dataset_id: null,
      p_code: null,
      p_dry_run: false,
      p_limit: 9,
      p_sender: 's',
    },
  ],
  [(c) => c.listExpiredLeases(9), 'list_expired_leases', { p_limit: 9 }],
  [(c) => c.redispatchStaleJobs(5, 9), 'redispatch_stale_jobs', { p_older_seconds: 5, p_limit: 9 }],
  [(c) => c.admitJobs(), 'admit_jobs', {}],
  [(c) => c.requestDueMerges(9), 'request_due_merges', { p_limit: 9 }],
  [
    (c) => c.configureAdmission(AN_OPERATOR, { ageingSeconds: 1 }),
    'configure_admission',
    { p_caller: { operator: true }, p_settings: { ageingSeconds: 1 } },
  ],
  [(c) => c.readAdmission(AN_OPERATOR), 'read_admission', { p_caller: { operator: true } }],
  [(c) => c.repeatDeathNotices(5, 9), 'repeat_death_notices', { p_older_seconds: 5, p_limit: 9 }],
  [
    (c) =>
      c.recordDeadLetter({
        queue: 'q',
        messageId: 'm',
        body: { at: new Date(0) },
        code: 'c',
        message: 'x',
        attempts: 2,
        datasetId: 'd',
        jobId: null,
      }),
    'record_dead_letter',
    {
      p_letter: {
        queue: 'q',
        messageId: 'm',
        body: { at: '1970-01-01T00:00:00.000Z' },
        code: 'c',
        message: 'x',
        attempts: 2,
        datasetId: 'd',
        jobId: null,
      },
    },
  ],
  [
    (c) => c.raiseAlerts({ failureRatio: 1 } as never, ['slack'], 's'),
    'raise_alerts',
    { p_rules: { failureRatio: 1 }, p_channels: ['slack'], p_sender: 's' },
  ],
  [
    (c) =>
      c.claimOutbox({ maxBatch: 9, lockSeconds: 5, workerId: 'w', includeTypePrefix: 'i', excludeTypePrefix: 'e' }),
    'claim_outbox',
    { max_batch: 9, lock_seconds: 5, worker_id: 'w', include_type_prefix: 'i', exclude_type_prefix: 'e' },
  ],
  [
    (c) => c.claimOutbox({ maxBatch: 9, lockSeconds: 5, workerId: 'w' }),
    'claim_outbox',
    { max_batch: 9, lock_seconds: 5, worker_id: 'w', include_type_prefix: null, exclude_type_prefix: null },
  ],
  [(c) => c.completeOutbox([1, 2], 's'), 'complete_outbox', { p_ids: [1, 2], p_worker_id: 's' }],
  [
    (c) => c.releaseOutbox([1], 's', 'e', { retryAfterSeconds: 4, permanent: true }),
    'release_outbox',
    { p_ids: [1], p_worker_id: 's', p_error: 'e', p_retry_after_seconds: 4, p_permanent: true },
  ],
  [
    (c) => c.releaseOutbox([1], 's', 'e'),
    'release_outbox',
    { p_ids: [1], p_worker_id: 's', p_error: 'e', p_retry_after_seconds: 0, p_permanent: false },
  ],
  [(c) => c.getJob(JOB, asUser('u')), 'get_job', { p_job_id: JOB, p_caller: { user: 'u' } }],
  [
    (c) =>
      c.pageJobs({
        requester: asUser('u'),
        state: 'dead',
        kind: 'compaction',
        datasetId: 'd',
        before: { createdAt: 'then', id: JOB },
        limit: 9,
      }),
    'list_jobs',
    {
      p_caller: { user: 'u' },
      p_state: 'dead',
      p_kind: 'compaction',
      p_dataset_id: 'd',
      p_before_created: 'then',
      p_before_id: JOB,
      p_limit: 9,
    },
  ],
  [
    (c) => c.listJobs({ requester: AN_OPERATOR, limit: 9 }),
    'list_jobs',
    {
      p_caller: { operator: true },
      p_state: null,
      p_kind: null,
      p_dataset_id: null,
      p_before_created: null,
      p_before_id: null,
      p_limit: 9,
    },
  ],
  [(c) => c.jobStatus(asUser('u')), 'job_status', { p_caller: { user: 'u' } }],
  [(c) => c.tallyJobs(9), 'tally_jobs', { p_limit: 9 }],
  [(c) => c.metrics(), 'metrics', {}],
  [
    (c) => c.deadLetterStatus(asUser('u'), 9),
    'dead_letter_status',
    { p_caller: { user: 'u' }, p_limit: 9, p_code: null, p_dataset_id: null, p_open: null, p_after: null },
  ],
  [
    (c) =>
      c.deadLetterStatus(AN_OPERATOR, 9, { code: 'c', datasetId: 'd', open: true, after: { at: 'then' } as never }),
    'dead_letter_status',
    { p_caller: { operator: true }, p_limit: 9, p_code: 'c', p_dataset_id: 'd', p_open: true, p_after: { at: 'then' } },
  ],
  [
    (c) =>
      c.listFiles({
        datasetId: 'd',
        requester: asUser('u'),
        table: 't',
        periodTag: 'p',
        version: 3,
        after: { table: 'u', periodTag: 'q', id: FILE },
        quarantined: 'only',
        limit: 9,
      }),
    'list_files',
    {
      p_dataset_id: 'd',
      p_caller: { user: 'u' },
      p_table: 't',
      p_period_tag: 'p',
      p_version: 3,
      p_after_table: 'u',
      p_after_period: 'q',
      p_after_id: FILE,
      p_limit: 9,
      p_quarantined: 'only',
    },
  ],
  [
    (c) => c.listFiles({ datasetId: 'd', requester: AN_OPERATOR, limit: 9 }),
    'list_files',
    {
      p_dataset_id: 'd',
      p_caller: { operator: true },
      p_table: null,
      p_period_tag: null,
      p_version: null,
      p_after_table: null,
      p_after_period: null,
      p_after_id: null,
      p_limit: 9,
      p_quarantined: 'include',
    },
  ],
  [(c) => c.discardFile(FILE, asUser('u')), 'discard_file', { p_file_id: FILE, p_caller: { user: 'u' } }],
  [(c) => c.releaseFile(FILE, asUser('u')), 'release_file', { p_file_id: FILE, p_caller: { user: 'u' } }],
  [
    (c) => c.acknowledgeFiles(AN_OPERATOR, { datasetId: 'd', code: 'c' }),
    'acknowledge_files',
    { p_caller: { operator: true }, p_dataset_id: 'd', p_code: 'c' },
  ],
  [
    (c) => c.acknowledgeFiles(AN_OPERATOR, {}),
    'acknowledge_files',
    { p_caller: { operator: true }, p_dataset_id: null, p_code: null },
  ],
  [(c) => c.getFile(FILE, asUser('u')), 'get_file', { p_file_id: FILE, p_caller: { user: 'u' } }],
  [(c) => c.listAbandonedUploads(9), 'list_abandoned_uploads', { p_limit: 9, p_stamp: null }],
  [(c) => c.listAbandonedUploads(9, 3), 'list_abandoned_uploads', { p_limit: 9, p_stamp: 3 }],
  [(c) => c.closeMultiparts(['k']), 'close_multiparts', { p_keys: ['k'] }],
  [
    (c) => c.openUpload(asUser('u'), DECLARED),
    'open_upload',
    { p_caller: { user: 'u' }, p_upload: DECLARED, p_bucket: null, p_again: false },
  ],
  [
    (c) => c.openUpload(KEY, DECLARED, { bucket: { r2Key: 'r', bucketUploadId: 'b', partBytes: 8 }, again: true }),
    'open_upload',
    {
      p_caller: { user: 'u', key: 'k' },
      p_upload: DECLARED,
      p_bucket: { r2Key: 'r', uploadId: 'b', partBytes: 8 },
      p_again: true,
    },
  ],
  [(c) => c.readUpload(FILE, KEY), 'read_upload', { p_id: FILE, p_caller: { user: 'u', key: 'k' } }],
  [
    (c) => c.beginPart(FILE, asUser('u'), 3, 'h'),
    'begin_part',
    { p_id: FILE, p_caller: { user: 'u' }, p_number: 3, p_sha256: 'h' },
  ],
  [
    (c) => c.beginPart(FILE, asUser('u'), 3, undefined),
    'begin_part',
    { p_id: FILE, p_caller: { user: 'u' }, p_number: 3, p_sha256: null },
  ],
  [
    (c) => c.notePart(FILE, asUser('u'), { number: 3, etag: 'e', sha256: 'h' }),
    'note_part',
    { p_id: FILE, p_caller: { user: 'u' }, p_number: 3, p_etag: 'e', p_sha256: 'h' },
  ],
  [(c) => c.forgetParts(FILE, asUser('u')), 'forget_parts', { p_id: FILE, p_caller: { user: 'u' } }],
  [(c) => c.beginCompletion(FILE, asUser('u')), 'begin_completion', { p_id: FILE, p_caller: { user: 'u' } }],
  [
    (c) =>
      c.completeUpload({
        uploadId: FILE,
        requester: asUser('u'),
        object: { r2Key: 'r', slices: [] },
        brokenCopies: [{ fileId: JOB, r2Key: 'o' }],
        sender: 's',
      }),
    'complete_upload',
    {
      p_id: FILE,
      p_caller: { user: 'u' },
      p_object: { r2Key: 'r', slices: [] },
      p_sender: 's',
      p_copies: [{ fileId: JOB, r2Key: 'o' }],
    },
  ],
  [
    (c) =>
      c.completeUpload({ uploadId: FILE, requester: asUser('u'), object: { r2Key: 'r', slices: [] }, sender: 's' }),
    'complete_upload',
    { p_id: FILE, p_caller: { user: 'u' }, p_object: { r2Key: 'r', slices: [] }, p_sender: 's', p_copies: null },
  ],
  [
    (c) => c.refuseUpload(FILE, asUser('u'), { code: 'c', detail: 'd' }),
    'refuse_upload',
    { p_id: FILE, p_caller: { user: 'u' }, p_code: 'c', p_detail: 'd' },
  ],
  [(c) => c.abortUpload(FILE, asUser('u')), 'abort_upload', { p_id: FILE, p_caller: { user: 'u' } }],
  [(c) => c.expireUploads(9), 'expire_uploads', { p_limit: 9, p_stamp: null }],
  [(c) => c.expireUploads(9, 3), 'expire_uploads', { p_limit: 9, p_stamp: 3 }],
  [(c) => c.forgetUploads([FILE]), 'forget_uploads', { p_ids: [FILE] }],
  [(c) => c.claimGarbage(9), 'claim_garbage', { p_limit: 9, p_stamp: null }],
  [(c) => c.claimGarbage(9, 3), 'claim_garbage', { p_limit: 9, p_stamp: 3 }],
  [(c) => c.completeGarbage(['k']), 'complete_garbage', { p_keys: ['k'] }],
  [(c) => c.listOrphans(['k']), 'list_orphans', { p_keys: ['k'] }],
  [(c) => c.markOrphans('n', 9, 3), 'mark_orphans', { p_name: 'n', p_limit: 9, p_stamp: 3 }],
  [
    (c) => c.acceptOrphans(AN_OPERATOR, 'n', 9, true),
    'accept_orphans',
    { p_caller: { operator: true }, p_name: 'n', p_orphans: 9, p_release_kept: true },
  ],
  [(c) => c.beginSweep('n'), 'begin_sweep', { p_name: 'n' }],
  [
    (c) =>
      c.recordSweepPage('n', {
        round: 1,
        cursor: 'a',
        nextCursor: 'b',
        objects: 2,
        oldKeys: ['k'],
        pauseSeconds: 4,
        stamp: 3,
      }),
    'record_sweep_page',
    {
      p_name: 'n',
      p_round: 1,
      p_cursor: 'a',
      p_next_cursor: 'b',
      p_objects: 2,
      p_keys: ['k'],
      p_pause_seconds: 4,
      p_stamp: 3,
    },
  ],
  [(c) => c.checkInstallation({ id: JOB, stamp: 3 }), 'check_installation', { p_bucket: { id: JOB, stamp: 3 } }],
  [
    (c) => c.acceptInstallation(AN_OPERATOR, 'x' as never, { id: JOB, stamp: 3 }),
    'accept_installation',
    { p_caller: { operator: true }, p_problem: 'x', p_bucket: { id: JOB, stamp: 3 } },
  ],
  [
    (c) => c.pauseDeletions(AN_OPERATOR, { by: 'b', reason: 'r' }),
    'pause_deletions',
    { p_caller: { operator: true }, p_paused: true, p_by: 'b', p_reason: 'r' },
  ],
  [
    (c) => c.pauseDeletions(AN_OPERATOR, null),
    'pause_deletions',
    { p_caller: { operator: true }, p_paused: false, p_by: null, p_reason: null },
  ],
  [(c) => c.recordCronRun(), 'record_cron_run', {}],
  [
    (c) => c.previewSuperseded({ a: 'b' }, 9),
    'preview_vacuum',
    { p_reason: 'superseded', p_after: { a: 'b' }, p_limit: 9 },
  ],
  [(c) => c.previewRefused(null, 9), 'preview_vacuum', { p_reason: 'refused', p_after: null, p_limit: 9 }],
  [
    (c) => c.previewIncompleteUploads({ a: 'b' }, 9),
    'preview_vacuum',
    { p_reason: 'incomplete_upload', p_after: { a: 'b' }, p_limit: 9 },
  ],
  [(c) => c.readLimits(AN_OPERATOR, 'u'), 'read_limits', { p_caller: { operator: true }, p_owner: 'u' }],
  [
    (c) => c.configureLimits(AN_OPERATOR, 'u', { maxDatasets: 1 } as never),
    'configure_limits',
    { p_caller: { operator: true }, p_owner: 'u', p_settings: { maxDatasets: 1 } },
  ],
  [(c) => c.openEventStream('u', 'e', 5), 'open_event_stream', { p_owner: 'u', p_stream_id: 'e', p_lease_seconds: 5 }],
  [(c) => c.closeEventStream('e'), 'close_event_stream', { p_stream_id: 'e' }],
  [
    (c) => c.configureRetention(AN_OPERATOR, { jobsSeconds: 1 }),
    'configure_retention',
    { p_caller: { operator: true }, p_settings: { jobsSeconds: 1 } },
  ],
  [(c) => c.readRetention(AN_OPERATOR), 'read_retention', { p_caller: { operator: true } }],
  [
    (c) => c.configureDataset('d', KEY, {}, true),
    'configure_dataset',
    { p_dataset_id: 'd', p_caller: { user: 'u', key: 'k' }, p_settings: {}, p_public: true },
  ],
  [(c) => c.createKey(asUser('u'), NEW_KEY), 'create_key', { p_caller: { user: 'u' }, p_key: NEW_KEY }],
  [
    (c) => c.listKeys(asUser('u'), { limit: 9 }),
    'list_keys',
    { p_caller: { user: 'u' }, p_before_created: null, p_before_id: null, p_limit: 9 },
  ],
  [
    (c) => c.listKeys(asUser('u'), { before: { createdAt: 'then', id: JOB }, limit: 9 }),
    'list_keys',
    { p_caller: { user: 'u' }, p_before_created: 'then', p_before_id: JOB, p_limit: 9 },
  ],
  [(c) => c.revokeKey(asUser('u'), 'k'), 'revoke_key', { p_caller: { user: 'u' }, p_key_id: 'k' }],
  [(c) => c.authenticateKey('k', 'h'), 'authenticate_key', { p_key_id: 'k', p_secret_sha256: 'h' }],
  [
    (c) => c.reserveDataset('d', asUser('u')),
    'reserve_dataset',
    { p_dataset_id: 'd', p_caller: { user: 'u' }, p_look: false },
  ],
  [
    (c) => c.reserveDataset('d', asUser('u'), true),
    'reserve_dataset',
    { p_dataset_id: 'd', p_caller: { user: 'u' }, p_look: true },
  ],
  [
    (c) => c.grantRole('d', KEY, 'v', 'writer'),
    'grant_role',
    { p_dataset_id: 'd', p_caller: { user: 'u', key: 'k' }, p_user_id: 'v', p_role: 'writer' },
  ],
  [
    (c) => c.revokeRole('d', asUser('u'), 'v'),
    'revoke_role',
    { p_dataset_id: 'd', p_caller: { user: 'u' }, p_user_id: 'v' },
  ],
  [
    (c) => c.listGrants('d', asUser('u'), { after: 'v', limit: 9 }),
    'list_grants',
    { p_dataset_id: 'd', p_caller: { user: 'u' }, p_after: 'v', p_limit: 9 },
  ],
  [
    (c) => c.transferDataset('d', { ...asUser('u'), address: 'a', requestId: 'r' }, 'v'),
    'transfer_dataset',
    { p_dataset_id: 'd', p_caller: { user: 'u', address: 'a', requestId: 'r' }, p_user_id: 'v' },
  ],
  [
    (c) => c.listAudit(AN_OPERATOR, { limit: 9 }),
    'list_audit',
    { p_caller: { operator: true }, p_dataset_id: null, p_action: null, p_before_id: null, p_limit: 9 },
  ],
  [
    (c) => c.listAudit(AN_OPERATOR, { datasetId: 'd', action: 'x', before: 7, limit: 9 }),
    'list_audit',
    { p_caller: { operator: true }, p_dataset_id: 'd', p_action: 'x', p_before_id: 7, p_limit: 9 },
  ],
  [
    (c) => c.listDatasets(asUser('u'), { scope: 'own', limit: 9 }),
    'list_datasets',
    { p_caller: { user: 'u' }, p_scope: 'own', p_prefix: null, p_after: null, p_limit: 9 },
  ],
  [
    (c) => c.listDatasets(asUser('u'), { scope: 'shared', prefix: 'p', after: 'a', limit: 9 }),
    'list_datasets',
    { p_caller: { user: 'u' }, p_scope: 'shared', p_prefix: 'p', p_after: 'a', p_limit: 9 },
  ],
  [(c) => c.describeDataset('d', asUser('u')), 'describe_dataset', { p_dataset_id: 'd', p_caller: { user: 'u' } }],
  [
    (c) => c.listTables('d', asUser('u'), { after: 't', limit: 9 }),
    'list_tables',
    { p_dataset_id: 'd', p_caller: { user: 'u' }, p_after: 't', p_limit: 9 },
  ],
  [
    (c) => c.describeTable('d', 't', asUser('u')),
    'describe_table',
    { p_dataset_id: 'd', p_table: 't', p_caller: { user: 'u' } },
  ],
  [
    (c) => c.listVersions('d', asUser('u'), { before: 7, limit: 9 }),
    'list_versions',
    { p_dataset_id: 'd', p_caller: { user: 'u' }, p_before: 7, p_limit: 9 },
  ],
  [(c) => c.getReceipt(FILE, asUser('u')), 'get_receipt', { p_file_id: FILE, p_caller: { user: 'u' } }],
  [
    (c) => c.configureTable('d', 't', asUser('u'), { codec: 'zstd' }),
    'configure_table',
    { p_dataset_id: 'd', p_table: 't', p_caller: { user: 'u' }, p_settings: { codec: 'zstd' } },
  ],
  [
    (c) => c.deleteData('d', asUser('u')),
    'delete_data',
    { p_dataset_id: 'd', p_caller: { user: 'u' }, p_table: null, p_period_tag: null },
  ],
  [
    (c) => c.deleteData('d', asUser('u'), { table: 't', periodTag: 'p' }),
    'delete_data',
    { p_dataset_id: 'd', p_caller: { user: 'u' }, p_table: 't', p_period_tag: 'p' },
  ],
  [
    (c) => c.restoreDeletion('d', asUser('u'), 7),
    'restore_deletion',
    { p_dataset_id: 'd', p_caller: { user: 'u' }, p_deletion_id: 7 },
  ],
  [
    (c) => c.listDeletions('d', asUser('u'), { before: 7, limit: 9 }),
    'list_deletions',
    { p_dataset_id: 'd', p_caller: { user: 'u' }, p_before: 7, p_limit: 9 },
  ],
  [(c) => c.deleteExpiredData(9), 'delete_expired_data', { p_limit: 9 }],
  [
    (c) => c.deleteUserData(asUser('u'), 'u', 9),
    'delete_user_data',
    { p_caller: { user: 'u' }, p_user_id: 'u', p_limit: 9 },
  ],
  [
    (c) => c.setSchemasApart({ jobId: JOB, attempt: 2 }, 3, [{ fingerprint: 'f', reason: 'r' }]),
    'set_schemas_apart',
    { p_job_id: JOB, p_attempt: 2, p_index: 3, p_schemas: [{ fingerprint: 'f', reason: 'r' }] },
  ],
  [(c) => c.trimHistory(9), 'trim_history', { p_limit: 9 }],
  [(c) => c.trimOutbox(9), 'trim_outbox', { p_limit: 9 }],
]

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
