import { expect, test } from 'vitest'
import { ApiError, FusouClient, items, unwrap } from '../src/index.ts'

const answer = (body: unknown, status = 200) =>
  new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': status < 400 ? 'application/json' : 'application/problem+json' },
  })

function clientOf(respond: (request: Request) => Response | Promise<Response>, token: string | (() => string) = 'k') {
  return new FusouClient({ url: 'https://fusou.test/', token, fetch: async (request) => respond(request) })
}

test('sends the bytes of an upload as they are, with its place and the key', async () => {
  let seen: unknown
  const client = clientOf(async (request) => {
    const body = new Uint8Array(await request.arrayBuffer())
    seen = [
      request.method,
      request.url,
      request.headers.get('authorization'),
      request.headers.get('content-type'),
      [...body],
    ]
    return answer({ fileId: 'f' }, 202)
  })
  const place = { datasetId: 'd', tableId: 't', periodTag: '2026' }
  expect(await client.upload(Uint8Array.of(80, 65, 82, 49), place)).toEqual({ fileId: 'f' })
  expect(seen).toEqual([
    'POST',
    'https://fusou.test/api/compaction/upload?datasetId=d&tableId=t&periodTag=2026',
    'Bearer k',
    'application/vnd.apache.parquet',
    [80, 65, 82, 49],
  ])
})

test('asks for a token before each call', async () => {
  let count = 0
  const seen: unknown[] = []
  const client = clientOf(
    (request) => {
      seen.push(request.headers.get('authorization'))
      return answer({})
    },
    () => `token-${++count}`,
  )
  await client.api.GET('/api/me')
  await client.api.GET('/api/me')
  expect(seen).toEqual(['Bearer token-1', 'Bearer token-2'])
})

test('a refusal is an error with its stable code, its words and the id of the request', async () => {
  const problem = {
    code: 'unknown_dataset',
    title: 'No such dataset',
    detail: 'no dataset d',
    requestId: 'r',
    status: 404,
  }
  const refused = unwrap(clientOf(() => answer(problem, 404)).api.GET('/api/me'))
  await expect(refused).rejects.toMatchObject({
    name: 'ApiError',
    status: 404,
    code: 'unknown_dataset',
    message: 'no dataset d',
    requestId: 'r',
  })
  const odd = unwrap(clientOf(() => new Response('<html>', { status: 404 })).api.GET('/api/me'))
  await expect(odd).rejects.toMatchObject({ status: 404, code: 'http_404' })
  expect(new ApiError(418, undefined).message).toContain('418')
})

test('a list is read to its end, page by page', async () => {
  const pages = [
    { things: [1, 2], nextCursor: 'a' },
    { things: [], nextCursor: 'b' },
    { things: [3], nextCursor: null },
  ]
  const asked: unknown[] = []
  const found: number[] = []
  const source = items(
    async (cursor) => {
      asked.push(cursor)
      return pages[asked.length - 1]!
    },
    (page) => page.things,
  )
  for await (const thing of source) found.push(thing)
  expect([found, asked]).toEqual([
    [1, 2, 3],
    [undefined, 'a', 'b'],
  ])
})

test('a job is followed until it has ended, and told only when it changed', async () => {
  const states = ['queued', 'queued', 'running', 'running', 'succeeded', 'succeeded']
  const client = clientOf(() => answer({ id: 'j', state: states.shift(), attempt: 1, progress: {} }))
  const seen: string[] = []
  for await (const job of client.follow('j', { pauseMs: 1 })) seen.push(job.state)
  expect(seen).toEqual(['queued', 'running', 'succeeded'])
  expect(states).toEqual(['succeeded'])
})
