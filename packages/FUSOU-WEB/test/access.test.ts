import type { FusouError } from '@fusou/catalog'
import { describe, expect, test } from 'vitest'
import { type Access, allow, type Caller } from '../src/auth/caller.ts'
import { evaluatePreconditions } from '../src/files/preconditions.ts'

describe('every access class lets in exactly its callers', () => {
  const callers: Caller[] = [{ kind: 'user', id: 'u' }, { kind: 'operator' }, { kind: 'scheduler' }]
  const table: Record<Exclude<Access, 'open'>, Caller['kind'][]> = {
    user: ['user'],
    reader: ['user', 'operator'],
    operator: ['operator'],
    scheduler: ['operator', 'scheduler'],
  }
  const pairs = Object.entries(table).flatMap(([access, allowed]) =>
    callers.map((caller) => [access as keyof typeof table, caller, allowed.includes(caller.kind)] as const),
  )

  test('the table is whole', () => expect(pairs).toHaveLength(12))

  test.each(pairs)('%s: %o', (access, caller, allowed) => {
    const attempt = () => allow(caller, access)
    if (allowed) expect(attempt).not.toThrow()
    else expect(attempt).toThrow(expect.objectContaining({ code: 'forbidden' }) as FusouError)
  })
})

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
