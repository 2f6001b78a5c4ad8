import { afterEach, describe, expect, test, vi } from 'vitest'
import { boundedBody } from '../../src/files/bounded-body.ts'

const TIMEOUT_MS = 50
const FIELDS = { requestId: 'r' }
const chunks = [new Uint8Array([1]), new Uint8Array([2, 3])]

/** A body that gives these chunks and then ends, or hangs. */
function bodyOf(end: 'ends' | 'hangs', cancelled: unknown[] = []) {
  const left = [...chunks]
  return new ReadableStream<Uint8Array>({
    pull: (controller) => {
      const next = left.shift()
      if (next) controller.enqueue(next)
      else if (end === 'ends') controller.close()
      else return new Promise(() => {})
    },
    cancel: (reason) => void cancelled.push(reason),
  })
}

afterEach(() => vi.restoreAllMocks())

describe('the body of an object', () => {
  test('is passed on whole, also to a client that reads slowly', async () => {
    const reader = boundedBody(bodyOf('ends'), FIELDS, TIMEOUT_MS).getReader()
    const first = await reader.read()
    await new Promise((resolve) => setTimeout(resolve, 2 * TIMEOUT_MS))
    expect([first.value, (await reader.read()).value, (await reader.read()).done]).toEqual([...chunks, true])
  })

  test('breaks off, with a line in the log, when the bucket gives nothing more', async () => {
    const logged = vi.spyOn(console, 'error').mockImplementation(() => {})
    const cancelled: unknown[] = []
    const body = boundedBody(bodyOf('hangs', cancelled), FIELDS, TIMEOUT_MS)
    await expect(new Response(body).arrayBuffer()).rejects.toMatchObject({ code: 'storage_unavailable' })
    expect(JSON.parse(logged.mock.calls[0]![0])).toMatchObject({ event: 'download_broke_off', ...FIELDS })
    expect(cancelled).toHaveLength(1)
  })

  test('is given up when the client goes', async () => {
    const cancelled: unknown[] = []
    await boundedBody(bodyOf('hangs', cancelled), FIELDS, TIMEOUT_MS).cancel('gone')
    expect(cancelled).toEqual(['gone'])
  })
})
