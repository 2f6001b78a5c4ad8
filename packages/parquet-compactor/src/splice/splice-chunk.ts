import { compress } from '../codecs/compression.ts'
import { NO_STATISTICS } from '../footer/chunk-bounds.ts'
import { BoundsMerge } from '../footer/merge-bounds.ts'
import { checksum } from '../format/checksum.ts'
import { ENCODING, PAGE } from '../format/format.ts'
import { atPage } from '../format/page-header.ts'
import { ThriftWriter } from '../format/thrift-writer.ts'
import type { PlanReason } from '../plan/plan-merge.ts'
import type { ChunkPlace } from '../read/chunk-reader.ts'
import type { LeafColumn } from '../schema/schema.ts'
import type { FinishedChunk, FinishedPage, PageKind } from '../write/finished-chunk.ts'
import type { CarriedChunk } from './carry-chunk.ts'
import { pagesOfPart } from './pages-of-part.ts'
import { DictionaryUnion, remapPage, type SpliceSettings } from './remap-pages.ts'
import { NotSpliceable, type ScannedChunk, type ScannedPage, usesDictionary } from './scan-chunk.ts'
import { writtenPage } from './written-page.ts'

/** One chunk of the inputs, scanned. */
export interface SplicePart extends CarriedChunk {
  scanned: ScannedChunk
  place: ChunkPlace
  /** runs what may fail because of this chunk, to name its source in the error */
  within<Result>(work: () => Promise<Result>): Promise<Result>
}

export interface SplicedChunk extends FinishedChunk {
  /** which dictionaries the pages brought along */
  reason: 'no_dictionary' | 'one_dictionary' | 'several_dictionaries'
}

/**
 * Put the pages of chunks one after another. Bodies are views of the parts: nothing is copied but what is written anew.
 * @param parts not empty
 */
export async function spliceChunk(
  leaf: LeafColumn,
  parts: readonly SplicePart[],
  settings: SpliceSettings,
): Promise<SplicedChunk | NotSpliceable> {
  const obstacle = parts.length > 1 ? obstacleOf(parts, settings) : undefined
  if (obstacle) return new NotSpliceable(obstacle)
  const withDictionary = parts.filter(({ scanned }) => scanned.dictionary)
  const union = withDictionary.length > 1 ? new DictionaryUnion(leaf, settings) : undefined
  if (union) {
    const values = parts.reduce((sum, { place }) => sum + place.values, 0)
    for (const { scanned, place, within } of withDictionary) {
      await within(() => atOwnPage(scanned.dictionary!, () => union.add(scanned.dictionary!, place.codec)))
      if (union.isTooLarge(values)) return new NotSpliceable('large_dictionary')
    }
  }
  const pieces: Uint8Array[] = []
  const pageKinds: PageKind[] = []
  const dataPages: FinishedPage[] = []
  let bytes = 0
  let uncompressedBytes = 0
  let nextDictionary = 0
  const put = (piece: Uint8Array, headerBytes: number, bodyBytes: number) => {
    pieces.push(piece)
    bytes += piece.length
    uncompressedBytes += headerBytes + bodyBytes
  }
  const putPage = ({ header, bytes: page }: ScannedPage) => put(page, header.headerBytes, header.uncompressedBytes)

  let dictionaryBytes = 0
  if (union) {
    const page = union.firstPageIfWhole() ?? (await dictionaryPage(union, settings))
    putPage(page)
    dictionaryBytes = page.bytes.length
  } else if (withDictionary[0]) {
    putPage(withDictionary[0].scanned.dictionary!)
    dictionaryBytes = bytes
  }
  const bounds = new BoundsMerge(leaf)
  for (const part of parts) {
    const { scanned, footer, chunk, place, within } = part
    const pages = pagesOfPart(leaf, part, bounds.add(footer, chunk))
    const mapping = union && scanned.dictionary ? union.mappings[nextDictionary++] : undefined
    for (const [index, page] of scanned.pages.entries()) {
      const written =
        mapping && usesDictionary(page.header)
          ? await within(() =>
              atOwnPage(page, () => remapPage(page, leaf, mapping, union!.dictionary.count, place.codec, settings)),
            )
          : page
      putPage(written)
      dataPages.push({ ...pages[index]!, bytes: written.bytes.length })
      const { kind, encoding } = page.header
      const same = pageKinds.find((other) => other.kind === kind && other.encoding === encoding)
      if (same) same.count++
      else pageKinds.push({ kind, encoding, count: 1 })
    }
  }
  return {
    leaf,
    codec: settings.codec,
    pages: pieces,
    bytes,
    uncompressedBytes,
    levels: parts.reduce((sum, { place }) => sum + place.values, 0),
    dictionaryBytes,
    pageKinds,
    statistics: { ...NO_STATISTICS, ...bounds.bounds(), nulls: bounds.nulls },
    dataPages,
    ...(union && pageKinds.every(usesDictionary) ? { dictionary: union.dictionary.table() } : {}),
    reason: union ? 'several_dictionaries' : withDictionary.length > 0 ? 'one_dictionary' : 'no_dictionary',
  }
}

/** Failures within say where the page begins. */
async function atOwnPage<Result>(page: ScannedPage, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    throw atPage(error, page.offset ?? 0)
  }
}

/** What only the pages show. */
function obstacleOf(parts: readonly SplicePart[], settings: SpliceSettings): PlanReason | undefined {
  let pages = 0
  let bytes = 0
  let kind: number | undefined
  for (const { scanned } of parts) {
    for (const page of scanned.pages) {
      kind ??= page.header.kind
      if (page.header.kind !== kind) return 'mixed_page_versions'
      pages++
      bytes += page.body.length
    }
  }
  return bytes < pages * settings.minPageBytes ? 'small_pages' : undefined
}

async function dictionaryPage(union: DictionaryUnion, settings: SpliceSettings): Promise<ScannedPage> {
  const plain = union.dictionary.plain.view()
  const body = await compress(settings.codec, plain, settings.codecs, settings.compressed)
  const writer = new ThriftWriter()
  writer.open()
  writer.i32(1, PAGE.DICTIONARY)
  writer.i32(2, plain.length)
  writer.i32(3, body.length)
  if (union.hasChecksum) writer.i32(4, checksum(body) | 0)
  writer.open(7)
  writer.i32(1, union.dictionary.count)
  writer.i32(2, ENCODING.PLAIN)
  writer.close()
  writer.close()
  return writtenPage(writer, body, { ...union.firstPage.header, uncompressedBytes: plain.length })
}
