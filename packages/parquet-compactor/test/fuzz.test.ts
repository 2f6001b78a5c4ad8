import { expect, test } from 'vitest'
import { mutateBytes } from '../fuzz/mutate.ts'
import { randomFrom } from '../fuzz/random.ts'
import { runFuzz } from '../fuzz/run-fuzz.ts'
import { NODE_CODECS } from '../src/command/node-codecs.ts'
import { memorySink, memorySource, mergeParquet, ParquetError } from '../src/index.ts'
import { readWithHyparquet, writeWithDuckDB } from './engines.ts'

/** Printed with a failure, so that it can be repeated: FUZZ_SEED=… vitest run, or npm run fuzz -- --seed … --only … */
const SEED = Number(process.env.FUZZ_SEED ?? 20_260_101)
/** `npm run test:long` takes all of them. */
const FILES = Number(process.env.FUZZ_FILES ?? (process.env.FUSOU_TESTS === 'long' ? 100_000 : 2500))

/** pages of 1 MiB at the most, the readers, and two heaps */
const MAX_GROWTH_BYTES = 1024 * 2 ** 20

test(`${FILES} mutated files are merged with the rows that others read in them, or refused by name (seed ${SEED})`, {
  timeout: 30 * 60_000,
}, async () => {
  const { files, failures, outcomes, peakAboveIdleBytes } = await runFuzz({ seed: SEED, files: FILES })
  expect(failures.map(({ index, seedName, way, error }) => ({ index, seedName, way, error }))).toEqual([])
  expect(files).toBe(FILES)
  // each way must bring both, or it tests nothing; of files that are cut hardly one in 5,000 is read
  for (const [way, { equal, refused }] of Object.entries(outcomes)) {
    if (way !== 'cut') expect(equal, way).toBeGreaterThan(0)
    expect(refused, way).toBeGreaterThan(0)
  }
  expect(Object.keys(outcomes)).toHaveLength(8)
  expect(peakAboveIdleBytes).toBeLessThan(MAX_GROWTH_BYTES)
})

/** Columns of which some are spliced as they are, some under a joined dictionary. */
const spliced = (from: number, to: number, options: string) =>
  writeWithDuckDB(
    `select i, 's' || i % 9 as s, case when i % 4 = 1 then null else [i, null] end as l,
      {'a': i::double, 'b': md5(i::varchar)} as st, i % 3 = 0 as b,
      i // 3 as n, case when i % 5 > 0 then 'd' || (${from} + i % 40) end as d from range(${from}, ${to}) t(i)`,
    options,
  )

const LAYOUTS = ['snappy', 'zstd', 'gzip', 'brotli', 'uncompressed'].flatMap((codec) => [
  `compression ${codec}, parquet_version v1`,
  `compression ${codec}, parquet_version v2`,
])

test.each(LAYOUTS)(
  `a bad file between good ones is refused by name, or harms no row but its own: %s (seed ${SEED})`,
  { timeout: 300_000 },
  async (options) => {
    const [first, bytes, last] = (await Promise.all(
      [0, 300, 600].map((from) => spliced(from, from + 300, options)),
    )) as [Uint8Array, Uint8Array, Uint8Array]
    const own = new Uint8Array(bytes)
    const outcomes = { equal: 0, unreadable: 0, refused: 0 }
    const good = [...(await readWithHyparquet(first)), ...(await readWithHyparquet(last))]
    for (let round = 0; round < 120; round++) {
      const mutated = mutateBytes(own, 4, own.length, randomFrom(SEED + LAYOUTS.indexOf(options), round))
      const sources = [first, mutated, last].map((file, i) => memorySource(['first', 'fuzz', 'last'][i]!, file))
      const sink = memorySink()
      try {
        await mergeParquet(sources, sink, { minPageBytes: 0, codecs: NODE_CODECS })
      } catch (error) {
        expect(error, `round ${round}`).toBeInstanceOf(ParquetError)
        expect((error as ParquetError).message, `round ${round}`).toContain(': fuzz: ')
        outcomes.refused++
        continue
      }
      const decoded = memorySink()
      try {
        const decode = { codec: 'none', minPageBytes: 2 ** 30, codecs: NODE_CODECS } as const
        await mergeParquet([memorySource('merged', sink.bytes())], decoded, decode)
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
