import type { PlannedRowGroup, PlanReason } from '../plan/plan-merge.ts'
import type { ColumnChunkReport } from './merge-options.ts'

/** Counts what became of the column chunks of the inputs, for the report. */
export class MergeTally {
  readonly #report: ColumnChunkReport = { copied: 0, spliced: 0, remapped: 0, coalesced: 0, rewritten: 0, reasons: {} }

  add(done: Exclude<keyof ColumnChunkReport, 'reasons'>, reason: PlanReason, chunks: number): void {
    this.#report[done] += chunks
    this.#report.reasons[reason] = (this.#report.reasons[reason] ?? 0) + chunks
  }

  addStreamed({ members, columns }: PlannedRowGroup): void {
    for (const { reason } of columns) this.add('rewritten', reason, members)
  }

  get report(): ColumnChunkReport {
    return this.#report
  }
}
