import type { ByteBuffer } from './byte-buffer.ts'
import { checksum } from './checksum.ts'
import { NO_STATISTICS } from './chunk-bounds.ts'
import { inColumn } from './chunk-reader.ts'
import { CODEC_NAMES, compress, decompress } from './compression.ts'
import { decodePlain } from './decode-values.ts'
import { DictionaryTrial } from './dictionary-trial.ts'
import type { FinishedChunk, FinishedPage, PageKind } from './finished-chunk.ts'
import { CODEC, ENCODING, PAGE } from './format.ts'
import { nameSource } from './inspect.ts'
import type { ColumnLimits, Kernel, KernelPage } from './kernel.ts'
import { BoundsMerge } from './merge-bounds.ts'
import type { Codec, CodecName } from './merge-options.ts'
import { atPage, corrupt } from './page-header.ts'
import { NotSpliceable } from './scan-chunk.ts'
import type { LeafColumn } from './schema.ts'
import { ThriftWriter } from './thrift-writer.ts'
import type { RowGroupSource } from './write-row-group.ts'

export interface CoalesceSettings {
  kernel: Kernel
  codec: CodecName
  codecs: Partial<Record<CodecName, Codec>>
  maxPageBytes: number
  /** give up unless so many values repeat that a dictionary makes the chunk smaller */
  onlyIfRepeated: boolean
  /** hand the distinct values over with the chunk */
  wantsValues: boolean
  limits: ColumnLimits
  scratch: ByteBuffer
  compressed: ByteBuffer
}

type Pending = KernelPage & { bounds: BoundsMerge }

/**
 * Join the pages of chunks of one flat column into large pages in the kernel, under one dictionary where values repeat.
 * Everything in the pages is looked at but the values themselves, which are copied.
 * @param members not empty
 * @returns `NotSpliceable` where a chunk is odd, or corrupt: reading it value by value will tell
 */
export async function coalesceChunk(
  leaf: LeafColumn,
  members: readonly RowGroupSource[],
  column: number,
  settings: CoalesceSettings,
): Promise<FinishedChunk | NotSpliceable> {
  const { kernel, codec, maxPageBytes, onlyIfRepeated } = settings
  const pages: Pending[] = []
  let bounds = new BoundsMerge(leaf)
  let current = members[0]!
  const chunkOf = ({ footer, rowGroup }: RowGroupSource) => rowGroup * footer.schema.leaves.length + column
  kernel.onPage = (page) => {
    pages.push({ ...page, body: page.body.slice(), bounds })
    if (kernel.isUnfolding) return
    // the chunk in hand may go on in the next page
    bounds = new BoundsMerge(leaf)
    bounds.add(current.footer, chunkOf(current))
  }
  const dictionaryBytes = dictionaryLimit(members, chunkOf, settings)
  kernel.begin(leaf, codec, { ...settings.limits, dictionaryBytes })
  const trial = new DictionaryTrial(members, column, dictionaryBytes)
  let haveChecksums = false
  const last = members.at(-1)
  for (const member of members) {
    const { file, footer, rowGroup } = member
    const chunk = chunkOf(member)
    const levels = footer.chunkValues[chunk]!
    if (levels !== footer.rowsOfGroup[rowGroup]) return new NotSpliceable('unexpected_pages')
    current = member
    bounds.add(footer, chunk)
    try {
      const [offset, bytes] = [footer.chunkOffset[chunk]!, footer.chunkBytes[chunk]!]
      const codec = footer.chunkCodec[chunk]!
      const held = file.held(offset, bytes) ?? (await file.read(offset, bytes))
      const taken = kernel.take(held, levels, CODEC_NAMES[codec]!, maxPageBytes)
      if (taken === 'odd') return new NotSpliceable('unexpected_pages')
      if (taken === 'paged') {
        const paged = await takePages(codec, offset, settings)
        if (paged === 'odd') return new NotSpliceable('unexpected_pages')
        if (paged === 'checksums') haveChecksums = true
      }
    } catch (error) {
      throw nameSource(inColumn(error, leaf), file.source.name)
    }
    if (trial.judge(kernel, member === last) === false) kernel.usePlain()
    if (onlyIfRepeated && !kernel.usesDictionary) return new NotSpliceable('no_dictionary')
  }
  kernel.finish()
  if (settings.wantsValues && pages.some(({ what }) => what === 'plain')) return new NotSpliceable('filter_of_values')
  return await assemble(leaf, pages, haveChecksums, settings)
}

/** A dictionary that an input could afford is worth having: it may be a few times what one is now, compressed. */
function dictionaryLimit(
  members: readonly RowGroupSource[],
  chunkOf: (member: RowGroupSource) => number,
  { limits, maxPageBytes }: CoalesceSettings,
): number {
  let largest = 0
  for (const member of members) largest = Math.max(largest, member.footer.chunkDictionaryBytes[chunkOf(member)]!)
  return Math.floor(Math.max(limits.dictionaryBytes, Math.min(largest * 4, maxPageBytes / 4)))
}

/** The same as `Kernel.take`, one page at a time, for codecs that the kernel does not know and checksums. */
async function takePages(
  codec: number,
  chunkOffset: number,
  settings: CoalesceSettings,
): Promise<'odd' | 'checksums' | 'done'> {
  const { kernel, codecs, maxPageBytes, scratch } = settings
  const { pages } = kernel
  let done: 'checksums' | 'done' = 'done'
  while (pages.hasMore()) {
    if (!pages.nextPage(maxPageBytes)) return 'odd'
    try {
      if (pages.hasChecksum()) {
        done = 'checksums'
        const sum = checksum(kernel.bytes(pages.pageAt(), pages.pageSize()))
        if (sum !== pages.pageChecksum() >>> 0) corrupt('the checksum of a page does not match')
      }
      const packed = kernel.bytes(pages.packedAt(), pages.packedBytes())
      const length = pages.unpackedBytes()
      const unpacked = decompress(pages.isPacked() ? codec : CODEC.UNCOMPRESSED, packed, length, codecs, scratch)
      if (!kernel.takeUnpacked(unpacked instanceof Promise ? await unpacked : unpacked)) return 'odd'
    } catch (error) {
      throw atPage(error, chunkOffset + pages.pagePosition())
    }
  }
  return done
}

async function assemble(
  leaf: LeafColumn,
  pending: readonly Pending[],
  haveChecksums: boolean,
  settings: CoalesceSettings,
): Promise<FinishedChunk> {
  const { kernel, codec, codecs, compressed } = settings
  const isPacked = codec === 'snappy' || codec === 'none'
  const pages: Uint8Array[] = []
  const dataPages: FinishedPage[] = []
  const pageKinds: PageKind[] = []
  const bounds = new BoundsMerge(leaf)
  let [bytes, uncompressedBytes, levels, nulls, dictionaryBytes] = [0, 0, 0, 0, 0]
  // the dictionary comes last and goes first
  const last = pending.at(-1)
  const inOrder = last?.what === 'dictionary' ? [last, ...pending.slice(0, -1)] : pending
  for (const page of inOrder) {
    // what the codec returns may be its scratch
    const body = isPacked ? page.body : (await compress(codec, page.body.slice(), codecs, compressed)).slice()
    const header = pageHeader(page, body, haveChecksums)
    const own = header.length + body.length
    pages.push(header, body)
    bytes += own
    uncompressedBytes += header.length + page.uncompressedBytes
    if (page.what === 'dictionary') {
      dictionaryBytes = own
      continue
    }
    levels += page.levels
    nulls += page.levels - page.values
    bounds.absorb(page.bounds)
    const { min, max } = page.bounds.bounds() ?? {}
    dataPages.push({ bytes: own, levels: page.levels, rows: page.levels, nulls: page.levels - page.values, min, max })
    const encoding = page.what === 'indices' ? ENCODING.RLE_DICTIONARY : ENCODING.PLAIN
    const same = pageKinds.find((kind) => kind.encoding === encoding)
    if (same) same.count++
    else pageKinds.push({ kind: PAGE.DATA, encoding, count: 1 })
  }
  const statistics = { ...NO_STATISTICS, ...bounds.bounds(), nulls }
  return {
    leaf,
    codec,
    pages,
    bytes,
    uncompressedBytes,
    levels,
    dictionaryBytes,
    pageKinds,
    statistics,
    dataPages,
    ...(settings.wantsValues ? { dictionary: decodePlain(leaf, kernel.copyDictionary(), kernel.distinctValues) } : {}),
  }
}

function pageHeader(page: KernelPage, body: Uint8Array, hasChecksum: boolean): Uint8Array {
  const isDictionary = page.what === 'dictionary'
  const writer = new ThriftWriter()
  writer.open()
  writer.i32(1, isDictionary ? PAGE.DICTIONARY : PAGE.DATA)
  writer.i32(2, page.uncompressedBytes)
  writer.i32(3, body.length)
  if (hasChecksum) writer.i32(4, checksum(body) | 0)
  writer.open(isDictionary ? 7 : 5)
  if (isDictionary) {
    writer.i32(1, page.values)
    writer.i32(2, ENCODING.PLAIN)
  } else {
    writer.i32(1, page.levels)
    writer.i32(2, page.what === 'indices' ? ENCODING.RLE_DICTIONARY : ENCODING.PLAIN)
    writer.i32(3, ENCODING.RLE)
    writer.i32(4, ENCODING.RLE)
  }
  writer.close()
  writer.close()
  return writer.out.take()
}
