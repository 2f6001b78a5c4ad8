import type { CodecName, Codecs } from '../codecs/codec.ts'
import { CODEC_NAMES, decompress } from '../codecs/compression.ts'
import { Statistics } from '../footer/statistics.ts'
import type { ByteBuffer } from '../format/byte-buffer.ts'
import { checksum } from '../format/checksum.ts'
import { CODEC, ENCODING, PAGE } from '../format/format.ts'
import { atPage, corrupt } from '../format/page-header.ts'
import type { Taken } from '../kernel/abi.ts'
import type { ColumnLimits, Kernel } from '../kernel/kernel.ts'
import type { KernelPage } from '../kernel/kernel-page.ts'
import type { ColumnSums } from '../plan/plan-merge.ts'
import { inColumn } from '../read/chunk-reader.ts'
import { nameSource } from '../read/inspect.ts'
import type { LeafColumn } from '../schema/schema.ts'
import { dictionaryLimitOfCompressed } from '../write/dictionary-policy.ts'
import type { FinishedChunk, FinishedPage, PageKind } from '../write/finished-chunk.ts'
import { dataPageHeader, dictionaryPageHeader } from '../write/write-page-header.ts'
import type { RowGroupSource } from './carry-chunk.ts'
import { DictionaryTrial, TRIAL_VALUES } from './dictionary-trial.ts'
import { PageCompressor } from './page-compressor.ts'
import { factsOfPage, kernelOrder, type PageFacts, statisticsOfValues } from './page-facts.ts'
import { MAX_SPLICED_PAGES, NotSpliceable } from './scan-chunk.ts'

export interface CoalesceSettings {
  kernel: Kernel
  codec: CodecName
  codecs: Codecs
  maxPageBytes: number
  /** give up unless so many values repeat that a dictionary makes the chunk smaller */
  onlyIfRepeated: boolean
  /** hand the distinct values over with the chunk */
  wantsValues: boolean
  limits: ColumnLimits
  scratch: ByteBuffer
  compressed: ByteBuffer
}

interface Pending extends Omit<KernelPage, 'body'> {
  /** a copy, compressed at once by the kernel, or when the caller has seen it */
  body: Uint8Array<ArrayBuffer>
  /** absent for a dictionary page */
  facts: PageFacts | undefined
}

/**
 * Join the pages of chunks of one flat column into large pages in the kernel, under one dictionary where values repeat.
 * Everything in the pages is looked at but the values themselves, which are copied.
 * @param members not empty; those that the kernel keeps are the ones of its `beginGroup`
 * @param sums    of the column
 * @returns `NotSpliceable` where a chunk is odd, or corrupt: reading it value by value will tell
 */
export async function coalesceChunk(
  leaf: LeafColumn,
  members: readonly RowGroupSource[],
  column: number,
  sums: ColumnSums,
  settings: CoalesceSettings,
): Promise<FinishedChunk | NotSpliceable> {
  const { kernel, codec, maxPageBytes, onlyIfRepeated, limits } = settings
  const columns = members[0]!.footer.schema.leaves.length
  const dictionaryBytes = dictionaryLimitOfCompressed(limits.dictionaryBytes, sums.largestDictionary, maxPageBytes)
  kernel.begin(leaf, codec, { ...limits, dictionaryBytes })
  const trial = new DictionaryTrial(sums, dictionaryBytes)
  const pages: Pending[] = []
  const statistics = new Statistics(leaf)
  let member = 0
  let isListed = false
  const isDone = codec === 'snappy' || codec === 'none'
  const compressor = new PageCompressor(codec, settings.codecs, settings.compressed)
  let packedBytes = 0
  let packed = isDone ? Number.POSITIVE_INFINITY : 0
  // page by page: what a row group unpacks to may be many times as large
  const pack = async () => {
    for (; packed < pages.length; packed++) {
      const page = pages[packed]!
      page.body = await compressor.compress(page.body, page.what === 'dictionary')
      packedBytes += page.body.length
    }
  }
  let heldBytes = 0
  kernel.onPage = (page) => {
    heldBytes += page.body.length
    try {
      settings.codecs.work?.write(page.uncompressedBytes, isDone ? heldBytes : packedBytes)
    } catch (error) {
      // after a trap the heap of the kernel is undefined
      kernel.hasTrapped = true
      throw error
    }
    const facts = page.what === 'dictionary' ? undefined : factsOfPage(kernel, leaf, page, statistics)
    pages.push({ ...page, body: page.body.copy(), facts })
  }
  let haveChecksums = false
  const takeRest = async (taken: Taken, { file, footer, rowGroup }: RowGroupSource): Promise<boolean> => {
    const chunk = rowGroup * columns + column
    settings.codecs.work?.reading(file.source.name)
    try {
      const rest = await takePages(taken, footer.chunkCodec[chunk]!, footer.chunkOffset[chunk]!, settings, pack)
      if (rest === 'checksums') haveChecksums = true
      return rest !== 'odd'
    } catch (error) {
      throw nameSource(inColumn(error, leaf), file.source.name)
    }
  }
  const listed = listChunks(kernel, members, columns, column)
  if (listed < 0) return new NotSpliceable('unexpected_pages')
  while (member < members.length) {
    isListed = member < listed
    const own = members[member]!
    let taken: Taken
    if (isListed) {
      const pauseAt = trial.isDone ? 0xffffffff : TRIAL_VALUES
      ;[member, taken] = kernel.takeList(member, listed, maxPageBytes, pauseAt)
    } else {
      taken = await takeOne(kernel, own, own.rowGroup * columns + column, leaf, maxPageBytes)
    }
    const isOpen = taken !== 'done'
    if (isOpen && !(await takeRest(taken, members[member]!))) return new NotSpliceable('unexpected_pages')
    if (isOpen || !isListed) member++
    await pack()
    if (trial.judge(kernel, member === members.length) === false) kernel.usePlain()
    if (onlyIfRepeated && !kernel.usesDictionary) return new NotSpliceable('no_dictionary')
  }
  kernel.finish()
  await pack()
  if (settings.wantsValues && pages.some(({ what }) => what === 'plain')) return new NotSpliceable('filter_of_values')
  return await assemble(leaf, pages, statistics, haveChecksums, settings)
}

/**
 * Write the list of the chunks that the kernel keeps.
 * @returns how many there are, from the first member on; -1 where a chunk has other than one level a row
 */
function listChunks(kernel: Kernel, members: readonly RowGroupSource[], columns: number, column: number): number {
  const { kept } = kernel
  const list = new Uint32Array(Math.min(kept, members.length) * 4)
  for (let i = 0, at = 0; i < members.length; i++, at += 4) {
    const { footer, rowGroup } = members[i]!
    const chunk = rowGroup * columns + column
    const levels = footer.chunkValues[chunk]!
    if (levels !== footer.rowsOfGroup[rowGroup]) return -1
    if (i >= kept) continue
    list[at] = kernel.placeOf(i) + footer.chunkOffset[chunk]!
    list[at + 1] = footer.chunkBytes[chunk]!
    list[at + 2] = levels
    list[at + 3] = kernel.codecNumber(CODEC_NAMES[footer.chunkCodec[chunk]!]!)
  }
  if (kept > 0) kernel.putChunkList(list)
  return kept
}

/** A chunk of an input that was looked through. */
export interface CheckedChunk {
  /** data pages that hold levels */
  pages: PageFacts[]
  values: Statistics
}

/** A chunk beyond this is not copied to be looked through. */
const MAX_CHECKED_BYTES = 8 * 1024 * 1024

/**
 * Look through the pages of chunks of one flat column: unpack each, and see that its levels, its indices and the lengths of
 * its values are sound.
 * @returns what the values of each page of each member are, or undefined where a chunk is odd, too large or corrupt: reading it
 *          value by value will tell
 */
export async function checkChunks(
  leaf: LeafColumn,
  members: readonly RowGroupSource[],
  column: number,
  settings: Omit<CoalesceSettings, 'codec' | 'onlyIfRepeated' | 'wantsValues' | 'limits' | 'compressed'>,
): Promise<CheckedChunk[] | undefined> {
  const { kernel, maxPageBytes } = settings
  if (leaf.maxRepetition > 0) return undefined
  const chunks: CheckedChunk[] = []
  let pages = 0
  kernel.beginCheck(leaf, kernelOrder(leaf))
  for (const member of members) {
    const checked: CheckedChunk = { pages: [], values: new Statistics(leaf) }
    chunks.push(checked)
    kernel.onPage = (page) => {
      // more pages than that do not pass, and need not be held
      if (++pages <= MAX_SPLICED_PAGES) checked.pages.push(factsOfPage(kernel, leaf, page, checked.values))
    }
    const { file, footer, rowGroup } = member
    const chunk = rowGroup * footer.schema.leaves.length + column
    const isUsual = footer.chunkValues[chunk] === footer.rowsOfGroup[rowGroup]
    if (!isUsual || footer.chunkBytes[chunk]! > MAX_CHECKED_BYTES) return undefined
    settings.codecs.work?.reading(file.source.name)
    const taken = await takeOne(kernel, member, chunk, leaf, maxPageBytes)
    if (taken === 'done') continue
    try {
      const rest = await takePages(taken, footer.chunkCodec[chunk]!, footer.chunkOffset[chunk]!, settings)
      if (rest === 'odd') return undefined
    } catch (error) {
      throw nameSource(inColumn(error, leaf), file.source.name)
    }
  }
  return pages <= MAX_SPLICED_PAGES ? chunks : undefined
}

async function takeOne(
  kernel: Kernel,
  { file, footer }: RowGroupSource,
  chunk: number,
  leaf: LeafColumn,
  maxPageBytes: number,
): Promise<Taken> {
  const [offset, bytes] = [footer.chunkOffset[chunk]!, footer.chunkBytes[chunk]!]
  try {
    const held = file.held(offset, bytes) ?? (await file.read(offset, bytes))
    return kernel.take(held, footer.chunkValues[chunk]!, CODEC_NAMES[footer.chunkCodec[chunk]!]!, maxPageBytes)
  } catch (error) {
    throw nameSource(inColumn(error, leaf), file.source.name)
  }
}

/**
 * Unpack pages at which the kernel stops, and compare their checksums, until it has taken over the chunk in hand.
 * @param taken why it stopped
 * @param pack  compresses the pages that it has handed over
 */
export async function takePages(
  taken: Taken,
  codec: number,
  chunkOffset: number,
  settings: Pick<CoalesceSettings, 'kernel' | 'codecs' | 'maxPageBytes' | 'scratch'>,
  pack?: () => Promise<void>,
): Promise<'odd' | 'checksums' | 'done'> {
  const { kernel, maxPageBytes } = settings
  let done: 'checksums' | 'done' = 'done'
  for (let stop = taken; stop !== 'done'; stop = kernel.takeRest(CODEC_NAMES[codec]!, maxPageBytes)) {
    if (stop === 'odd') return 'odd'
    if (stop === 'full') {
      await pack?.()
      continue
    }
    const found = await takePage(codec, chunkOffset, settings)
    if (found === 'odd') return 'odd'
    if (found === 'checksum') done = 'checksums'
  }
  return done
}

async function takePage(
  codec: number,
  chunkOffset: number,
  { kernel, codecs, maxPageBytes, scratch }: Pick<CoalesceSettings, 'kernel' | 'codecs' | 'maxPageBytes' | 'scratch'>,
): Promise<'odd' | 'checksum' | 'done'> {
  const { page } = kernel
  if (!page.nextPage(maxPageBytes)) return 'odd'
  try {
    const hasChecksum = page.hasChecksum()
    if (hasChecksum) {
      const sum = checksum(kernel.slice(page.pageAt(), page.pageSize()).view())
      if (sum !== page.pageChecksum() >>> 0) corrupt('the checksum of a page does not match')
    }
    let isTaken: boolean
    if (codec === CODEC.UNCOMPRESSED || !page.isPacked()) {
      isTaken = kernel.takeStored()
    } else {
      const packed = kernel.slice(page.packedAt(), page.packedBytes())
      const length = page.unpackedBytes()
      const unpacked = decompress(codec, packed.view(), length, codecs, scratch)
      isTaken = kernel.takeUnpacked(unpacked instanceof Promise ? await unpacked : unpacked)
    }
    if (!isTaken) return 'odd'
    return hasChecksum ? 'checksum' : 'done'
  } catch (error) {
    throw atPage(error, chunkOffset + page.pagePosition())
  }
}

async function assemble(
  leaf: LeafColumn,
  pending: readonly Pending[],
  statistics: Statistics,
  haveChecksums: boolean,
  settings: CoalesceSettings,
): Promise<FinishedChunk> {
  const { kernel, codec } = settings
  const pages: Uint8Array[] = []
  const dataPages: FinishedPage[] = []
  const pageKinds: PageKind[] = []
  let [bytes, uncompressedBytes, levels, nulls, dictionaryBytes] = [0, 0, 0, 0, 0]
  // the dictionary comes last and goes first
  const last = pending.at(-1)
  const inOrder = last?.what === 'dictionary' ? [last, ...pending.slice(0, -1)] : pending
  for (const page of inOrder) {
    const { body, facts } = page
    const header = pageHeader(page, body, haveChecksums)
    const pageBytes = header.length + body.length
    pages.push(header, body)
    bytes += pageBytes
    uncompressedBytes += header.length + page.uncompressedBytes
    if (!facts) {
      dictionaryBytes = pageBytes
      continue
    }
    levels += page.levels
    nulls += facts.nulls
    dataPages.push({ ...facts, bytes: pageBytes })
    const encoding = page.what === 'indices' ? ENCODING.RLE_DICTIONARY : ENCODING.PLAIN
    const same = pageKinds.find((kind) => kind.encoding === encoding)
    if (same) same.count++
    else pageKinds.push({ kind: PAGE.DATA, encoding, count: 1 })
  }
  return {
    leaf,
    codec,
    pages,
    bytes,
    uncompressedBytes,
    levels,
    dictionaryBytes,
    pageKinds,
    statistics: statisticsOfValues(leaf, statistics, nulls),
    dataPages,
    ...(settings.wantsValues ? { dictionary: { plain: kernel.copyDictionary(), count: kernel.distinctValues } } : {}),
  }
}

export function pageHeader(page: Omit<KernelPage, 'body'>, body: Uint8Array, hasChecksum: boolean): Uint8Array {
  const { uncompressedBytes } = page
  const crc = hasChecksum ? checksum(body) : undefined
  const lengths = { uncompressedBytes, compressedBytes: body.length, crc }
  if (page.what === 'dictionary') return dictionaryPageHeader(page.values, lengths)
  return dataPageHeader(page.levels, page.what === 'indices' ? ENCODING.RLE_DICTIONARY : ENCODING.PLAIN, lengths)
}
