interface ErrorKind {
  /** HTTP status where the code answers a request. */
  readonly status: number
  /** Whether the same call may succeed later without anybody changing anything. */
  readonly transient: boolean
  /** What went wrong, in a few words; the `title` of the problem details. */
  readonly title: string
}

/** Every error this system gives to anybody. Codes are stable: programs and runbooks match on them. */
export const ERROR_CODES = {
  invalid_request: { status: 400, transient: false, title: 'The request does not fit its schema' },
  invalid_json: { status: 400, transient: false, title: 'The body is not JSON' },
  invalid_form: { status: 400, transient: false, title: 'The body is not a multipart form' },
  invalid_table_offsets: { status: 422, transient: false, title: 'The table offsets do not divide the object' },
  length_mismatch: { status: 400, transient: false, title: 'The body is not as long as declared' },
  request_timeout: { status: 408, transient: true, title: 'The body came too slowly' },
  length_required: { status: 411, transient: false, title: 'The length of the body must be declared' },
  body_too_large: { status: 413, transient: false, title: 'The body is too large' },
  unsupported_media_type: { status: 415, transient: false, title: 'The content type is not accepted here' },
  invalid_parquet: { status: 422, transient: false, title: 'The file is not readable Parquet' },
  unsupported_parquet: {
    status: 422,
    transient: false,
    title: 'The file uses a Parquet feature that is not supported',
  },

  unauthenticated: { status: 401, transient: false, title: 'A bearer token is needed' },
  invalid_token: { status: 401, transient: false, title: 'The token is not valid' },
  token_expired: { status: 401, transient: false, title: 'The token has expired' },
  forbidden: { status: 403, transient: false, title: 'This is not yours' },

  not_found: { status: 404, transient: false, title: 'There is nothing at this address' },
  method_not_allowed: { status: 405, transient: false, title: 'The method is not allowed here' },
  unknown_dataset: { status: 404, transient: false, title: 'No such data set' },
  unknown_job: { status: 404, transient: false, title: 'No such job' },
  unknown_file: { status: 404, transient: false, title: 'No such file' },
  unknown_letter: { status: 404, transient: false, title: 'No such dead letter' },
  unknown_version: { status: 404, transient: false, title: 'The data set has no such version yet' },
  version_gone: { status: 410, transient: false, title: 'Vacuum has removed this version' },
  job_not_dead: { status: 409, transient: false, title: 'Only a dead or cancelled job can be retried' },
  job_ended: { status: 409, transient: false, title: 'The job has ended' },
  file_superseded: { status: 409, transient: false, title: 'The file was merged into another' },
  file_not_quarantined: { status: 409, transient: false, title: 'The file is not in quarantine' },
  precondition_failed: { status: 412, transient: false, title: 'The file is not the one that was named' },
  range_not_satisfiable: { status: 416, transient: false, title: 'The range lies outside the file' },

  overloaded: { status: 503, transient: true, title: 'Too much is under way at this moment' },
  quota_exceeded: { status: 403, transient: false, title: 'The owner has as much as they may' },
  rate_limited: { status: 429, transient: true, title: 'Too many requests' },
  database_unavailable: { status: 503, transient: true, title: 'The database does not answer' },
  database_refused: { status: 500, transient: false, title: 'The database refused the call' },
  database_mismatch: { status: 500, transient: true, title: 'The database is of another release than this Worker' },
  identity_unavailable: { status: 503, transient: true, title: 'The issuer of tokens does not answer' },
  storage_unavailable: { status: 503, transient: true, title: 'The object store does not answer' },
  not_configured: { status: 500, transient: false, title: 'The deployment is not configured' },
  internal: { status: 500, transient: true, title: 'Something went wrong' },

  stale_attempt: { status: 409, transient: false, title: 'A newer attempt has taken over' },
  cancelled: { status: 409, transient: false, title: 'The job was cancelled' },
  conflict: { status: 409, transient: true, title: 'The files changed while they were merged' },
  pairing_problem: { status: 503, transient: true, title: 'Catalog and bucket do not belong together' },
  count_changed: { status: 409, transient: false, title: 'The figure is another one by now' },
  unknown_scan: { status: 409, transient: false, title: 'Another scan has begun since' },
  object_missing: { status: 500, transient: false, title: 'An object named by the catalog is not in the bucket' },
  schema_mismatch: { status: 500, transient: false, title: 'A live file has another schema than the catalog says' },
  corrupt_file: { status: 500, transient: false, title: 'A live file cannot be read' },
  merge_killed: { status: 500, transient: false, title: 'Merging the file ends the Workflow without an error' },
  row_count_mismatch: { status: 500, transient: false, title: 'A merge did not keep every row' },
  invalid_message: { status: 400, transient: false, title: 'The queue message does not fit its schema' },
  delivery_failed: { status: 500, transient: true, title: 'The message failed each of its deliveries' },
  workflow_unavailable: { status: 503, transient: true, title: 'The Workflow service does not answer' },
  instance_reset: { status: 500, transient: true, title: 'The platform reset the Workflow instance' },
  workflow_ended: { status: 500, transient: true, title: 'The Workflow instance ended without a word' },
} as const satisfies Record<string, ErrorKind>

export type ErrorCode = keyof typeof ERROR_CODES

export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(ERROR_CODES, text)
}
