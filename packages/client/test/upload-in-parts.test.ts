import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { FusouClient, IN_PARTS_ABOVE_BYTES } from '../src/index.ts'

const PART_BYTES = 8 * 1024 * 1024
const BYTES = new Uint8Array(IN_PARTS_ABOVE_BYTES + 1).map((_, index) => index % 251)
const PLACE = { datasetId: 'd', tableId: 't', periodTag: '2026', fileName: 'f.parquet' }
const hashOf = (bytes: Uint8Array, encoding: 'hex' | 'base64' = 'hex') =>
  createHash('sha256').update(bytes).digest(encoding)

const answer = (body: object, status = 200) =>
  new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json' } })
const refusal = (code: string, status: number) => answer({ code, title: code }, status)

/** The API, as far as uploads in parts go. `fault` may answer in its place; calls are noted as they come. */
class FakeApi {
  readonly parts = new Map<number, Uint8Array>()
  readonly calls: string[] = []
  opened: Record<string, unknown> = {}
  state = 'open'
  mostInFlight = 0
  #inFlight = 0
  readonly #threeCame = Promise.withResolvers<void>()
  fault: (call: string) => Response | undefined = () => undefined

  readonly fetch = async (request: Request): Promise<Response> => {
    const { pathname } = new URL(request.url)
    const call = `${request.method} ${pathname.replace(/^\/api\//, '')}`
    this.calls.push(call)
    const body = new Uint8Array(await request.arrayBuffer())
    if (request.method === 'PUT') await this.#waitForOthers()
    const fault = this.fault(call)
    if (fault) return fault
    if (pathname.endsWith('/uploads')) {
      this.opened = JSON.parse(new TextDecoder().decode(body))
      const parts = Math.ceil((this.opened.byteLength as number) / PART_BYTES)
      const storedParts = [...this.parts.keys()]
      return answer({ uploadId: 'u', partBytes: PART_BYTES, parts, storedParts, state: this.state }, 201)
    }
    if (pathname.endsWith('/complete')) return answer({ fileId: 'f' }, 202)
    const number = Number(pathname.split('/').at(-1))
    expect(request.headers.get('content-type')).toBe('application/octet-stream')
    expect(request.headers.get('content-digest')).toBe(`sha-256=:${hashOf(body, 'base64')}:`)
    this.parts.set(number, body)
    return answer({ number })
  }

  client = () =>
    new FusouClient({ url: 'https://fusou.test', token: 'k', fetch: this.fetch, retry: { tries: 2, firstPauseMs: 1 } })

  /** The first parts are answered once there are three of them. */
  async #waitForOthers(): Promise<void> {
    this.mostInFlight = Math.max(this.mostInFlight, ++this.#inFlight)
    if (this.#inFlight === 3) this.#threeCame.resolve()
    await this.#threeCame.promise
    this.#inFlight--
  }

  get bytes(): Uint8Array {
    const numbers = [...this.parts.keys()].sort((a, b) => a - b)
    return Buffer.concat(numbers.map((number) => this.parts.get(number)!))
  }
  get sentParts(): string[] {
    return this.calls.filter((call) => call.startsWith('PUT')).sort()
  }
}

describe('a large file', () => {
  test.each([
    ['bytes', BYTES],
    ['a blob', new Blob([BYTES])],
  ])('given as %s is sent in parts, three at a time, and completed', async (_what, bytes) => {
    const api = new FakeApi()
    const progress: number[] = []
    const onProgress = (stored: number) => void progress.push(stored)
    expect(await api.client().upload(bytes, PLACE, { onProgress })).toEqual({ fileId: 'f' })
    expect(api.opened).toEqual({
      table: 't',
      periodTag: '2026',
      fileName: 'f.parquet',
      byteLength: BYTES.length,
      sha256: hashOf(BYTES),
    })
    expect(hashOf(api.bytes)).toBe(hashOf(BYTES))
    expect([api.calls[0], api.calls.at(-1)]).toEqual(['POST datasets/d/uploads', 'POST uploads/u/complete'])
    expect([api.sentParts.length, api.mostInFlight]).toEqual([5, 3])
    expect(progress).toEqual([...progress].sort((a, b) => a - b))
    expect([progress[0], progress.at(-1)]).toEqual([0, BYTES.length])
  })

  test('goes on where an earlier call has stopped', async () => {
    const api = new FakeApi()
    for (const number of [1, 4]) api.parts.set(number, BYTES.slice((number - 1) * PART_BYTES, number * PART_BYTES))
    const progress: number[] = []
    await api.client().upload(BYTES, PLACE, { onProgress: (stored) => void progress.push(stored) })
    expect(api.sentParts).toEqual(['PUT uploads/u/parts/2', 'PUT uploads/u/parts/3', 'PUT uploads/u/parts/5'])
    expect(progress[0]).toBe(2 * PART_BYTES)
    expect(hashOf(api.bytes)).toBe(hashOf(BYTES))
  })

  test('that was completed before is only asked for its answer', async () => {
    const api = new FakeApi()
    api.state = 'completed'
    expect(await api.client().upload(BYTES, PLACE)).toEqual({ fileId: 'f' })
    expect(api.calls).toEqual(['POST datasets/d/uploads', 'POST uploads/u/complete'])
  })

  test.each([
    ['is not taken at first', () => refusal('overloaded', 503)],
    ['arrives damaged', () => refusal('digest_mismatch', 422)],
    ['breaks off', () => refusal('length_mismatch', 400)],
  ])('of which a part %s sends that part again', async (_what, refuse) => {
    const api = new FakeApi()
    let faults = 0
    api.fault = (call) => (call === 'PUT uploads/u/parts/2' && faults++ === 0 ? refuse() : undefined)
    await api.client().upload(BYTES, PLACE)
    expect(api.sentParts.filter((call) => call.endsWith('/2'))).toHaveLength(2)
    expect(api.sentParts).toHaveLength(6)
  })

  test('whose parts are lost in the end, or whose upload has ended, is begun again', async () => {
    for (const code of ['upload_incomplete', 'upload_ended']) {
      const api = new FakeApi()
      let faults = 0
      api.fault = (call) => {
        if (!call.endsWith('/complete') || faults++ > 0) return undefined
        api.parts.delete(3)
        return refusal(code, 409)
      }
      expect(await api.client().upload(BYTES, PLACE)).toEqual({ fileId: 'f' })
      expect(api.sentParts.filter((call) => call.endsWith('/3'))).toHaveLength(2)
      expect(api.sentParts).toHaveLength(6)
    }
  })

  test.each([
    ['PUT uploads/u/parts/2', 'digest_mismatch', 3],
    ['POST uploads/u/complete', 'upload_incomplete', 3],
    ['POST uploads/u/complete', 'invalid_parquet', 1],
    ['POST datasets/d/uploads', 'quota_exceeded', 1],
  ])('is given up where %s answers %s for good', async (call, code, calls) => {
    const api = new FakeApi()
    api.fault = (made) => (made === call ? refusal(code, 422) : undefined)
    await expect(api.client().upload(BYTES, PLACE)).rejects.toMatchObject({ code })
    expect(api.calls.filter((made) => made === call)).toHaveLength(calls)
  })

  test('is given up when its caller says so', async () => {
    const api = new FakeApi()
    const signal = AbortSignal.abort(new Error('enough'))
    await expect(api.client().upload(BYTES, PLACE, { signal })).rejects.toThrow('enough')
    expect(api.calls).toEqual([])
  })
})

test('a file up to the bound is sent in one request', async () => {
  const api = new FakeApi()
  api.fault = () => answer({ fileId: 'one' }, 202)
  expect(await api.client().upload(BYTES.subarray(0, IN_PARTS_ABOVE_BYTES), PLACE)).toEqual({ fileId: 'one' })
  expect(api.calls).toEqual(['POST compaction/upload'])
})
