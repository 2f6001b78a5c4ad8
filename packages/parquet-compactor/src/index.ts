export type { Codec, CodecName } from './codecs/codec.ts'
export { type ColumnFacts, ComposedFooterReader, type PartFacts } from './compose/composed-footer.ts'
export { type ComposedTail, type ComposeOptions, type ComposePart, FooterComposer } from './compose/footer-composer.ts'
export { DROP_REASONS, type DropReason } from './drop-reasons.ts'
export { footerLength } from './footer/footer.ts'
export {
  type DroppedKey,
  KEY_DROP_REASONS,
  type KeyDropReason,
  type KeyValueReport,
} from './key-values/key-drop-reasons.ts'
export { explainMerge, type MergePlan, type PlannedSelection } from './merge/explain-merge.ts'
export { type FindFaultsOptions, findFaults, type InputFault } from './merge/find-faults.ts'
export type { ColumnChunkReport, MergeOptions, MergeProgress, MergeReport } from './merge/merge-options.ts'
export { mergeParquet } from './merge/merge-parquet.ts'
export { type ErrorPlace, isSourceFault, PARQUET_ERRORS, ParquetError, type ParquetErrorCode } from './parquet-error.ts'
export {
  type ColumnAction,
  PLAN_REASONS,
  type PlannedColumn,
  type PlannedRowGroup,
  type PlanReason,
  printPlan,
} from './plan/plan-merge.ts'
export { type DescribedColumn, describeColumns } from './read/describe-columns.ts'
export type { FileLimits } from './read/file-limits.ts'
export { type FooterInspection, inspectFooter, inspectParquet, type ParquetSummary } from './read/inspect.ts'
export type { Scratch } from './read/scratch.ts'
export { memorySink, memorySource, type Sink, type Source } from './read/source.ts'
export type { FieldType, SchemaField } from './schema/schema-fields.ts'
