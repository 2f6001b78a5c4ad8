import {
  claimDatasetOwner,
  FusouError,
  type OutboxMessage,
  ownerKey,
  type RegisteredUpload,
  type StoredCopy,
} from '@fusou/catalog'
import { findBrokenCopies } from './find-broken-copies.ts'
import { notYours } from './upload-rights.ts'

type BrokenCopy = Pick<StoredCopy, 'fileId' | 'r2Key'>
export type RegisteredObject = RegisteredUpload & { readonly outbox: OutboxMessage | null }
type Refused =
  | { readonly outcome: 'unknown_dataset' | 'unknown_file' | 'file_superseded' }
  | { readonly outcome: 'schema_rejected'; readonly table: string }

/**
 * Registers an object that lies in the bucket. Where the content is known, what holds it is looked at first: an upload
 * heals what the bucket has lost.
 * @param register calls the database: at first without copies, then with those whose bytes are lost
 * @throws FusouError of the database, or `storage_unavailable` where copies cannot be looked at: then nothing is registered
 */
export async function registerObject<Answer extends { outcome: string }>(
  bucket: R2Bucket,
  register: (
    brokenCopies?: BrokenCopy[],
  ) => Promise<Answer | { outcome: 'check_copies'; copies: readonly StoredCopy[] }>,
): Promise<Exclude<Answer, { outcome: 'check_copies' }>> {
  type Registered = Exclude<Answer, { outcome: 'check_copies' }>
  const registered = await register()
  if (!asksForCopies(registered)) return registered as Registered
  const broken = await findBrokenCopies(bucket, registered.copies)
  const again = await register(broken.map(({ fileId, r2Key }) => ({ fileId, r2Key })))
  if (asksForCopies(again)) throw new FusouError('internal', 'the copies were looked at already')
  return again as Registered
}

const asksForCopies = (answer: {
  outcome: string
}): answer is { outcome: 'check_copies'; copies: readonly StoredCopy[] } => answer.outcome === 'check_copies'

export const isRegistered = (answer: { outcome: string }): answer is RegisteredObject =>
  answer.outcome === 'stored' || answer.outcome === 'healed' || answer.outcome === 'duplicate'

/** How a refusal of the database is told to the client. */
export function refusalOf(refused: Refused, upload: { datasetId: string; replaces?: string | undefined }): FusouError {
  const { datasetId, replaces } = upload
  switch (refused.outcome) {
    case 'unknown_dataset':
      return notYours(datasetId)
    case 'unknown_file':
      return new FusouError('unknown_file', `replaces: ${replaces} is no uploaded file of ${datasetId}`)
    case 'file_superseded':
      return new FusouError('file_superseded', `replaces: ${replaces} was merged; its rows are in another file`)
    case 'schema_rejected':
      return new FusouError(
        'schema_rejected',
        `table ${refused.table} takes files of one schema, and this has another; GET /api/datasets/${datasetId}/tables/${refused.table} shows it`,
      )
  }
}

/** Whether a call of the database ended by a limit or a right of its caller: it changed nothing. */
export const isRefusedByLimit = (error: unknown): boolean =>
  error instanceof FusouError && (error.code === 'quota_exceeded' || error.code === 'forbidden')

/**
 * Before the first upload to an id is registered, the bucket says whose it is: the first who writes this is the owner,
 * also where a catalog that was restored from a backup has forgotten the dataset.
 * @throws FusouError `storage_unavailable`, `unknown_dataset`
 */
export async function claimDataset(bucket: R2Bucket, datasetId: string, owner: string): Promise<void> {
  const claimed = await claimDatasetOwner(bucket, datasetId, owner).catch((cause: unknown) => {
    throw new FusouError('storage_unavailable', 'the upload could not be completed; try again', { cause })
  })
  if (claimed.owner !== owner) throw notYours(datasetId)
}

/** The id of a dataset that was claimed, and whose first upload was refused, stays free for others. */
export const releaseDataset = (bucket: R2Bucket, datasetId: string): Promise<void> => bucket.delete(ownerKey(datasetId))
