import { describe, expect, test } from 'vitest'
import { ParquetError, type Source } from '../../src/index.ts'
import { FileReader, throwIfAborted } from '../../src/read/file-reader.ts'
import { readAhead } from '../../src/read/read-ahead.ts'
import { memorySink, memorySource, readRange, reason } from '../../src/read/source.ts'

const bytes = Uint8Array.from({ length: 100 }, (_, i) => i)

/** A source that keeps the ranges it was asked for. */
function watched(more: Partial<Source> = {}): { source: Source; asked: [number, number][] } {
  const asked: [number, number][] = []
  const source = memorySource('file', bytes)
  const read = async (offset: number, length: number) => {
    asked.push([offset, length])
    return source.read(offset, length)
  }
  return { source: { ...source, read, ...more }, asked }
}

describe('a range', () => {
  test('is read whole, as plain bytes', async () => {
    expect([...(await readRange(memorySource('file', bytes), 10, 3))]).toEqual([10, 11, 12])
    const buffer = await readRange(watched({ read: async () => Buffer.from([1, 2]) }).source, 0, 2)
    expect(buffer.constructor).toBe(Uint8Array)
  })

  test.each([
    [[1, 2], 'truncated: file: asked 3 bytes at 5, got 2'],
    [[1, 2, 3, 4], 'truncated: file: asked 3 bytes at 5, got 4'],
  ])('that comes as %j is refused', async (got, message) => {
    await expect(readRange(watched({ read: async () => Uint8Array.from(got) }).source, 5, 3)).rejects.toThrow(message)
  })

  test('that fails is told with its place, unless the source says more itself', async () => {
    const fails = (error: unknown) => readRange(watched({ read: () => Promise.reject(error) }).source, 5, 3)
    await expect(fails(new Error('no route'))).rejects.toThrow('read_failed: file: 3 bytes at 5: no route')
    await expect(fails('gone')).rejects.toThrow('read_failed: file: 3 bytes at 5: gone')
    const own = new ParquetError('truncated', 'so')
    await expect(fails(own)).rejects.toBe(own)
    expect([reason(new Error('a')), reason(7)]).toEqual(['a', '7'])
  })
})

test('a sink in memory keeps what it was given, though the bytes change', async () => {
  const sink = memorySink()
  const part = Uint8Array.of(1, 2)
  await sink.write(part)
  part.fill(9)
  await sink.write(part)
  expect([...sink.bytes()]).toEqual([1, 2, 9, 9])
  expect(memorySink().bytes()).toHaveLength(0)
})

describe('a reader of a file', () => {
  test('reads nothing that it holds, to the byte on both sides', async () => {
    const { source, asked } = watched()
    const reader = new FileReader(source, undefined)
    await reader.prime(20, 10)
    expect(asked).toEqual([[20, 10]])
    for (const [offset, length, isHeld] of [
      [20, 10, true],
      [20, 0, true],
      [30, 0, true],
      [25, 5, true],
      [19, 2, false],
      [29, 2, false],
      [31, 0, false],
    ] as const) {
      expect(reader.has(offset, length), `${length} at ${offset}`).toBe(isHeld)
      expect(reader.held(offset, length) !== undefined).toBe(isHeld)
    }
    expect([...(await reader.read(28, 2))]).toEqual([28, 29])
    await reader.prime(22, 3)
    expect(asked).toHaveLength(1)
    expect([...(await reader.read(28, 3))]).toEqual([28, 29, 30])
    expect(asked).toEqual([
      [20, 10],
      [28, 3],
    ])
    expect([reader.heldOffset, reader.heldBytes.length]).toEqual([20, 10])
  })

  test('lets go of what lies behind an end where a copy of the rest is worth it', () => {
    const held = (end: number) => {
      const reader = new FileReader(memorySource('file', bytes), undefined)
      reader.hold(20, bytes.subarray(20, 60))
      reader.trim(end)
      return [reader.heldBytes.length, reader.heldBytes.buffer === bytes.buffer]
    }
    expect(held(50)).toEqual([30, false])
    expect(held(51)).toEqual([40, true])
    expect(held(20)).toEqual([0, false])
    expect(held(19)).toEqual([40, true])
  })

  test('reads no more once the caller has stopped, but gives what it holds', async () => {
    const { source, asked } = watched()
    const stop = new AbortController()
    const reader = new FileReader(source, stop.signal)
    await reader.prime(0, 4)
    stop.abort('enough')
    expect(await reader.read(1, 2)).toHaveLength(2)
    await expect(reader.read(4, 2)).rejects.toMatchObject({ code: 'aborted', cause: 'enough' })
    expect(asked).toHaveLength(1)
    expect(() => throwIfAborted(undefined)).not.toThrow()
    expect(() => throwIfAborted(new AbortController().signal)).not.toThrow()
  })
})

describe('reading ahead', () => {
  /** Work that ends when it is told to. */
  function controlled() {
    const begun: number[] = []
    const ends = new Map<number, { resolve: (value: string) => void; reject: (error: Error) => void }>()
    const work = (item: number) => {
      begun.push(item)
      return new Promise<string>((resolve, reject) => ends.set(item, { resolve, reject }))
    }
    return { begun, ends, work }
  }

  test('has so many items under way and no more, and gives them in their order', async () => {
    const { begun, ends, work } = controlled()
    const results = readAhead([0, 1, 2, 3], 2, work)
    const first = results.next()
    await Promise.resolve()
    expect(begun).toEqual([0, 1])
    ends.get(1)!.resolve('one')
    ends.get(0)!.resolve('zero')
    expect(await first).toEqual({ value: 'zero', done: false })
    const second = results.next()
    expect(await second).toEqual({ value: 'one', done: false })
    expect(begun).toEqual([0, 1, 2])
    const third = results.next()
    await Promise.resolve()
    expect(begun).toEqual([0, 1, 2, 3])
    ends.get(2)!.resolve('two')
    ends.get(3)!.resolve('three')
    expect([(await third).value, (await results.next()).value, (await results.next()).done]).toEqual([
      'two',
      'three',
      true,
    ])
  })

  test.each([
    [10, 5, 2],
    [9, 5, 1],
    [4, 5, 1],
    [14, 5, 2],
    [15, 5, 3],
  ])('in a room of %i bytes has items of %i, %i of them', async (room, size, count) => {
    const { begun, ends, work } = controlled()
    const results = readAhead([0, 1, 2, 3], 4, work, { bytes: room, of: () => size })
    const first = results.next()
    await Promise.resolve()
    expect(begun).toHaveLength(count)
    ends.get(0)!.resolve('x')
    await first
    void results.next()
    await Promise.resolve()
    // the room of the first is free again
    expect(begun).toHaveLength(count + 1)
  })

  test('fails with an item only when its turn has come', async () => {
    const { ends, work } = controlled()
    const results = readAhead([0, 1], 2, work)
    const first = results.next()
    await Promise.resolve()
    ends.get(1)!.reject(new Error('torn'))
    ends.get(0)!.resolve('zero')
    expect((await first).value).toBe('zero')
    await expect(results.next()).rejects.toThrow('torn')
  })
})
