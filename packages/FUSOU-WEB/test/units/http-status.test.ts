import { ERROR_CODES, type ErrorCode } from '@fusou/catalog'
import { expect, test } from 'vitest'
import { HTTP_STATUS } from '../../src/http/http-status.ts'

test('every code of the catalog has the status of an error', () => {
  expect(Object.keys(HTTP_STATUS).sort()).toEqual(Object.keys(ERROR_CODES).sort())
  for (const [code, status] of Object.entries(HTTP_STATUS)) {
    expect(status, code).toBeGreaterThanOrEqual(400)
    expect(status, code).toBeLessThan(600)
  }
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
