import { ERROR_CODES, type ErrorCode } from '@fusou/catalog'
import { expect, test } from 'vitest'

// Clients, runbooks and the retries of jobs depend on these lists: a change here is a change of the contract.

const TRANSIENT: readonly ErrorCode[] = [
  'conflict',
  'database_mismatch',
  'database_unavailable',
  'delivery_failed',
  'identity_unavailable',
  'instance_reset',
  'internal',
  'overloaded',
  'pairing_problem',
  'rate_limited',
  'request_timeout',
  'storage_unavailable',
  'workflow_ended',
  'workflow_unavailable',
]

test('only these errors may end by themselves; all others are permanent', () => {
  const codes = Object.keys(ERROR_CODES) as ErrorCode[]
  expect(codes.filter((code) => ERROR_CODES[code].transient).sort()).toEqual(TRANSIENT)
})
