import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Catalog, FusouError } from '@fusou/catalog'
import { afterAll, describe, expect, inject, test } from 'vitest'

// What stands between a Worker and PostgREST answers in forms that no database function has.

/** A gateway that gives this answer to everything. */
async function behind(status: number, body: string, contentType = 'text/html'): Promise<Catalog> {
  const gateway = createServer((_, response) => response.writeHead(status, { 'content-type': contentType }).end(body))
  await once(gateway.listen(0, '127.0.0.1'), 'listening')
  afterAll(() => gateway.close())
  const { port } = gateway.address() as AddressInfo
  return new Catalog({ supabaseUrl: `http://127.0.0.1:${port}`, supabaseSecretKey: 'sb_secret_x' })
}
const refusal = (catalog: Catalog) =>
  catalog.getJob('00000000-0000-4000-8000-000000000000', null).then(
    () => expect.fail('it was not refused'),
    (error: unknown) => error,
  )
const postgrest = (code: string) =>
  JSON.stringify({ code, message: 'the text of the database', details: null, hint: null })
const JSON_TYPE = 'application/json'

describe('a call passes for a while', () => {
  test.each([
    ['a gateway without a backend', 502, '<html>'],
    ['a gateway that is full', 503, ''],
    ['a gateway that waited in vain', 504, 'upstream timeout'],
    ['an edge that cannot reach the origin', 521, '<html>'],
    ['an edge that counts calls', 429, 'error code: 1015'],
    ['too many connections', 500, postgrest('53300'), JSON_TYPE],
    ['a deadlock', 500, postgrest('40P01'), JSON_TYPE],
    ['a conflict of transactions', 500, postgrest('40001'), JSON_TYPE],
    ['a server that shuts down', 500, postgrest('57P01'), JSON_TYPE],
    ['a statement that took too long', 500, postgrest('57014'), JSON_TYPE],
    ['a pool without a free connection', 504, postgrest('PGRST003'), JSON_TYPE],
  ])('with %s', async (_name, status, body, type?: string) => {
    const error = await refusal(await behind(status, body, type))
    expect(error).toMatchObject({ code: 'database_unavailable', transient: true })
  })

  test('with nobody there', async () => {
    const error = await refusal(new Catalog({ supabaseUrl: 'http://127.0.0.1:9', supabaseSecretKey: 'sb_secret_x' }))
    expect(error).toMatchObject({ code: 'database_unavailable', transient: true })
  })
})

describe('a call is refused for good', () => {
  test.each([
    ['a function that is not there', 404, postgrest('PGRST202'), JSON_TYPE],
    ['a key without the right', 401, postgrest('42501'), JSON_TYPE],
    ['a constraint', 409, postgrest('23514'), JSON_TYPE],
    ['a bad argument', 400, postgrest('22023'), JSON_TYPE],
    ['a page instead of an answer', 200, '<html>'],
    ['an answer of another form', 200, '{"id": 7}', JSON_TYPE],
    ['an empty page that is not found', 404, ''],
  ])('by %s', async (_name, status, body, type?: string) => {
    const error = await refusal(await behind(status, body, type))
    expect(error).toBeInstanceOf(FusouError)
    expect(error).toMatchObject({ code: 'database_refused', transient: false })
  })

  test('and what a client may see of it is not the text of the database', async () => {
    const error = (await refusal(await behind(409, postgrest('23514'), JSON_TYPE))) as FusouError
    expect(error.message).not.toContain('the text of the database')
    expect(String(error.cause)).toContain('23514 the text of the database')
  })

  test('by a wrong key of the real thing', async () => {
    const { supabaseUrl, publishableKey } = inject('embedded')
    for (const supabaseSecretKey of [publishableKey, 'sb_secret_wrong']) {
      expect(await refusal(new Catalog({ supabaseUrl, supabaseSecretKey }))).toMatchObject({ code: 'database_refused' })
    }
  })
})
