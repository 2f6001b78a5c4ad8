interface ErrorKind {
  /** Whether the same call may succeed later without anybody changing anything. */
  readonly transient: boolean
  /** A short summary: the `title` of the problem details. */
  readonly title: string
}

/** Every error this system gives to anybody. Codes are stable: programs and runbooks match on them. */
export const ERROR_CODES = {
  invalid_request: { transient: false, title: 'The request does not fit its schema' },
  invalid_json: { transient: false, title: 'The body is not JSON' },
  invalid_form: { transient: false, title: 'The body is not a multipart form' },
  invalid_table_offsets: { transient: false, title: 'The table offsets do not divide the object' },
  length_mismatch: { transient: false, title: 'The body is not as long as declared' },
  digest_mismatch: { transient: false, title: 'The bytes are not those that were declared' },
  request_timeout: { transient: true, title: 'The body came too slowly' },
  length_required: { transient: false, title: 'The length of the body must be declared' },
  body_too_large: { transient: false, title: 'The body is too large' },
  unsupported_media_type: { transient: false, title: 'The content type is not accepted here' },
  invalid_parquet: { transient: false, title: 'The file is not readable Parquet' },
  unsupported_parquet: {
    transient: false,
    title: 'The file uses a Parquet feature that is not supported',
  },

  unauthenticated: { transient: false, title: 'A bearer token is needed' },
  invalid_token: { transient: false, title: 'The token is not valid' },
  token_expired: { transient: false, title: 'The token has expired' },
  forbidden: { transient: false, title: 'This is not yours' },

  not_found: { transient: false, title: 'There is nothing at this address' },
  method_not_allowed: { transient: false, title: 'The method is not allowed here' },
  unknown_dataset: { transient: false, title: 'No such dataset' },
  unknown_job: { transient: false, title: 'No such job' },
  unknown_table: { transient: false, title: 'No such table' },
  unknown_deletion: { transient: false, title: 'No such deletion' },
  no_receipt: { transient: false, title: 'The file was not merged, or its merge is forgotten' },
  unknown_file: { transient: false, title: 'No such file' },
  unknown_upload: { transient: false, title: 'No such upload' },
  upload_ended: { transient: false, title: 'The upload has ended' },
  upload_incomplete: { transient: false, title: 'Parts of the upload are missing' },
  unknown_key: { transient: false, title: 'No such key' },
  unknown_user: { transient: false, title: 'No such user' },
  unknown_letter: { transient: false, title: 'No such dead letter' },
  table_refused: { transient: false, title: 'The table cannot be read as one file' },
  bytes_gone: { transient: false, title: 'Vacuum has removed these bytes' },
  unknown_version: { transient: false, title: 'The dataset has no such version yet' },
  version_gone: { transient: false, title: 'Vacuum has removed this version' },
  job_not_dead: { transient: false, title: 'Only a dead or cancelled job can be retried' },
  job_ended: { transient: false, title: 'The job has ended' },
  deletion_gone: { transient: false, title: 'The deletion is final' },
  uploaded_again: { transient: false, title: 'The data came again' },
  schema_rejected: { transient: false, title: 'The table takes files of one schema' },
  is_owner: { transient: false, title: 'The user owns the dataset' },
  file_superseded: { transient: false, title: 'The file was merged into another' },
  file_not_quarantined: { transient: false, title: 'The file is not in quarantine' },
  precondition_failed: { transient: false, title: 'The file is not the one that was named' },
  range_not_satisfiable: { transient: false, title: 'The range lies outside the file' },

  overloaded: { transient: true, title: 'Too much is under way at this moment' },
  quota_exceeded: { transient: false, title: 'The owner has as much as they may' },
  rate_limited: { transient: true, title: 'Too many requests' },
  database_unavailable: { transient: true, title: 'The database does not answer' },
  database_refused: { transient: false, title: 'The database refused the call' },
  database_mismatch: { transient: true, title: 'The database is of another release than this Worker' },
  identity_unavailable: { transient: true, title: 'The issuer of tokens does not answer' },
  storage_unavailable: { transient: true, title: 'The object store does not answer' },
  not_configured: { transient: false, title: 'The deployment is not configured' },
  internal: { transient: true, title: 'Something went wrong' },

  stale_attempt: { transient: false, title: 'A newer attempt has taken over' },
  cancelled: { transient: false, title: 'The job was cancelled' },
  conflict: { transient: true, title: 'The files changed while they were merged' },
  pairing_problem: { transient: true, title: 'Catalog and bucket do not belong together' },
  count_changed: { transient: false, title: 'The figure is another one by now' },
  unknown_scan: { transient: false, title: 'Another scan has begun since' },
  object_missing: { transient: false, title: 'An object named by the catalog is not in the bucket' },
  schema_mismatch: { transient: false, title: 'A live file has another schema than the catalog says' },
  corrupt_file: { transient: false, title: 'A live file cannot be read' },
  merge_killed: { transient: false, title: 'Merging the file ends the Workflow without an error' },
  row_count_mismatch: { transient: false, title: 'A merge did not keep every row' },
  invalid_message: { transient: false, title: 'The queue message does not fit its schema' },
  delivery_failed: { transient: true, title: 'The message failed each of its deliveries' },
  workflow_unavailable: { transient: true, title: 'The Workflow service does not answer' },
  instance_reset: { transient: true, title: 'The platform reset the Workflow instance' },
  workflow_ended: { transient: true, title: 'The Workflow instance ended without a word' },
} as const satisfies Record<string, ErrorKind>

export type ErrorCode = keyof typeof ERROR_CODES

export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(ERROR_CODES, text)
}
