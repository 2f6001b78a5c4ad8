import type { DropTally } from '../drop-reasons.ts'
import { BloomUnion, bloomFilterOf, readBloomFilter } from '../footer/bloom-filter.ts'
import type { CarriedColumn } from '../footer/carried-columns.ts'
import { EXTRA, extrasOf, type Range } from '../footer/chunk-extras.ts'
import type { Footer } from '../footer/footer.ts'
import { mergeGeospatial } from '../footer/geospatial.ts'
import type { SizeStatistics } from '../footer/size-statistics.ts'
import { readSizes, sumSizes } from '../footer/size-statistics.ts'
import { isFloat } from '../footer/statistics.ts'
import { ThriftReader } from '../format/thrift-reader.ts'
import type { Kernel } from '../kernel/kernel.ts'
import { isTrap } from '../kernel/kernel-module.ts'
import type { FileReader } from '../read/file-reader.ts'
import type { LeafColumn } from '../schema/schema.ts'
import type { FinishedChunk } from '../write/finished-chunk.ts'

/** A chunk of the inputs that rows of the output's chunk come from. */
export interface CarriedChunk {
  footer: Footer
  /** number of the chunk in its footer */
  chunk: number
  /** @returns a range of the file if it is in memory */
  held(range: Range): Uint8Array | undefined
}

/** A row group of the inputs. */
export interface CarriedRowGroup {
  footer: Footer
  rowGroup: number
  /** where its page indexes and bloom filters are in memory */
  carried: readonly FileReader[]
}

/** A row group of an input; small ones are in memory, chunks of large ones are read as they are needed. */
export interface RowGroupSource extends CarriedRowGroup {
  file: FileReader
}

/**
 * Give a chunk of the output what footers say of the chunks that it is made of, beyond bounds and nulls.
 * @param members row groups of the inputs that rows of it come from, not empty
 * @param isWhole whether it has all of their rows; if not, its filter is built from its values or not at all
 * @param kernel  with no column in hand
 */
export function carryChunk(
  chunk: FinishedChunk,
  column: number,
  members: readonly CarriedRowGroup[],
  isWhole: boolean,
  carried: CarriedColumn,
  drops: DropTally,
  kernel: Kernel,
): FinishedChunk {
  let [some, every] = [0, 0xff]
  for (const { footer, rowGroup } of members) {
    const has = footer.chunkExtras[rowGroup * footer.schema.leaves.length + column]!
    some |= has
    every &= has
  }
  if (some === 0) return chunk
  const parts = members.map((member) => carriedChunk(member, column))
  const statistics = { ...chunk.statistics }
  if (statistics.nans < 0 && isWhole && isFloat(chunk.leaf) && every & EXTRA.NANS) {
    statistics.nans = parts.reduce((sum, { footer, chunk: own }) => sum + extrasOf(footer, own).nans, 0)
  }
  if (statistics.distinct < 0 && isWhole && parts.length === 1 && every & EXTRA.DISTINCT) {
    const { distinct } = extrasOf(parts[0]!.footer, parts[0]!.chunk)
    const values = chunk.levels - Math.max(0, statistics.nulls)
    if (distinct <= values && distinct > 0 === values > 0) statistics.distinct = distinct
  }
  const result = { ...chunk, statistics }
  if (carried.bloomFilter && some & EXTRA.BLOOM_FILTER)
    result.bloomFilter = carryBloomFilter(chunk, parts, isWhole, drops, kernel)
  if (some & EXTRA.SIZES && !chunk.sizes) {
    if (isWhole && every & EXTRA.SIZES) result.sizes = carrySizes(chunk.leaf, parts)
    else drops.add('size_statistics_missing')
  }
  if (some & EXTRA.KEY_VALUES) result.keyValues = carryKeyValues(parts, drops)
  if (some & EXTRA.GEOSPATIAL) result.geospatial = carryGeospatial(parts, drops)
  return result
}

export function carriedChunk({ footer, rowGroup, carried }: CarriedRowGroup, column: number): CarriedChunk {
  return {
    footer,
    chunk: rowGroup * footer.schema.leaves.length + column,
    held: ({ offset, bytes }) => carried.find((reader) => reader.has(offset, bytes))?.held(offset, bytes),
  }
}

/** The one there is, one built from values that are known, or all joined. */
function carryBloomFilter(
  chunk: FinishedChunk,
  parts: readonly CarriedChunk[],
  isWhole: boolean,
  drops: DropTally,
  kernel: Kernel,
): Uint8Array | undefined {
  if (chunk.bloomFilter) return chunk.bloomFilter
  const isBuilt = chunk.dictionary !== undefined
  if (isBuilt || !isWhole) {
    const filter = isBuilt ? buildBloomFilter(chunk, kernel) : undefined
    if (!filter) drops.add('bloom_filter_large')
    return filter
  }
  const union = new BloomUnion()
  for (const { footer, chunk: own, held } of parts) {
    if (isAllNull(footer, own)) continue
    const range = extrasOf(footer, own).bloomFilter
    if (!range) {
      drops.add('bloom_filter_missing')
      return undefined
    }
    const bytes = range.bytes > 0 ? held(range) : undefined
    const filter = bytes && readBloomFilter(bytes)
    if (!filter) {
      drops.add('bloom_filter_unread')
      return undefined
    }
    if (parts.length === 1) return filter.filter
    if (!union.add(filter.bitset)) {
      drops.add('bloom_filter_sizes')
      return undefined
    }
  }
  const joined = union.finish()
  if (!joined) drops.add('bloom_filter_full')
  return joined
}

/** @returns undefined where the values of the dictionary are too many */
function buildBloomFilter({ leaf, dictionary }: FinishedChunk, kernel: Kernel): Uint8Array | undefined {
  const values = dictionary!
  try {
    return bloomFilterOf(values, leaf, (bytes) => kernel.fillFilter(values, leaf.width, bytes))
  } catch (error) {
    if (!isTrap(error)) throw error
    kernel.hasTrapped = true
    return undefined
  }
}

/** nothing of it can be in a filter */
function isAllNull(footer: Footer, chunk: number): boolean {
  return footer.chunkNulls[chunk] === footer.chunkValues[chunk]
}

function carrySizes(leaf: LeafColumn, parts: readonly CarriedChunk[]): SizeStatistics | undefined {
  const all = parts.map(({ footer, chunk }) => readSizes(new ThriftReader(extrasOf(footer, chunk).sizes!)))
  return sumSizes(leaf, all)
}

function carryKeyValues(parts: readonly CarriedChunk[], drops: DropTally): Uint8Array | undefined {
  let kept: Uint8Array | undefined
  for (const [index, { footer, chunk }] of parts.entries()) {
    const own = extrasOf(footer, chunk).keyValues
    if (index === 0) kept = own
    if (own ? kept && isEqual(own, kept) : !kept) continue
    drops.add('chunk_key_values_differ')
    return undefined
  }
  return kept
}

function carryGeospatial(parts: readonly CarriedChunk[], drops: DropTally): Uint8Array | undefined {
  const all: Uint8Array[] = []
  for (const { footer, chunk } of parts) {
    if (isAllNull(footer, chunk)) continue
    const own = extrasOf(footer, chunk).geospatial
    if (!own) {
      drops.add('geospatial_statistics_missing')
      return undefined
    }
    all.push(own)
  }
  return all.length > 0 ? mergeGeospatial(all) : undefined
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}
