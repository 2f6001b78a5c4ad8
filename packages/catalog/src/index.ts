export { boundedBucket } from './bucket/bounded-bucket.ts'
export { claimDatasetOwner, type DatasetOwner, readDatasetOwner, writeDatasetOwner } from './bucket/dataset-owner.ts'
export { isInvalidPart, isNoSuchUpload } from './bucket/multipart-faults.ts'
export {
  describeUpload,
  MAX_FACTS_BYTES,
  MAX_LEAVES,
  MAX_METADATA_BYTES,
  MergedFacts,
  MergedMetadata,
  UploadFacts,
  UploadMetadata,
} from './bucket/object-facts.ts'
export {
  datasetPrefix,
  datasetsPrefix,
  factsKey,
  HEALTH_KEY,
  INSTALLATION_KEY,
  isDerived,
  mergedKey,
  objectOf,
  ownerKey,
  uploadKey,
} from './bucket/object-keys.ts'
export { type Pairing, pairInstallation, readInstallation, writeInstallation } from './bucket/pair-installation.ts'
export { isObjectFault, R2Source } from './bucket/r2-source.ts'
export type { AuthenticatedKey } from './client/access.ts'
export { AN_OPERATOR, type Attempt, asUser, callerJson, type Requester } from './client/call-inputs.ts'
export { type Catalog, connectCatalog } from './client/catalog.ts'
export { DatasetScope } from './client/datasets.ts'
export type { DeclaredUpload } from './client/resumable-uploads.ts'
export type { TableScope } from './client/table-files.ts'
export { UnreadableRow, UnreadableRows } from './database/listed-rows.ts'
export { type ParsedJson, parseJson } from './database/parse-json.ts'
export { type StorableJson, toStorableJson } from './database/storable.ts'
export { withinDeadline } from './deadline.ts'
export { Environment, loadEnvironment } from './environment.ts'
export { ERROR_CODES, type ErrorCode, isErrorCode } from './error-codes.ts'
export { FusouError } from './fusou-error.ts'
export { describe, log } from './log.ts'
export { MemoryBudget } from './memory-budget.ts'
export {
  MAX_FILE_WORK_BYTES,
  MAX_FOOTER_BYTES,
  MAX_MERGE_WORK_BYTES,
  MERGE_LIMITS,
  MERGE_MEMORY_BYTES,
  UPLOAD_LIMITS,
} from './policy/merge-limits.ts'
export { DEFAULT_MERGE_POLICY, isMergeDue, type MergePolicy, type MergeReach } from './policy/merge-policy.ts'
export { publishOutbox } from './publish-outbox.ts'
export { AccessKey, AuditEntry, DatasetPattern, Grant, KeyId, Role, Scope, UserId } from './records/access.ts'
export { AdoptedDataset, type AdoptionFault, AdoptionJudgment, type ScannedObject } from './records/adopt.ts'
export { AlertChannel, AlertKind, AlertNotice, type AlertRules } from './records/alert.ts'
export { ClosedHow, DeadLetterPosition, DeadLetterStatus } from './records/dead-letter.ts'
export {
  Deletion,
  DescribedDataset,
  DescribedTable,
  ListedDataset,
  ListedTable,
  ListedVersion,
  Receipt,
} from './records/description.ts'
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
} from './records/file.ts'
export { InstallationStatus, PairingProblem } from './records/installation.ts'
export { CronRun, Job, JobKind, JobState, JobStatus } from './records/job.ts'
export { type LimitChanges, Limits, LimitsOfOwner } from './records/limits.ts'
export { Metrics } from './records/metrics.ts'
export { DatasetId, FileId, JobId, PeriodTag, TableName, UNKNOWN_PERIOD_TAG } from './records/names.ts'
export {
  CompactionMessage,
  DeadJobMessage,
  isUnreadable,
  OutboxMessage,
  Priority,
  RefusedMessage,
} from './records/queue-message.ts'
export { type BucketUpload, type RegisteredUpload, ResumableUpload, Sha256 } from './records/resumable-upload.ts'
export {
  Admission,
  DatasetSettings,
  DatasetSettingsChanges,
  Retention,
  TableSettings,
  TableSettingsChanges,
} from './records/settings.ts'
export type { AddressedThing, ComposedFooter, FooterFile } from './records/table-file.ts'
export { type AbandonedUpload, ORPHAN_AGE_MS, ORPHAN_SWEEP } from './records/vacuum.ts'
export { Webhook, WebhookEvent, WebhookId, type WebhookMessage } from './records/webhook.ts'
export { describeUnknown, type FieldFault, findUnknownFields } from './unknown-fields.ts'
