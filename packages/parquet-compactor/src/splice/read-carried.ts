import { type ChunkExtras, EXTRA, extrasOf, type Range } from '../footer/chunk-extras.ts'
import type { Footer } from '../footer/footer.ts'
import { FileReader } from '../read/file-reader.ts'

/** bytes between two ranges that are read for the sake of one read */
const GAP_BYTES = 64 * 1024

/**
 * Bring page indexes or bloom filters of some chunks of a file into memory, with one read or none.
 * @param file     what is in memory already
 * @param from     first chunk
 * @param to       behind the last chunk
 * @param maxBytes of the read
 * @returns where they are, or undefined if there are none, or they lie too far apart
 */
export async function readCarried(
  file: FileReader,
  footer: Footer,
  [from, to]: [from: number, to: number],
  what: 'pageIndexes' | 'bloomFilters',
  signal: AbortSignal | undefined,
  maxBytes: number,
): Promise<FileReader | undefined> {
  const span = spanOf(footer, from, to, what)
  if (!span) return undefined
  if (file.has(span.offset, span.bytes)) return file
  if (span.bytes > maxBytes || span.bytes > span.wanted * 2 + GAP_BYTES) return undefined
  const reader = new FileReader(file.source, signal)
  await reader.prime(span.offset, span.bytes)
  return reader
}

function spanOf(footer: Footer, from: number, to: number, what: 'pageIndexes' | 'bloomFilters') {
  const bits = what === 'bloomFilters' ? EXTRA.BLOOM_FILTER : EXTRA.COLUMN_INDEX | EXTRA.OFFSET_INDEX
  let [start, end, wanted] = [Number.POSITIVE_INFINITY, 0, 0]
  for (let chunk = from; chunk < to; chunk++) {
    if ((footer.chunkExtras[chunk]! & bits) === 0) continue
    for (const range of rangesOf(extrasOf(footer, chunk), what)) {
      if (!range || range.bytes === 0) continue
      start = Math.min(start, range.offset)
      end = Math.max(end, range.offset + range.bytes)
      wanted += range.bytes
    }
  }
  return end > 0 ? { offset: start, bytes: end - start, wanted } : undefined
}

function rangesOf(extras: ChunkExtras, what: 'pageIndexes' | 'bloomFilters'): (Range | undefined)[] {
  return what === 'bloomFilters' ? [extras.bloomFilter] : [extras.columnIndex, extras.offsetIndex]
}
