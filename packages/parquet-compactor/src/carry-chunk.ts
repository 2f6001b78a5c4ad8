import { BloomUnion, bloomFilterOf, readBloomFilter } from './bloom-filter.ts'
import { EXTRA, extrasOf, type Range, readSizes } from './chunk-extras.ts'
import type { DropTally } from './drop-reasons.ts'
import type { FileReader } from './file-reader.ts'
import type { FinishedChunk, SizeStatistics } from './finished-chunk.ts'
import type { Footer } from './footer.ts'
import { PHYSICAL } from './format.ts'
import { mergeGeospatial } from './geospatial.ts'
import type { LeafColumn, Schema } from './schema.ts'
import { isFloat } from './statistics.ts'
import { ThriftReader } from './thrift-reader.ts'

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

/** What the chunks of a column have in the inputs, so that those of the output are to have it too. */
export interface CarriedColumn {
  /** some chunk has what concerns chunks that are joined */
  isAny: boolean
  /** some chunk has one */
  bloomFilter: boolean
  /** every chunk has them */
  sizes: boolean
}

const JOINED = EXTRA.NANS | EXTRA.BLOOM_FILTER | EXTRA.KEY_VALUES | EXTRA.SIZES | EXTRA.GEOSPATIAL

export function carriedColumns(footers: readonly Footer[], schema: Schema): CarriedColumn[] {
  const columns = schema.leaves.length
  const some = new Uint8Array(columns)
  const every = new Uint8Array(columns).fill(0xff)
  for (const { chunkExtras, chunkValues } of footers) {
    for (let chunk = 0, column = 0; chunk < chunkExtras.length; chunk++) {
      some[column]! |= chunkExtras[chunk]!
      if (chunkValues[chunk]! > 0) every[column]! &= chunkExtras[chunk]!
      if (++column === columns) column = 0
    }
  }
  return schema.leaves.map(({ physical }, column) => ({
    isAny: (some[column]! & JOINED) !== 0,
    // how a BOOLEAN is hashed, the format does not say
    bloomFilter: physical !== PHYSICAL.BOOLEAN && (some[column]! & EXTRA.BLOOM_FILTER) !== 0,
    sizes: (every[column]! & some[column]! & EXTRA.SIZES) !== 0,
  }))
}

/**
 * Give a chunk of the output what footers say of the chunks that it is made of, beyond bounds and nulls.
 * @param members row groups of the inputs that rows of it come from, not empty
 * @param isWhole whether it has all of their rows; if not, its filter is built from its values or not at all
 */
export function carryChunk(
  chunk: FinishedChunk,
  column: number,
  members: readonly CarriedRowGroup[],
  isWhole: boolean,
  carried: CarriedColumn,
  drops: DropTally,
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
    statistics.distinct = extrasOf(parts[0]!.footer, parts[0]!.chunk).distinct
  }
  const result = { ...chunk, statistics }
  if (carried.bloomFilter && some & EXTRA.BLOOM_FILTER)
    result.bloomFilter = carryBloomFilter(chunk, parts, isWhole, drops)
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
): Uint8Array | undefined {
  if (chunk.bloomFilter) return chunk.bloomFilter
  const isBuilt = chunk.dictionary !== undefined && (parts.length > 1 || !isWhole)
  if (isBuilt || !isWhole) {
    const filter = isBuilt ? bloomFilterOf(chunk.leaf, chunk.dictionary!) : undefined
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

/** nothing of it can be in a filter */
function isAllNull(footer: Footer, chunk: number): boolean {
  return footer.chunkNulls[chunk] === footer.chunkValues[chunk]
}

function carrySizes(leaf: LeafColumn, parts: readonly CarriedChunk[]): SizeStatistics | undefined {
  const all = parts.map(({ footer, chunk }) => readSizes(new ThriftReader(extrasOf(footer, chunk).sizes!)))
  return sumSizes(leaf, all)
}

/** Each part of it that all have. */
export function sumSizes(leaf: LeafColumn, all: readonly (SizeStatistics | undefined)[]): SizeStatistics | undefined {
  const sumCounts = (name: 'repetition' | 'definition', maxLevel: number) => {
    const sums = new Array<number>(maxLevel + 1).fill(0)
    for (const sizes of all) {
      const counts = sizes?.[name]
      if (counts?.length !== sums.length) return undefined
      for (const [level, count] of counts.entries()) sums[level]! += count
    }
    return sums
  }
  const isLengthKnown = all.every((sizes) => sizes?.unencodedBytes !== undefined)
  const sum = {
    unencodedBytes: isLengthKnown ? all.reduce((bytes, sizes) => bytes + sizes!.unencodedBytes!, 0) : undefined,
    repetition: sumCounts('repetition', leaf.maxRepetition),
    definition: sumCounts('definition', leaf.maxDefinition),
  }
  return Object.values(sum).some((known) => known !== undefined) ? sum : undefined
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
