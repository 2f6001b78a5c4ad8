import { DatasetId, FileId, PeriodTag, TableName, UNKNOWN_PERIOD_TAG } from '@fusou/catalog'
import { z } from 'zod'
import { filled } from '../http/inputs.ts'

/** More than 256 entries with the longest names need. */
const MAX_TABLE_OFFSETS_CHARACTERS = 128 * 1024

/** Only told back to the client, never a key. */
export const FileName = z
  .string()
  .max(255)
  .regex(/^[^/\\\p{Cc}]+$/u, 'must be a plain name, without slashes or control characters')

/** Fields of an upload, in the query or in the form. */
export const UploadFields = z
  .object({
    datasetId: DatasetId,
    tableId: filled(TableName.optional()).meta({ description: 'needed unless tableOffsets names the tables' }),
    periodTag: filled(PeriodTag.default(UNKNOWN_PERIOD_TAG)),
    tableOffsets: filled(z.string().max(MAX_TABLE_OFFSETS_CHARACTERS).optional()).meta({
      description: 'JSON: [{table_name, start_byte, byte_length, format: "parquet"}]',
    }),
    fileName: filled(FileName.optional()),
    replaces: filled(FileId.optional()).meta({
      description:
        'a file of the dataset that was uploaded and is not merged yet: it goes as this one comes, in one version',
    }),
  })
  .refine(({ replaces, tableOffsets }) => replaces === undefined || tableOffsets === undefined, {
    path: ['replaces'],
    message: 'is for a file of one table, without tableOffsets',
  })
  .refine(({ tableId, tableOffsets }) => tableId !== undefined || tableOffsets !== undefined, {
    path: ['tableId'],
    message: 'is needed unless tableOffsets names the tables',
  })
export type UploadFields = z.infer<typeof UploadFields>
