import { compress } from '../codecs/compression.ts'
import { NO_STATISTICS } from '../footer/chunk-bounds.ts'
import { BoundsMerge } from '../footer/merge-bounds.ts'
import { Statistics } from '../footer/statistics.ts'
import { checksum } from '../format/checksum.ts'
import { ENCODING, PAGE } from '../format/format.ts'
import { atPage } from '../format/page-header.ts'
import type { PlanReason } from '../plan/plan-merge.ts'
import type { ChunkPlace } from '../read/chunk-reader.ts'
import type { LeafColumn } from '../schema/schema.ts'
import type { FinishedChunk, FinishedPage, PageKind } from '../write/finished-chunk.ts'
import { dictionaryPageHeader } from '../write/write-page-header.ts'
import type { CarriedChunk } from './carry-chunk.ts'
import type { CheckedChunk } from './coalesce-chunk.ts'
import { statisticsOfValues } from './page-facts.ts'
import { pagesOfPart } from './pages-of-part.ts'
import { DictionaryUnion, remapPage, type SpliceSettings } from './remap-pages.ts'
import { NotSpliceable, type ScannedChunk, type ScannedPage, usesDictionary } from './scan-chunk.ts'
import { StoredPages } from './stored-pages.ts'
import { writtenPage } from './written-page.ts'

/** One chunk of the inputs, scanned. */
export interface SplicePart extends CarriedChunk {
  scanned: ScannedChunk
  place: ChunkPlace
  /** the result of looking at its values; absent if nobody did */
  checked?: CheckedChunk | undefined
  /** runs what may fail because of this chunk, to name its source in the error */
  within<Result>(work: () => Promise<Result>): Promise<Result>
}

export interface SplicedChunk extends FinishedChunk {
  /** which dictionaries the pages brought along */
  reason: 'no_dictionary' | 'one_dictionary' | 'several_dictionaries'
}

/**
 * Put the pages of chunks one after another, small ones of noise under one header. Bodies are views of the parts: nothing is
 * copied but what is rewritten.
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
  const count = (kind: number, encoding: number) => {
    const same = pageKinds.find((other) => other.kind === kind && other.encoding === encoding)
    if (same) same.count++
    else pageKinds.push({ kind, encoding, count: 1 })
  }
  const stored = new StoredPages(leaf, settings.codec, settings.limits, (joined, headerBytes, bodyBytes, page) => {
    for (const [index, piece] of joined.entries())
      put(piece, index === 0 ? headerBytes : 0, index === 0 ? bodyBytes : 0)
    dataPages.push(page)
    count(PAGE.DATA, ENCODING.PLAIN)
  })
  const bounds = new BoundsMerge(leaf)
  const values = new Statistics(leaf)
  for (const part of parts) {
    const { scanned, footer, chunk, place, checked, within } = part
    const claimed = pagesOfPart(leaf, part, bounds.add(footer, chunk))
    if (checked) values.include(checked.values)
    const pages = checked
      ? claimed.map((page, i) => ({ ...page, min: undefined, max: undefined, ...checked.pages[i]! }))
      : claimed
    const mapping = union && scanned.dictionary ? union.mappings[nextDictionary++] : undefined
    for (const [index, page] of scanned.pages.entries()) {
      // a chunk that is alone stays as it is
      if (parts.length > 1 && stored.add(page, pages[index]!)) continue
      const written =
        mapping && usesDictionary(page.header)
          ? await within(() =>
              atOwnPage(page, () => remapPage(page, leaf, mapping, union!.dictionary.count, place.codec, settings)),
            )
          : page
      putPage(written)
      dataPages.push({ ...pages[index]!, bytes: written.bytes.length })
      count(page.header.kind, page.header.encoding)
    }
  }
  stored.flush()
  const areChecked = parts.every(({ checked }) => checked !== undefined)
  return {
    leaf,
    codec: settings.codec,
    pages: pieces,
    bytes,
    uncompressedBytes,
    levels: parts.reduce((sum, { place }) => sum + place.values, 0),
    dictionaryBytes,
    pageKinds,
    statistics: areChecked
      ? statisticsOfValues(
          leaf,
          values,
          dataPages.reduce((sum, page) => sum + page.nulls, 0),
        )
      : { ...NO_STATISTICS, ...bounds.bounds(), nulls: bounds.nulls },
    dataPages,
    ...(union && pageKinds.every(usesDictionary) ? { dictionary: union.dictionary.values() } : {}),
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

/** Why pages cannot pass, where only the pages themselves show it. */
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
  const header = dictionaryPageHeader(union.dictionary.count, {
    uncompressedBytes: plain.length,
    compressedBytes: body.length,
    crc: union.hasChecksum ? checksum(body) : undefined,
  })
  return writtenPage(header, body, { ...union.firstPage.header, uncompressedBytes: plain.length })
}
