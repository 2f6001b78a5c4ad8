import { FusouError } from '@fusou/catalog'
import { Hono } from 'hono'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import type { AppEnv, Bindings } from '../../src/bindings.ts'
import { check, faultsOf, readFields } from '../../src/http/check.ts'
import { cursor, Instant, page } from '../../src/http/cursor.ts'
import { filled, integer, PeriodTagInput, pageSize } from '../../src/http/inputs.ts'
import { route } from '../../src/http/operation.ts'
import { answerError, type Problem } from '../../src/http/problem.ts'
import { MAX_CHUNK_MS, readChunks } from '../../src/http/read-chunks.ts'
import { MAX_JSON_BYTES, readJson } from '../../src/http/read-json.ts'
import { requestLog } from '../../src/http/request-log.ts'
import { serve } from '../../src/http/serve.ts'
import { parseTableOffsets, sliceObject } from '../../src/upload/table-offsets.ts'

let lines: [level: string, line: Record<string, unknown>][]
beforeEach(() => {
  lines = []
  vi.spyOn(console, 'log').mockImplementation((line) => void lines.push(['info', JSON.parse(line)]))
  vi.spyOn(console, 'error').mockImplementation((line) => void lines.push(['error', JSON.parse(line)]))
})
afterEach(() => vi.restoreAllMocks())

/** The code and the detail of what is thrown. */
async function refusal(work: () => unknown): Promise<[code: string, detail: string] | 'accepted'> {
  try {
    await work()
    return 'accepted'
  } catch (error) {
    if (error instanceof FusouError) return [error.code, error.detail]
    throw error
  }
}

describe('a whole number of a client', () => {
  const read = (value: unknown) => integer(z.int()).safeParse(value).data
  test.each([
    ['0', 0],
    ['7', 7],
    ['-7', -7],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
    [7, 7],
    ['', undefined],
    ['07', undefined],
    ['-0', undefined],
    ['1.5', undefined],
    ['1e3', undefined],
    [' 1', undefined],
    ['12345678901234567', undefined],
  ])('%j is %j', (text, number) => {
    expect(read(text)).toBe(number)
  })

  test('of items on a page is between one and the most, and has a default', () => {
    const size = (value: unknown) => pageSize(5, 9).safeParse(value).data
    expect([undefined, '', '1', '9', '0', '10', 'x'].map(size)).toEqual([5, 5, 1, 9, undefined, undefined, undefined])
  })

  test('may be a period tag, in JSON', () => {
    const tag = (value: unknown) => PeriodTagInput.safeParse(value).data
    expect([202_611, 0, 'x', 1.5, -1, null].map(tag)).toEqual(['202611', '0', 'x', undefined, undefined, undefined])
  })

  test('and an empty field is one that was not filled in', () => {
    const field = filled(z.string().optional())
    expect([field.parse(''), field.parse('a')]).toEqual([undefined, 'a'])
  })
})

describe('a list', () => {
  const position = cursor(z.object({ at: Instant, id: z.string() }))
  const moment = '2026-11-22T09:00:00.123456+00:00'

  test('has cursors that only it can read', () => {
    const text = position.encode({ at: moment, id: 'ü/?' })
    expect(text).toMatch(/^[A-Za-z0-9_-]+$/)
    expect(position.schema.parse(text)).toEqual({ at: moment, id: 'ü/?' })
    for (const wrong of ['', '!', 'e30', text.slice(0, -1), 'x'.repeat(4097), 7]) {
      expect(position.schema.safeParse(wrong).success, String(wrong)).toBe(false)
    }
    const other = new TextEncoder().encode('{"at":"x","id":"a"}').toBase64({ alphabet: 'base64url' })
    expect(position.schema.safeParse(other).error?.issues.map(({ message }) => message)).toEqual([
      'not a cursor of this list',
    ])
  })

  test.each([
    ['1970-01-01T00:00:00Z', true],
    ['1969-12-31T23:59:59Z', false],
    ['9999-12-31T23:59:59.999999+14:59', true],
    ['2026-11-22T09:00:00.1234567Z', false],
    ['2026-11-22T09:00:00+15:00', false],
    ['2026-11-22T09:00:00-14:00', true],
    ['2026-11-22 09:00:00Z', false],
    ['2026-13-22T09:00:00Z', false],
    ['2026-11-22T09:00:00', false],
  ])('has moments: %s: %s', (text, isOne) => {
    expect(Instant.safeParse(text).success).toBe(isOne)
  })

  test('has as many items a page as were asked for, and tells where the next begins', () => {
    const items = [{ id: 'a' }, { id: 'b' }, { id: 'c' }]
    expect(page(items, [], 3)).toEqual({ shown: items, unreadable: undefined, last: undefined })
    expect(page(items, [], 2)).toEqual({ shown: items.slice(0, 2), unreadable: undefined, last: { id: 'b' } })
    expect(page([], [], 2)).toEqual({ shown: [], unreadable: undefined, last: undefined })
  })

  test('counts the rows that could not be read, which may be the last of a page', () => {
    const odd = { index: 1, row: { id: 'x' } }
    const items = [{ id: 'a' }, { id: 'b' }]
    expect(page(items, [odd], 2)).toEqual({ shown: [{ id: 'a' }], unreadable: [odd], last: { id: 'x' } })
    expect(page(items, [odd], 3)).toEqual({ shown: items, unreadable: [odd], last: undefined })
    expect(page(items, [{ ...odd, index: 2 }], 2)).toEqual({ shown: items, unreadable: undefined, last: { id: 'b' } })
  })
})

describe('input that is checked', () => {
  const schema = z.object({ a: z.number(), list: z.array(z.object({ b: z.string() })).optional() })

  test('names each field that is at fault: wrong, unknown or repeated', async () => {
    expect(check(schema, { a: 1 }, 'body')).toEqual({ a: 1 })
    expect(await refusal(() => check(schema, { a: 'x' }, 'body'))).toEqual([
      'invalid_request',
      'in the body: a: Invalid input: expected number, received string',
    ])
    expect(await refusal(() => check(schema, { a: 1, c: 2 }, 'query'))).toMatchObject([
      'invalid_request',
      expect.stringMatching(/^in the query: c: is unknown/),
    ])
    const repeated = [{ path: ['a'], message: 'is given more than once' }]
    expect(await refusal(() => check(schema, { a: 1 }, 'query', repeated))).toEqual([
      'invalid_request',
      'in the query: a: is given more than once',
    ])
    expect(await refusal(() => check(schema, { a: 1, list: [{ b: 1 }] }, 'body'))).toMatchObject([
      'invalid_request',
      expect.stringMatching(/^in the body: list\[0\]\.b: /),
    ])
    expect(await refusal(() => check(schema, 7, 'body'))).toMatchObject([
      'invalid_request',
      expect.stringMatching(/^in the body: Invalid input/),
    ])
  })

  test('names twenty faults, and how many more there are', async () => {
    const faults = async (count: number) => {
      const value = { list: Array.from({ length: count }, () => ({ b: 1 })), a: 1 }
      const [, detail] = (await refusal(() => check(schema, value, 'body'))) as [string, string]
      return [detail.split('; ').filter((part) => part.includes('list[')).length, /and (\d+) more$/.exec(detail)?.[1]]
    }
    expect(await faults(20)).toEqual([20, undefined])
    expect(await faults(21)).toEqual([20, '1'])
    const error = new z.ZodError(
      Array.from({ length: 30 }, () => ({ code: 'custom' as const, path: ['a.b'], message: 'm', input: undefined })),
    )
    expect(faultsOf(error)).toHaveLength(20)
    expect(faultsOf(error)[0]).toEqual({ field: 'a.b', message: 'm' })
  })

  test('of a query has each name once', () => {
    const { fields, repeated } = readFields([
      ['a', '1'],
      ['b', '2'],
      ['a', '3'],
      ['a', '4'],
    ])
    expect(fields).toEqual({ a: '1', b: '2' })
    expect(repeated).toEqual([{ path: ['a'], message: 'is given more than once; give it once' }])
    expect(readFields([]).repeated).toEqual([])
  })
})

describe('a JSON body', () => {
  const read = (body: BodyInit | null, headers: Record<string, string> = { 'content-type': 'application/json' }) =>
    readJson(
      new Request('https://x.example', {
        method: 'POST',
        body,
        headers,
        ...(body && { duplex: 'half' }),
      } as RequestInit),
    )
  const inChunks = (...chunks: Uint8Array[]) =>
    new ReadableStream<Uint8Array>({
      start(controller) {
        for (const chunk of chunks) controller.enqueue(chunk)
        controller.close()
      },
    })
  const bytes = (text: string) => new TextEncoder().encode(text)
  const ofLength = (length: number) => `"${'x'.repeat(length - 2)}"`

  test('is what it says, or nothing', async () => {
    expect((await read('{"a":1}'))?.value).toEqual({ a: 1 })
    expect(await read(null)).toBeUndefined()
    expect(await read(' \n')).toBeUndefined()
    expect(await read('', {})).toBeUndefined()
    expect(
      (await read(inChunks(bytes('{"a":"'), bytes('ü').subarray(0, 1), bytes('ü').subarray(1), bytes('"}'))))?.value,
    ).toEqual({ a: 'ü' })
  })

  test('has 64 KiB at the most, whether it declares its length or not', async () => {
    expect(MAX_JSON_BYTES).toBe(65_536)
    for (const form of [
      (text: string) => text,
      (text: string) => inChunks(bytes(text.slice(0, 9)), bytes(text.slice(9))),
    ]) {
      expect((await read(form(ofLength(65_536))))?.value).toHaveLength(65_534)
      expect(await refusal(() => read(form(ofLength(65_537))))).toEqual([
        'body_too_large',
        'a JSON body may have 65536 bytes',
      ])
    }
    const declared = { 'content-type': 'application/json', 'content-length': '65537' }
    expect(await refusal(() => read('{}', declared))).toMatchObject(['body_too_large', {}])
  })

  test.each([
    ['application/json', true],
    ['Application/JSON; charset=UTF-8', true],
    ['application/json;charset="utf-8"', true],
    ['application/problem+json', true],
    ['application/json; charset=latin1', false],
    ['application/jsonx', false],
    ['text/json', false],
    ['text/plain', false],
    ['', false],
  ])('of type %j is taken: %s', async (type, isTaken) => {
    const refused = await refusal(() => read('{}', type === '' ? { 'content-type': '' } : { 'content-type': type }))
    if (isTaken) expect(refused).toBe('accepted')
    else
      expect(refused).toMatchObject(['unsupported_media_type', expect.stringContaining(type === '' ? 'nothing' : type)])
  })

  test('that is none is refused', async () => {
    expect(await refusal(() => read('{'))).toEqual(['invalid_json', 'the body does not parse'])
    expect(await refusal(() => read(inChunks(Uint8Array.of(0x22, 0xff, 0x22))))).toEqual([
      'invalid_json',
      'the body is cut off or not UTF-8',
    ])
    expect(await refusal(() => read(inChunks(bytes('"ü').subarray(0, 2))))).toEqual([
      'invalid_json',
      'the body is cut off or not UTF-8',
    ])
    const torn = new ReadableStream<Uint8Array>({ pull: (controller) => controller.error(new Error('gone')) })
    expect(await refusal(() => read(torn))).toEqual(['invalid_json', 'the body is cut off or not UTF-8'])
  })
})

describe('a body in chunks', () => {
  /** A deadline that is reached when it is told to. */
  function manual() {
    const started: number[] = []
    let reach = () => {}
    const stop = vi.fn()
    const deadline = {
      start: (milliseconds: number) => {
        started.push(milliseconds)
        return {
          reached: new Promise<void>((resolve) => {
            reach = resolve
          }),
          stop,
        }
      },
    }
    return { deadline, started, stop, reach: () => reach() }
  }
  const collect = async (chunks: AsyncGenerator<Uint8Array>) => {
    const found: number[] = []
    for await (const chunk of chunks) found.push(...chunk)
    return found
  }
  const plain = (...chunks: number[][]) =>
    new ReadableStream<Uint8Array>({
      start(controller) {
        for (const chunk of chunks) controller.enqueue(Uint8Array.from(chunk))
        controller.close()
      },
    })

  test('is read to its end, each chunk with a deadline of its own', async () => {
    const { deadline, started, stop } = manual()
    const body = plain([1, 2], [], [3])
    expect(await collect(readChunks(body, { deadline }))).toEqual([1, 2, 3])
    expect(started).toEqual([MAX_CHUNK_MS, MAX_CHUNK_MS, MAX_CHUNK_MS, MAX_CHUNK_MS])
    expect(MAX_CHUNK_MS).toBe(120_000)
    expect(stop).toHaveBeenCalledTimes(4)
    expect(body.locked).toBe(false)
  })

  test('that stops is given up, and cancelled', async () => {
    const { deadline, reach } = manual()
    const cancel = vi.fn()
    const body = new ReadableStream<Uint8Array>({ cancel })
    const reading = collect(readChunks(body, { deadline, maxChunkMs: 5 }))
    await Promise.resolve()
    reach()
    await expect(reading).rejects.toMatchObject({
      code: 'request_timeout',
      detail: '262144 bytes of the body took more than 5 ms',
    })
    expect(cancel).toHaveBeenCalledOnce()
  })

  test('that breaks off is told, and let go of', async () => {
    const cause = new Error('gone')
    const body = new ReadableStream<Uint8Array>({ pull: (controller) => controller.error(cause) })
    await expect(collect(readChunks(body))).rejects.toMatchObject({ code: 'length_mismatch', cause })
    expect(body.locked).toBe(false)
  })
})

describe('an error', () => {
  async function answered(thrown: unknown): Promise<{ response: Response; problem: Problem }> {
    const app = new Hono<AppEnv>()
    app.use(requestLog)
    app.onError(answerError)
    app.get('/a', () => {
      throw thrown
    })
    const response = await app.request('/a', { headers: { 'cf-ray': 'ray-1' } })
    return { response, problem: (await response.json()) as Problem }
  }

  test('is told as problem details, with its code and what to do', async () => {
    const { response, problem } = await answered(new FusouError('unknown_file', 'no file 7'))
    const requestId = response.headers.get('x-request-id')!
    expect(response.status).toBe(404)
    expect(response.headers.get('content-type')).toBe('application/problem+json')
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(problem).toEqual({
      type: 'urn:fusou:error:unknown_file',
      title: expect.any(String),
      status: 404,
      detail: 'no file 7',
      instance: '/a',
      code: 'unknown_file',
      requestId,
    })
    expect(lines).toEqual([
      [
        'info',
        {
          event: 'request',
          requestId,
          ray: 'ray-1',
          method: 'GET',
          status: 404,
          code: 'unknown_file',
          ms: expect.any(Number),
        },
      ],
    ])
  })

  test('of ours is told without its text and its fields, which are in the log', async () => {
    const schema = z.object({ secret: z.string() }).safeParse({ secret: 1 }).error
    for (const thrown of [new TypeError('secret'), new FusouError('internal', 'secret', { cause: schema }), 'secret']) {
      lines = []
      const { response, problem } = await answered(thrown instanceof Error ? thrown : new Error(thrown))
      expect(response.status).toBe(500)
      expect(JSON.stringify(problem)).not.toContain('secret')
      expect(problem).toMatchObject({
        code: 'internal',
        detail: 'the fault is ours; quote the requestId when you report it',
      })
      expect(problem.errors).toBeUndefined()
      expect(lines[0]).toMatchObject([
        'error',
        { event: 'request_failed', code: 'internal', requestId: problem.requestId, stack: expect.any(String) },
      ])
      expect(JSON.stringify(lines[0])).toContain('secret')
    }
    const { problem } = await answered(new FusouError('not_configured', 'SECRET_NAME is missing'))
    expect(problem.detail).toBe('the operator finds the names of the variables in the log')
  })

  test('of the input names the fields', async () => {
    const cause = z.object({ a: z.number() }).safeParse({ a: 'x' }).error
    const { problem } = await answered(new FusouError('invalid_request', 'd', { cause }))
    expect(problem.errors).toEqual([{ field: 'a', message: 'Invalid input: expected number, received string' }])
  })

  test.each([
    ['rate_limited', '60'],
    ['overloaded', '5'],
    ['database_unavailable', '5'],
    ['storage_unavailable', '5'],
    ['identity_unavailable', '5'],
    ['internal', null],
    ['forbidden', null],
  ] as const)('%s says when to come back: %s', async (code, seconds) => {
    expect((await answered(new FusouError(code, 'd'))).response.headers.get('retry-after')).toBe(seconds)
  })

  test.each([
    ['unauthenticated', 'Bearer realm="fusou"'],
    ['invalid_token', `Bearer realm="fusou", error="invalid_token", error_description="the 'a' 'b"`],
    ['token_expired', `Bearer realm="fusou", error="invalid_token", error_description="the 'a' 'b"`],
    ['forbidden', null],
  ] as const)('%s is challenged with %s', async (code, challenge) => {
    const { response } = await answered(new FusouError(code, 'the "a" \\b'))
    expect(response.headers.get('www-authenticate')).toBe(challenge)
  })
})

describe('a route', () => {
  const handled: unknown[] = []
  const operation = { summary: 's', answers: {}, access: 'open' as const }
  const routes = [
    route(
      {
        ...operation,
        method: 'get',
        path: '/a/:id',
        params: z.object({ id: z.string().max(3) }),
        query: z.object({ q: z.string().optional() }),
      },
      (_, input) => {
        handled.push(input)
        return new Response('got')
      },
    ),
    route({ ...operation, method: 'post', path: '/a/:id', body: z.object({ b: z.number() }) }, (_, { body }) => {
      handled.push(body)
      return new Response('posted')
    }),
    route({ ...operation, method: 'delete', path: '/d' }, () => new Response('deleted')),
    route({ ...operation, method: 'get', path: '/who', access: 'operator' }, (c) => Response.json(c.var.caller)),
  ]
  const identify = vi.fn(async (authorization: string | undefined) => {
    if (authorization === undefined) throw new FusouError('unauthenticated', 'send a token')
    return { kind: authorization } as { kind: 'operator' } | { kind: 'scheduler' }
  })
  const app = new Hono<AppEnv>()
  app.onError(answerError)
  serve(app, routes, () => ({ identify }) as never)
  const call = async (method: string, path: string, init: RequestInit = {}) => {
    const response = await app.request(path, { method, ...init }, {} as Bindings)
    const text = await response.text()
    return {
      status: response.status,
      text: text.startsWith('{') ? (JSON.parse(text).code ?? text) : text,
      allow: response.headers.get('allow'),
    }
  }
  const json = (body: unknown) => ({ body: JSON.stringify(body), headers: { 'content-type': 'application/json' } })
  beforeEach(() => {
    handled.length = 0
  })

  test('is given what was asked, checked', async () => {
    expect(await call('GET', '/a/x?q=1')).toMatchObject({ status: 200, text: 'got' })
    expect(handled).toEqual([{ params: { id: 'x' }, query: { q: '1' }, body: undefined }])
    expect(await call('POST', '/a/x', json({ b: 1 }))).toMatchObject({ text: 'posted' })
    expect(handled[1]).toEqual({ b: 1 })
  })

  test.each([
    ['GET', '/a/xxxx', {}],
    ['GET', '/a/x?r=1', {}],
    ['GET', '/a/x?q=1&q=2', {}],
    ['POST', '/a/x?q=1', json({ b: 1 })],
    ['POST', '/a/x', json({ b: 'x' })],
    ['POST', '/a/x', json({ b: 1, c: 2 })],
    ['POST', '/a/x', { body: '{"b":1,"b":2}', headers: { 'content-type': 'application/json' } }],
    ['POST', '/a/x', {}],
    ['DELETE', '/d?x=1', {}],
    ['DELETE', '/d', json({ x: 1 })],
  ] as [string, string, RequestInit][])('is not given %s %s with %j', async (method, path, init) => {
    expect(await call(method, path, init)).toMatchObject({ status: 400, text: 'invalid_request' })
    expect(handled).toEqual([])
  })

  test('without a body takes none, or an empty object', async () => {
    expect((await call('DELETE', '/d')).text).toBe('deleted')
    expect((await call('DELETE', '/d', json({}))).text).toBe('deleted')
  })

  test('takes no body in a content coding', async () => {
    const coded = (coding: string) =>
      call('POST', '/a/x', {
        ...json({ b: 1 }),
        headers: { 'content-type': 'application/json', 'content-encoding': coding },
      })
    expect(await coded('gzip')).toMatchObject({ status: 415, text: 'unsupported_media_type' })
    expect(await coded('identity')).toMatchObject({ text: 'posted' })
  })

  test('says which methods it has', async () => {
    expect(await call('PUT', '/a/x')).toEqual({ status: 405, text: 'method_not_allowed', allow: 'GET, HEAD, POST' })
    expect(await call('GET', '/d')).toMatchObject({ status: 405, allow: 'DELETE' })
  })

  test('is for those whom it is for, and open ones ask nobody', async () => {
    identify.mockClear()
    await call('GET', '/a/x')
    expect(identify).not.toHaveBeenCalled()
    expect(await call('GET', '/who')).toMatchObject({ status: 401, text: 'unauthenticated' })
    expect(await call('GET', '/who', { headers: { authorization: 'scheduler' } })).toMatchObject({ status: 403 })
    expect(await call('GET', '/who', { headers: { authorization: 'operator' } })).toMatchObject({
      status: 200,
      text: '{"kind":"operator"}',
    })
  })
})

describe('an object of several tables', () => {
  const entry = (table_name: string, start_byte: number | string, byte_length: number | string) => ({
    table_name,
    start_byte,
    byte_length,
  })
  const slice = (bytes: number, ...entries: object[]) => sliceObject(parseTableOffsets(JSON.stringify(entries)), bytes)

  test('is divided among its entries, in the order of their places', () => {
    expect(slice(15, entry('b', '5', '10'), entry('a', 0, 5))).toEqual([
      { table: 'a', offset: 0, length: 5 },
      { table: 'b', offset: 5, length: 10 },
    ])
  })

  test.each([
    [14, [entry('a', 0, 5), entry('b', 5, 10)], 'b ends at byte 15 of an object of 14 bytes'],
    [16, [entry('a', 0, 5), entry('b', 5, 10)], 'no entry names the bytes from 15 to 16'],
    [15, [entry('a', 0, 5), entry('b', 6, 9)], 'no entry names the bytes from 5 to 6'],
    [15, [entry('a', 0, 6), entry('b', 5, 10)], 'b begins at byte 5, the entry before it ends at 6'],
    [15, [entry('a', 1, 14)], 'no entry names the bytes from 0 to 1'],
  ])('of %i bytes and the entries %j is refused', async (bytes, entries, detail) => {
    expect(await refusal(() => slice(bytes, ...entries))).toEqual(['invalid_table_offsets', detail])
  })

  test.each([
    ['[]'],
    ['{}'],
    ['['],
    [JSON.stringify([entry('a', -1, 5)])],
    [JSON.stringify([entry('a', 0, 0)])],
    [JSON.stringify([entry('../a', 0, 1)])],
    [JSON.stringify([{ ...entry('a', 0, 1), format: 'csv' }])],
    [JSON.stringify([{ ...entry('a', 0, 1), more: 1 }])],
    ['[{"table_name":"a","table_name":"b","start_byte":0,"byte_length":1}]'],
    [JSON.stringify(Array.from({ length: 257 }, (_, i) => entry('a', i, 1)))],
  ])('whose entries are %s is refused', async (text) => {
    expect(await refusal(() => parseTableOffsets(text))).toMatchObject([
      'invalid_request',
      expect.stringMatching(/^in the request: tableOffsets/),
    ])
  })

  test('has 256 of them at the most', () => {
    expect(slice(256, ...Array.from({ length: 256 }, (_, i) => entry('a', i, 1)))).toHaveLength(256)
  })
})
