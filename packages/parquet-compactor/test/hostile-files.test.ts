import { brotliCompressSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { PHYSICAL, REPETITION } from '../src/format/format.ts'
import {
  type FileLimits,
  findFaults,
  inspectParquet,
  type MergeOptions,
  type MergeReport,
  memorySource,
  mergeParquet,
  ParquetError,
  type Sink,
  type Source,
} from '../src/index.ts'
import { type HostileFile, hostileFile, levelRun, run } from './hostile-file.ts'

const MIB = 2 ** 20

/** as an upload is held to them, a hundredth in size, so that tests are quick */
const UPLOAD: FileLimits = { maxFooterBytes: 64 * 1024, maxKeyValueBytes: 16 * 1024, maxWorkBytes: 8 * MIB }
const MERGE: MergeOptions = {
  pages: 'check',
  memoryBudgetBytes: 16 * MIB,
  limits: { ...UPLOAD, maxWorkBytes: 16 * MIB },
}

/** Fails the merge that writes more. */
function sinkOf(maxBytes: number): Sink {
  let bytes = 0
  return {
    async write(part) {
      bytes += part.byteLength
      if (bytes > maxBytes) throw new RangeError(`more than ${maxBytes} bytes`)
    },
  }
}

/** Counts what is asked for. */
function counting(name: string, bytes: Uint8Array): Source & { bytesRead: number } {
  const source = {
    name,
    byteLength: bytes.byteLength,
    bytesRead: 0,
    async read(offset: number, length: number) {
      source.bytesRead += length
      return bytes.subarray(offset, offset + length)
    },
  }
  return source
}

const merge = (files: readonly Uint8Array[], options: MergeOptions = MERGE, maxBytes = MIB): Promise<MergeReport> =>
  mergeParquet(
    files.map((bytes, i) => memorySource(`file-${i}`, bytes)),
    sinkOf(maxBytes),
    options,
  )

const inspect = (bytes: Uint8Array, limits = UPLOAD) =>
  inspectParquet(memorySource('upload', bytes), undefined, undefined, limits)

const nulls = (rows: number, pages = 1): HostileFile => ({
  repetition: REPETITION.OPTIONAL,
  pages: Array.from({ length: pages }, () => ({ values: rows / pages, body: levelRun(rows / pages, 0) })),
})
const emptyLists = (rows: number, pages: number): HostileFile => ({
  repetition: REPETITION.REPEATED,
  pages: Array.from({ length: pages }, () => ({
    values: rows / pages,
    body: Uint8Array.of(...levelRun(rows / pages, 0), ...levelRun(rows / pages, 0)),
  })),
})

/** pages of zeros that nothing but their header tells apart from small ones */
function bomb(bytes: number, pages: number): HostileFile {
  const body = new Uint8Array(brotliCompressSync(new Uint8Array(bytes)))
  const values = bytes / 4
  return { codec: 4, pages: Array.from({ length: pages }, () => ({ values, body, uncompressedBytes: bytes })) }
}

describe('counts that the bytes of a file cannot hold are refused at upload and in a merge, with the figures', () => {
  const rows = 2 ** 53 - 1
  const CASES: [string, HostileFile, RegExp][] = [
    ['rows of a schema without columns', { columns: 0, rows: [rows] }, /9007199254740991 rows, where/],
    ['the same in many row groups', { columns: 0, rows: Array.from({ length: 7 }, () => 2 ** 50) }, / rows, where/],
    ['rows of a column without pages', { rows: [rows], values: rows }, /column c0: 9007199254740991 values in 0 bytes/],
    ['rows of one short page', { ...nulls(8), rows: [rows], values: rows }, /column c0: 9007199254740991 values in/],
    ['values of lists of no rows', { ...emptyLists(8, 1), rows: [0], values: 2 ** 50 }, /column c0: \d+ values in/],
    ['rows of many columns', { ...nulls(8), columns: 100, rows: [2 ** 40], values: 2 ** 40 }, /column c0: /],
  ]
  expect(CASES).toHaveLength(6)

  test.each(CASES)('%s', async (_, file, message) => {
    const bytes = hostileFile(file)
    const refusal = { code: 'over_limit', source: 'upload', permanent: true, message: expect.stringMatching(message) }
    await expect(inspect(bytes)).rejects.toMatchObject(refusal)
    await expect(merge([bytes, bytes])).rejects.toMatchObject({ ...refusal, source: 'file-0' })
    expect(await findFaults([memorySource('upload', bytes)], MERGE)).toMatchObject([
      { source: 'upload', code: 'over_limit' },
    ])
  })

  test('as many rows without columns as a file may have merge into few bytes, and one more is refused', async () => {
    const of = (count: number) => hostileFile({ columns: 0, rows: [count] })
    const most = of(2 ** 25).byteLength * 2 ** 20
    const report = await merge([of(most), of(most)], { ...MERGE, limits: {} }, 64 * 1024)
    expect(report.rowsOut).toBe(most * 2)
    await expect(merge([of(most + 1)], { ...MERGE, limits: {} })).rejects.toMatchObject({ code: 'over_limit' })
  })
})

describe('work is bounded by what footers declare, before a page is read', () => {
  const CASES: [string, HostileFile, RegExp][] = [
    ['nulls in runs', nulls(2 ** 23 + 2 ** 20, 9), /9437184 values/],
    ['empty lists in runs', emptyLists(2 ** 23 + 2 ** 20, 9), /9437184 values/],
    ['pages of few bytes that unpack to many', bomb(MIB, 9), /9437184 uncompressed bytes/],
    ['very many column chunks', { columns: 150, rows: Array.from({ length: 15 }, () => 0) }, /2250 column chunks/],
  ]
  expect(CASES).toHaveLength(4)

  test.each(CASES)('%s', async (_, file, figure) => {
    const limits = { ...UPLOAD, maxFooterBytes: 2 * MIB }
    const bytes = hostileFile(file)
    const refusal = { code: 'over_limit', message: expect.stringMatching(figure) }
    await expect(inspect(bytes, limits)).rejects.toMatchObject(refusal)
    const source = counting('file', bytes)
    const merging = mergeParquet([source], sinkOf(0), { ...MERGE, limits })
    await expect(merging).rejects.toMatchObject({ ...refusal, source: 'file' })
    expect(source.bytesRead).toBeLessThanOrEqual(bytes.byteLength)
  })

  test('a file of exactly the limit passes, and one byte less refuses it', async () => {
    const bytes = hostileFile(nulls(1000))
    const { workBytes, footerBytes, valueCount, uncompressedBytes } = await inspect(bytes)
    expect(workBytes).toBe(footerBytes + valueCount + uncompressedBytes + 4096)
    expect(valueCount).toBe(1000)
    for (const [limit, value] of [
      ['maxWorkBytes', workBytes],
      ['maxFooterBytes', footerBytes],
    ] as const) {
      await expect(inspect(bytes, { [limit]: value })).resolves.toMatchObject({ rowCount: 1000 })
      await expect(inspect(bytes, { [limit]: value - 1 })).rejects.toMatchObject({ code: 'over_limit' })
    }
  })

  test('files that are too much together name none of them, so that fewer can be merged', async () => {
    const bytes = hostileFile(nulls(6 * MIB, 24))
    await expect(merge([bytes, bytes])).resolves.toMatchObject({ rowsOut: 12 * MIB })
    const failing = merge([bytes, bytes, bytes])
    await expect(failing).rejects.toMatchObject({ code: 'over_limit' })
    expect(await failing.catch((error: ParquetError) => error.source)).toBeUndefined()
  })
})

describe('footers that lie', () => {
  test('pages that unpack to far more than their footer says stop the merge, which names that file alone', async () => {
    const liar = hostileFile({ ...bomb(MIB, 40), uncompressedBytes: 100, rows: [40 * (MIB / 4)] })
    const sound = hostileFile({ codec: 4, pages: bomb(MIB, 1).pages! })
    const limits = { ...UPLOAD, maxWorkBytes: 14 * MIB }
    await expect(inspect(liar, limits)).resolves.toBeDefined()
    await expect(merge([sound, liar, sound], { ...MERGE, limits }, 64 * MIB)).rejects.toMatchObject({
      code: 'over_limit',
      source: 'file-1',
      message: expect.stringMatching(/its pages unpack to \d+ bytes, where its footer declares work of \d+/),
    })
  })

  test('a page that unpacks to more than it declares stops there', async () => {
    const body = new Uint8Array(brotliCompressSync(new Uint8Array(64 * MIB)))
    const bytes = hostileFile({ codec: 4, pages: [{ values: 2, body, uncompressedBytes: 8 }] })
    await expect(merge([bytes])).rejects.toMatchObject({ code: 'corrupt_data', source: 'file-0', column: 'c0' })
  })
})

describe('values that repeat in few bytes', () => {
  /** one dictionary of a few long texts, and indices in runs */
  const unfolding = (first: number, rows: number): HostileFile => {
    const length = 100_000
    const entries = 8
    const dictionary = new Uint8Array(entries * (4 + length))
    for (let i = 0; i < entries; i++) {
      new DataView(dictionary.buffer).setUint32(i * (4 + length), length, true)
      dictionary.fill(first + i, i * (4 + length) + 4, (i + 1) * (4 + length))
    }
    return {
      physical: PHYSICAL.BYTE_ARRAY,
      codec: 4,
      pages: [
        {
          kind: 2,
          values: entries,
          body: new Uint8Array(brotliCompressSync(dictionary)),
          uncompressedBytes: dictionary.length,
        },
        ...Array.from({ length: 10 }, (_, i) => {
          const indices = Uint8Array.of(3, ...run(rows / 10, i % entries))
          return {
            values: rows / 10,
            encoding: 8,
            body: new Uint8Array(brotliCompressSync(indices)),
            uncompressedBytes: indices.length,
          }
        }),
      ],
    }
  }

  test('a merge that would write them plain stops before it holds or writes much, and names a file', async () => {
    const files = Array.from({ length: 12 }, (_, i) => hostileFile(unfolding(i * 8, 200_000)))
    for (const file of files) await expect(inspect(file)).resolves.toMatchObject({ rowCount: 200_000 })
    for (const pages of ['check', 'rewrite'] as const) {
      const merging = merge(files, { ...MERGE, pages, codec: 'none' }, 64 * MIB)
      const outcome = await merging.then(
        ({ bytesOut }) => ({ bytesOut }),
        (error: unknown) => error,
      )
      if (outcome instanceof ParquetError) {
        expect(outcome).toMatchObject({ code: 'over_limit', source: expect.stringMatching(/^file-\d+$/) })
      } else {
        expect(outcome).toMatchObject({ bytesOut: expect.any(Number) })
      }
    }
  })
})

describe('what is held from the first footer to the last byte', () => {
  test('key-value metadata of one file beyond its limit is refused by name', async () => {
    const of = (bytes: number): HostileFile => ({ ...nulls(3), keyValues: [['k', 'v'.repeat(bytes - 1)]] })
    const [fits, exceeds] = [hostileFile(of(16 * 1024)), hostileFile(of(16 * 1024 + 1))]
    await expect(inspect(fits)).resolves.toBeDefined()
    await expect(inspect(exceeds)).rejects.toMatchObject({
      code: 'over_limit',
      message: expect.stringMatching(/16385 bytes of key-value/),
    })
    await expect(merge([fits, exceeds])).rejects.toMatchObject({ code: 'over_limit', source: 'file-1' })
  })

  test('that of all files together is kept as far as it fits, and the rest is counted', async () => {
    const files = Array.from({ length: 100 }, (_, i) =>
      hostileFile({
        ...nulls(3),
        keyValues: [
          [`key-${i}`, 'v'.repeat(16_000)],
          ['same', 'x'],
        ],
      }),
    )
    const report = await merge(files, { ...MERGE, memoryBudgetBytes: 8 * MIB, limits: UPLOAD }, 700_000)
    const { written, dropped, droppedCount } = report.keyValueMetadata
    expect(dropped.length).toBeLessThan(droppedCount)
    for (const { reason } of dropped) expect(reason).toBe('too_large')
    // a sixteenth of the budget
    expect(written).toBe(Math.floor((8 * MIB) / 16 / 16_006) + 1)
    expect(written + droppedCount).toBe(101)
  })

  test('metadata of chunks is carried as far as an eighth of the budget holds it, and the chunks without are counted', async () => {
    const page = { values: 1, body: new Uint8Array(4) }
    const file = hostileFile({ pages: [page], chunkKeyValueBytes: 100_000 })
    const files = Array.from({ length: 40 }, () => file)
    const options: MergeOptions = {
      memoryBudgetBytes: 8 * MIB,
      // a row group of the output for each of the inputs
      targetRowGroupRows: 1,
      limits: { maxFooterBytes: MIB },
    }
    const report = await merge(files, options, 2 * MIB)
    expect(report).toMatchObject({ rowsOut: 40, rowGroupsOut: 40 })
    expect(report.dropped).toEqual({ description_memory: 30 })
    expect(report.bytesOut).toBeLessThan(1.2 * MIB)
    expect(report.bytesOut).toBeGreaterThan(MIB / 2)
  })

  test('a footer that is too long is refused before it is read', async () => {
    const bytes = hostileFile({ ...nulls(3), keyValues: [['k', 'v'.repeat(200_000)]] })
    const source = counting('long', bytes)
    const refusal = {
      code: 'over_limit',
      source: 'long',
      message: expect.stringMatching(/a footer of 2\d{5} bytes, where 65536/),
    }
    await expect(inspectParquet(source, undefined, undefined, UPLOAD)).rejects.toMatchObject(refusal)
    await expect(mergeParquet([source], sinkOf(0), MERGE)).rejects.toMatchObject(refusal)
    expect(source.bytesRead).toBeLessThan(2 * 65_536 + 100)
  })

  test('without a limit of the caller a footer takes an eighth of the memory budget at the most', async () => {
    const bytes = hostileFile({ ...nulls(3), keyValues: [['k', 'v'.repeat(200_000)]] })
    const limits: FileLimits = { maxKeyValueBytes: MIB }
    await expect(merge([bytes], { memoryBudgetBytes: 2 * MIB, limits }, MIB)).resolves.toMatchObject({ rowsOut: 3 })
    await expect(merge([bytes], { memoryBudgetBytes: MIB, limits })).rejects.toMatchObject({ code: 'over_limit' })
  })

  test('long footers are read one at a time', async () => {
    const bytes = hostileFile({ columns: 3000, rows: [0] })
    let open = 0
    let mostOpen = 0
    let whole = 0
    const source = (name: string): Source => ({
      name,
      byteLength: bytes.byteLength,
      async read(offset, length) {
        const isRest = offset > 0 && length !== Math.min(bytes.byteLength, 64 * 1024)
        if (isRest) {
          whole++
          mostOpen = Math.max(mostOpen, ++open)
        }
        await new Promise((resolve) => setImmediate(resolve))
        if (isRest) open--
        return bytes.subarray(offset, offset + length)
      },
    })
    const sources = Array.from({ length: 10 }, (_, i) => source(`file-${i}`))
    await mergeParquet(sources, sinkOf(MIB), { memoryBudgetBytes: 8 * MIB, limits: { maxFooterBytes: MIB } })
    expect(whole).toBeGreaterThanOrEqual(10)
    expect(mostOpen).toBe(1)
  })

  test('pages of one value pass as objects only up to a number; more are rewritten', async () => {
    // texts that no dictionary makes smaller
    const body = (i: number) =>
      new Uint8Array(404)
        .fill(i, 4)
        .fill(i >> 8, 8)
        .map((byte, at) => (at < 4 ? [144, 1, 0, 0][at]! : byte))
    const pages = (count: number) => Array.from({ length: count }, (_, i) => ({ values: 1, body: body(i) }))
    const of = (count: number) => hostileFile({ physical: PHYSICAL.BYTE_ARRAY, pages: pages(count) })
    const options: MergeOptions = { minPageBytes: 0 }
    const few = await merge([of(5000), of(5000)], options, 64 * MIB)
    expect(few.columnChunks).toMatchObject({ spliced: 2 })
    const many = await merge([of(9000), of(9000)], options, 64 * MIB)
    expect(many.columnChunks).toMatchObject({ spliced: 0, rewritten: 2, reasons: { small_pages: 2 } })
    expect(many.rowsOut).toBe(18_000)
  })

  test('schemas that differ are united as long as they fit into a quarter of the budget', async () => {
    const of = (columns: number) => hostileFile({ columns, rows: [0] })
    const options: MergeOptions = { schema: 'union', memoryBudgetBytes: 2 * MIB, limits: { maxFooterBytes: MIB } }
    await expect(merge([of(100), of(150), of(200)], options)).resolves.toMatchObject({ files: 3 })
    await expect(merge([of(600), of(601), of(602)], options)).rejects.toMatchObject({ code: 'memory_budget' })
  })
})
