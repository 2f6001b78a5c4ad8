import type { CodecName } from '../codecs/codec.ts'
import type { DistinctValues } from '../footer/bloom-filter.ts'
import type { ChunkStatistics } from '../footer/chunk-bounds.ts'
import type { SizeStatistics } from '../footer/size-statistics.ts'
import type { LeafColumn } from '../schema/schema.ts'

/**
 * A column chunk that is complete but for its place in the file: plain data, so that every way of making one (pages passed
 * as they are, rewritten, or by the kernel) says the same, and `FileWriter` alone knows how footers and page indexes
 * look. Nothing in it may be changed afterwards.
 */
export interface FinishedChunk {
  leaf: LeafColumn
  codec: CodecName
  /** dictionary page if any, then data pages, headers included; a piece may hold several. Let go of as they are written */
  pages: Uint8Array[]
  /** sum of `pages` */
  bytes: number
  /** headers as they are, bodies as they were before compression */
  uncompressedBytes: number
  /** values, nulls and empty lists */
  levels: number
  /** the dictionary page with its header; 0 where there is none */
  dictionaryBytes: number
  /** data pages by version and encoding, in the order they first appear */
  pageKinds: PageKind[]
  statistics: ChunkStatistics
  /**
   * The data pages in the order of the file, from which ColumnIndex and OffsetIndex are made. Left out where they are not
   * known: then the chunk has no page index.
   */
  dataPages?: FinishedPage[]
  /**
   * Every distinct value of the chunk, where a dictionary that all its data pages use is in memory. A bloom filter is
   * built from it if the inputs had one. Need not stay valid once the chunk is handed to `FileWriter`.
   */
  dictionary?: DistinctValues
  /** header and bitset (BloomFilter.md), where the chunk is to have one */
  bloomFilter?: Uint8Array | undefined
  sizes?: SizeStatistics | undefined
  /** values of the fields of ColumnMetaData as they are encoded */
  keyValues?: Uint8Array | undefined
  geospatial?: Uint8Array | undefined
}

/** One data page, as the page indexes tell of it. */
export interface FinishedPage {
  /** bytes in the file, header included */
  bytes: number
  /** values, nulls and empty lists */
  levels: number
  /** rows, all of which begin in it; -1 where that is not so, or not known: then the chunk has no page index */
  rows: number
  /** levels that are no value; -1 where not known. A page whose `nulls` are its `levels` needs no bounds */
  nulls: number
  /** values of FLOAT and DOUBLE that are no number; left out where not known */
  nans?: number | undefined
  /**
   * Bounds in PLAIN encoding without a length, in the order of `orderOf(leaf)`: every value but NaN lies within. They need
   * not be values of the page. Both or none; one page with values and without bounds leaves the chunk without a ColumnIndex.
   */
  min?: Uint8Array | undefined
  max?: Uint8Array | undefined
  sizes?: SizeStatistics | undefined
}

/** Data pages of one version and encoding. */
export interface PageKind {
  /** number in `PAGE` */
  kind: number
  /** number in `ENCODING` */
  encoding: number
  count: number
}
