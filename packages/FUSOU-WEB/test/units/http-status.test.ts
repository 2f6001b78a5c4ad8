import { ERROR_CODES, type ErrorCode } from '@fusou/catalog'
import { expect, test } from 'vitest'
import { HTTP_STATUS } from '../../src/http/http-status.ts'

// Clients depend on this table: a change here is a change of the contract.
const CODES: Readonly<Record<number, readonly ErrorCode[]>> = {
  400: ['invalid_form', 'invalid_json', 'invalid_message', 'invalid_request', 'length_mismatch'],
  401: ['invalid_token', 'token_expired', 'unauthenticated'],
  403: ['forbidden', 'quota_exceeded'],
  404: [
    'no_receipt',
    'not_found',
    'unknown_dataset',
    'unknown_deletion',
    'unknown_file',
    'unknown_job',
    'unknown_key',
    'unknown_letter',
    'unknown_table',
    'unknown_upload',
    'unknown_user',
    'unknown_version',
  ],
  405: ['method_not_allowed'],
  408: ['request_timeout'],
  409: [
    'cancelled',
    'conflict',
    'count_changed',
    'file_not_quarantined',
    'file_superseded',
    'is_owner',
    'job_ended',
    'job_not_dead',
    'stale_attempt',
    'unknown_scan',
    'upload_ended',
    'upload_incomplete',
    'uploaded_again',
  ],
  410: ['bytes_gone', 'deletion_gone', 'version_gone'],
  411: ['length_required'],
  412: ['precondition_failed'],
  413: ['body_too_large'],
  415: ['unsupported_media_type'],
  416: ['range_not_satisfiable'],
  422: [
    'digest_mismatch',
    'invalid_parquet',
    'invalid_table_offsets',
    'schema_rejected',
    'table_refused',
    'unsupported_parquet',
  ],
  429: ['rate_limited'],
  500: [
    'corrupt_file',
    'database_mismatch',
    'database_refused',
    'delivery_failed',
    'instance_reset',
    'internal',
    'merge_killed',
    'not_configured',
    'object_missing',
    'row_count_mismatch',
    'schema_mismatch',
    'workflow_ended',
  ],
  503: [
    'database_unavailable',
    'identity_unavailable',
    'overloaded',
    'pairing_problem',
    'storage_unavailable',
    'workflow_unavailable',
  ],
}

test('every code of the catalog is answered with its status', () => {
  expect(Object.keys(HTTP_STATUS).sort()).toEqual(Object.keys(ERROR_CODES).sort())
  const codesByStatus = Map.groupBy(Object.keys(HTTP_STATUS) as ErrorCode[], (code) => HTTP_STATUS[code])
  expect(Object.fromEntries([...codesByStatus].map(([status, codes]) => [status, codes.sort()]))).toEqual(CODES)
})

test('a client that repeats 408, 409, 429 and 5xx repeats every transient error', () => {
  const codes = Object.keys(ERROR_CODES) as ErrorCode[]
  const transient = codes.filter((code) => ERROR_CODES[code].transient)
  expect(transient.length).toBeGreaterThan(0)
  for (const code of transient) {
    const status = HTTP_STATUS[code]
    expect([408, 409, 429].includes(status) || status >= 500, code).toBe(true)
  }
})
