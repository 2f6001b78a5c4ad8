import { FileId, JobId, UploadedFile } from '@fusou/catalog'
import { z } from 'zod'

/** What an upload is answered, in one request or in parts. */
export const UploadAnswer = z
  .object({
    success: z.literal(true),
    datasetId: z.string(),
    tableId: z.string().nullable(),
    periodTag: z.string(),
    fileName: z.string(),
    fileSize: z.int().meta({ description: 'bytes' }),
    rows: z.int(),
    sha256: z.string(),
    duplicate: z.boolean().meta({ description: 'all of it was here already; nothing new is stored' }),
    healed: z.boolean().meta({
      description: 'it was here already, and what was damaged or missing of it is stored again',
    }),
    version: z.int().meta({ description: 'of the dataset, from which on all of it is listed' }),
    fileId: FileId.nullable().meta({ description: 'null with tableOffsets: see files' }),
    files: z.array(UploadedFile).meta({ description: 'of each table, in the order of their bytes' }),
    jobId: JobId.nullable().meta({
      description:
        'the job that this upload called for or joined, of a duplicate the newest of the dataset; null as long as too little has come to be worth a job',
    }),
    tables: z
      .array(z.object({ table: z.string(), rows: z.int(), bytes: z.int(), sha256: z.string() }))
      .optional()
      .meta({ description: 'with tableOffsets: what was found in each slice' }),
  })
  .meta({ id: 'UploadAnswer' })
export type UploadAnswer = z.infer<typeof UploadAnswer>
