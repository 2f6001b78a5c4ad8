import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type AlertRules, AN_OPERATOR, type Catalog, connectCatalog, FusouError, isUnreadable } from '@fusou/catalog'
import { afterAll, afterEach, beforeEach, describe, expect, inject, test, vi } from 'vitest'

// What stands between a Worker and PostgREST answers in forms that no database function has.

type Handler = (request: IncomingMessage, response: ServerResponse) => unknown

/** What stands where the database is expected. */
async function gateway(handle: Handler, callTimeoutMs?: number): Promise<Catalog> {
  const server = createServer(handle)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  afterAll(() => {
    server.close()
    server.closeAllConnections()
  })
  const { port } = server.address() as AddressInfo
  const address = { supabaseUrl: `http://127.0.0.1:${port}`, supabaseSecretKey: 'sb_secret_x' }
  return connectCatalog({ ...address, ...(callTimeoutMs !== undefined && { callTimeoutMs }) })
}

/** A gateway that gives this answer to everything. */
const behind = (status: number, body: string, contentType = 'text/html') =>
  gateway((_, response) => response.writeHead(status, { 'content-type': contentType }).end(body))
const refusal = (catalog: Catalog) =>
  catalog.getJob('00000000-0000-4000-8000-000000000000', AN_OPERATOR).then(
    () => expect.fail('it was not refused'),
    (error: unknown) => error as FusouError,
  )
const postgrest = (code: string) =>
  JSON.stringify({ code, message: 'the text of the database', details: null, hint: null })
const JSON_TYPE = 'application/json'

describe('a call passes for a while', () => {
  test.each([
    ['a gateway without a backend', 502, '<html>'],
    ['a gateway that is full', 503, ''],
    ['a gateway that waited in vain', 504, 'upstream timeout'],
    ['an edge that gives up on the origin', 520, '<html>'],
    ['an edge that cannot reach the origin', 521, '<html>'],
    ['an edge without a certificate of the origin', 526, '<html>'],
    ['an edge whose script fails', 530, 'error code: 1016'],
    ['an edge that counts calls', 429, 'error code: 1015'],
    ['a gateway that lost its route', 404, '<html>'],
    ['a key that is being rotated', 401, JSON.stringify({ message: 'Invalid API key' }), JSON_TYPE],
    ['a gateway that shuts the door for a while', 403, '<html>'],
    ['a page of maintenance instead of an answer', 200, '<html>'],
    ['a status that nobody knows', 599, ''],
  ])('with %s, and the error has the status', async (_name, status, body, type?: string) => {
    const error = await refusal(await behind(status, body, type))
    expect(error).toMatchObject({ code: 'database_unavailable', transient: true })
    expect(error.detail).toContain(`HTTP ${status}`)
  })

  test.each([
    ['a failover to a server that only reads', '25006'],
    ['a transaction that was aborted before', '25P02'],
    ['a connection that broke', '08006'],
    ['a connection that was refused', '08001'],
    ['too many connections', '53300'],
    ['a full disk', '53100'],
    ['no memory', '53200'],
    ['a lock that was not free', '55P03'],
    ['an object in use', '55006'],
    ['a deadlock', '40P01'],
    ['a conflict of transactions', '40001'],
    ['a server that shuts down', '57P01'],
    ['a server that crashed', '57P02'],
    ['a server that starts', '57P03'],
    ['a database that was dropped for a restore', '57P04'],
    ['a session that was idle', '57P05'],
    ['a statement that took too long', '57014'],
    ['a disk that fails', '58030'],
    ['a file that is gone', '58P01'],
    ['a message of the pooler', 'XX000'],
    ['a statement that the pooler prepared elsewhere', '26000'],
    ['a statement that the pooler prepared twice', '42P05'],
    ['a password that changes', '28P01'],
    ['a grant that a migration has taken away', '42501'],
    ['a table that a migration replaces', '42P01'],
    ['a class that nobody knows', 'ZZ999'],
  ])('with %s (%s), and the error has its SQLSTATE', async (_name, code) => {
    const error = await refusal(await behind(500, postgrest(code), JSON_TYPE))
    expect(error).toMatchObject({ code: 'database_unavailable', transient: true })
    expect(error.detail).toContain(`SQLSTATE ${code}`)
  })

  test.each([
    ['no connection', 'PGRST000'],
    ['an old connection', 'PGRST001'],
    ['a schema cache that cannot be built', 'PGRST002'],
    ['a pool without a free connection', 'PGRST003'],
    ['a function that the cache does not know yet', 'PGRST202'],
    ['an overload that the cache still knows', 'PGRST203'],
    ['a key that expired', 'PGRST301'],
    ['a fault of its own', 'PGRSTX00'],
  ])('with PostgREST that has %s (%s)', async (_name, code) => {
    const error = await refusal(await behind(500, postgrest(code), JSON_TYPE))
    expect(error).toMatchObject({ code: 'database_unavailable', transient: true })
    expect(error.detail).toContain(`PostgREST ${code}`)
  })

  test('with nobody there', async () => {
    const error = await refusal(connectCatalog({ supabaseUrl: 'http://127.0.0.1:9', supabaseSecretKey: 'sb_secret_x' }))
    expect(error).toMatchObject({ code: 'database_unavailable', transient: true })
  })

  test.each<[string, Handler]>([
    ['never answers', () => {}],
    ['begins an answer and never ends it', (_, response) => response.writeHead(200).write('{')],
  ])('with a gateway that %s, up to a deadline', async (_name, handle) => {
    const error = await refusal(await gateway(handle, 200))
    expect(error).toMatchObject({ code: 'database_unavailable', transient: true })
    expect(error.detail).toContain('no answer within 200 ms')
  })

  test.each([
    ['an answer of another form', 200, '{"id": 7}', JSON_TYPE],
    ['an empty page that is not found', 404, ''],
  ])('with %s, as between a migration and its deployment', async (_name, status, body, type?: string) => {
    expect(await refusal(await behind(status, body, type))).toMatchObject({
      code: 'database_mismatch',
      transient: true,
    })
  })
})

describe('a call is refused for good', () => {
  test.each([
    ['a constraint', 409, '23514'],
    ['a duplicate', 409, '23505'],
    ['a bad argument', 400, '22023'],
    ['a function that raises', 400, 'P0001'],
    ['a body that cannot be read', 400, 'PGRST102'],
  ])('by %s, and the error has the code', async (_name, status, code) => {
    const error = await refusal(await behind(status, postgrest(code), JSON_TYPE))
    expect(error).toBeInstanceOf(FusouError)
    expect(error).toMatchObject({ code: 'database_refused', transient: false })
    expect(error.detail).toContain(code)
  })

  test('by a gateway that takes no body of this length', async () => {
    expect(await refusal(await behind(413, '<html>'))).toMatchObject({ code: 'database_refused', transient: false })
  })
})

describe('what a client may see of an error', () => {
  test.each(['23514', '25006', 'PGRST202'])('is not the text of the database, for %s', async (code) => {
    const error = await refusal(await behind(409, postgrest(code), JSON_TYPE))
    expect(error.message).not.toContain('the text of the database')
    expect(String(error.cause)).toContain(`${code} the text of the database`)
  })

  test('is no code that has another form than those of PostgreSQL and PostgREST', async () => {
    const error = await refusal(await behind(500, postgrest('sb_secret_x'), JSON_TYPE))
    expect(error.message).not.toContain('sb_secret_x')
    expect(error.detail).toContain('HTTP 500')
  })

  test('of a wrong key of the real thing is that it may pass, since keys are rotated', async () => {
    const { supabaseUrl, publishableKey } = inject('embedded')
    for (const supabaseSecretKey of [publishableKey, 'sb_secret_wrong']) {
      const error = await refusal(connectCatalog({ supabaseUrl, supabaseSecretKey }))
      expect(error).toMatchObject({ code: 'database_unavailable', transient: true })
      expect(error.message).not.toContain(supabaseSecretKey)
    }
  })
})

describe('one odd row of an answer', () => {
  const attempt = { jobId: '00000000-0000-4000-8000-000000000000', attempt: 1 }
  const answering = (answer: unknown) => behind(200, JSON.stringify(answer), JSON_TYPE)
  const outbox = [
    { id: 1, type: 'compaction.requested', payload: { jobId: 'a' } },
    { id: 2, type: 'of.tomorrow', payload: {} },
    { id: 3, type: 'compaction.requested', payload: [1, 2] },
    { id: 'four', type: 'compaction.requested', payload: {} },
    { id: 5, type: 'compaction.requested', payload: { jobId: 'b' } },
  ]
  let logged: string[] = []
  beforeEach(() => {
    logged = []
    vi.spyOn(console, 'error').mockImplementation((line: string) => void logged.push(line))
  })
  afterEach(() => vi.restoreAllMocks())

  const claim = { maxBatch: 10, lockSeconds: 60, workerId: 'w' }
  const lists: [string, unknown, (catalog: Catalog) => Promise<unknown>, unknown][] = [
    [
      'expired leases',
      [attempt, { jobId: 7, attempt: 1 }, { ...attempt, attempt: 2 }],
      (catalog) => catalog.listExpiredLeases(10),
      [attempt, { ...attempt, attempt: 2 }],
    ],
    ['garbage', ['a', 7, 'b'], (catalog) => catalog.claimGarbage(10), ['a', 'b']],
    ['orphans', ['a', null], (catalog) => catalog.listOrphans(['a']), ['a']],
    [
      'abandoned uploads',
      [{ r2Key: 'k', uploadId: 'u' }, { r2Key: 'l' }],
      (catalog) => catalog.listAbandonedUploads(10),
      [{ r2Key: 'k', uploadId: 'u' }],
    ],
    [
      'alert changes',
      { changes: [{ kind: 'of_tomorrow', change: 'raised', summary: 's' }, { kind: 7 }], outbox: [] },
      async (catalog) => (await catalog.raiseAlerts({} as AlertRules, [], 's')).changes,
      [{ kind: 'of_tomorrow', change: 'raised', summary: 's' }],
    ],
    [
      'triggered datasets',
      { datasets: [{ datasetId: 'd', jobId: attempt.jobId }, {}], remaining: 0, outbox: [] },
      async (catalog) => (await catalog.triggerScheduled(1, 's')).datasets,
      [{ datasetId: 'd', jobId: attempt.jobId }],
    ],
  ]

  test.each(lists)('of %s hides none of the others, and is logged', async (name, answer, call, rows) => {
    expect(await call(await answering(answer))).toEqual(rows)
    expect(logged).toHaveLength(1)
    expect(JSON.parse(logged[0]!)).toMatchObject({ event: 'rows_unreadable', list: name, count: 1 })
  })

  test('of the outbox is passed on as what it is, so that it can be released, unless it has no number', async () => {
    const messages = await (await answering(outbox)).claimOutbox(claim)
    expect(messages.map(({ id }) => id)).toEqual([1, 2, 3, 5])
    expect(messages.map(isUnreadable)).toEqual([false, false, true, false])
  })
})
