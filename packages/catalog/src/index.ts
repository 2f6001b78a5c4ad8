export { AdoptedDataset, type AdoptionFault, AdoptionJudgment, type ScannedObject } from './adopt.ts'
export { AlertChannel, AlertKind, AlertNotice, type AlertRules } from './alert.ts'
export { boundedBucket } from './bounded-bucket.ts'
export type { Attempt, Requester } from './client/call-inputs.ts'
export { type Catalog, connectCatalog } from './client/catalog.ts'
export { ClosedHow, DeadLetterPosition, DeadLetterStatus } from './dead-letter.ts'
export { withinDeadline } from './deadline.ts'
export { Environment, loadEnvironment } from './environment.ts'
export { ERROR_CODES, type ErrorCode, isErrorCode } from './error-codes.ts'
export {
  type InputFault,
  ListedFile,
  type MergeableFile,
  type MergedFile,
  type MergeInput,
  QuarantineFilter,
  type StoredCopy,
  type StoredFile,
  UploadedFile,
  type UploadedObject,
  type UploadedSlice,
} from './file.ts'
export { FusouError } from './fusou-error.ts'
export { InstallationStatus, PairingProblem } from './installation.ts'
export { CronRun, Job, JobKind, JobState, JobStatus } from './job.ts'
export { type LimitChanges, Limits, LimitsOfOwner } from './limits.ts'
export { UnreadableRow, UnreadableRows } from './listed-rows.ts'
export { describe, log } from './log.ts'
export { MemoryBudget } from './memory-budget.ts'
export {
  MAX_FILE_WORK_BYTES,
  MAX_FOOTER_BYTES,
  MAX_MERGE_WORK_BYTES,
  MERGE_LIMITS,
  MERGE_MEMORY_BYTES,
  UPLOAD_LIMITS,
} from './merge-limits.ts'
export { DEFAULT_MERGE_POLICY, isMergeDue, type MergePolicy, type MergeReach } from './merge-policy.ts'
export { Metrics } from './metrics.ts'
export { DatasetId, FileId, JobId, PeriodTag, TableName, UNKNOWN_PERIOD_TAG } from './names.ts'
export {
  describeUpload,
  MAX_FACTS_BYTES,
  MAX_LEAVES,
  MAX_METADATA_BYTES,
  MergedFacts,
  MergedMetadata,
  UploadFacts,
  UploadMetadata,
} from './object-facts.ts'
export {
  datasetPrefix,
  datasetsPrefix,
  factsKey,
  HEALTH_KEY,
  INSTALLATION_KEY,
  mergedKey,
  objectOf,
  uploadKey,
} from './object-keys.ts'
export { type Pairing, pairInstallation, readInstallation, writeInstallation } from './pair-installation.ts'
export { type ParsedJson, parseJson } from './parse-json.ts'
export { publishOutbox } from './publish-outbox.ts'
export {
  CompactionMessage,
  DeadJobMessage,
  isUnreadable,
  OutboxMessage,
  Priority,
  RefusedMessage,
} from './queue-message.ts'
export { type StorableJson, toStorableJson } from './storable.ts'
export { describeUnknown, type FieldFault, findUnknownFields } from './unknown-fields.ts'
export { type AbandonedUpload, ORPHAN_AGE_MS, ORPHAN_SWEEP } from './vacuum.ts'
