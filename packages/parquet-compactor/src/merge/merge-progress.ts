import type { Source } from '../read/source.ts'
import type { MergeProgress } from './merge-options.ts'

/** Counts rows as they are read, and tells of them once they are written. */
export class ProgressCount {
  readonly #onProgress: ((progress: MergeProgress) => void) | undefined
  readonly #rowsLeft: Map<Source, number>
  readonly #filesTotal: number
  readonly #rowsTotal: number
  #rowsDone = 0
  #waiting: Omit<MergeProgress, 'bytesOut'>[] = []

  constructor(inputs: readonly { source: Source; rows: number }[], onProgress?: (progress: MergeProgress) => void) {
    this.#onProgress = onProgress
    this.#rowsLeft = new Map(inputs.filter(({ rows }) => rows > 0).map(({ source, rows }) => [source, rows]))
    this.#filesTotal = inputs.length
    this.#rowsTotal = inputs.reduce((sum, { rows }) => sum + rows, 0)
  }

  add(source: Source, rows: number): void {
    this.#rowsDone += rows
    const left = (this.#rowsLeft.get(source) ?? 0) - rows
    if (left > 0) this.#rowsLeft.set(source, left)
    else this.#rowsLeft.delete(source)
    this.#waiting.push({
      rowsDone: this.#rowsDone,
      rowsTotal: this.#rowsTotal,
      filesDone: this.#filesTotal - this.#rowsLeft.size,
      filesTotal: this.#filesTotal,
    })
  }

  report(bytesOut: number): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const step of waiting) this.#onProgress?.({ ...step, bytesOut })
  }
}
