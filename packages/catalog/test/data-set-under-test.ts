import { createHash, randomUUID } from 'node:crypto'
import type { Attempt, Catalog, ListedFile, MergedFile, UploadedObject, UploadedSlice } from '@fusou/catalog'
import { AN_OPERATOR, asUser } from '@fusou/catalog'
import { expect } from 'vitest'

/** Who sends the messages of these tests; nobody relays for it. */
export const SENDER = 'a test'
export const LEASE_SECONDS = 600
/** Over three quarters of the default target: such a file no merge takes. */
export const LARGE_FILE_BYTES = 120 * 2 ** 20

export type SliceSpec = Partial<Omit<UploadedSlice, 'sha256' | 'offset'>> & { content?: string }

export const sha256 = (content: string) => createHash('sha256').update(content).digest('hex')

/** An object that holds these slices end to end; content is unique unless named. */
export function anObject(slices: readonly SliceSpec[]): UploadedObject {
  let offset = 0
  return {
    r2Key: `datasets/any/uploads/${randomUUID()}`,
    slices: slices.map(({ content = randomUUID(), ...spec }) => {
      const slice = {
        table: 'ships',
        periodTag: '0',
        length: 1000,
        rows: 10,
        rowGroups: 1,
        fingerprint: 'schema-1',
        ...spec,
        offset,
        sha256: sha256(content),
      }
      offset += slice.length
      return slice
    }),
  }
}

export const anOutput = (rows: number, output: Partial<MergedFile> = {}): MergedFile => ({
  r2Key: `datasets/any/merged/${randomUUID()}`,
  bytes: 2000,
  rows,
  rowGroups: 1,
  sha256: sha256(randomUUID()),
  fingerprint: 'schema-1',
  ...output,
})

/** Inputs of a merge that cannot be read, wherever their bytes lie. */
export async function setAside(catalog: Catalog, attempt: Attempt, index: number, ...fileIds: string[]) {
  const faults = fileIds.map(async (fileId) => ({
    fileId,
    r2Key: (await catalog.getFile(fileId, AN_OPERATOR))?.r2Key ?? 'gone',
    code: 'corrupt_file' as const,
    message: 'page 3 does not decompress',
  }))
  return catalog.setAsideInputs(attempt, index, await Promise.all(faults))
}

/** A dataset of its own, driven as the upload route, the consumer and the Workflow drive one. */
export class DataSetUnderTest {
  readonly id = `ds-${randomUUID()}`
  readonly owner: string
  readonly #catalog: Catalog

  constructor(catalog: Catalog, owner: string = randomUUID()) {
    this.#catalog = catalog
    this.owner = owner
  }

  /**
   * As the upload route does: copies of the content are looked at, and those that are broken are named.
   * @param how.broken whether the bucket has lost the bytes of all copies
   */
  async register(object: UploadedObject, userId = this.owner, how: { broken?: boolean; replaces?: string } = {}) {
    const upload = { datasetId: this.id, requester: asUser(userId), object, sender: SENDER, replaces: how.replaces }
    const answer = await this.#catalog.registerUpload(upload)
    if (answer.outcome !== 'check_copies') return answer
    const again = await this.#catalog.registerUpload({ ...upload, brokenCopies: how.broken ? answer.copies : [] })
    if (again.outcome === 'check_copies') throw new Error('the copies were looked at')
    return again
  }

  /** @returns what was stored; fails if the upload was refused */
  async store(...slices: SliceSpec[]) {
    const answer = await this.register(anObject(slices.length === 0 ? [{}] : slices))
    if (answer.outcome !== 'stored') throw new Error(`the upload was not stored: ${answer.outcome}`)
    return answer
  }

  /** An upload whose owner asks for a merge at once, whatever the policy says. */
  async upload(...slices: SliceSpec[]) {
    const { version } = await this.store(...slices)
    return { version, ...(await this.trigger()) }
  }

  async trigger(scope: { table?: string; periodTag?: string } = {}) {
    const asked = await this.#catalog.requestCompaction({
      datasetId: this.id,
      requester: asUser(this.owner),
      sender: SENDER,
      ...scope,
    })
    if (asked.outcome !== 'requested') throw new Error(asked.outcome)
    return asked
  }

  /** Delivers the message of a job. */
  deliver(jobId: string | undefined, message: { id?: string; leaseSeconds?: number } = {}) {
    return this.#catalog.acceptMessage(
      message.id ?? randomUUID(),
      { datasetId: this.id, priority: 'manual', ...(jobId !== undefined && { jobId }) },
      message.leaseSeconds ?? LEASE_SECONDS,
    )
  }

  /** The queued job, or one asked for now, running. */
  async start(leaseSeconds = LEASE_SECONDS): Promise<Attempt> {
    const answer = await this.deliver(undefined, { leaseSeconds })
    if (answer.outcome !== 'claimed') throw new Error(`the message did not start a job: ${answer.outcome}`)
    return { jobId: answer.jobId, attempt: answer.attempt }
  }

  async mergeable(attempt: Attempt, maxFiles = 1000) {
    const answer = await this.#catalog.listMergeableFiles(attempt, maxFiles)
    if (answer.outcome !== 'ok') throw new Error(`nothing to plan with: ${answer.outcome}`)
    return answer
  }

  /** Plans one merge for each table, period and schema, in the order that the database lists them. */
  async plan(attempt: Attempt): Promise<{ ids: string[]; rows: number }[]> {
    const groups = Map.groupBy(
      (await this.mergeable(attempt)).files,
      (f) => `${f.table} ${f.periodTag} ${f.mergeGroup}`,
    )
    const merges = [...groups.values()].map((files) => ({
      ids: files.map((file) => file.id),
      rows: files.reduce((sum, file) => sum + file.rows, 0),
    }))
    expect(
      await this.#catalog.savePlan(
        attempt,
        merges.map(({ ids }) => ids),
      ),
    ).toEqual({ outcome: 'ok', merges: merges.length })
    return merges
  }

  /** Plans and swaps everything, without ending the job. */
  async swapAll(attempt: Attempt, output: Partial<MergedFile> = {}): Promise<void> {
    for (const [position, merge] of (await this.plan(attempt)).entries()) {
      const committed = await this.#catalog.commitMerge(
        attempt,
        position + 1,
        anOutput(merge.rows, output),
        LEASE_SECONDS,
      )
      expect(committed.outcome).toBe('committed')
    }
  }

  /** Sets files aside, as a merge does that cannot read them. */
  setAside(attempt: Attempt, index: number, ...fileIds: string[]) {
    return setAside(this.#catalog, attempt, index, ...fileIds)
  }

  finish(attempt: Attempt, more = false) {
    return this.#catalog.finishJob(attempt, { result: {}, more, sender: SENDER })
  }

  fail(attempt: Attempt, failure: { transient: boolean; leaseSeconds?: number } = { transient: true }) {
    return this.#catalog.failAttempt(
      attempt,
      { code: 'storage_unavailable', step: 'compact-1', message: 'no answer', transient: failure.transient },
      failure.leaseSeconds ?? LEASE_SECONDS,
      SENDER,
    )
  }

  /** A whole job, from the queue to its end. */
  async compact(output: Partial<MergedFile> = {}): Promise<Attempt> {
    const attempt = await this.start()
    await this.swapAll(attempt, output)
    expect((await this.finish(attempt)).outcome).toBe('succeeded')
    return attempt
  }

  async files(version?: number): Promise<ListedFile[]> {
    const answer = await this.#catalog.listFiles({
      datasetId: this.id,
      requester: asUser(this.owner),
      version,
      limit: 10_000,
    })
    if (answer.outcome !== 'ok') throw new Error(`no listing: ${answer.outcome}`)
    return answer.files
  }

  async version(): Promise<number> {
    const answer = await this.#catalog.listFiles({ datasetId: this.id, requester: asUser(this.owner), limit: 1 })
    if (answer.outcome !== 'ok') throw new Error(`no listing: ${answer.outcome}`)
    return answer.version
  }

  async rows(version?: number): Promise<number> {
    return (await this.files(version)).reduce((sum, file) => sum + file.rows, 0)
  }

  async job(jobId: string) {
    const job = await this.#catalog.getJob(jobId, asUser(this.owner))
    if (job === null) throw new Error(`no job ${jobId}`)
    return job
  }

  jobs(state?: 'queued' | 'running' | 'succeeded' | 'dead' | 'cancelled') {
    return this.#catalog.listJobs({ requester: asUser(this.owner), datasetId: this.id, state, limit: 100 })
  }

  /** Whether the daily round would look at it. */
  async compactionNeeded(): Promise<boolean> {
    return (await this.#catalog.jobStatus(asUser(this.owner))).datasetsWaiting > 0
  }
}
