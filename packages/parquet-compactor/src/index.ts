export { DROP_REASONS, type DropReason } from './drop-reasons.ts'
export { explainMerge, type MergePlan, type PlannedSelection } from './explain-merge.ts'
export { footerLength } from './footer.ts'
export { type FooterInspection, inspectFooter, inspectParquet, type ParquetSummary } from './inspect.ts'
export type { Codec, CodecName, ColumnChunkReport, MergeOptions, MergeProgress, MergeReport } from './merge-options.ts'
export { mergeParquet } from './merge-parquet.ts'
export { PARQUET_ERRORS, ParquetError, type ParquetErrorCode } from './parquet-error.ts'
export {
  type ColumnAction,
  PLAN_REASONS,
  type PlannedColumn,
  type PlannedRowGroup,
  type PlanReason,
  printPlan,
} from './plan-merge.ts'
export { memorySink, memorySource, type Sink, type Source } from './source.ts'
