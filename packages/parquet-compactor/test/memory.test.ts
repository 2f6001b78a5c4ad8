import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { MergeOptions } from '../src/index.ts'
import { writeWithDuckDB } from './engines.ts'
import type { HeldBytes, HeldOrder } from './held-bytes.ts'

const MIB = 2 ** 20
const BUDGET = 16 * MIB
/** files that are written of each shape, and read again and again */
const KINDS = 10

const COLUMNS = Array.from({ length: 12 }, (_, c) =>
  c % 3 === 0
    ? `hash(i * ${c + 1}) as n${c}`
    : c % 3 === 1
      ? `'name ' || (i % ${c + 7}) as s${c}`
      : `i / ${c}.0 as d${c}`,
).join()

/** What the files are like, several of each kind, so that dictionaries and bounds differ. */
const SHAPES: Record<string, { select: string; rows: number }> = {
  'tiny files of many columns': { select: COLUMNS, rows: 20 },
  'files of many pages': { select: COLUMNS, rows: 4000 },
  'files of one column that nothing repeats in': {
    select: 'md5(i::varchar) || md5((i * 7)::varchar) as text',
    rows: 4000,
  },
  'files that unpack to far more': { select: "repeat('abcdefghij', 50) || i as text", rows: 4000 },
  'narrow files': { select: 'hash(i) as n, i as m', rows: 20_000 },
  'files of lists': { select: '[i, i + 1, null, i * 3] as list, i as n', rows: 4000 },
}

let folder: string
const paths: Record<string, string[]> = {}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'held-bytes-'))
  for (const [number, [shape, { select, rows }]] of Object.entries(SHAPES).entries()) {
    paths[shape] = []
    for (let f = 0; f < KINDS; f++) {
      const path = join(folder, `${number}-${f}.parquet`)
      writeFileSync(path, await writeWithDuckDB(`select ${select} from range(${f * rows}, ${(f + 1) * rows}) t(i)`))
      paths[shape]!.push(path)
    }
  }
})
afterAll(() => rmSync(folder, { recursive: true }))

async function heldBytes(shape: string, files: number, options: MergeOptions, hasScratch = false): Promise<HeldBytes> {
  const order: HeldOrder = {
    paths: paths[shape]!,
    files,
    options: { memoryBudgetBytes: BUDGET, ...options },
    hasScratch,
  }
  const script = join(import.meta.dirname, 'held-bytes.ts')
  const flags = ['--expose-gc', '--disable-warning=ExperimentalWarning']
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, script, JSON.stringify(order)])
  return JSON.parse(stdout)
}

/** Every case takes a process of its own; `npm run test:long` takes them all, and `npm test` each fifth. */
const inTurn = <Case>(cases: readonly Case[]): Case[] =>
  cases.filter((_, i) => process.env.FUSOU_TESTS === 'long' || i % 5 === 0)

/** on the heap, for its source and its place in lists */
const HEAP_OF_SOURCE = 1024

describe('what a merge holds stays below the memory budget', () => {
  const CASES: [shape: string, files: number, options: MergeOptions][] = [
    ['tiny files of many columns', 1000, { schema: 'union' }],
    ['tiny files of many columns', 3000, { pages: 'check' }],
    ['tiny files of many columns', 1000, { pages: 'rewrite' }],
    ['tiny files of many columns', 6000, {}],
    ['files of many pages', 120, {}],
    ['files of many pages', 120, { codec: 'zstd' }],
    ['files of many pages', 120, { partBytes: BUDGET / 8 }],
    ['narrow files', 36, { partBytes: BUDGET / 8, sortBy: [{ column: 'n' }] }],
    ['files of many pages', 60, { pages: 'rewrite' }],
    ['files of one column that nothing repeats in', 120, {}],
    ['files of one column that nothing repeats in', 120, { minPageBytes: 0 }],
    ['files that unpack to far more', 200, {}],
    ['files that unpack to far more', 200, { codec: 'zstd' }],
    ['files that unpack to far more', 200, { pages: 'check' }],
    ['files that unpack to far more', 200, { pages: 'rewrite', codec: 'gzip' }],
    ['files of lists', 300, {}],
    ['files of many pages', 20, { sortBy: [{ column: 'n0' }] }],
    ['files of many pages', 60, { sortBy: [{ column: 'n0' }] }],
    ['files of many pages', 120, { sortBy: [{ column: 'n0' }] }],
    ['files of many pages', 60, { sortBy: [{ column: 's1' }] }],
    ['files of lists', 60, { sortBy: [{ column: 'n' }] }],
    ['narrow files', 36, { sortBy: [{ column: 'n' }] }],
    ['narrow files', 80, { sortBy: [{ column: 'n' }] }],
    ['tiny files of many columns', 600, { sortBy: [{ column: 'n0' }] }],
    ['files of many pages', 60, { dedupeBy: ['n0'] }],
  ]
  test.each(inTurn(CASES))('%s, %i of them, %j', { timeout: 120_000 }, async (shape, files, options) => {
    const { peak, peakBuffers, rows } = await heldBytes(shape, files, options)
    // of the same file again, no row stays
    expect(rows).toBe((options.dedupeBy ? KINDS : files) * SHAPES[shape]!.rows)
    expect(peakBuffers).toBeLessThan(BUDGET)
    expect(peak).toBeLessThan(BUDGET + files * HEAP_OF_SOURCE)
  })

  const SORTED = [
    ['files of many pages', 60, 'n0'],
    ['files of many pages', 240, 'n0'],
    ['files of many pages', 120, 's1'],
    ['files of lists', 240, 'n'],
    ['narrow files', 200, 'n'],
    ['files of one column that nothing repeats in', 200, 'text'],
  ] as const
  test.each(inTurn(SORTED))(
    'with a scratch: %s, %i of them, sorted by %s',
    { timeout: 240_000 },
    async (shape, files, column) => {
      const { peak, peakBuffers, rows, scratchBytes } = await heldBytes(shape, files, { sortBy: [{ column }] }, true)
      expect(rows).toBe(files * SHAPES[shape]!.rows)
      expect(scratchBytes, 'rows in the scratch').toBeGreaterThan(rows)
      expect(peakBuffers).toBeLessThan(BUDGET)
      expect(peak).toBeLessThan(BUDGET + files * HEAP_OF_SOURCE)
    },
  )
})
