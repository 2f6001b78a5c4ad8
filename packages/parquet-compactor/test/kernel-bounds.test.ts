import { FixedSizeBinary, Table, tableToIPC, Utf8, type Vector, vectorFromArray } from 'apache-arrow'
import {
  Compression,
  Table as RustTable,
  readParquet,
  WriterPropertiesBuilder,
  WriterVersion,
  writeParquet,
} from 'parquet-wasm/node'
import { afterEach, expect, test, vi } from 'vitest'
import { mutateBytes } from '../fuzz/mutate.ts'
import { randomFrom } from '../fuzz/random.ts'
import { CODEC_NAMES } from '../src/codecs/compression.ts'
import { ENCODING } from '../src/format/format.ts'
import { memorySource } from '../src/index.ts'
import { type ColumnLimits, Kernel } from '../src/kernel/kernel.ts'
import { loadFooter } from '../src/read/inspect.ts'
import { expectFaithfulMerge, writeWithDuckDB } from './engines.ts'

const SEED = 20_260_102
const ROUNDS = 50_000
const MIB = 2 ** 20

/** are for others to read */
const DELTAS =
  (1 << ENCODING.DELTA_BINARY_PACKED) | (1 << ENCODING.DELTA_LENGTH_BYTE_ARRAY) | (1 << ENCODING.DELTA_BYTE_ARRAY)

const SELECT = `select i, 's' || i % 9 as s, case when i % 4 = 1 then null else i % 300 end as n, md5(i::varchar) as m,
  i % 3 = 0 as b, (i * 7)::decimal(30, 2) as d, case when i % 50 > 0 then 'x' || i end as x from range(400) t(i)`

/** Flat columns of several writers, as the kernel gets them. */
async function chunksOfWriters() {
  const files = [
    await writeWithDuckDB(SELECT),
    await writeWithDuckDB(SELECT, 'compression uncompressed, parquet_version v2'),
    await writeWithDuckDB(SELECT, 'compression snappy, dictionary_size_limit 1'),
    // noise, which zstd stores as it is
    await writeWithDuckDB('select hash(i) as h, hash(-i) as g from range(400) t(i)', 'compression zstd'),
  ]
  for (const version of [WriterVersion.V1, WriterVersion.V2]) {
    const properties = new WriterPropertiesBuilder()
      .setCompression(Compression.SNAPPY)
      .setWriterVersion(version)
      .setDataPageSizeLimit(512)
      .build()
    files.push(writeParquet(readParquet(files[0]!), properties))
  }
  const chunks = []
  for (const file of files) {
    const bytes = new Uint8Array(file)
    const {
      footer: { footer },
    } = await loadFooter(memorySource('file', bytes))
    for (const [column, leaf] of footer.schema.leaves.entries()) {
      const [at, length] = [footer.chunkOffset[column]!, footer.chunkBytes[column]!]
      const codec = CODEC_NAMES[footer.chunkCodec[column]!]!
      if (footer.chunkEncodings[column]! & DELTAS) continue
      chunks.push({ leaf, codec, levels: footer.chunkValues[column]!, bytes: bytes.slice(at, at + length) })
    }
  }
  return chunks
}

test(`${ROUNDS} mutated chunks neither trap nor fill the kernel, and none loses or gains a level (seed ${SEED})`, async () => {
  const chunks = await chunksOfWriters()
  const limits: ColumnLimits = { pageLevels: 128, pageBytes: 8192, dictionaryBytes: 2048 }
  const maxPageBytes = MIB
  const kernel = Kernel.acquire(undefined)
  const outcomes = { done: 0, odd: 0, paged: 0, full: 0 }
  for (let round = 0; round < ROUNDS; round++) {
    const random = randomFrom(SEED, round)
    const { leaf, codec, levels, bytes } = chunks[random(chunks.length)]!
    const mutated = mutateBytes(bytes, 0, random(2) ? bytes.length : Math.min(40, bytes.length), random)
    let written = 0
    kernel.onPage = ({ what, levels: own }) => {
      if (what !== 'dictionary') written += own
    }
    kernel.begin(leaf, 'snappy', limits)
    expect(kernel.take(bytes, levels, codec, maxPageBytes), `round ${round}`).toBe('done')
    const taken = kernel.take(mutated, levels, codec, maxPageBytes)
    outcomes[taken]++
    if (taken !== 'done') continue
    kernel.finish()
    expect(written, `round ${round}`).toBe(levels * 2)
  }
  expect(outcomes.odd).toBeGreaterThan(ROUNDS / 10)
  expect(outcomes.done).toBeGreaterThan(ROUNDS / 10)
  // one page at the most, beside what a column of these limits takes
  expect(kernel.memoryBytes).toBeLessThan(maxPageBytes + MIB)
})

function writeWithArrow(columns: Record<string, Vector>, dictionaryPageBytes: number): Uint8Array {
  const properties = new WriterPropertiesBuilder()
    .setCompression(Compression.SNAPPY)
    .setDictionaryPageSizeLimit(dictionaryPageBytes)
  return writeParquet(RustTable.fromIPCStream(tableToIPC(new Table(columns), 'stream')), properties.build())
}

test('values of a fixed width that no page has room for are read in another way', async () => {
  const width = MIB + 1
  const values = [0, 1].map((n) => new Uint8Array(width).fill(n))
  const file = writeWithArrow({ v: vectorFromArray(values, new FixedSizeBinary(width)) }, MIB)
  // as a list of numbers each would be read for minutes
  const { report } = await expectFaithfulMerge([file, file], { codec: 'none' }, { arrow: true })
  expect(report.columnChunks).toMatchObject({ rewritten: 2, reasons: { unexpected_pages: 2 } })
})

test('a text longer than a page is not lost with a dictionary that is given up', async () => {
  const random = randomFrom(SEED, 0)
  const long = Array.from({ length: 2 * MIB }, () => String.fromCharCode(33 + random(90))).join('')
  const texts = [long, ...Array.from({ length: 19 }, (_, i) => `short ${i}`)]
  const file = writeWithArrow({ v: vectorFromArray(texts, new Utf8()) }, 8 * MIB)
  await expectFaithfulMerge([file, file], { codec: 'none' })
  await expectFaithfulMerge([file], { codec: 'none' })
})

afterEach(() => vi.restoreAllMocks())

test('a kernel that trapped is not used again: pages are read value by value', async () => {
  let calls = 0
  vi.spyOn(Kernel.prototype, 'take').mockImplementation(() => {
    calls++
    // the one trap that can be had for sure
    throw new (globalThis as unknown as { WebAssembly: { RuntimeError: new () => Error } }).WebAssembly.RuntimeError()
  })
  const files = [await writeWithDuckDB(SELECT), await writeWithDuckDB(SELECT)]
  const { report } = await expectFaithfulMerge(files, { minPageBytes: 2 ** 16 })
  expect(calls).toBe(1)
  expect(report.columnChunks).toMatchObject({ coalesced: 0, rewritten: 14, reasons: { kernel_trapped: 14 } })
})
