import { describe, expect, test } from 'vitest'
import { drainBody, MAX_DRAIN_MS, MAX_DRAINED_BYTES } from '../src/http/drain-refused-body.ts'
import { type Deadline, MAX_CHUNK_MS, readChunks } from '../src/http/read-chunks.ts'
import { call, expectProblem } from './support/api.ts'

const MEBIBYTE = 1024 * 1024

/** Time that passes when the test says so. */
class HandClock implements Deadline {
  readonly started: number[] = []
  readonly #open = new Set<{ at: number; reach: () => void }>()
  #now = 0

  start(milliseconds: number) {
    this.started.push(milliseconds)
    const timer = { at: this.#now + milliseconds, reach: () => {} }
    const reached = new Promise<void>((resolve) => {
      timer.reach = resolve
    })
    this.#open.add(timer)
    return { reached, stop: () => void this.#open.delete(timer) }
  }

  pass(milliseconds: number): void {
    this.#now += milliseconds
    for (const timer of this.#open) if (timer.at <= this.#now) timer.reach()
  }

  get running(): number {
    return this.#open.size
  }
}

interface Body {
  stream: ReadableStream<Uint8Array>
  send(bytes: number): void
  end(): void
  sent: number
  cancelled: boolean
}

/** A body whose client sends when the test says so. */
function bodyByHand(): Body {
  let controller: ReadableStreamDefaultController<Uint8Array>
  const body: Body = {
    stream: new ReadableStream<Uint8Array>({
      start(opened) {
        controller = opened
      },
      cancel() {
        body.cancelled = true
      },
    }),
    send(bytes) {
      body.sent += bytes
      controller.enqueue(new Uint8Array(bytes))
    },
    end: () => controller.close(),
    sent: 0,
    cancelled: false,
  }
  return body
}

/** A body without an end, of a client that sends as fast as it is read. */
function endless() {
  const body = { pulled: 0, cancelled: false, stream: undefined as unknown as ReadableStream<Uint8Array> }
  body.stream = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        body.pulled += MEBIBYTE
        controller.enqueue(new Uint8Array(MEBIBYTE))
      },
      cancel() {
        body.cancelled = true
      },
    },
    { highWaterMark: 0 },
  )
  return body
}

const settle = () => scheduler.wait(0)

describe('a body that was refused', () => {
  test('is read to its end, so that the client sees the answer', async () => {
    const [clock, body] = [new HandClock(), bodyByHand()]
    const drained = drainBody(body.stream, clock)
    body.send(1000)
    body.send(1)
    body.end()
    expect(await drained).toBe('drained')
    expect([body.cancelled, clock.running]).toEqual([false, 0])
  })

  test('is cancelled above the bound of bytes', async () => {
    const [clock, body] = [new HandClock(), endless()]
    expect(await drainBody(body.stream, clock)).toBe('cancelled')
    expect(body.cancelled).toBe(true)
    expect(body.pulled).toBeGreaterThan(MAX_DRAINED_BYTES)
    expect(body.pulled).toBeLessThanOrEqual(MAX_DRAINED_BYTES + 2 * MEBIBYTE)
  })

  test('is cancelled at the deadline of the whole, however steadily it drips', async () => {
    const [clock, body] = [new HandClock(), bodyByHand()]
    let outcome: string | undefined
    const drained = drainBody(body.stream, clock).then((how) => {
      outcome = how
    })
    for (let ms = 0; ms < MAX_DRAIN_MS - 100; ms += 100) {
      body.send(1)
      clock.pass(100)
      await settle()
    }
    expect([outcome, body.cancelled]).toEqual([undefined, false])
    clock.pass(100)
    await drained
    expect([outcome, body.cancelled, clock.running]).toEqual(['cancelled', true, 0])
  })

  test('and breaks off ends the wait', async () => {
    const body = new ReadableStream<Uint8Array>({ start: (controller) => controller.error(new Error('gone')) })
    expect(await drainBody(body, new HandClock())).toBe('cancelled')
  })

  test('closes the connection when it is too long, without a token too', async () => {
    const body = endless()
    const response = call('/api/compaction/upload?datasetId=d&tableId=t', {
      method: 'POST',
      body: body.stream,
      headers: { 'content-type': 'application/octet-stream' },
    })
    await expectProblem(response, 'unauthenticated')
    expect(body.pulled).toBeLessThanOrEqual(MAX_DRAINED_BYTES + 4 * MEBIBYTE)
  })
})

describe('a body that is read', () => {
  const readAll = async (body: Body, clock: HandClock) => {
    let bytes = 0
    for await (const chunk of readChunks(body.stream, { deadline: clock })) bytes += chunk.byteLength
    return bytes
  }

  test('may take any time as long as each chunk comes in time', async () => {
    const [clock, body] = [new HandClock(), bodyByHand()]
    const read = readAll(body, clock)
    for (let chunk = 0; chunk < 10; chunk++) {
      clock.pass(MAX_CHUNK_MS - 1)
      body.send(256 * 1024)
      await settle()
    }
    body.end()
    expect(await read).toBe(10 * 256 * 1024)
    expect(clock.running).toBe(0)
  })

  test('is given up and cancelled when a chunk does not come', async () => {
    const [clock, body] = [new HandClock(), bodyByHand()]
    const read = readAll(body, clock)
    body.send(256 * 1024)
    await settle()
    clock.pass(MAX_CHUNK_MS)
    await expect(read).rejects.toMatchObject({ code: 'request_timeout' })
    await settle()
    expect([body.cancelled, clock.running]).toEqual([true, 0])
  })
})
