import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { NODE_CODECS } from '../src/command/node-codecs.ts'
import { PHYSICAL } from '../src/format/format.ts'
import { inspectParquet, type MergeOptions, memorySource, mergeParquet, ParquetError } from '../src/index.ts'
import { type HostileFile, type HostilePage, hostileFile, levelRun, run } from '../test/hostile-file.ts'
import { pick, type Random } from './random.ts'

/** Small, so that what is not bounded stands out. */
const MAX_WORK_BYTES = 2 ** 20
/** A merge may write twice its work before its meter stops it, and footers and metadata beside. */
const MAX_OUTPUT_BYTES = 4 * MAX_WORK_BYTES

const OPTIONS: MergeOptions = {
  codecs: NODE_CODECS,
  memoryBudgetBytes: 2 ** 20,
  limits: { maxWorkBytes: MAX_WORK_BYTES },
}

const COUNTS = [0, 1, 7, 1000, 2 ** 16, 2 ** 20, 2 ** 31 - 1, 2 ** 32, 2 ** 40, 2 ** 47, 2 ** 50]

/**
 * A file whose footer, row groups and column chunks agree with each other on whatever they claim: counts without end, pages that
 * unpack to many times their length, dictionaries of long values behind short indices, metadata of any size.
 */
export function makeHostile(random: Random): Uint8Array {
  const shape = random(6)
  const columns = random(4)
  const rows = Array.from({ length: 1 + random(4) }, () => pick(COUNTS, random))
  const keyValues = Array.from({ length: random(4) }, (_, i): [string, string] => {
    return [`key-${i}-${random(1000)}`, 'v'.repeat(pick([0, 10, 10_000, 300_000], random))]
  })
  const base: HostileFile = { columns, keyValues }
  if (shape === 0) return hostileFile({ ...base, rows })
  if (shape === 1) return hostileFile({ ...base, columns: random(3000), rows: rows.map(() => 0) })
  if (shape === 2) {
    const values = pick([10, 1000, 100_000, 900_000], random)
    const pages = Array.from({ length: 1 + random(20) }, () => ({ values, body: levelRun(values, 0) }))
    const claimed = random(3) === 0 ? { rows, values: rows[0]! } : {}
    return hostileFile({ ...base, columns: 1, repetition: 1 + random(2), pages, ...claimed })
  }
  if (shape === 3) {
    const bytes = pick([4000, 200_000, 2_000_000, 30_000_000], random)
    const [codec, compress] = pick(PACKERS, random)
    const page = { values: bytes / 4, body: compress(new Uint8Array(bytes)), uncompressedBytes: bytes }
    const lie = random(3) === 0 ? { uncompressedBytes: 100 } : {}
    return hostileFile({ ...base, columns: 1, codec, pages: Array.from({ length: 1 + random(5) }, () => page), ...lie })
  }
  if (shape === 4) return hostileFile({ ...base, columns: 1, physical: PHYSICAL.BYTE_ARRAY, pages: unfolding(random) })
  const pages = Array.from({ length: random(3000) }, () => ({ values: random(2), body: new Uint8Array(4) }))
  const own = pages.map(({ values, body }) => ({ values, body: body.subarray(0, values * 4) }))
  return hostileFile({ ...base, columns: 1, pages: own })
}

const PACKERS: [codec: number, compress: (bytes: Uint8Array) => Uint8Array][] = [
  [2, (bytes) => new Uint8Array(gzipSync(bytes))],
  [4, (bytes) => new Uint8Array(brotliCompressSync(bytes))],
  [6, (bytes) => new Uint8Array(zstdCompressSync(bytes))],
]

/** Values of a few long texts, as runs of indices. */
function unfolding(random: Random): HostilePage[] {
  const length = pick([10, 1000, 20_000], random)
  const entries = 1 + random(8)
  const dictionary = new Uint8Array(entries * (4 + length)).fill(random(256))
  for (let i = 0; i < entries; i++) new DataView(dictionary.buffer).setUint32(i * (4 + length), length, true)
  const values = pick([10, 1000, 30_000], random)
  return [
    { kind: 2, values: entries, body: dictionary },
    ...Array.from({ length: 1 + random(10) }, () => {
      return { values, encoding: 8, body: Uint8Array.of(3, ...run(values, random(entries))) }
    }),
  ]
}

/** @throws what must not be: an error of another kind, one that names another file, more output than is allowed */
export async function checkHostile(bytes: Uint8Array, random: Random): Promise<'equal' | 'refused'> {
  const pages = pick(['splice', 'check', 'rewrite'] as const, random)
  const codec = pick(['keep', 'none', 'snappy'] as const, random)
  let written = 0
  const sink = {
    async write(part: Uint8Array) {
      written += part.byteLength
      if (written > MAX_OUTPUT_BYTES) throw new RangeError(`more than ${MAX_OUTPUT_BYTES} bytes of output`)
    },
  }
  try {
    const { rowCount, columnCount } = await inspectParquet(memorySource('fuzz', bytes), undefined, undefined, {})
    const sources = [memorySource('fuzz', bytes), memorySource('fuzz', bytes)]
    const { rowsOut, rowGroupsOut } = await mergeParquet(sources, sink, { ...OPTIONS, pages, codec })
    if (rowsOut !== rowCount * 2) throw new Error(`${rowsOut} rows of twice ${rowCount}`)
    const maxRowGroups = 2 + (rowCount * 2) / 2 ** 16
    if (columnCount === 0 && rowGroupsOut > maxRowGroups) throw new Error(`${rowGroupsOut} row groups`)
    return 'equal'
  } catch (error) {
    if (!(error instanceof ParquetError) || error.code === 'write_failed') throw error
    // the sum of both is beyond a limit where none alone is
    const isOfAll = error.code === 'over_limit' || error.code === 'memory_budget'
    if (error.source !== 'fuzz' && !isOfAll) throw new Error(`the error names ${error.source}: ${error.message}`)
    return 'refused'
  }
}
