import { z } from 'zod'
import { UserId } from './access.ts'
import { FileId, JobId } from './names.ts'

/** One dataset of a list. */
export const ListedDataset = z
  .object({
    id: z.string(),
    ownerId: UserId,
    role: z
      .enum(['owner', 'manager', 'writer', 'reader'])
      .nullable()
      .meta({ description: 'of the caller; null for an operator' }),
    public: z.boolean().meta({ description: 'anybody who is signed in reads it' }),
    version: z.int(),
    oldestVersion: z.int(),
    createdAt: z.string(),
    lastCompactedAt: z.string().nullable(),
    deletedAt: z.string().nullable(),
  })
  .meta({ id: 'ListedDataset' })

const Sizes = {
  files: z.int(),
  rows: z.int(),
  bytes: z.int(),
  fragments: z.int().meta({ description: 'uploads whose rows are in them' }),
}

export const DescribedDataset = ListedDataset.extend({
  ...Sizes,
  tables: z.int(),
  quarantinedFiles: z.int(),
  settings: z.record(z.string(), z.unknown()),
  nextMergeAt: z.string().nullable().meta({ description: 'when small files have waited long enough; null: none wait' }),
})

export const ListedTable = z
  .object({
    table: z.string(),
    ...Sizes,
    periods: z.int(),
    schemas: z.int(),
    newestUploadAt: z.string(),
  })
  .meta({ id: 'ListedTable' })

const Rule = z.object({
  rule: z.enum(['mergeMinFiles', 'mergeMinBytes', 'mergeMaxAgeSeconds']),
  have: z.int(),
  need: z.int(),
})

export const DescribedTable = z.object({
  version: z.int(),
  settings: z.record(z.string(), z.unknown()),
  files: z.object({
    count: z.int(),
    rows: z.int(),
    bytes: z.int(),
    fragments: z.int(),
    quarantined: z.int(),
    otherSettings: z
      .int()
      .meta({ description: 'merged files that were written with other settings than those of now' }),
    periods: z.int(),
    newestUploadAt: z.string().nullable(),
    lastMergedAt: z.string().nullable(),
  }),
  tiers: z.array(z.object({ tier: z.int(), files: z.int(), rows: z.int(), bytes: z.int() })),
  schemas: z.array(
    z.object({
      fingerprint: z.string(),
      firstSeenAt: z.string(),
      apartReason: z.string().nullable(),
      files: z.int(),
      sample: z.object({ id: FileId, r2Key: z.string(), offset: z.int(), length: z.int() }).nullable(),
    }),
  ),
  waiting: z.array(
    z.object({
      periodTag: z.string(),
      smallFiles: z.int(),
      tierIsFull: z.boolean().meta({ description: 'merged files enough for one of a higher tier' }),
      newFiles: z.int().meta({ description: 'that were never merged' }),
      newBytes: z.int(),
      oldestNewFileAt: z.string().nullable(),
      due: z.boolean(),
      rules: z.array(Rule).meta({ description: 'any one that has what it needs makes a job due' }),
      dueAt: z.string().nullable().meta({ description: 'by age, if no other rule is met before' }),
    }),
  ),
  openJob: z.object({ id: JobId, state: z.enum(['queued', 'running']) }).nullable(),
  lastCompactedAt: z.string().nullable(),
})

export const ListedVersion = z
  .object({
    version: z.int(),
    at: z.string().nullable(),
    change: z.enum(['upload', 'merge', 'replacement', 'deletion', 'removal', 'other']),
    jobId: JobId.nullable(),
    filesAdded: z.int(),
    rowsAdded: z.int(),
    filesRemoved: z.int(),
    rowsRemoved: z.int(),
    tables: z.array(z.string()),
  })
  .meta({ id: 'ListedVersion' })

export const Deletion = z
  .object({
    id: z.int(),
    table: z.string().nullable().meta({ description: 'null: every table' }),
    periodTag: z.string().nullable(),
    reason: z.enum(['request', 'retention']),
    version: z.int().meta({ description: 'the first without the data' }),
    files: z.int(),
    rows: z.int(),
    bytes: z.int(),
    deletedAt: z.string(),
    restoredAt: z.string().nullable(),
    restoredVersion: z.int().nullable().meta({ description: 'the first with the data again' }),
    restorableUntil: z.string().nullable(),
  })
  .meta({ id: 'Deletion' })

const HashedFile = z.object({ fileId: FileId, sha256: z.string(), rows: z.int(), bytes: z.int() })
export const Receipt = z
  .object({
    datasetId: z.string(),
    table: z.string(),
    periodTag: z.string(),
    version: z.int(),
    jobId: JobId,
    mergedAt: z.string(),
    settings: z.record(z.string(), z.unknown()),
    output: HashedFile,
    inputs: z.array(HashedFile.extend({ level: z.int() })),
    inputsMissing: z.int().meta({ description: 'inputs that vacuum has taken' }),
    rowsIn: z.int(),
    rowsOut: z.int(),
    duplicateRows: z.int(),
  })
  .meta({ id: 'Receipt' })
