import type { Stored } from './check-rows.ts'

/** One Parquet file of an upload. */
export interface SentSlice {
  /** the value of its column `upload`; none for a file without rows */
  stamp: number | undefined
  rows: number
  table: string
  sha256: string
  /** its footer is sound, its pages are not: accepted, and no merge can read it */
  rotten: boolean
}

/** One object that a client sends, perhaps more than once. */
export interface SentUpload {
  datasetId: string
  periodTag: string
  user: string
  slices: SentSlice[]
  /** the outcome that the contract demands; `either` where two users race for a new dataset */
  must: 'accept' | 'refuse' | 'either'
  fate: 'unknown' | 'accepted' | 'refused'
}

export interface SeenVersion {
  datasetId: string
  version: number
  /** its files, one text for all */
  listing: string
}

/** Record of what the clients did and were told; the end is compared with it. */
export class Ledger {
  readonly uploads: SentUpload[] = []
  /** ids of jobs that an answer named */
  readonly jobs = new Set<string>()
  /** jobs that somebody asked to cancel */
  readonly cancels = new Set<string>()
  /** marks of messages sent by hand that must end as dead letters, if the queue delivers them */
  readonly poison = new Set<string>()
  readonly versions = new Map<string, SeenVersion>()
  /** datasets whose replaced files vacuum takes after minutes: their versions go */
  readonly shortLived = new Set<string>()
  /** datasets to which others than the owner upload */
  readonly shared = new Set<string>()
  /** datasets that are deleted now and then, and restored */
  readonly deleted = new Set<string>()
  /** how often each thing was done, by how it was answered */
  readonly tally = new Map<string, Map<string, number>>()
  /** answers that the contract does not allow */
  readonly faults: string[] = []
  /** marks of all messages that were ever sent to fail */
  readonly sentPoison = new Set<string>()
  /** how often the catalog was set back */
  setBacks = 0
  /** false from the moment when the catalog is set back until an operator has adopted what it forgot */
  isCatalogWhole = true

  /** @param mark in a message that must end as a dead letter */
  notePoison(mark: string): void {
    this.poison.add(mark)
    this.sentPoison.add(mark)
  }

  /** @param answer status of HTTP, 0 where no answer came */
  note(action: string, answer: number | string): void {
    const answers = this.tally.get(action) ?? new Map<string, number>()
    this.tally.set(action, answers)
    const name = answer === 0 ? 'no answer' : String(answer)
    answers.set(name, (answers.get(name) ?? 0) + 1)
  }

  /** Notes an answer that names a job. */
  noteJob(body: unknown): void {
    const { jobId } = (body ?? {}) as { jobId?: string | null }
    if (typeof jobId === 'string') this.jobs.add(jobId)
  }

  /** The catalog was set back to an older state: what was told since of jobs, messages and versions no longer holds. */
  forgetHistory(): void {
    this.jobs.clear()
    this.poison.clear()
    this.versions.clear()
    this.setBacks += 1
    this.isCatalogWhole = false
  }

  /** @returns a fault if the version was seen before with other files */
  see(seen: SeenVersion): void {
    const key = `${seen.datasetId}@${seen.version}`
    const before = this.versions.get(key)
    if (before === undefined) this.versions.set(key, seen)
    else if (before.listing !== seen.listing)
      this.faults.push(`version ${key} has changed: was ${before.listing}, is ${seen.listing}`)
  }

  /** Hashes of the files that no merge can read. */
  rotten(): Set<string> {
    return new Set(this.uploads.flatMap(({ slices }) => slices.filter(({ rotten }) => rotten).map((s) => s.sha256)))
  }

  /** Rows that must be readable in the end, and rows that may be. */
  stored(): Stored[] {
    const stored = new Map<string, Stored>()
    for (const { datasetId, periodTag, slices, fate } of this.uploads) {
      if (fate === 'refused') continue
      for (const { stamp, rows, table, rotten } of slices) {
        if (stamp === undefined || rotten) continue
        const key = `${datasetId}/${table}/${periodTag}/${stamp}`
        const whole = fate === 'accepted' || stored.get(key)?.there === 'whole'
        stored.set(key, { upload: stamp, rows, datasetId, table, periodTag, there: whole ? 'whole' : 'whole or not' })
      }
    }
    return [...stored.values()]
  }
}
