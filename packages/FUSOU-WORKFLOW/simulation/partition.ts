import { isMergeDue, type MergePolicy } from '@fusou/catalog'
import { planMerges, tierOf } from '../src/workflow/plan-merges.ts'

export interface File {
  readonly table: string
  readonly periodTag: string
  readonly mergeGroup: string
  readonly bytes: number
  readonly fragments: number
  /** No bound on work is near in what is simulated. */
  readonly workBytes: number
  /** When it was uploaded or merged, in seconds. */
  readonly at: number
}

/** The files of one table, period tag and schema. */
export class Partition {
  /** Small files that were merged before. */
  #merged: File[] = []
  /** Fragments no job has planned with yet. */
  #fresh: File[] = []
  #freshBytes = 0
  largeFiles = 0
  readonly #table: string

  constructor(table: string) {
    this.#table = table
  }

  get smallFiles(): number {
    return this.#merged.length + this.#fresh.length
  }

  newFile(bytes: number, fragments: number, at: number): File {
    return { table: this.#table, periodTag: '0', mergeGroup: '', bytes, fragments, workBytes: bytes, at }
  }

  add(file: File, smallBytes: number): void {
    if (file.bytes >= smallBytes) this.largeFiles++
    else if (file.fragments > 1) this.#merged.push(file)
    else {
      this.#fresh.push(file)
      this.#freshBytes += file.bytes
    }
  }

  isDue(policy: MergePolicy, now: number): boolean {
    const [oldest] = this.#fresh
    const ageSeconds = oldest === undefined ? 0 : now - oldest.at
    return isMergeDue(policy, { files: this.#fresh.length, bytes: this.#freshBytes, ageSeconds })
  }

  /** Whether a tier of merged files is full, as the database asks at the end of a job. */
  hasFullTier(): boolean {
    return [...Map.groupBy(this.#merged, (file) => tierOf(file.fragments)).values()].some((tier) => tier.length >= 8)
  }

  /** Takes out what the next merges take. */
  plan(targetBytes: number): File[][] {
    const merges = planMerges([...this.#merged, ...this.#fresh], targetBytes, 'due')
    const taken = new Set(merges.flat())
    this.#merged = this.#merged.filter((file) => !taken.has(file))
    this.#fresh = this.#fresh.filter((file) => !taken.has(file))
    this.#freshBytes = this.#fresh.reduce((total, file) => total + file.bytes, 0)
    return merges
  }
}
