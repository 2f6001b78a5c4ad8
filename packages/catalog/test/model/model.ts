/** A file, known by where its bytes are: `<key>#<offset>`. */
export interface ModelFile {
  readonly name: string
  readonly key: string
  /** partition and schema: only files of one kind can be merged */
  readonly kind: string
  readonly rows: number
  /** of an upload: known again when it comes again */
  readonly content?: string
  /** names of the files as uploaded whose rows it holds */
  readonly holds: readonly string[]
  readonly level: number
  readonly createdVersion: number
  removedVersion?: number
  /** removed before the last time a week passed */
  old: boolean
  quarantinedBy?: string
}

export interface ModelMerge {
  /** names of files */
  readonly inputs: readonly string[]
  state: 'planned' | 'committed' | 'failed'
  outputKey?: string
  version?: number
}

export interface ModelJob {
  readonly id: string
  readonly dataset: ModelDataset
  state: 'queued' | 'running' | 'succeeded' | 'dead' | 'cancelled'
  attempt: number
  maxAttempts: number
  uncounted: number
  /** whether the attempt that runs has called */
  entered: boolean
  cancelRequested: boolean
  triggers: number
  retried: boolean
  readonly messages: Set<string>
  /** by attempt */
  readonly plans: Map<number, ModelMerge[]>
}

export interface ModelDataset {
  readonly id: string
  readonly owner: string
  version: number
  oldestVersion: number
  /** whether vacuum waits a week */
  keeps: boolean
  readonly files: Map<string, ModelFile>
  /** names of the files of each version, when it was made */
  readonly versions: Map<number, readonly string[]>
}

/** The rules say that this cannot be. */
export class RuleBroken extends Error {
  override name = 'RuleBroken'
}

export function must(held: boolean, rule: string, detail?: unknown): asserts held {
  if (!held) throw new RuleBroken(detail === undefined ? rule : `${rule}: ${JSON.stringify(detail)}`)
}

export const MAX_ATTEMPTS = 5
/** Attempts that the platform ended and that a job is given back. */
export const MAX_UNCOUNTED_ATTEMPTS = 5
export const ENDED: readonly string[] = ['succeeded', 'dead', 'cancelled']

/** What the catalog is, in plain data: the state machines of jobs and files. */
export class ModelCatalog {
  readonly datasets = new Map<string, ModelDataset>()
  readonly jobs = new Map<string, ModelJob>()
  /** keys of objects of which nothing was kept: such a one is not taken back */
  readonly refused = new Set<string>()
  /** identities of dead letters */
  readonly letters = new Set<string>()

  jobIn(dataset: ModelDataset, state: ModelJob['state']): ModelJob | undefined {
    return [...this.jobs.values()].find((job) => job.dataset === dataset && job.state === state)
  }

  live(dataset: ModelDataset): ModelFile[] {
    return [...dataset.files.values()].filter((file) => file.removedVersion === undefined)
  }

  /** A trigger joins the queued job, or there is a new one. Returns the job that the answer has to name. */
  request(dataset: ModelDataset, answer: Readonly<Record<string, unknown>>, messageId?: string): ModelJob {
    const queued = this.jobIn(dataset, 'queued')
    if (answer.joined !== undefined)
      must(answer.joined === (queued !== undefined), 'a trigger joins the queued job, if there is one', answer)
    const id = String(answer.jobId)
    if (queued) {
      must(queued.id === id, 'at most one job is queued for a data set', answer)
      queued.triggers += 1
      if (messageId !== undefined) queued.messages.add(messageId)
      return queued
    }
    must(!this.jobs.has(id), 'a job that ended or runs takes no trigger', answer)
    const job: ModelJob = {
      id,
      dataset,
      state: 'queued',
      attempt: 0,
      maxAttempts: MAX_ATTEMPTS,
      uncounted: 0,
      entered: false,
      cancelRequested: false,
      triggers: 1,
      retried: false,
      messages: new Set(messageId === undefined ? [] : [messageId]),
      plans: new Map(),
    }
    this.jobs.set(id, job)
    return job
  }

  /** What a call of an attempt must be told; a running job that was cancelled ends with it. */
  fence(job: ModelJob | undefined, attempt: number): 'ok' | 'stale_attempt' | 'cancelled' | 'unknown_job' {
    if (job === undefined) return 'unknown_job'
    if (job.state === 'cancelled') return 'cancelled'
    if (job.state !== 'running' || job.attempt !== attempt) return 'stale_attempt'
    if (!job.cancelRequested) return 'ok'
    job.state = 'cancelled'
    return 'cancelled'
  }

  /** One version further: notes which files it has. */
  nextVersion(dataset: ModelDataset, told: unknown): void {
    const files = this.live(dataset).map(({ name }) => name)
    must(told === dataset.version, 'each change of files makes the next version', { told, expected: dataset.version })
    dataset.versions.set(dataset.version, files)
  }

  /** A failed merge that finish_job has to tell of. */
  owesFailure(job: ModelJob, attempt: number): boolean {
    return [...job.plans].some(([of, merges]) =>
      merges.some(
        ({ state, inputs }) =>
          state === 'failed' &&
          (of === attempt || inputs.some((name) => job.dataset.files.get(name)?.quarantinedBy === job.id)),
      ),
    )
  }

  releaseQuarantine(job: ModelJob): void {
    for (const file of job.dataset.files.values()) if (file.quarantinedBy === job.id) delete file.quarantinedBy
  }
}
