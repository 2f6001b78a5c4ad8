/** A file, known by where its bytes are: `<key>#<offset>`. */
export interface ModelFile {
  name: string
  key: string
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
  /** removed because somebody asked, not by a merge */
  discarded?: boolean
}

/** One of a set of files that is merged by itself, after merges of it ended so many attempts. */
export interface ModelSuspect {
  readonly set: number
  readonly setFiles: number
  readonly ends: number
}

export interface ModelMerge {
  /** names of files */
  inputs: readonly string[]
  state: 'planned' | 'committed' | 'nothing_left'
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
  step: string | null
  excusedEnds: number
  filesSetAside: number
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
  /** by name of file */
  readonly suspects: Map<string, ModelSuspect>
}

/** The rules say that this cannot be. */
export class RuleBroken extends Error {
  override name = 'RuleBroken'
}

export function must(held: boolean, rule: string, detail?: unknown): asserts held {
  if (!held) throw new RuleBroken(detail === undefined ? rule : `${rule}: ${JSON.stringify(detail)}`)
}

export const MAX_ATTEMPTS = 5
export const MAX_EXCUSED_ENDS = 64
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
      must(queued.id === id, 'at most one job is queued for a dataset', answer)
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
      step: null,
      excusedEnds: 0,
      filesSetAside: 0,
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

  /** A file whose object is another now: it is the same file, known by its new place wherever it was named. */
  move(dataset: ModelDataset, file: ModelFile, key: string, offset: number): void {
    const [before, after] = [file.name, `${key}#${offset}`]
    const renamed = (names: readonly string[]) => names.map((name) => (name === before ? after : name))
    dataset.files.delete(before)
    file.name = after
    file.key = key
    dataset.files.set(after, file)
    for (const [version, names] of dataset.versions) dataset.versions.set(version, renamed(names))
    for (const job of this.jobs.values())
      if (job.dataset === dataset)
        for (const merges of job.plans.values()) for (const merge of merges) merge.inputs = renamed(merge.inputs)
  }

  /** An object that was given to vacuum: it is not taken back. */
  refuse(key: string): void {
    const named = [...this.datasets.values()].some(({ files }) => [...files.values()].some((file) => file.key === key))
    if (!named) this.refused.add(key)
  }

  discard(dataset: ModelDataset, file: ModelFile): void {
    file.removedVersion = dataset.version
    file.discarded = true
    dataset.suspects.delete(file.name)
  }

  isMergeable(dataset: ModelDataset, name: string): boolean {
    const file = dataset.files.get(name)
    return file !== undefined && file.removedVersion === undefined && file.quarantinedBy === undefined
  }

  /** Takes out of a merge what it cannot have any more. */
  shrink(job: ModelJob, merge: ModelMerge): void {
    if (merge.state !== 'planned') return
    const left = merge.inputs.filter((name) => this.isMergeable(job.dataset, name))
    if (left.length < Math.min(2, merge.inputs.length)) merge.state = 'nothing_left'
    else merge.inputs = left
  }

  quarantine(job: ModelJob, name: string): void {
    job.dataset.files.get(name)!.quarantinedBy = job.id
    job.dataset.suspects.delete(name)
    job.filesSetAside += 1
  }

  /** An attempt ended in this step without an error that names a file. Returns whether that told anything. */
  suspect(job: ModelJob, step: string | null): boolean {
    const index = Number(/^compact-(\d+)$/.exec(step ?? '')?.[1])
    const merge = job.plans.get(job.attempt)?.[index - 1]
    if (merge?.state !== 'planned') return false
    const names = merge.inputs.filter((name) => this.isMergeable(job.dataset, name))
    const [first] = names
    if (first === undefined) return false
    const known = job.dataset.suspects.get(first)
    const isSameSet =
      known?.setFiles === names.length && names.every((name) => job.dataset.suspects.get(name)?.set === known.set)
    if (!isSameSet || known.ends === 0) this.#makeSet(job.dataset, names, 1)
    else if (names.length === 1) this.quarantine(job, first)
    else {
      const half = Math.ceil(names.length / 2)
      for (const part of [names.slice(0, half), names.slice(half)])
        this.#makeSet(job.dataset, part, part.length > 1 ? 1 : 0)
    }
    return true
  }

  #sets = 0
  #makeSet({ suspects }: ModelDataset, names: readonly string[], ends: number): void {
    this.#sets += 1
    for (const name of names) suspects.set(name, { set: this.#sets, setFiles: names.length, ends })
  }
}
