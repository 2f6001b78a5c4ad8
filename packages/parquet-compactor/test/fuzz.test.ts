import { brotliCompressSync, zstdCompressSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { inspectParquet, memorySink, memorySource, mergeParquet, ParquetError } from '../src/index.ts'
import { readWithHyparquet, writeWithDuckDB } from './engines.ts'

/** Printed with a failure, so that it can be repeated: FUZZ_SEED=… vitest run */
const SEED = Number(process.env.FUZZ_SEED ?? 20_260_101)

/** mulberry32 */
function randomFrom(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % below
  }
}

const columns =
  "i, 's' || i % 9 as s, case when i % 4 = 1 then null else [i, null] end as l, {'a': i::double, 'b': md5(i::varchar)} as st, i % 3 = 0 as b"

/** Change up to four bytes of a range: set, flip a bit, insert by shifting, or cut a run to zero. */
function mutate(bytes: Uint8Array, from: number, to: number, random: (below: number) => number): Uint8Array {
  const mutated = bytes.slice()
  for (let changes = 1 + random(4); changes > 0; changes--) {
    const at = from + random(to - from)
    const kind = random(4)
    if (kind === 0) mutated[at] = random(256)
    else if (kind === 1) mutated[at]! ^= 1 << random(8)
    else if (kind === 2) mutated.copyWithin(at + 1, at, to - 1)
    else mutated.fill(random(2) * 255, at, Math.min(to, at + random(8)))
  }
  return mutated
}

test(`a footer with changed bytes is read or refused by name (seed ${SEED})`, { timeout: 60_000 }, async () => {
  const bytes = new Uint8Array(
    await writeWithDuckDB(`select ${columns} from range(200) t(i)`, "row_group_size 2048, kv_metadata {a: 'b'}"),
  )
  const { footerBytes } = await inspectParquet(memorySource('good', bytes))
  const random = randomFrom(SEED)
  const outcomes = { read: 0, refused: 0 }
  for (let round = 0; round < 5000; round++) {
    const mutated = mutate(bytes, bytes.length - footerBytes, bytes.length, random)
    try {
      await inspectParquet(memorySource('fuzz', mutated))
      outcomes.read++
    } catch (error) {
      expect(error, `round ${round}`).toBeInstanceOf(ParquetError)
      outcomes.refused++
    }
  }
  // both must happen, or the mutations test nothing
  expect(outcomes.read).toBeGreaterThan(100)
  expect(outcomes.refused).toBeGreaterThan(100)
})

const FILES = ['snappy', 'zstd', 'gzip', 'brotli', 'lz4_raw', 'uncompressed'].flatMap((codec) => [
  `compression ${codec}, parquet_version v1`,
  `compression ${codec}, parquet_version v2`,
])

test.each(FILES)(
  `pages and footers with changed bytes are merged or refused by name: %s (seed ${SEED})`,
  { timeout: 60_000 },
  async (options) => {
    const bytes = new Uint8Array(await writeWithDuckDB(`select ${columns} from range(300) t(i)`, options))
    const random = randomFrom(SEED + FILES.indexOf(options))
    const outcomes = { merged: 0, refused: 0 }
    for (let round = 0; round < 300; round++) {
      const mutated = mutate(bytes, 4, bytes.length, random)
      const sink = memorySink()
      try {
        const { rowsOut } = await mergeParquet([memorySource('good', bytes), memorySource('fuzz', mutated)], sink)
        outcomes.merged++
        // what was accepted is a file that can be merged again
        const again = await mergeParquet([memorySource('merged', sink.bytes())], memorySink())
        expect(again.rowsOut).toBe(rowsOut)
      } catch (error) {
        expect(error, `round ${round}`).toBeInstanceOf(ParquetError)
        expect((error as ParquetError).message, `round ${round}`).toContain(': fuzz: ')
        outcomes.refused++
      }
    }
    expect(outcomes.refused).toBeGreaterThan(10)
  },
)

/** Columns of which some are spliced as they are, some under a joined dictionary. */
const spliced = (from: number, to: number, options: string) =>
  writeWithDuckDB(
    `select ${columns}, i // 3 as n, case when i % 5 > 0 then 'd' || (${from} + i % 40) end as d from range(${from}, ${to}) t(i)`,
    options,
  )

/** What the library cannot write is kept only with the help of the caller. */
const COMPRESSORS = { zstd: { compress: zstdCompressSync }, brotli: { compress: brotliCompressSync } }

test.each(FILES.filter((options) => !options.includes('lz4')))(
  `a bad file between good ones is refused by name, or harms no row but its own: %s (seed ${SEED})`,
  { timeout: 120_000 },
  async (options) => {
    const [first, bytes, last] = (await Promise.all(
      [0, 300, 600].map((from) => spliced(from, from + 300, options)),
    )) as [Uint8Array, Uint8Array, Uint8Array]
    const own = new Uint8Array(bytes)
    const random = randomFrom(SEED + 100 + FILES.indexOf(options))
    const outcomes = { equal: 0, unreadable: 0, refused: 0 }
    const good = [...(await readWithHyparquet(first)), ...(await readWithHyparquet(last))]
    for (let round = 0; round < 120; round++) {
      const mutated = mutate(own, 4, own.length, random)
      const sources = [first, mutated, last].map((file, i) => memorySource(['first', 'fuzz', 'last'][i]!, file))
      const sink = memorySink()
      try {
        await mergeParquet(sources, sink, { minPageBytes: 0, codecs: COMPRESSORS })
      } catch (error) {
        expect(error, `round ${round}`).toBeInstanceOf(ParquetError)
        expect((error as ParquetError).message, `round ${round}`).toContain(': fuzz: ')
        outcomes.refused++
        continue
      }
      const decoded = memorySink()
      try {
        await mergeParquet([memorySource('merged', sink.bytes())], decoded, { codec: 'none', minPageBytes: 2 ** 30 })
      } catch (error) {
        expect(error, `round ${round}`).toBeInstanceOf(ParquetError)
        outcomes.unreadable++
        continue
      }
      outcomes.equal++
      const rows = await readWithHyparquet(decoded.bytes())
      expect([...rows.slice(0, 300), ...rows.slice(-300)], `round ${round}`).toEqual(good)
    }
    expect(outcomes.refused).toBeGreaterThan(10)
    expect(outcomes.equal).toBeGreaterThan(0)
  },
)
