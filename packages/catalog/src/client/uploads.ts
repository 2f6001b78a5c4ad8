import { z } from 'zod'
import type { Database } from '../database/database.ts'
import { StoredCopy, type UploadedObject } from '../records/file.ts'
import { OutboxMessage } from '../records/queue-message.ts'
import { RegisteredUpload } from '../records/resumable-upload.ts'
import { callerJson, type Requester } from './call-inputs.ts'
import { outcomes } from './outcomes.ts'

/** What became of an object that was to be registered. */
export const Registration = z.discriminatedUnion('outcome', [
  RegisteredUpload.extend({ outbox: OutboxMessage.nullable() }),
  z.object({ outcome: z.literal('check_copies'), copies: z.array(StoredCopy) }),
  z.object({ outcome: z.literal('schema_rejected'), table: z.string() }),
  outcomes('unknown_dataset', 'unknown_file', 'file_superseded'),
])

/** Calls of the database about uploads. */
export const uploadsCalls = (database: Database) => ({
  /** Whether a caller may upload to a dataset, and who owns it or will own it. `registerUpload` decides. */
  checkUpload(datasetId: string, requester: Requester) {
    return database.call(
      'check_upload',
      { p_dataset_id: datasetId, p_caller: callerJson(requester) },
      z.discriminatedUnion('outcome', [
        z.object({ outcome: z.literal('ok'), ownerId: z.uuid(), isNew: z.boolean() }),
        outcomes('unknown_dataset'),
      ]),
    )
  },

  /**
   * @param upload.brokenCopies of the copies that an answer `check_copies` named, those whose bytes the bucket has not;
   *                            left out in the first call, which asks so where there are copies
   * @param upload.replaces     id of a live fragment that goes as this one comes
   */
  registerUpload(upload: {
    datasetId: string
    requester: Requester
    object: UploadedObject
    brokenCopies?: readonly Pick<StoredCopy, 'fileId' | 'r2Key'>[] | undefined
    replaces?: string | undefined
    sender: string
  }) {
    return database.call(
      'register_upload',
      {
        p_dataset_id: upload.datasetId,
        p_caller: callerJson(upload.requester),
        p_object: upload.object,
        p_sender: upload.sender,
        p_copies: upload.brokenCopies ?? null,
        p_replaces: upload.replaces ?? null,
      },
      Registration,
    )
  },
})
