import { z } from 'zod'

/** Which jobs may run at once; see docs/configuration.md. */
export const Admission = z
  .object({
    maxRunningJobs: z.int().min(1).meta({ description: 'jobs that run at the same time' }),
    maxRunningJobsOfOwner: z.int().min(1).meta({ description: 'of these, jobs of one owner' }),
    ageingSeconds: z.int().min(0).meta({ description: 'seconds of waiting that make up for one rank of priority' }),
  })
  .meta({ id: 'Admission' })
export type Admission = z.infer<typeof Admission>

const Seconds = z.int().min(86_400)
/** How long history is kept, in seconds, at least a day. */
export const Retention = z
  .object({
    jobsSeconds: Seconds.meta({ description: 'ended jobs with their merges' }),
    lettersSeconds: Seconds.meta({ description: 'dead letters that are settled' }),
    unsettledSeconds: Seconds.meta({ description: 'dead jobs, letters and messages that nobody dealt with' }),
    outboxSeconds: Seconds.meta({ description: 'messages that were sent' }),
    auditSeconds: Seconds.meta({ description: 'entries of the audit, and keys that are over' }),
  })
  .meta({ id: 'Retention' })
export type Retention = z.infer<typeof Retention>

/** Settings of a dataset; `fusou.setting()` of the database has the same defaults. */
export const DatasetSettings = z
  .object({
    targetFileBytes: z
      .int()
      .min(1)
      .max(2 ** 30)
      .default(134_217_728)
      .meta({ description: 'bytes of inputs that become one output; a file of three quarters of it is left alone' }),
    retentionSeconds: z
      .int()
      .min(0)
      .max(315_360_000)
      .default(604_800)
      .meta({ description: 'how long a file that was merged away or deleted can be read and restored' }),
    mergeMinFiles: z.int().min(1).max(1_000_000).default(32).meta({ description: 'new files that make a job due' }),
    mergeMinBytes: z
      .int()
      .min(1)
      .max(2 ** 40)
      .default(33_554_432)
      .meta({ description: 'bytes of new files that make a job due' }),
    mergeMaxAgeSeconds: z
      .int()
      .min(0)
      .max(31_536_000)
      .default(900)
      .meta({ description: 'age of the oldest new file that makes a job due' }),
    deleteAfterDays: z
      .int()
      .min(1)
      .max(36_500)
      .nullable()
      .default(null)
      .meta({ description: 'age at which data is deleted; null: never' }),
  })
  .meta({ id: 'DatasetSettings' })
export type DatasetSettings = z.infer<typeof DatasetSettings>
export const DatasetSettingsChanges = changesOf(DatasetSettings).meta({
  id: 'DatasetSettingsChanges',
  description: 'what is left out stays, null goes back to the default',
})

const ColumnName = z.string().min(1).max(500)
const SortColumn = z
  .strictObject({
    column: ColumnName.meta({ description: 'the names from below the root, joined by dots' }),
    descending: z.boolean().default(false),
    nullsFirst: z.boolean().default(false),
  })
  .meta({ id: 'SortColumn' })

/** How merges write a table. */
export const TableSettings = z
  .object({
    sortBy: z
      .array(SortColumn)
      .min(1)
      .max(16)
      .nullable()
      .default(null)
      .meta({ description: 'rows of each merged file are in this order; null: as they came' }),
    dedupeBy: z
      .array(ColumnName)
      .min(1)
      .max(16)
      .nullable()
      .default(null)
      .meta({ description: 'of rows of one merge that are equal in these columns one stays; null: all stay' }),
    keep: z.enum(['first', 'last']).default('last').meta({ description: 'which of equal rows stays' }),
    codec: z
      .enum(['keep', 'none', 'snappy', 'gzip', 'zstd'])
      .default('keep')
      .meta({ description: 'compression of merged files; keep: as the uploads have it' }),
    schema: z.enum(['separate', 'union', 'reject']).default('separate').meta({
      description: 'files of different schemas: stay apart, are merged by column names, or are refused at upload',
    }),
    rowGroupRows: z.int().min(1000).max(10_000_000).default(131_072).meta({ description: 'rows of a row group' }),
    rowGroupBytes: z
      .int()
      .min(65_536)
      .max(16_777_216)
      .default(16_777_216)
      .meta({ description: 'bytes of a row group' }),
  })
  .meta({ id: 'TableSettings' })
export type TableSettings = z.infer<typeof TableSettings>
/** As the database keeps them: only those that differ from the defaults. */
export const StoredTableSettings = TableSettings.partial()
export const TableSettingsChanges = changesOf(TableSettings)
  .superRefine(({ sortBy, dedupeBy }, context) => {
    const twice = (names: readonly string[]) => new Set(names).size < names.length
    if (sortBy && twice(sortBy.map(({ column }) => column)))
      context.addIssue({ code: 'custom', path: ['sortBy'], message: 'names a column twice' })
    if (dedupeBy && twice(dedupeBy))
      context.addIssue({ code: 'custom', path: ['dedupeBy'], message: 'names a column twice' })
  })
  .meta({ id: 'TableSettingsChanges', description: 'what is left out stays, null goes back to the default' })

/** Every field may be left out, or be null for its default again; no default is filled in. */
function changesOf<Shape extends Record<string, z.ZodDefault<z.ZodType>>>(settings: z.ZodObject<Shape>) {
  const shape = Object.fromEntries(
    Object.entries(settings.shape).map(([name, field]) => [name, field.unwrap().nullable().optional()]),
  )
  return z.object(shape as { [Name in keyof Shape]: z.ZodOptional<z.ZodNullable<ReturnType<Shape[Name]['unwrap']>>> })
}
