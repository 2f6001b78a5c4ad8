import { describe, expect, test } from 'vitest'
import { evaluatePreconditions } from '../../src/files/preconditions.ts'

describe('a range is honored only if If-Range names the file as it is, strongly', () => {
  const etag = '"abc"'
  const cases: [header: string | undefined, honored: boolean][] = [
    [undefined, true],
    [etag, true],
    [` ${etag} `, true],
    [`W/${etag}`, false],
    ['W/"abc", "abc"', false],
    ['"abd"', false],
    ['*', false],
    ['Thu, 26 Nov 2026 00:00:00 GMT', false],
    ['', false],
  ]
  test.each(cases)('%j', (header, honorRange) => {
    const headers = new Headers(header === undefined ? {} : { 'if-range': header })
    expect(evaluatePreconditions(headers, etag)).toEqual({ outcome: 'proceed', honorRange })
  })

  test('a weak tag names the file for If-None-Match, and not for If-Match', () => {
    const weak = (name: string) => evaluatePreconditions(new Headers({ [name]: `W/${etag}` }), etag).outcome
    expect([weak('if-none-match'), weak('if-match')]).toEqual(['not_modified', 'failed'])
  })
})
