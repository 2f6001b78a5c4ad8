import type { MergeOptions } from '@fusou/parquet-compactor'
import type { OpenedMerge } from './write-merge.ts'

type Settings = OpenedMerge['settings']

/** Whether a merged file has the order and the uniqueness that its table asks for; why not, where it has not. */
export interface Ordering {
  readonly applied: boolean
  readonly reason?: string
}

/** Options of a merge for a table; those that are left out have the defaults of the library. */
export function mergeOptionsOf({ sortBy, dedupeBy, keep, codec, rowGroupRows, rowGroupBytes }: Settings): MergeOptions {
  return {
    ...(sortBy && { sortBy }),
    ...(dedupeBy && { dedupeBy, ...(keep && { keep }) }),
    ...(codec && { codec }),
    ...(rowGroupRows && { targetRowGroupRows: rowGroupRows }),
    ...(rowGroupBytes && { targetRowGroupBytes: rowGroupBytes }),
  }
}

/** The same merge, its rows as they come. */
export function withoutOrder(opened: OpenedMerge): OpenedMerge {
  const { sortBy: _, dedupeBy: __, ...settings } = opened.settings
  return { ...opened, settings }
}
