import { z } from 'zod'
import type { ErrorCode } from '../error-codes.ts'

/** One Parquet file inside an uploaded object, as the upload route found it. */
export interface UploadedSlice {
  readonly table: string
  readonly periodTag: string
  /** Bytes from the start of the object. */
  readonly offset: number
  readonly length: number
  readonly rows: number
  readonly rowGroups: number
  readonly sha256: string
  readonly fingerprint: string
  /** `workBytes` of `inspectParquet`; 0 if it is left out: not known */
  readonly workBytes?: number
}

export interface UploadedObject {
  readonly r2Key: string
  readonly slices: readonly UploadedSlice[]
}

/** The file that holds one slice of an upload. */
export const UploadedFile = z.object({
  fileId: z.uuid(),
  table: z.string(),
  periodTag: z.string(),
  duplicate: z.boolean().meta({ description: 'the same bytes were here already, perhaps merged since' }),
  healed: z.boolean().meta({ description: 'they were here and damaged or missing; these have taken their place' }),
  quarantine: z.string().nullable().meta({ description: 'why merges leave it out' }),
  newSchema: z.boolean().meta({ description: 'no file of the table had its schema before' }),
})
export type UploadedFile = z.infer<typeof UploadedFile>

/** Where a live file lies that has the content of an upload. */
export const StoredCopy = z.object({
  fileId: z.uuid(),
  r2Key: z.string(),
  offset: z.int(),
  length: z.int(),
  sha256: z.string(),
  quarantined: z.boolean(),
})
export type StoredCopy = z.infer<typeof StoredCopy>

/** Why no merge can take an input, as it lay in the object that was read. */
export interface InputFault {
  readonly fileId: string
  readonly r2Key: string
  readonly code: ErrorCode
  readonly message: string
}

/** Which files a listing shows by whether they are in quarantine. */
export const QuarantineFilter = z.enum(['include', 'exclude', 'only'])
export type QuarantineFilter = z.infer<typeof QuarantineFilter>

/** The output of a merge. */
export interface MergedFile {
  readonly r2Key: string
  readonly bytes: number
  readonly rows: number
  readonly rowGroups: number
  readonly sha256: string
  readonly fingerprint: string
  /** `workBytes` of the report of the merge; 0 if it is left out: not known */
  readonly workBytes?: number
  /** rows that were left out because of `dedupeBy`; 0 if it is left out */
  readonly duplicateRows?: number
}

/** A file that a plan may take. */
export const MergeableFile = z.object({
  id: z.uuid(),
  table: z.string(),
  periodTag: z.string(),
  /** files of one partition and one group are merged with each other: a schema, or all that the table unites */
  mergeGroup: z.string(),
  bytes: z.int(),
  rows: z.int(),
  /** uploads that it is merged from; 1 if it is one */
  fragments: z.int(),
  /** work of merging it, see `workBytes` of `inspectParquet`; 0 if not known */
  workBytes: z.int(),
  /** set where a merge with it ended without an error that names a file: it is merged with its set alone */
  suspect: z.object({ setId: z.uuid(), ends: z.int() }).nullable(),
})
export type MergeableFile = z.infer<typeof MergeableFile>

/** Where the bytes of an input of a merge lie. */
export const MergeInput = z.object({
  id: z.uuid(),
  r2Key: z.string(),
  offset: z.int(),
  length: z.int(),
  rows: z.int(),
  level: z.int(),
  sha256: z.string(),
  fingerprint: z.string(),
})
export type MergeInput = z.infer<typeof MergeInput>

export const ListedFile = z.object({
  id: z.uuid(),
  table: z.string(),
  periodTag: z.string(),
  level: z.int(),
  rows: z.int(),
  rowGroups: z.int(),
  bytes: z.int(),
  sha256: z.string(),
  quarantine: z.string().nullable(),
  createdAt: z.string(),
})
export type ListedFile = z.infer<typeof ListedFile>

export const StoredFile = z.object({
  id: z.uuid(),
  r2Key: z.string(),
  offset: z.int(),
  length: z.int(),
  sha256: z.string(),
  createdAt: z.string(),
  table: z.string(),
})
export type StoredFile = z.infer<typeof StoredFile>
