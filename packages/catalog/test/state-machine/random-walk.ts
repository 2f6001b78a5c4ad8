// All that anybody does to the catalog, in one class that rolls the dice: longer than other files for that reason.

import { randomUUID } from 'node:crypto'
import type { Attempt, Catalog } from '@fusou/catalog'
import { AN_OPERATOR, asUser } from '@fusou/catalog'
import {
  anObject,
  anOutput,
  DataSetUnderTest,
  LEASE_SECONDS,
  SENDER,
  setAside,
  sha256,
} from '../data-set-under-test.ts'
import type { EmbeddedDatabase } from '../embedded-database.ts'

const DATA_SETS = 4
const RELAY = 'a relay'
/** Fewer than datasets, so that jobs wait for a slot. */
const SLOTS = 2

interface JobRow {
  id: string
  state: string
  attempt: number
  dataset_id: string
}

interface FileRow {
  id: string
  dataset_id: string
  owner_id: string
  table_name: string
  period_tag: string
  r2_key: string
  content_sha256: string
  schema_fingerprint: string
}

interface MergeRow {
  index: number
  input_ids: string[]
  rows_in: number
}

type Act = () => Promise<unknown>

/** Calls the functions of the catalog in an order that nobody thought of, the same for the same seed. */
export class RandomWalk {
  /** The methods of the catalog that were called. */
  readonly called = new Set<string>()
  readonly #database: EmbeddedDatabase
  readonly #catalog: Catalog
  readonly #datasets: DataSetUnderTest[]
  readonly #random: () => number
  readonly #acts: readonly (readonly [weight: number, act: Act])[]

  constructor(database: EmbeddedDatabase, seed: number) {
    this.#database = database
    this.#catalog = noteCalls(database.catalog, this.called)
    this.#datasets = Array.from({ length: DATA_SETS }, () => new DataSetUnderTest(this.#catalog))
    this.#random = seeded(seed)
    this.#acts = [
      ...this.#clientActs(),
      ...this.#queueActs(),
      ...this.#workflowActs(),
      ...this.#cronActs(),
      ...this.#ownerActs(),
    ]
  }

  async begin(): Promise<void> {
    await this.#catalog.configureAdmission(AN_OPERATOR, { maxRunningJobs: SLOTS })
    for (const dataset of this.#datasets) {
      await dataset.upload()
      await this.#catalog.configureDataset(dataset.id, AN_OPERATOR, { retentionSeconds: 0, mergeMaxAgeSeconds: 0 })
    }
  }

  async step(): Promise<void> {
    let dice = this.#random() * this.#acts.reduce((sum, [weight]) => sum + weight, 0)
    for (const [weight, act] of this.#acts) {
      dice -= weight
      if (dice < 0) return void (await act())
    }
  }

  #clientActs(): [number, Act][] {
    const catalog = this.#catalog
    return [
      ...this.#asks(),
      [12, () => this.#askWhileSlotsAreFree()],
      [2, () => this.#dataset().upload()],
      [1, () => this.#dataset().register(anObject([{ content: 'always the same' }]))],
      [1, () => this.#dataset().register(anObject([{}]), randomUUID())],
      [6, () => this.#withJob(['running', 'queued'], (job) => catalog.cancelJob(job.id, AN_OPERATOR))],
      [0.2, () => this.#followJob()],
      [1, () => this.#withFile(false, ({ id }) => catalog.discardFile(id, AN_OPERATOR))],
      [1, () => this.#withFile(true, ({ id }) => catalog.discardFile(id, AN_OPERATOR))],
      [2, () => this.#withFile(true, ({ id }) => catalog.releaseFile(id, AN_OPERATOR))],
      [1, () => this.#withFile(this.#chance(0.5), (file) => this.#replace(file))],
      [2, () => this.#withFile(this.#chance(0.7), (file) => this.#heal(file))],
      [1, () => this.#withFile(true, (file) => catalog.acknowledgeFiles(AN_OPERATOR, { datasetId: file.dataset_id }))],
    ]
  }

  /** The same bytes again, after the bucket has lost them. */
  #heal(file: FileRow): Promise<unknown> {
    const { table_name: table, period_tag: periodTag, schema_fingerprint: fingerprint } = file
    const { r2Key, slices } = anObject([{ table, periodTag, fingerprint }])
    return this.#catalog.registerUpload({
      datasetId: file.dataset_id,
      requester: asUser(file.owner_id),
      object: { r2Key, slices: [{ ...slices[0]!, sha256: file.content_sha256 }] },
      brokenCopies: [{ fileId: file.id, r2Key: file.r2_key }],
      sender: SENDER,
    })
  }

  #replace({ id, dataset_id, owner_id }: FileRow): Promise<unknown> {
    const upload = {
      datasetId: dataset_id,
      requester: asUser(owner_id),
      object: anObject([{}]),
      replaces: id,
      sender: SENDER,
    }
    return this.#catalog.registerUpload(upload)
  }

  /** What may make a job. */
  #asks(dataset = this.#dataset): [number, Act][] {
    const catalog = this.#catalog
    return [
      [10, () => (this.#chance(0.5) ? dataset().store() : dataset().store({}, {}))],
      [2, () => catalog.requestCompaction({ datasetId: dataset().id, requester: AN_OPERATOR, sender: SENDER })],
      [
        2,
        () => this.#withJob(['dead', 'cancelled', 'succeeded'], (job) => catalog.retryJob(job.id, AN_OPERATOR, SENDER)),
      ],
      [3, () => this.#withJob(['dead', 'cancelled'], (job) => catalog.retryJob(job.id, AN_OPERATOR, SENDER), true)],
      [2, () => catalog.redrive({ requester: AN_OPERATOR, dryRun: this.#chance(0.2), limit: 2, sender: SENDER })],
      [3, () => catalog.triggerScheduled(2, SENDER)],
      [5, () => catalog.requestDueMerges(10)],
      [4, () => dataset().deliver(undefined)],
    ]
  }

  /** Slots that nobody gave on go to those who wait, with whatever is asked for next: here of a dataset without a job. */
  async #askWhileSlotsAreFree(): Promise<void> {
    const dataset = this.#dataset()
    for (const { id } of await dataset.jobs('queued')) await this.#catalog.cancelJob(id, AN_OPERATOR)
    for (const { id, attempt } of await dataset.jobs('running')) {
      await this.#catalog.cancelJob(id, AN_OPERATOR)
      await this.#catalog.enterStep({ jobId: id, attempt }, 'get-metadata', { leaseSeconds: LEASE_SECONDS })
    }
    for (const other of this.#datasets) if (other !== dataset) await other.trigger()
    const [, ask] = this.#pick(this.#asks(() => dataset))
    await this.#withMoreSlots(DATA_SETS, ask)
  }

  #queueActs(): [number, Act][] {
    const catalog = this.#catalog
    return [
      [10, () => this.#withJob(['queued'], (job) => this.#datasetOf(job).deliver(job.id))],
      [
        4,
        () =>
          this.#withJob(['queued', 'running', 'cancelled'], (job) =>
            catalog.recordDeadLetter({
              queue: 'the queue',
              messageId: randomUUID(),
              body: {},
              code: 'delivery_failed',
              message: 'refused',
              attempts: 4,
              datasetId: job.dataset_id,
              jobId: job.id,
            }),
          ),
      ],
    ]
  }

  #workflowActs(): [number, Act][] {
    const catalog = this.#catalog
    return [
      [10, () => this.#withAttempt((attempt) => this.#plan(attempt))],
      ...this.#callsOfAnAttempt().map(([weight, call]) => [weight, () => this.#withAttempt(call)] as [number, Act]),
      // asked to end with a successor waiting, it learns so from whatever it calls next
      [
        9,
        () =>
          this.#withJob(['running'], async ({ id, attempt, dataset_id }) => {
            await catalog.requestCompaction({ datasetId: dataset_id, requester: AN_OPERATOR, sender: SENDER })
            // mostly it has begun: else the job ends with the cancellation
            if (this.#chance(0.9))
              await catalog.enterStep({ jobId: id, attempt }, 'get-metadata', { leaseSeconds: LEASE_SECONDS })
            await catalog.cancelJob(id, AN_OPERATOR)
            const [, call] = this.#pick(this.#callsOfAnAttempt())
            await call({ jobId: id, attempt })
          }),
      ],
      // a job that dies at once, until somebody asks again for its work
      [3, () => this.#withJob(['running'], ({ id, attempt }) => this.#die({ jobId: id, attempt }))],
      // a file that no merge can read, until somebody releases or heals it
      [2, () => this.#withAttempt((attempt) => this.#setAside(attempt))],
      [6, () => this.#withAttempt((attempt) => this.#endInAMerge(attempt))],
    ]
  }

  #callsOfAnAttempt(): [number, (attempt: Attempt) => Promise<unknown>][] {
    const catalog = this.#catalog
    const entry = { leaseSeconds: LEASE_SECONDS }
    const failure = { code: 'corrupt_file', message: 'unreadable' }
    return [
      [2, (attempt) => catalog.enterStep(attempt, 'get-metadata', entry)],
      [2, (attempt) => catalog.listMergeableFiles(attempt, 100)],
      [2, (attempt) => catalog.savePlan(attempt, [])],
      [2, (attempt) => catalog.openMerge(attempt, 1, entry)],
      [3, (attempt) => catalog.setSchemasApart(attempt, 1, [{ fingerprint: 'schema-9', reason: 'other types' }])],
      [2, (attempt) => catalog.openMultipart(attempt, { r2Key: `begun/${randomUUID()}`, uploadId: 'begun' })],
      [
        8,
        async (attempt) => {
          const merge = await this.#plannedMerge(attempt)
          const output = anOutput(merge?.rows_in ?? 1)
          if (this.#chance(0.5)) await catalog.openMultipart(attempt, { r2Key: output.r2Key, uploadId: 'whole' })
          await catalog.commitMerge(attempt, merge?.index ?? 1, output, LEASE_SECONDS)
        },
      ],
      [
        4,
        async (attempt) => {
          const merge = await this.#plannedMerge(attempt)
          await setAside(catalog, attempt, merge?.index ?? 1, ...(merge?.input_ids.slice(0, 1) ?? []))
        },
      ],
      [6, (attempt) => catalog.finishJob(attempt, { result: {}, more: this.#chance(0.4), sender: SENDER })],
      [
        5,
        (attempt) =>
          catalog.failAttempt(
            attempt,
            { ...failure, step: 'compact-1', transient: this.#chance(0.6), counted: this.#chance(0.5) },
            LEASE_SECONDS,
            this.#chance(0.5) ? SENDER : null,
          ),
      ],
    ]
  }

  #cronActs(): [number, Act][] {
    const catalog = this.#catalog
    return [
      [3, () => catalog.claimOutbox({ maxBatch: 3, lockSeconds: 60, workerId: RELAY })],
      [3, () => this.#withHeldMessage((id, holder) => catalog.completeOutbox([id], holder))],
      [3, () => this.#withHeldMessage((id, holder) => catalog.releaseOutbox([id], holder, 'the queue refused'))],
      [2, () => catalog.redispatchStaleJobs(0, 10)],
      [1, () => this.#loseMessages()],
      // with more slots and fewer again, as an operator might
      [2, () => this.#withMoreSlots(1, () => catalog.admitJobs())],
      [2, () => catalog.repeatDeathNotices(0, 10)],
      [3, () => this.#sweep()],
      [1, () => catalog.pauseDeletions(AN_OPERATOR, null)],
      [1, () => this.#pair()],
      [3, () => this.#adopt()],
      [1, () => catalog.trimOutbox(10)],
      [2, async () => catalog.completeGarbage(await catalog.claimGarbage(5))],
      [1, () => catalog.markKeysForDeletion([`lost/${randomUUID()}`])],
      [1, async () => catalog.closeMultiparts((await catalog.listAbandonedUploads(3)).map(({ r2Key }) => r2Key))],
      [1, () => catalog.tallyJobs(5)],
      [1, () => catalog.recordCronRun()],
      [1, () => this.#acknowledgeLetter()],
      [1, () => this.#forgetJobs()],
      [0.2, () => catalog.configureLimits(AN_OPERATOR, null, { datasets: 1000 })],
      [0.2, () => catalog.configureRetention(AN_OPERATOR, {})],
      [2, () => this.#raiseAlerts()],
      [2, () => this.#letTimePass()],
    ]
  }

  /** What owners do beside uploading. */
  #ownerActs(): [number, Act][] {
    const catalog = this.#catalog
    return [
      [0.7, () => this.#withFile(this.#chance(0.5), (file) => this.#deleteAndRestore(file))],
      [0.3, () => this.#deleteAllOfAUser()],
      [0.6, () => this.#withFile(this.#chance(0.5), (file) => this.#letDataExpire(file))],
      [2, () => this.#uploadInParts()],
      [1, async () => catalog.forgetUploads((await catalog.expireUploads(10)).map(({ id }) => id))],
      [1, () => this.#readAsOneFile()],
      [0.2, () => this.#share()],
      [0.2, () => this.#beTold()],
    ]
  }

  async #deleteAndRestore({ dataset_id: id, table_name: table }: FileRow): Promise<void> {
    const deleted = await this.#catalog.deleteData(id, AN_OPERATOR, { table })
    if (deleted.outcome === 'deleted' && deleted.deletion !== null && this.#chance(0.7))
      await this.#catalog.restoreDeletion(id, AN_OPERATOR, deleted.deletion.id)
  }

  async #deleteAllOfAUser(): Promise<void> {
    const dataset = new DataSetUnderTest(this.#catalog)
    await dataset.store()
    await this.#openedUpload(dataset)
    await this.#catalog.deleteUserData(AN_OPERATOR, dataset.owner, 10)
  }

  async #letDataExpire({ id, dataset_id }: FileRow): Promise<void> {
    await this.#catalog.configureDataset(dataset_id, AN_OPERATOR, { deleteAfterDays: 1 })
    await this.#database.query("update files set newest_upload_at = now() - interval '2 days' where id = $1", id)
    await this.#database.query('update datasets set data_checked_at = null where id = $1', dataset_id)
    await this.#catalog.deleteExpiredData(10)
    await this.#catalog.configureDataset(dataset_id, AN_OPERATOR, { deleteAfterDays: null })
  }

  async #openedUpload(dataset: DataSetUnderTest): Promise<{ id: string; r2Key: string; sha256: string } | undefined> {
    const catalog = this.#catalog
    const hash = sha256(randomUUID())
    const upload = { datasetId: dataset.id, table: 'ships', periodTag: '0', byteLength: 1000, sha256: hash }
    const bucket = { r2Key: `datasets/any/uploads/${randomUUID()}`, bucketUploadId: randomUUID(), partBytes: 600 }
    const opened = await catalog.openUpload(asUser(dataset.owner), upload, { bucket })
    return opened.outcome === 'opened' ? { id: opened.upload.uploadId, r2Key: opened.r2Key, sha256: hash } : undefined
  }

  /** To any of its ends. */
  async #uploadInParts(): Promise<void> {
    const catalog = this.#catalog
    const dataset = this.#dataset()
    const requester = asUser(dataset.owner)
    const upload = await this.#openedUpload(dataset)
    if (upload === undefined) return
    const { id, r2Key } = upload
    await catalog.readUpload(id, requester)
    if (this.#chance(0.2)) return void (await catalog.abortUpload(id, requester))
    if (this.#chance(0.2))
      return void (await this.#database.query(
        "update resumable_uploads set expires_at = now() - interval '1 day' where id = $1",
        id,
      ))
    for (const number of [1, 2]) {
      await catalog.beginPart(id, requester, number, undefined)
      await catalog.notePart(id, requester, { number, etag: 'e', sha256: sha256(`${number}`) })
    }
    if (this.#chance(0.2)) return void (await catalog.forgetParts(id, requester))
    await catalog.beginCompletion(id, requester)
    if (this.#chance(0.3))
      return void (await catalog.refuseUpload(id, requester, { code: 'invalid_parquet', detail: 'no footer' }))
    const { slices } = anObject([{}])
    await catalog.completeUpload({
      uploadId: id,
      requester,
      object: { r2Key, slices: [{ ...slices[0]!, sha256: upload.sha256 }] },
      sender: SENDER,
    })
  }

  async #readAsOneFile(): Promise<void> {
    const catalog = this.#catalog
    const scope = { datasetId: this.#dataset().id, table: 'ships' }
    const opened = await catalog.openTable(scope, AN_OPERATOR, { pinned: this.#chance(0.5), id: randomUUID() })
    if (opened.outcome !== 'compose') return
    const sizes = { address: opened.address ?? 1000, tailBytes: 100, layoutBytes: 10, rows: 1 }
    if (this.#chance(0.5)) await catalog.failFooter(opened.id)
    else await catalog.completeFooter(opened.id, sizes)
  }

  async #share(): Promise<void> {
    const catalog = this.#catalog
    const [owner, other] = [asUser(randomUUID()), randomUUID()]
    const datasetId = `ds-${randomUUID()}`
    await catalog.reserveDataset(datasetId, owner)
    await catalog.configureTable(datasetId, 'ships', owner, { codec: 'zstd' })
    await catalog.grantRole(datasetId, owner, other, 'reader')
    await catalog.revokeRole(datasetId, owner, other)
    await catalog.transferDataset(datasetId, owner, other)
    const key = { id: randomUUID(), name: 'a device', hint: 'fsk_', secretSha256: sha256(randomUUID()) }
    await catalog.createKey(owner, { ...key, scopes: ['read'], datasets: null, expiresAt: null })
    await catalog.authenticateKey(key.id, key.secretSha256)
    const read = this.#dataset()
    const made = { id: randomUUID(), secretSha256: sha256(randomUUID()) }
    await catalog.linkKey(read.id, asUser(read.owner), made)
    await catalog.revokeKey(owner, key.id)
  }

  async #beTold(): Promise<void> {
    const catalog = this.#catalog
    const dataset = this.#dataset()
    const { id } = dataset
    const webhook = {
      id: randomUUID(),
      url: 'https://receiver.test/',
      events: ['dataset.changed'] as const,
      secret: 's',
    }
    await catalog.createWebhook(id, AN_OPERATOR, webhook)
    await dataset.store()
    for (const message of await catalog.claimWebhooks(5, 60))
      await catalog.settleWebhook(message, { outcome: 'delivered' })
    await catalog.deleteWebhook(id, AN_OPERATOR, webhook.id)
  }

  /** A whole round in one page, some hours after the last; it finds the same object each time. */
  async #sweep(): Promise<void> {
    const sweep = await this.#catalog.beginSweep('orphans')
    if (!sweep.due) return
    const page = { cursor: sweep.cursor, nextCursor: null, objects: 1, pauseSeconds: 0 }
    await this.#catalog.recordSweepPage('orphans', { ...page, round: sweep.round, oldKeys: ['lost/again'] })
    await this.#database.query("update orphan_suspects set first_seen_at = now() - interval '7 hours'")
    await this.#catalog.markOrphans('orphans', 10)
    await this.#catalog.acceptOrphans(AN_OPERATOR, 'orphans', 1, false)
  }

  /** The bucket turns out to be another one, and an operator accepts it. */
  async #pair(): Promise<void> {
    const look = { id: randomUUID(), stamp: 1 }
    await this.#catalog.checkInstallation(look)
    await this.#catalog.acceptInstallation(AN_OPERATOR, 'foreign_bucket', look)
  }

  /** The bucket has an upload that the catalog does not know, and a merge of another one with a file that it knows. */
  async #adopt(): Promise<void> {
    const catalog = this.#catalog
    const rows = await this.#database.query<{ dataset_id: string }>(
      `select distinct dataset_id from files
       where removed_version is null and quarantine_code is not null and table_name = 'ships' and period_tag = '0'`,
    )
    const quarantining = this.#datasets.filter(({ id }) => rows.some(({ dataset_id }) => dataset_id === id))
    const dataset = quarantining.length > 0 && this.#chance(0.5) ? this.#pick(quarantining) : this.#dataset()
    const files = await this.#database.query<{
      r2_key: string
      content_sha256: string
      level: number
      quarantined: boolean
    }>(
      `select r2_key, content_sha256, level, quarantine_code is not null as quarantined from files
       where dataset_id = $1 and removed_version is null and table_name = 'ships' and period_tag = '0'`,
      dataset.id,
    )
    const { scan } = await catalog.beginAdoption()
    const after = 'datasets/~'
    const unknown = [`${after}-${randomUUID()}`, `${after}-${randomUUID()}`] as const
    await catalog.beginAdoptionPage(scan, { after, last: `${after}z`, keys: unknown })
    const facts = { length: 100, rows: 10, rowGroups: 1, fingerprint: 'schema-1', ownerId: dataset.owner }
    const place = { datasetId: dataset.id, table: 'ships', periodTag: '0', offset: 0 }
    const upload = { ...place, ...facts, r2Key: unknown[0], known: false, level: 0, sha256: sha256(randomUUID()) }
    const fragments = files.filter(({ level }) => level === 0)
    const quarantined = fragments.filter((file) => file.quarantined)
    const known = quarantined.length > 0 && this.#chance(0.7) ? quarantined : fragments
    const lost = this.#chance(0.4) ? upload.sha256 : sha256(randomUUID())
    const leaves = [lost, ...(known.length === 0 ? [] : [this.#pick(known).content_sha256])]
    const merged = { ...upload, r2Key: unknown[1], level: 1, sha256: sha256(randomUUID()), leaves }
    const mergedFiles = files
      .filter(({ level }) => level > 0)
      .map(({ r2_key, level }) => ({ ...place, r2Key: r2_key, known: true, level, leaves: [sha256(r2_key)] }))
    await catalog.noteAdoptionObjects(scan, [upload, merged, ...mergedFiles])
    if (this.#chance(0.4))
      await this.#database.query(
        `insert into adoption_missing (file_id)
         select id from files where dataset_id = $1 and removed_version is null and content_sha256 = any ($2)
         on conflict do nothing`,
        dataset.id,
        leaves,
      )
    await catalog.adoptDataset(scan, { after: null, limit: 10, dryRun: false })
  }

  async #followJob(): Promise<void> {
    const streamId = randomUUID()
    await this.#catalog.openEventStream(this.#dataset().owner, streamId, LEASE_SECONDS)
    await this.#catalog.closeEventStream(streamId)
  }

  /** Two years pass for some of the jobs that ended, and for messages that nobody could send. */
  async #forgetJobs(): Promise<void> {
    await this.#database.query(
      "update jobs set finished_at = now() - interval '2 years' where finished_at is not null and created_at < now() - interval '2 seconds'",
    )
    await this.#database.query("update outbox set created_at = now() - interval '2 years' where status = 'dead'")
    await this.#catalog.tallyJobs(100)
    await this.#catalog.trimHistory(3)
  }

  /** The queue took them, and nobody got them. */
  async #loseMessages(): Promise<void> {
    const taken = await this.#catalog.claimOutbox({ maxBatch: 10, lockSeconds: 60, workerId: RELAY })
    await this.#catalog.completeOutbox(
      taken.map(({ id }) => id),
      RELAY,
    )
    await this.#catalog.redispatchStaleJobs(0, 10)
  }

  async #acknowledgeLetter(): Promise<void> {
    const { dlqFailures } = await this.#catalog.deadLetterStatus(AN_OPERATOR, 1, { open: true })
    await this.#catalog.acknowledgeLetter(dlqFailures.records[0]?.id ?? 0, AN_OPERATOR)
  }

  async #withMoreSlots(more: number, act: Act): Promise<void> {
    await this.#catalog.configureAdmission(AN_OPERATOR, { maxRunningJobs: SLOTS + more })
    await act()
    await this.#catalog.configureAdmission(AN_OPERATOR, { maxRunningJobs: SLOTS })
  }

  #raiseAlerts(): Promise<unknown> {
    const rules = {
      deadLettersWindowSeconds: this.#chance(0.5) ? 3600 : 0,
      failureWindowSeconds: 3600,
      failureRatio: this.#chance(0.5) ? 0 : 1,
      failureMinJobs: 1,
      waitingBoundSeconds: 0,
      triggerBoundSeconds: 3600,
      newCausesSeconds: 0,
      silenceSeconds: 0,
      quietSeconds: 0,
    }
    return this.#catalog.raiseAlerts(rules, ['slack'], SENDER)
  }

  /** What a clock and a queue that refuses would do; none of it changes a state. */
  #letTimePass(): Promise<unknown> {
    const changes = [
      "update outbox set next_attempt_at = now() - interval '1 second' where status = 'pending'",
      "update outbox set locked_until = now() - interval '1 second' where status = 'in_progress'",
      "update outbox set published_at = now() - interval '8 days' where status = 'published'",
      "update outbox set attempts = 19 where status in ('pending', 'in_progress')",
      'update outbox set attempts = 0',
    ]
    return this.#database.query(this.#pick(changes))
  }

  async #plan(attempt: Attempt): Promise<void> {
    const catalog = this.#catalog
    const listed = await catalog.listMergeableFiles(attempt, 100)
    if (listed.outcome !== 'ok') return
    const ids = listed.files.filter(({ suspect }) => suspect === null).map((file) => file.id)
    const half = Math.floor(ids.length / 2)
    const merges = half >= 2 ? [ids.slice(0, half), ids.slice(half)] : [ids]
    const sets = Map.groupBy(
      listed.files.filter(({ suspect }) => suspect !== null),
      ({ suspect }) => suspect!.setId,
    )
    const suspects = [...sets.values()].map((set) => set.map((file) => file.id))
    await catalog.savePlan(attempt, [...suspects, ...(ids.length >= 2 ? merges : [])])
  }

  async #setAside(attempt: Attempt): Promise<void> {
    await this.#plan(attempt)
    const merge = await this.#plannedMerge(attempt)
    if (merge) await setAside(this.#catalog, attempt, merge.index, merge.input_ids[0]!)
  }

  #die(attempt: Attempt): Promise<unknown> {
    const failure = { code: 'database_refused', step: 'get-metadata', message: 'refused', transient: false }
    return this.#catalog.failAttempt(attempt, failure, LEASE_SECONDS, SENDER)
  }

  /** As an instance ends that runs out of memory. A set that is small is soon cut down to one file. */
  async #endInAMerge(attempt: Attempt): Promise<void> {
    await this.#plan(attempt)
    const merge = await this.#plannedMerge(attempt)
    if (merge === undefined) return
    await this.#catalog.openMerge(attempt, merge.index, { leaseSeconds: LEASE_SECONDS })
    const failure = { code: 'workflow_ended', step: 'rescue', message: 'gone', transient: true }
    await this.#catalog.failAttempt(attempt, failure, LEASE_SECONDS, null)
  }

  async #plannedMerge({ jobId, attempt }: Attempt): Promise<MergeRow | undefined> {
    const [merge] = await this.#database.query<MergeRow>(
      `select index, input_ids, rows_in::integer from merges
       where job_id = $1 and attempt = $2 and state = 'planned' order by index limit 1`,
      jobId,
      attempt,
    )
    return merge
  }

  /** The newest job in one of these states, of any dataset, or of one that has none to do. */
  async #withJob(states: readonly string[], act: (job: JobRow) => Promise<unknown>, idle = false): Promise<void> {
    const jobs = await this.#database.query<JobRow>(
      `select distinct on (dataset_id) id, state, attempt, dataset_id from jobs
       where state = $1 and not ($2 and fusou.has_open_job(dataset_id))
       order by dataset_id, created_at desc`,
      this.#pick(states),
      idle,
    )
    if (jobs.length > 0) await act(this.#pick(jobs))
  }

  /** A live upload, in quarantine or not. */
  async #withFile(quarantined: boolean, act: (file: FileRow) => Promise<unknown>): Promise<void> {
    const files = await this.#database.query<FileRow>(
      `select f.*, d.owner_id from files f join datasets d on d.id = f.dataset_id
       where f.level = 0 and f.removed_version is null and (f.quarantine_code is not null) = $1
       order by f.created_version desc limit 10`,
      quarantined,
    )
    if (files.length > 0) await act(this.#pick(files))
  }

  /** A running attempt; now and then the one before it. */
  #withAttempt(act: (attempt: Attempt) => Promise<unknown>): Promise<void> {
    return this.#withJob(['running'], (job) =>
      act({ jobId: job.id, attempt: this.#chance(0.9) ? job.attempt : job.attempt - 1 }),
    )
  }

  async #withHeldMessage(act: (id: number, holder: string) => Promise<unknown>): Promise<void> {
    const held = await this.#database.query<{ id: number; locked_by: string }>(
      "select id::integer, locked_by from outbox where status = 'in_progress' order by id desc limit 5",
    )
    if (held.length === 0) return
    const { id, locked_by } = this.#pick(held)
    await act(id, locked_by)
  }

  #dataset = () => this.#pick(this.#datasets)
  #datasetOf = (job: JobRow) => this.#datasets.find(({ id }) => id === job.dataset_id)!
  #chance = (probability: number) => this.#random() < probability
  #pick = <Item>(items: readonly Item[]): Item => items[Math.floor(this.#random() * items.length)]!
}

function noteCalls(catalog: Catalog, called: Set<string>): Catalog {
  return new Proxy(catalog, {
    get(target, name) {
      called.add(String(name))
      const method: unknown = Reflect.get(target, name)
      return typeof method === 'function' ? method.bind(target) : method
    },
  })
}

/** Mulberry32. */
function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
