import { expect, test } from 'vitest'
import { memorySource, mergeParquet, type Sink, type Source } from '../src/index.ts'
import { readWithHyparquet, writeWithDuckDB } from './engines.ts'

const noise = (from: number, to: number) =>
  writeWithDuckDB(`select hash(i) as n, md5(i::varchar) as s from range(${from}, ${to}) t(i)`)
const nextTurn = () => new Promise((resolve) => setImmediate(resolve))

/** Files of some 240 KB that stay row groups of their own, are not held, and are read one ahead at most. */
const READ_LATE = { partBytes: 300_000, smallFileBytes: 1, maxReadsInFlight: 1, targetRowGroupRows: 5000 }
const manyFiles = () => Promise.all(Array.from({ length: 8 }, (_, i) => noise(i * 5000, i * 5000 + 5000)))

test('the sink gets parts of one size, one at a time', async () => {
  const parts: Uint8Array[] = []
  let underWay = 0
  const sink: Sink = {
    async write(bytes) {
      expect(++underWay).toBe(1)
      parts.push(bytes.slice())
      await nextTurn()
      underWay--
    },
  }
  const bytes = await noise(0, 20_000)
  const { bytesOut } = await mergeParquet([memorySource('a', bytes)], sink, { partBytes: 100_000 })
  expect(parts.length).toBeGreaterThan(2)
  expect(new Set(parts.slice(0, -1).map(({ length }) => length))).toEqual(new Set([100_000]))
  const output = new Uint8Array(Buffer.concat(parts))
  expect(output.length).toBe(bytesOut)
  expect((await readWithHyparquet(output)).length).toBe(20_000)
})

test('a part is left as it is until the sink has written it', async () => {
  const parts: Uint8Array[] = []
  const sink: Sink = {
    async write(bytes) {
      const before = bytes.slice()
      for (let turn = 0; turn < 20; turn++) await nextTurn()
      expect(bytes).toEqual(before)
      parts.push(before)
    },
  }
  const files = await manyFiles()
  const sources = files.map((bytes, i) => memorySource(`${i}`, bytes))
  await mergeParquet(sources, sink, READ_LATE)
  expect(parts.length).toBeGreaterThan(3)
  expect((await readWithHyparquet(new Uint8Array(Buffer.concat(parts)))).length).toBe(40_000)
})

test('inputs are read while the sink writes', async () => {
  const files = await manyFiles()
  let wasRead = () => {}
  const sources = files.map((bytes, i): Source => {
    const source = memorySource(`${i}`, bytes)
    const read: Source['read'] = (offset, length) => {
      wasRead()
      return source.read(offset, length)
    }
    return { ...source, read }
  })
  let parts = 0
  const sink: Sink = {
    write: async () => {
      // the first part is not written before something more is read
      if (parts++ === 0) await new Promise<void>((resolve) => (wasRead = resolve))
    },
  }
  const { rowsOut } = await mergeParquet(sources, sink, READ_LATE)
  expect(rowsOut).toBe(40_000)
})

test('a part that cannot be written ends the merge, and nothing is written after it', async () => {
  const bytes = await noise(0, 20_000)
  let parts = 0
  const sink: Sink = {
    async write() {
      await nextTurn()
      if (++parts === 2) throw new Error('disk full')
    },
  }
  const merged = mergeParquet([memorySource('a', bytes)], sink, { partBytes: 10_000 })
  await expect(merged).rejects.toMatchObject({ code: 'write_failed', message: 'write_failed: disk full' })
  await nextTurn()
  expect(parts).toBe(2)
})

test.each(['splice', 'check', 'rewrite'] as const)(
  'a part that cannot be written is no fault of an input: %s',
  async (pages) => {
    const bytes = await noise(0, 20_000)
    const write = () => Promise.reject(new Error('disk full'))
    const options = { pages, partBytes: 10_000, targetRowGroupRows: 5000, codec: 'snappy' as const }
    const error = await mergeParquet([memorySource('a', bytes)], { write }, options).catch((thrown) => thrown)
    expect([error.code, error.source, error.message]).toEqual(['write_failed', undefined, 'write_failed: disk full'])
  },
)

test('the last part that cannot be written ends the merge, too', async () => {
  const bytes = await noise(0, 10)
  const write = async () => {
    await nextTurn()
    throw new Error('disk full')
  }
  await expect(mergeParquet([memorySource('a', bytes)], { write })).rejects.toMatchObject({ code: 'write_failed' })
})

test('a merge that fails waits for what the sink is writing', async () => {
  const files = await manyFiles()
  let isLost = false
  const sources = files.map((bytes, i): Source => {
    const source = memorySource(`${i}`, bytes)
    const read: Source['read'] = async (offset, length) => {
      if (isLost && i === 7) throw new Error('gone')
      return source.read(offset, length)
    }
    return { ...source, read }
  })
  let underWay = 0
  const sink: Sink = {
    async write() {
      underWay++
      isLost = true
      for (let turn = 0; turn < 50; turn++) await nextTurn()
      underWay--
    },
  }
  await expect(mergeParquet(sources, sink, READ_LATE)).rejects.toMatchObject({ code: 'read_failed' })
  expect(isLost).toBe(true)
  expect(underWay).toBe(0)
})
