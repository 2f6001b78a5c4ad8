import { z } from 'zod'
import { AdoptedDataset, AdoptionPage, NotedObjects, type ScannedObject } from './adopt.ts'
import { AlertChange, type AlertChannel, type AlertRules } from './alert.ts'
import { Database, type DatabaseConfig } from './database.ts'
import { ClosedHow, type DeadLetterPosition, DeadLetterStatus } from './dead-letter.ts'
import {
  type InputFault,
  ListedFile,
  MergeableFile,
  type MergedFile,
  MergeInput,
  type QuarantineFilter,
  StoredCopy,
  StoredFile,
  UploadedFile,
  type UploadedObject,
} from './file.ts'
import { AcceptedInstallation, type BucketLook, CheckedInstallation, type PairingProblem } from './installation.ts'
import { CronRun, Job, type JobKind, JobState, ListedJobs, ReadJobStatus } from './job.ts'
import { type LimitChanges, LimitsOfOwner } from './limits.ts'
import { UnreadableRows, withListedRows } from './listed-rows.ts'
import { MERGE_REACHES, type MergePolicy } from './merge-policy.ts'
import { Metrics } from './metrics.ts'
import { type CompactionMessage, OutboxMessage } from './queue-message.ts'
import { readableRows } from './readable-rows.ts'
import { toStorableJson } from './storable.ts'
import { AbandonedUpload, IncompleteUploadPage, RefusedPage, SupersededPage } from './vacuum.ts'

/** The user who asks; null for an operator, who sees all. */
export type Requester = string | null

/** Ids that prove who writes: the job and the generation of its attempt. */
export interface Attempt {
  readonly jobId: string
  readonly attempt: number
}

/** The step or merge an attempt enters, and how long the steps before took, in seconds. */
export interface StepEntry {
  readonly leaseSeconds: number
  readonly finished?: Readonly<Record<string, number>>
}

interface JobsQuery {
  readonly requester: Requester
  readonly state?: JobState | undefined
  readonly kind?: z.infer<typeof JobKind> | undefined
  readonly datasetId?: string | undefined
  readonly before?: { createdAt: string; id: string } | undefined
  readonly limit: number
}

const outcome = <const Name extends string>(name: Name) => z.object({ outcome: z.literal(name) })
const outcomes = <const Names extends readonly [string, ...string[]]>(...names: Names) =>
  z.object({ outcome: z.enum(names) })
const FenceRefused = outcomes('stale_attempt', 'cancelled', 'unknown_job')
const Outbox = readableRows('outbox', OutboxMessage)

const Upload = z.discriminatedUnion('outcome', [
  z.object({
    outcome: z.enum(['stored', 'healed', 'duplicate']),
    version: z.int(),
    files: z.array(UploadedFile),
    jobId: z.uuid().nullable(),
    outbox: OutboxMessage.nullable(),
  }),
  z.object({ outcome: z.literal('check_copies'), copies: z.array(StoredCopy) }),
  outcomes('unknown_dataset', 'unknown_file', 'file_superseded'),
])
const Requested = z.object({
  outcome: z.literal('requested'),
  jobId: z.uuid(),
  joined: z.boolean(),
  outbox: OutboxMessage.nullable(),
})
const Accepted = z.discriminatedUnion('outcome', [
  z.object({ outcome: z.enum(['claimed', 'running']), jobId: z.uuid(), attempt: z.int() }),
  z.object({ outcome: z.literal('waiting'), jobId: z.uuid() }),
  z.object({ outcome: z.literal('ended'), jobId: z.uuid(), state: JobState }),
  outcomes('unknown_dataset', 'unknown_job'),
])
const Mergeable = z.discriminatedUnion('outcome', [
  z.object({
    outcome: z.literal('ok'),
    targetFileBytes: z.int(),
    reach: z.enum(MERGE_REACHES),
    more: z.boolean(),
    files: readableRows('mergeable files', MergeableFile),
    mixedPartitions: readableRows(
      'mixed partitions',
      z.object({ table: z.string(), periodTag: z.string(), schemas: z.int() }),
    ),
  }),
  FenceRefused,
])
const OpenedMerge = z.discriminatedUnion('outcome', [
  z.object({
    outcome: z.literal('ok'),
    datasetId: z.string(),
    ownerId: z.uuid(),
    table: z.string(),
    periodTag: z.string(),
    fingerprint: z.string(),
    inputs: z.array(MergeInput),
  }),
  outcomes('committed', 'nothing_left', 'stale_attempt', 'cancelled', 'unknown_job', 'unknown_merge'),
])
const SetAside = z.discriminatedUnion('outcome', [
  z.object({ outcome: z.enum(['ok', 'nothing_left', 'committed']), setAside: z.int() }),
  outcomes('stale_attempt', 'cancelled', 'unknown_job', 'unknown_merge'),
])
const CommittedMerge = z.discriminatedUnion('outcome', [
  z.object({ outcome: z.literal('committed'), version: z.int() }),
  outcomes(
    'superseded',
    'conflict',
    'row_count_mismatch',
    'stale_attempt',
    'cancelled',
    'unknown_job',
    'unknown_merge',
  ),
])
const FailedAttempt = z.discriminatedUnion('outcome', [
  z.object({ outcome: z.literal('retrying'), attempt: z.int(), delaySeconds: z.number(), outbox: Outbox }),
  z.object({ outcome: z.enum(['dead', 'stale_attempt', 'cancelled', 'unknown_job']), outbox: Outbox }),
])
/** How many jobs may run at once, and how many seconds of waiting make up for one rank of priority. */
const Admission = z.object({ maxRunningJobs: z.int(), maxRunningJobsOfOwner: z.int(), ageingSeconds: z.int() })
type Admission = z.infer<typeof Admission>
/** How long history is kept, in seconds; see public.retention for what each is of. */
const Retention = z.object({
  jobsSeconds: z.int(),
  lettersSeconds: z.int(),
  unsettledSeconds: z.int(),
  outboxSeconds: z.int(),
})
type Retention = z.infer<typeof Retention>
const FilesPage = withListedRows(
  { name: 'files', field: 'files', row: ListedFile, keys: ['id', 'table', 'periodTag'] },
  z.discriminatedUnion('outcome', [
    z.object({
      outcome: z.literal('ok'),
      version: z.int(),
      files: z.array(ListedFile),
      unreadable: UnreadableRows,
    }),
    outcomes('unknown_dataset', 'unknown_version', 'version_gone'),
  ]),
)

/**
 * The catalog, one method a database function; see supabase/migrations for what each promises.
 * Every method throws FusouError `database_unavailable` or `database_mismatch` (transient: call again, each call can be
 * repeated) or `database_refused`. A `sender` is who will send the outbox messages of the answer; without one the relay does.
 */
export class Catalog {
  readonly #database: Database

  constructor(config: DatabaseConfig) {
    this.#database = new Database(config)
  }

  ping() {
    return this.#database.call('ping', {}, z.object({ now: z.string(), cron: CronRun }))
  }

  /** The cron has run to its end, whatever became of its chores. */
  recordCronRun() {
    return this.#database.call('record_cron_run', {}, outcome('recorded'))
  }

  /** Whether a user may upload to a data set: its id is free, or theirs. `registerUpload` decides. */
  checkUpload(datasetId: string, userId: string) {
    return this.#database.call(
      'check_upload',
      { p_dataset_id: datasetId, p_user_id: userId },
      outcomes('ok', 'unknown_dataset'),
    )
  }

  /**
   * @param upload.brokenCopies of the copies that an answer `check_copies` named, those whose bytes the bucket has not;
   *                            left out in the first call, which asks so where there are copies
   * @param upload.replaces     id of a live fragment that goes as this one comes
   */
  registerUpload(upload: {
    datasetId: string
    userId: string
    object: UploadedObject
    brokenCopies?: readonly Pick<StoredCopy, 'fileId' | 'r2Key'>[] | undefined
    replaces?: string | undefined
    sender: string
  }) {
    return this.#database.call(
      'register_upload',
      {
        p_dataset_id: upload.datasetId,
        p_user_id: upload.userId,
        p_object: upload.object,
        p_sender: upload.sender,
        p_copies: upload.brokenCopies ?? null,
        p_replaces: upload.replaces ?? null,
      },
      Upload,
    )
  }

  requestCompaction(request: {
    datasetId: string
    requester: Requester
    table?: string | undefined
    periodTag?: string | undefined
    sender: string
  }) {
    return this.#database.call(
      'request_compaction',
      {
        p_dataset_id: request.datasetId,
        p_requester: request.requester,
        p_table: request.table ?? null,
        p_period_tag: request.periodTag ?? null,
        p_sender: request.sender,
      },
      z.discriminatedUnion('outcome', [Requested, outcome('unknown_dataset')]),
    )
  }

  /** @param limit data sets at the most, 1 to 100 */
  triggerScheduled(limit: number, sender: string) {
    return this.#database.call(
      'trigger_scheduled',
      { p_limit: limit, p_sender: sender },
      z.object({
        datasets: readableRows('triggered data sets', z.object({ datasetId: z.string(), jobId: z.uuid() })),
        remaining: z.int(),
        outbox: Outbox,
      }),
    )
  }

  /** @param settings targetFileBytes (bytes, default 128 MiB), retentionSeconds (default 7 days), the merge policy */
  configureDataset(
    datasetId: string,
    settings: { targetFileBytes?: number; retentionSeconds?: number } & Partial<MergePolicy>,
  ) {
    return this.#database.call(
      'configure_dataset',
      { p_dataset_id: datasetId, p_settings: settings },
      outcomes('configured', 'unknown_dataset'),
    )
  }

  acceptMessage(messageId: string, message: CompactionMessage, leaseSeconds: number) {
    return this.#database.call(
      'accept_message',
      {
        p_message_id: messageId,
        p_dataset_id: message.datasetId,
        p_job_id: message.jobId ?? null,
        p_priority: message.priority,
        p_table: message.table ?? null,
        p_period_tag: message.periodTag ?? null,
        p_metric_id: message.metricId ?? null,
        p_lease_seconds: leaseSeconds,
      },
      Accepted,
    )
  }

  enterStep({ jobId, attempt }: Attempt, step: string, { leaseSeconds, finished = {} }: StepEntry) {
    return this.#database.call(
      'enter_step',
      { p_job_id: jobId, p_attempt: attempt, p_step: step, p_lease_seconds: leaseSeconds, p_finished: finished },
      outcomes('ok', 'stale_attempt', 'cancelled', 'unknown_job'),
    )
  }

  /** @returns how many leases in a row ran out since the attempt last gave a sign of its own */
  renewLease({ jobId, attempt }: Attempt, leaseSeconds: number) {
    return this.#database.call(
      'enter_step',
      { p_job_id: jobId, p_attempt: attempt, p_step: null, p_lease_seconds: leaseSeconds },
      z.discriminatedUnion('outcome', [
        z.object({ outcome: z.literal('ok'), silentLeases: z.int() }),
        outcomes('stale_attempt', 'cancelled', 'unknown_job'),
      ]),
    )
  }

  listMergeableFiles({ jobId, attempt }: Attempt, maxFiles: number) {
    return this.#database.call(
      'list_mergeable_files',
      { p_job_id: jobId, p_attempt: attempt, p_max_files: maxFiles },
      Mergeable,
    )
  }

  /** @param merges ids of the inputs of each merge, in the order their rows shall have */
  savePlan({ jobId, attempt }: Attempt, merges: readonly (readonly string[])[]) {
    return this.#database.call(
      'save_plan',
      { p_job_id: jobId, p_attempt: attempt, p_merges: merges },
      z.discriminatedUnion('outcome', [
        z.object({ outcome: z.literal('ok'), merges: z.int() }),
        outcomes('conflict', 'stale_attempt', 'cancelled', 'unknown_job'),
      ]),
    )
  }

  /** @param index from 1 */
  openMerge({ jobId, attempt }: Attempt, index: number, { leaseSeconds, finished = {} }: StepEntry) {
    return this.#database.call(
      'open_merge',
      { p_job_id: jobId, p_attempt: attempt, p_index: index, p_lease_seconds: leaseSeconds, p_finished: finished },
      OpenedMerge,
    )
  }

  commitMerge({ jobId, attempt }: Attempt, index: number, output: MergedFile, leaseSeconds: number) {
    return this.#database.call(
      'commit_merge',
      { p_job_id: jobId, p_attempt: attempt, p_index: index, p_output: output, p_lease_seconds: leaseSeconds },
      CommittedMerge,
    )
  }

  /**
   * Puts inputs into quarantine and takes them, and what is not live any more, out of the merge.
   * @param faults all that were found; an input that no longer lies in the object that was read stays
   */
  setAsideInputs({ jobId, attempt }: Attempt, index: number, faults: readonly InputFault[]) {
    return this.#database.call(
      'set_aside_inputs',
      { p_job_id: jobId, p_attempt: attempt, p_index: index, p_faults: faults },
      SetAside,
    )
  }

  finishJob(
    { jobId, attempt }: Attempt,
    end: {
      result: Record<string, unknown>
      more: boolean
      finished?: Readonly<Record<string, number>>
      sender: string
    },
  ) {
    return this.#database.call(
      'finish_job',
      {
        p_job_id: jobId,
        p_attempt: attempt,
        p_result: end.result,
        p_more: end.more,
        p_finished: end.finished ?? {},
        p_sender: end.sender,
      },
      z.object({
        outcome: z.enum(['succeeded', 'dead', 'stale_attempt', 'cancelled', 'unknown_job']),
        outbox: Outbox,
      }),
    )
  }

  /** @param failure.counted false if the platform ended the attempt: the job gets one more, a bounded number of times */
  failAttempt(
    { jobId, attempt }: Attempt,
    failure: { code: string; step: string; message: string; transient: boolean; counted?: boolean },
    leaseSeconds: number,
    sender: string | null,
  ) {
    return this.#database.call(
      'fail_attempt',
      {
        p_job_id: jobId,
        p_attempt: attempt,
        p_code: failure.code,
        p_step: failure.step,
        p_message: failure.message,
        p_transient: failure.transient,
        p_lease_seconds: leaseSeconds,
        p_sender: sender,
        p_counted: failure.counted ?? true,
      },
      FailedAttempt,
    )
  }

  cancelJob(jobId: string, requester: Requester) {
    return this.#database.call(
      'cancel_job',
      { p_job_id: jobId, p_requester: requester },
      z.discriminatedUnion('outcome', [
        z.object({ outcome: z.literal('ended'), state: JobState }),
        outcomes('cancelled', 'cancelling', 'unknown_job'),
      ]),
    )
  }

  retryJob(jobId: string, requester: Requester, sender: string) {
    return this.#database.call(
      'retry_job',
      { p_job_id: jobId, p_requester: requester, p_sender: sender },
      z.discriminatedUnion('outcome', [
        Requested,
        z.object({ outcome: z.literal('not_dead'), state: JobState }),
        outcome('unknown_job'),
      ]),
    )
  }

  /**
   * Dead jobs, by ids or by what they have in common; a filter that is left out matches all.
   * @param redrive.limit jobs at the most, 1 to 100
   */
  redrive(redrive: {
    requester: Requester
    jobIds?: readonly string[] | undefined
    datasetId?: string | undefined
    code?: string | undefined
    dryRun: boolean
    limit: number
    sender: string
  }) {
    return this.#database.call(
      'redrive',
      {
        p_requester: redrive.requester,
        p_job_ids: redrive.jobIds ?? null,
        p_dataset_id: redrive.datasetId ?? null,
        p_code: redrive.code ?? null,
        p_dry_run: redrive.dryRun,
        p_limit: redrive.limit,
        p_sender: redrive.sender,
      },
      z.object({
        jobs: readableRows(
          'redriven jobs',
          z.object({ jobId: z.uuid(), datasetId: z.string(), newJobId: z.uuid().optional() }),
        ),
        outbox: Outbox,
      }),
    )
  }

  listExpiredLeases(limit: number) {
    return this.#database.call(
      'list_expired_leases',
      { p_limit: limit },
      readableRows('expired leases', z.object({ jobId: z.uuid(), attempt: z.int() })),
    )
  }

  redispatchStaleJobs(olderSeconds: number, limit: number) {
    return this.#database.call('redispatch_stale_jobs', { p_older_seconds: olderSeconds, p_limit: limit }, z.int())
  }

  /**
   * Gives free slots to the jobs that wait for one.
   * @returns how many
   */
  admitJobs() {
    return this.#database.call('admit_jobs', {}, z.int())
  }

  /**
   * Jobs for small files that have waited as long as their policy allows.
   * @param limit data sets at the most
   * @returns how many
   */
  requestDueMerges(limit: number) {
    return this.#database.call('request_due_merges', { p_limit: limit }, z.int())
  }

  /** @param settings what is left out stays as it is */
  configureAdmission(settings: Partial<Admission> = {}) {
    return this.#database.call('configure_admission', { p_settings: settings }, Admission)
  }

  /** Sends word anew of dead jobs of which no dead letter came. */
  retellDeaths(olderSeconds: number, limit: number) {
    return this.#database.call('retell_deaths', { p_older_seconds: olderSeconds, p_limit: limit }, z.int())
  }

  recordDeadLetter(letter: {
    queue: string
    messageId: string
    body: unknown
    code: string
    message: string
    attempts: number
    datasetId: string | null
    jobId: string | null
  }) {
    const bounded = { ...letter, body: toStorableJson(letter.body) }
    return this.#database.call('record_dead_letter', { p_letter: bounded }, outcomes('recorded', 'duplicate'))
  }

  /** Looks for trouble and settles every alert; the messages of the answer are the sender's to send. */
  raiseAlerts(rules: AlertRules, channels: readonly AlertChannel[], sender: string) {
    return this.#database.call(
      'raise_alerts',
      { p_rules: rules, p_channels: channels, p_sender: sender },
      z.object({ changes: readableRows('alert changes', AlertChange), outbox: Outbox }),
    )
  }

  claimOutbox(claim: {
    maxBatch: number
    lockSeconds: number
    workerId: string
    includeTypePrefix?: string
    excludeTypePrefix?: string
  }) {
    return this.#database.call(
      'claim_outbox',
      {
        max_batch: claim.maxBatch,
        lock_seconds: claim.lockSeconds,
        worker_id: claim.workerId,
        include_type_prefix: claim.includeTypePrefix ?? null,
        exclude_type_prefix: claim.excludeTypePrefix ?? null,
      },
      Outbox,
    )
  }

  /** @returns how many of the rows were still locked by this sender */
  completeOutbox(ids: readonly number[], sender: string) {
    return this.#database.call('complete_outbox', { p_ids: ids, p_worker_id: sender }, z.int())
  }

  /**
   * @param refusal.retryAfterSeconds when the receiver wants to be asked again, up to an hour
   * @param refusal.permanent         no retry can help: the messages are dead
   */
  releaseOutbox(
    ids: readonly number[],
    sender: string,
    error: string,
    { retryAfterSeconds = 0, permanent = false }: { retryAfterSeconds?: number; permanent?: boolean } = {},
  ) {
    return this.#database.call(
      'release_outbox',
      {
        p_ids: ids,
        p_worker_id: sender,
        p_error: error,
        p_retry_after_seconds: retryAfterSeconds,
        p_permanent: permanent,
      },
      z.int(),
    )
  }

  getJob(jobId: string, requester: Requester) {
    return this.#database.call('get_job', { p_job_id: jobId, p_requester: requester }, Job.nullable())
  }

  /** Newest first, without jobs that cannot be read; see pageJobs(). */
  async listJobs(query: JobsQuery): Promise<Job[]> {
    return (await this.pageJobs(query)).jobs
  }

  /** Newest first; `before` is the last job of the page before. */
  async pageJobs(query: JobsQuery): Promise<z.infer<typeof ListedJobs>> {
    const jobs = await this.#database.call(
      'list_jobs',
      {
        p_requester: query.requester,
        p_state: query.state ?? null,
        p_kind: query.kind ?? null,
        p_dataset_id: query.datasetId ?? null,
        p_before_created: query.before?.createdAt ?? null,
        p_before_id: query.before?.id ?? null,
        p_limit: query.limit,
      },
      z.array(z.unknown()),
    )
    return ListedJobs.parse({ jobs })
  }

  jobStatus(requester: Requester) {
    return this.#database.call('job_status', { p_requester: requester }, ReadJobStatus)
  }

  /** Adds ended jobs to the totals that the figures are read from; @returns how many */
  tallyJobs(limit: number) {
    return this.#database.call('tally_jobs', { p_limit: limit }, z.int())
  }

  metrics() {
    return this.#database.call('metrics', {}, Metrics)
  }

  /** Newest first; a filter that is left out matches all, `after` is `next` of the page before. */
  deadLetterStatus(
    requester: Requester,
    limit: number,
    query: {
      code?: string | undefined
      datasetId?: string | undefined
      open?: boolean | undefined
      after?: DeadLetterPosition | undefined
    } = {},
  ) {
    return this.#database.call(
      'dead_letter_status',
      {
        p_requester: requester,
        p_limit: limit,
        p_code: query.code ?? null,
        p_dataset_id: query.datasetId ?? null,
        p_open: query.open ?? null,
        p_after: query.after ?? null,
      },
      DeadLetterStatus,
    )
  }

  /** Closes a letter that nobody needs to look at any more; one that is closed already stays as it is. */
  acknowledgeLetter(letterId: number, requester: Requester) {
    return this.#database.call(
      'acknowledge_letter',
      { p_letter_id: letterId, p_requester: requester },
      z.discriminatedUnion('outcome', [
        z.object({ outcome: z.literal('closed'), closedAt: z.string(), closedHow: ClosedHow }),
        outcome('unknown_letter'),
      ]),
    )
  }

  /** In order of table, period tag and id; `after` is the last file of the page before. */
  listFiles(query: {
    datasetId: string
    requester: Requester
    table?: string | undefined
    periodTag?: string | undefined
    version?: number | undefined
    after?: { table: string; periodTag: string; id: string } | undefined
    quarantined?: QuarantineFilter
    limit: number
  }) {
    return this.#database.call(
      'list_files',
      {
        p_dataset_id: query.datasetId,
        p_requester: query.requester,
        p_table: query.table ?? null,
        p_period_tag: query.periodTag ?? null,
        p_version: query.version ?? null,
        p_after_table: query.after?.table ?? null,
        p_after_period: query.after?.periodTag ?? null,
        p_after_id: query.after?.id ?? null,
        p_limit: query.limit,
        p_quarantined: query.quarantined ?? 'include',
      },
      FilesPage,
    )
  }

  /** Takes a live file out of the data set; repeating the call gives the same answer. */
  discardFile(fileId: string, requester: Requester) {
    return this.#database.call(
      'discard_file',
      { p_file_id: fileId, p_requester: requester },
      z.discriminatedUnion('outcome', [
        z.object({
          outcome: z.literal('discarded'),
          datasetId: z.string(),
          table: z.string(),
          periodTag: z.string(),
          rows: z.int(),
          version: z.int(),
        }),
        outcomes('file_superseded', 'unknown_file'),
      ]),
    )
  }

  /** Lets merges take a file again that is in quarantine. */
  releaseFile(fileId: string, requester: Requester) {
    return this.#database.call(
      'release_file',
      { p_file_id: fileId, p_requester: requester },
      z.discriminatedUnion('outcome', [
        z.object({ outcome: z.literal('released'), datasetId: z.string(), code: z.string() }),
        outcomes('not_quarantined', 'unknown_file'),
      ]),
    )
  }

  /**
   * The alert of files set aside no longer counts those that are in quarantine now.
   * @returns how many were news
   */
  acknowledgeFiles(filter: { datasetId?: string | undefined; code?: string | undefined }) {
    return this.#database.call(
      'acknowledge_files',
      { p_dataset_id: filter.datasetId ?? null, p_code: filter.code ?? null },
      z.int(),
    )
  }

  getFile(fileId: string, requester: Requester) {
    return this.#database.call('get_file', { p_file_id: fileId, p_requester: requester }, StoredFile.nullable())
  }

  /**
   * Keys of objects that nothing names and vacuum may delete; the answer repeats them until completeGarbage().
   * @param stamp of checkInstallation() in the same run; null asks for the noted state of the installation alone
   */
  claimGarbage(limit: number, stamp: number | null = null) {
    return this.#database.call('claim_garbage', { p_limit: limit, p_stamp: stamp }, readableRows('garbage', z.string()))
  }

  completeGarbage(keys: readonly string[]) {
    return this.#database.call('complete_garbage', { p_keys: keys }, z.int())
  }

  /** Keys of objects that the caller has just stored and then refused. */
  doomOrphans(keys: readonly string[]) {
    return this.#database.call('doom_orphans', { p_keys: keys }, z.int())
  }

  /** Of these keys of objects older than a day, those that no row names. */
  listOrphans(keys: readonly string[]) {
    return this.#database.call('list_orphans', { p_keys: keys }, readableRows('orphans', z.string()))
  }

  /** Notes an upload in parts before its first part, so that vacuum can abort it should nobody complete it. */
  openMultipart({ jobId, attempt }: Attempt, upload: { r2Key: string; uploadId: string }) {
    return this.#database.call(
      'open_multipart',
      { p_job_id: jobId, p_attempt: attempt, p_r2_key: upload.r2Key, p_upload_id: upload.uploadId },
      outcomes('ok', 'stale_attempt', 'cancelled', 'unknown_job'),
    )
  }

  /** The answer repeats them until closeMultiparts(); `stamp` as for claimGarbage(). */
  listAbandonedUploads(limit: number, stamp: number | null = null) {
    return this.#database.call(
      'list_abandoned_uploads',
      { p_limit: limit, p_stamp: stamp },
      readableRows('abandoned uploads', AbandonedUpload),
    )
  }

  closeMultiparts(keys: readonly string[]) {
    return this.#database.call('close_multiparts', { p_keys: keys }, z.int())
  }

  /** A dry run of vacuum; `after` is `next` of the page before, `limit` how many rows are looked at. */
  previewSuperseded(after: Record<string, string> | null, limit: number) {
    return this.#database.call(
      'preview_vacuum',
      { p_reason: 'superseded', p_after: after, p_limit: limit },
      SupersededPage,
    )
  }

  previewRefused(after: Record<string, string> | null, limit: number) {
    return this.#database.call('preview_vacuum', { p_reason: 'refused', p_after: after, p_limit: limit }, RefusedPage)
  }

  previewIncompleteUploads(after: Record<string, string> | null, limit: number) {
    return this.#database.call(
      'preview_vacuum',
      { p_reason: 'incomplete_upload', p_after: after, p_limit: limit },
      IncompleteUploadPage,
    )
  }

  /** Compare what the bucket says with what the catalog knows; see `pairInstallation`. */
  checkInstallation(look: BucketLook) {
    return this.#database.call('check_installation', { p_bucket: look }, CheckedInstallation)
  }

  /** A person decides that the bucket belongs to this catalog, although `problem` stands. */
  acceptInstallation(problem: PairingProblem, look: BucketLook) {
    return this.#database.call('accept_installation', { p_problem: problem, p_bucket: look }, AcceptedInstallation)
  }

  /** @param pause null: deletions go on */
  pauseDeletions(pause: { by: string; reason: string | null } | null) {
    return this.#database.call(
      'pause_deletions',
      { p_paused: pause !== null, p_by: pause?.by ?? null, p_reason: pause?.reason ?? null },
      z.object({ paused: z.boolean() }),
    )
  }

  /** The next page of a walk over the bucket, if one is due. */
  beginSweep(name: string) {
    return this.#database.call(
      'begin_sweep',
      { p_name: name },
      z.discriminatedUnion('due', [
        z.object({ due: z.literal(true), cursor: z.string().nullable(), round: z.int() }),
        z.object({ due: z.literal(false) }),
      ]),
    )
  }

  /** What the walk found on a page; a page that another walker has recorded is `stale`. */
  recordSweepPage(
    name: string,
    page: {
      round: number
      cursor: string | null
      /** null at the end of the bucket */
      nextCursor: string | null
      objects: number
      /** of objects that are old enough to be orphans */
      oldKeys: readonly string[]
      pauseSeconds: number
      stamp?: number | null
    },
  ) {
    return this.#database.call(
      'record_sweep_page',
      {
        p_name: name,
        p_round: page.round,
        p_cursor: page.cursor,
        p_next_cursor: page.nextCursor,
        p_objects: page.objects,
        p_keys: page.oldKeys,
        p_pause_seconds: page.pauseSeconds,
        p_stamp: page.stamp ?? null,
      },
      z.object({ outcome: z.enum(['recorded', 'stale']), orphans: z.int() }),
    )
  }

  /** Marks for deletion what two rounds have found; @returns how many */
  markOrphans(name: string, limit: number, stamp: number | null = null) {
    return this.#database.call('mark_orphans', { p_name: name, p_limit: limit, p_stamp: stamp }, z.int())
  }

  /** A person has looked at the orphans that stopped the sweep. */
  acceptOrphans(name: string, orphans: number, releaseKept: boolean) {
    return this.#database.call(
      'accept_orphans',
      { p_name: name, p_orphans: orphans, p_release_kept: releaseKept },
      z.discriminatedUnion('outcome', [
        z.object({ outcome: z.literal('accepted'), orphans: z.int(), released: z.int() }),
        z.object({ outcome: z.literal('changed'), orphans: z.int() }),
      ]),
    )
  }

  /** Begins a scan of the bucket; what an earlier one noted is discarded. */
  beginAdoption() {
    return this.#database.call('begin_adoption', {}, z.object({ scan: z.uuid() }))
  }

  /** The next page of a scan: the keys after `after` up to `last`, null at either end of the bucket. */
  beginAdoptionPage(scan: string, page: { after: string | null; last: string | null; keys: readonly string[] }) {
    return this.#database.call(
      'begin_adoption_page',
      { p_scan: scan, p_after: page.after, p_last: page.last, p_keys: page.keys },
      AdoptionPage,
    )
  }

  noteAdoptionObjects(scan: string, objects: readonly ScannedObject[]) {
    return this.#database.call('note_adoption_objects', { p_scan: scan, p_objects: objects }, NotedObjects)
  }

  /** Puts the dataset after `after` in order, up to `limit` objects a call. */
  adoptDataset(scan: string, { after, limit, dryRun }: { after: string | null; limit: number; dryRun: boolean }) {
    return this.#database.call(
      'adopt_dataset',
      { p_scan: scan, p_after: after, p_limit: limit, p_dry_run: dryRun },
      AdoptedDataset,
    )
  }

  /** @param owner null: of every owner without limits of their own */
  readLimits(owner: string | null) {
    return this.#database.call('read_limits', { p_owner: owner }, LimitsOfOwner)
  }

  /** @param limits what is left out stays, null goes back to the default */
  configureLimits(owner: string | null, limits: LimitChanges) {
    return this.#database.call('configure_limits', { p_owner: owner, p_settings: limits }, LimitsOfOwner)
  }

  /**
   * A lease for a stream of events of this owner; the same call again renews it.
   * @throws FusouError `rate_limited` when the owner has as many open as they may
   */
  openEventStream(owner: string, streamId: string, leaseSeconds: number) {
    return this.#database.call(
      'open_event_stream',
      { p_owner: owner, p_stream_id: streamId, p_lease_seconds: leaseSeconds },
      outcomes('opened'),
    )
  }

  closeEventStream(streamId: string) {
    return this.#database.call('close_event_stream', { p_stream_id: streamId }, outcomes('closed'))
  }

  /** @param settings seconds, at least a day; what is left out stays as it is */
  configureRetention(settings: Partial<Retention> = {}) {
    return this.#database.call('configure_retention', { p_settings: settings }, Retention)
  }

  /**
   * Removes history whose retention is over.
   * @param limit rows of each kind at the most
   * @returns how many rows of each kind went
   */
  trimHistory(limit: number) {
    return this.#database.call(
      'trim_history',
      { p_limit: limit },
      z.object({ jobs: z.int(), letters: z.int(), messages: z.int(), streams: z.int() }),
    )
  }

  trimOutbox(limit: number) {
    return this.#database.call('trim_outbox', { p_limit: limit }, z.int())
  }
}
