import { describe, expect, test } from 'vitest'
import type { Problem } from '../src/http/problem.ts'
import { allRoutes } from '../src/routes/all-routes.ts'
import { call, document, expectProblem, newDataset, OPERATOR, post, upload } from './support/api.ts'
import { FLIGHTS } from './support/files.ts'
import { newUser } from './support/tokens.ts'

// Made from the OpenAPI document: a route that is added is held to the same rules without a line here.

interface Parameter {
  name: string
  in: 'query' | 'path' | 'header'
}
interface DescribedOperation {
  parameters: Parameter[]
  security: unknown[]
  requestBody?: { content: Record<string, { schema?: { properties?: Record<string, unknown>; $ref?: string } }> }
}

/** An id of the form that the path takes. */
function idFor(path: string): string {
  if (path.startsWith('/api/datasets/')) return 'a-dataset'
  return path.includes('/dlq/') ? '1' : crypto.randomUUID()
}

const user = await newUser()
/** Operations that an operator may not call. */
const FOR_USERS = new Set(
  allRoutes(() => {
    throw new Error('only the operations are looked at')
  })
    .filter(({ operation: { access } }) => access === 'user')
    .map(({ operation: { method, path } }) => `${method} ${path.replace(/:(\w+)(?:\{[^}]*\})?/g, '{$1}')}`),
)
const schemas = (document as unknown as { components: { schemas: Record<string, { properties?: object }> } }).components
  .schemas
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, described]) => {
    const operation = described as unknown as DescribedOperation
    const json = operation.requestBody?.content['application/json']?.schema
    const schema = json?.$ref === undefined ? json : schemas[json.$ref.split('/').at(-1)!]
    return {
      name: `${method.toUpperCase()} ${path}`,
      method: method.toUpperCase(),
      path: path
        .replace('{id}', idFor(path))
        .replace(/\{(user|webhook)\}/, crypto.randomUUID())
        .replace(/\{(deletion|number)\}/, '1')
        .replace('{share}', 'a-dataset')
        .replace('{schema}', 'default')
        .replace(/\{(table|period)\}/g, 'x')
        .replace('{file}', 'x.parquet'),
      query: operation.parameters.filter((parameter) => parameter.in === 'query').map(({ name }) => name),
      body: schema === undefined ? undefined : Object.keys(schema.properties ?? {}),
      isForUsers: FOR_USERS.has(`${method} ${path}`),
      isUpload: operation.requestBody?.content['application/octet-stream'] !== undefined,
    }
  }),
)
type Called = (typeof operations)[number]

function send({ method, path, isUpload, isForUsers }: Called, query: string, body?: string): Promise<Response> {
  const headers: Record<string, string> = isUpload ? { 'content-type': 'application/octet-stream' } : {}
  if (body !== undefined) headers['content-type'] = 'application/json'
  const caller = isForUsers ? user : OPERATOR
  return call(`${path}${query}`, { token: caller.token, method, headers, body: isUpload ? FLIGHTS : (body ?? null) })
}

const faultOf = (problem: Problem, field: string) => problem.errors?.find((fault) => fault.field === field)

/** The name with one letter less, as a slip of the finger has it. */
const misspell = (name: string) => `${name.slice(0, 1)}${name.slice(2)}`

test('the table has every operation', () => {
  expect(operations.length).toBeGreaterThanOrEqual(17)
  expect(operations.filter(({ query }) => query.length > 0).length).toBeGreaterThanOrEqual(5)
  expect(operations.filter(({ body }) => body !== undefined).length).toBeGreaterThanOrEqual(3)
})

describe.each(operations)('$name', (operation) => {
  test('refuses a query parameter that it does not know, by name', async () => {
    const problem = await expectProblem(send(operation, '?nonsense=1'), 'invalid_request')
    expect(faultOf(problem, 'nonsense')?.message).toContain('unknown')
  })

  test.runIf(operation.query.length > 0)('refuses each of its query parameters twice, or misspelt', async () => {
    for (const name of operation.query) {
      const twice = await expectProblem(send(operation, `?${name}=a&${name}=a`), 'invalid_request')
      expect(faultOf(twice, name)?.message).toContain('more than once')
      const misspelt = await expectProblem(send(operation, `?${misspell(name)}=a`), 'invalid_request')
      expect(faultOf(misspelt, misspell(name))?.message).toContain(`did you mean ${name}?`)
      const cased = await expectProblem(send(operation, `?${name.toUpperCase()}=a`), 'invalid_request')
      expect(faultOf(cased, name.toUpperCase())?.message).toContain(`did you mean ${name}?`)
    }
  })

  test.runIf(operation.method !== 'GET' && !operation.isUpload)('refuses a field that it does not know', async () => {
    const problem = await expectProblem(send(operation, '', '{"nonsense":1}'), 'invalid_request')
    expect(faultOf(problem, 'nonsense')?.message).toContain('unknown')
  })

  test.runIf((operation.body ?? []).length > 0)('refuses each field of its body twice, or misspelt', async () => {
    for (const name of operation.body!) {
      const twice = await expectProblem(send(operation, '', `{"${name}":1,"${name}":1}`), 'invalid_request')
      expect(faultOf(twice, name)?.message).toContain('more than once')
      const misspelt = await expectProblem(send(operation, '', `{"${misspell(name)}":1}`), 'invalid_request')
      expect(faultOf(misspelt, misspell(name))?.message).toContain(`did you mean ${name}?`)
    }
  })

  test.runIf(operation.method !== 'GET')('names a content coding rather than misread the body', async () => {
    const response = call(operation.path, {
      token: operation.isForUsers ? user.token : OPERATOR.token,
      method: operation.method,
      headers: { 'content-encoding': 'gzip', 'content-type': 'application/json' },
      body: new Uint8Array([0x1f, 0x8b, 8, 0]),
    })
    expect((await expectProblem(response, 'unsupported_media_type')).detail).toContain('Content-Encoding: gzip')
  })
})

describe('a cursor', () => {
  const cursorOf = (value: unknown) =>
    new TextEncoder()
      .encode(typeof value === 'string' ? value : JSON.stringify(value))
      .toBase64({ alphabet: 'base64url', omitPadding: true })
  const id = crypto.randomUUID()
  const odd = (position: (date: string) => object) => [
    ...[
      '0000-01-01T00:00:00Z',
      '1969-12-31T23:59:59Z',
      '9999-12-31T23:59:60Z',
      '2026-02-30T00:00:00Z',
      '2026-11-26T25:00:00Z',
      '2026-11-26T00:00:00+23:59',
      '2026-11-26T00:00:00-99:00',
      `2026-11-26T00:00:00.${'1'.repeat(400)}Z`,
      'infinity',
      '-infinity',
      'now',
      '2026-11-26',
      '',
    ].map((date) => cursorOf(position(date))),
    cursorOf({ ...position('2026-11-26T00:00:00Z'), id: 'x' }),
    cursorOf({ ...position('2026-11-26T00:00:00Z'), more: 1 }),
    cursorOf([]),
    cursorOf(null),
    cursorOf('"text"'),
    cursorOf('{'),
    cursorOf(`${'['.repeat(1500)}${']'.repeat(1500)}`),
    'AA',
    '****',
    '%00',
    '%ff%fe',
    'a'.repeat(5000),
  ]
  const lists: [path: string, cursors: string[]][] = [
    ['/api/jobs', odd((createdAt) => ({ createdAt, id }))],
    ['/api/vacuum', odd((at) => ({ reason: 'superseded', after: { at, id } }))],
    ['/api/vacuum', [cursorOf({ reason: 'refused', after: { at: 'x' } }), cursorOf({ reason: 'none', after: null })]],
    [
      '/api/datasets/a-dataset/files',
      [
        ...odd((table) => ({ version: 1, table: `/${table}`, periodTag: '0', id })),
        cursorOf({ version: 1e300, table: 't', periodTag: '0', id }),
        cursorOf({ version: -1, table: 't', periodTag: '0', id }),
      ],
    ],
  ]

  test.each(lists)('of %s with anything odd in it is refused by its name', async (path, cursors) => {
    expect(cursors.length).toBeGreaterThan(1)
    for (const cursor of cursors) {
      const problem = await expectProblem(call(`${path}?cursor=${cursor}`, OPERATOR), 'invalid_request')
      expect(problem.errors?.map(({ field }) => field)).toEqual(['cursor'])
    }
  })

  test('of any moment that the database writes is taken', async () => {
    for (const createdAt of ['2026-11-26T00:00:00+00:00', '2026-11-26T00:00:00.123456+05:30', '1970-01-01T00:00:00Z'])
      expect((await call(`/api/jobs?cursor=${cursorOf({ createdAt, id })}`, OPERATOR)).status).toBe(200)
  })
})

describe('an upload', () => {
  test('misspelt does not end in the period 0', async () => {
    const query = { datasetId: newDataset(), tableId: 't', periodtag: '2026' }
    const problem = await expectProblem(upload(user, FLIGHTS, query), 'invalid_request')
    expect(problem.errors).toEqual([{ field: 'periodtag', message: 'is unknown; did you mean periodTag?' }])
  })

  const form = (...entries: [string, string | File][]) => {
    const body = new FormData()
    for (const [name, value] of [['datasetId', newDataset()], ['tableId', 't'], ...entries] as [string, string][])
      body.append(name, value)
    body.append('file', new File([FLIGHTS], 'f.parquet'))
    return body
  }
  const sendForm = (body: FormData, query = '') =>
    call(`/api/compaction/upload${query}`, { token: user.token, method: 'POST', body })

  test.each([
    ['twice', form(['tableId', 'u']), 'tableId', 'more than once'],
    ['misspelt', form(['periodtag', '1']), 'periodtag', 'did you mean periodTag?'],
    ['unknown', form(['comment', 'x']), 'comment', 'unknown'],
    ['that is a second file', form(['other', new File(['x'], 'x')]), 'other', 'unknown'],
    ['that is a file but should be text', form(['periodTag', new File(['1'], 'x')]), 'periodTag', 'string'],
  ])('as a form with a field %s is refused', async (_what, body, field, message) => {
    const problem = await expectProblem(sendForm(body), 'invalid_request')
    expect(problem.errors?.map((fault) => fault.field)).toEqual([field])
    expect(problem.errors![0]!.message).toContain(message)
  })

  test('as a form with fields in the query is refused, since they would be ignored', async () => {
    const problem = await expectProblem(sendForm(form(), '?periodTag=2026'), 'invalid_request')
    expect(problem.errors?.map((fault) => fault.field)).toEqual(['periodTag'])
    expect(problem.detail).toContain('form')
  })

  test.each([
    ['unknown', '[{"table_name":"t","start_byte":0,"byte_length":1,"rows":3}]', 'tableOffsets[0].rows'],
    ['misspelt', '[{"table_name":"t","startByte":0,"start_byte":0,"byte_length":1}]', 'tableOffsets[0].startByte'],
    ['repeated', '[{"table_name":"t","table_name":"u","start_byte":0,"byte_length":1}]', 'tableOffsets[0].table_name'],
    [
      'repeated under an escape',
      '[{"table_name":"t","table\\u005fname":"u","start_byte":0,"byte_length":1}]',
      'tableOffsets[0].table_name',
    ],
    ['not JSON', '[{', 'tableOffsets'],
  ])('with a key of its table offsets that is %s is refused', async (_what, tableOffsets, field) => {
    const problem = await expectProblem(
      upload(user, FLIGHTS, { datasetId: newDataset(), tableOffsets }),
      'invalid_request',
    )
    expect(problem.errors?.map((fault) => fault.field)).toEqual([field])
  })

  test.each(['5, 5', '-1', '1e3', '0x10', '9'.repeat(16)])('of the odd length "%s" is refused', async (length) => {
    const problem = await expectProblem(
      upload(user, FLIGHTS, { datasetId: newDataset(), tableId: 't' }, { 'content-length': length }),
      'invalid_request',
    )
    expect(problem.errors?.map((fault) => fault.field)).toEqual(['Content-Length'])
  })
})

describe('a JSON body', () => {
  const { token } = OPERATOR
  const path = '/api/compaction/trigger-scheduled'
  const padded = (bytes: number) => {
    const text = JSON.stringify({ limit: 1 })
    return text + ' '.repeat(bytes - text.length)
  }
  const inChunks = (text: string) =>
    new ReadableStream({
      start(controller) {
        const bytes = new TextEncoder().encode(text)
        for (let at = 0; at < bytes.length; at += 1000) controller.enqueue(bytes.slice(at, at + 1000))
        controller.close()
      },
    })

  test.each([
    ['with a length', (text: string) => text],
    ['without a length', inChunks],
  ])('%s is taken up to 64 KiB and refused one byte above', async (_what, bodyOf) => {
    const headers = { 'content-type': 'application/json' }
    const sendBytes = (bytes: number) => call(path, { token, method: 'POST', headers, body: bodyOf(padded(bytes)) })
    expect((await sendBytes(65_536)).status).toBe(202)
    await expectProblem(sendBytes(65_537), 'body_too_large')
  })

  test('may be empty, or an empty object, where the call takes none', async () => {
    for (const body of ['', '{}'])
      await expectProblem(post(`/api/jobs/${crypto.randomUUID()}/retry`, body, { token }), 'unknown_job')
  })

  test('names repeated fields at any depth, however deep the rest is', async () => {
    const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`
    const problem = await expectProblem(
      post(path, `{"limit":1,"a":${deep},"b":{"c":1,"c":2}}`, { token }),
      'invalid_request',
    )
    expect(problem.errors?.map((fault) => fault.field)).toEqual(['b.c', 'a', 'b'])
  })

  test.each(['application/json; charset=utf-16', 'application/json, text/plain', 'text/plain', ''])(
    'of the content type "%s" is refused',
    async (type) => {
      const body = new TextEncoder().encode('{"limit":1}')
      const response = call(path, { token, method: 'POST', headers: { 'content-type': type }, body })
      await expectProblem(response, 'unsupported_media_type')
    },
  )

  test('still takes a number as a string', async () => {
    expect((await post(path, { limit: '1' }, { token })).status).toBe(202)
  })
})

test('an open call is as strict as the others', async () => {
  const response = await call('/api/health?verbose=1')
  expect(response.status).toBe(400)
})
