import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { makeSeeds } from '../fuzz/make-seeds.ts'
import { mutate, readSeed } from '../fuzz/mutate.ts'
import { pick, randomFrom } from '../fuzz/random.ts'
import { NODE_CODECS } from '../src/command/node-codecs.ts'
import { type MergeOptions, memorySink, memorySource, mergeParquet, ParquetError } from '../src/index.ts'
import { readWithHyparquet } from './engines.ts'

const SEED = Number(process.env.FUZZ_SEED ?? 20_260_103)
/** `npm run test:long` takes all of them. */
const FILES = Number(process.env.FUZZ_FILES ?? (process.env.FUSOU_TESTS === 'long' ? 4000 : 500))

const folder = mkdtempSync(join(tmpdir(), 'sort-fuzz-'))
afterAll(() => rmSync(folder, { recursive: true }))

async function merge(files: Uint8Array[], options: MergeOptions): Promise<Uint8Array | ParquetError> {
  const sink = memorySink()
  const sources = files.map((bytes, i) => memorySource(['before', 'fuzz', 'behind'][i]!, bytes))
  try {
    await mergeParquet(sources, sink, { codecs: NODE_CODECS, memoryBudgetBytes: 2 ** 20, ...options })
    return sink.bytes()
  } catch (error) {
    if (error instanceof ParquetError) return error
    throw error
  }
}

interface Row {
  i: bigint | null | undefined
  s: string | Uint8Array | null | undefined
}

/** Numbers by value, texts byte by byte, as Parquet orders them. */
function compareKeys(a: bigint | string | Uint8Array, b: bigint | string | Uint8Array): number {
  if (typeof a === 'bigint' && typeof b === 'bigint') return a < b ? -1 : Number(a > b)
  return Buffer.compare(Buffer.from(a as Uint8Array), Buffer.from(b as Uint8Array))
}

const text = (row: unknown) => JSON.stringify(row, (_, value) => (typeof value === 'bigint' ? `${value}n` : value))

test(`${FILES} mutated files are sorted with the rows that they have, or refused by name (seed ${SEED})`, {
  timeout: 300_000,
}, async () => {
  await makeSeeds(folder)
  const seeds = readdirSync(folder)
    .sort()
    .map((name) => readSeed(name, new Uint8Array(readFileSync(join(folder, name)))))
  const ordered = { i: 0, s: 0 }
  const outcomes = { equal: 0, refused: 0 }
  for (let index = 0; index < FILES; index++) {
    const random = randomFrom(SEED, index)
    const seed = pick(seeds, random)
    const { bytes: mutated } = mutate(seed, seeds, random)
    const files = [seed.bytes, mutated, seed.bytes]
    const [column, descending] = [pick(['i', 's'] as const, random), random(2) === 0]
    const what = `file ${index}, ${seed.name}`
    const plain = await merge(files, { pages: 'rewrite' })
    const sorted = await merge(files, { sortBy: [{ column, descending }] })
    if (sorted instanceof ParquetError) {
      expect(sorted.message, what).toContain('fuzz')
      if (plain instanceof ParquetError) {
        outcomes.refused++
        continue
      }
      throw new Error(`${what} is refused when it is sorted: ${sorted.message}`)
    }
    if (plain instanceof ParquetError) throw new Error(`${what} is sorted, but refused otherwise: ${plain.message}`)
    outcomes.equal++
    const [own, expected] = (await Promise.all([sorted, plain].map(readWithHyparquet))) as unknown as [Row[], Row[]]
    expect(own.map(text).sort(), what).toEqual(expected.map(text).sort())
    const keys = own.map((row) => row[column]).filter((key) => key !== null && key !== undefined)
    const sign = descending ? -1 : 1
    for (const [at, key] of keys.entries()) {
      if (at > 0) expect(compareKeys(keys[at - 1]!, key) * sign, `${what}, row ${at}`).toBeLessThanOrEqual(0)
    }
    ordered[column] += Math.max(0, keys.length - 1)
  }
  expect(Math.min(ordered.i, ordered.s), 'pairs of keys that were compared').toBeGreaterThan(FILES)
  expect(outcomes.equal).toBeGreaterThan(FILES / 20)
  expect(outcomes.refused).toBeGreaterThan(FILES / 4)
})
