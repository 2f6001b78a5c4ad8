import type { CodecName, Codecs } from '../../codecs/codec.ts'
import { compress } from '../../codecs/compression.ts'
import { BloomBuilder } from '../../footer/bloom-filter.ts'
import type { CarriedColumn } from '../../footer/carried-columns.ts'
import { sumSizes } from '../../footer/size-statistics.ts'
import { Statistics } from '../../footer/statistics.ts'
import type { ByteBuffer } from '../../format/byte-buffer.ts'
import { ENCODING, PAGE } from '../../format/format.ts'
import type { ColumnLimits, Kernel } from '../../kernel/kernel.ts'
import type { KernelPage } from '../../kernel/kernel-page.ts'
import { ParquetError } from '../../parquet-error.ts'
import { decodePlain } from '../../read/decode-values.ts'
import type { LeafColumn } from '../../schema/schema.ts'
import { pageHeader } from '../../splice/coalesce-chunk.ts'
import { factsOfPage, type PageFacts, sizesOfPage, statisticsOfValues } from '../../splice/page-facts.ts'
import { dictionaryLimitBytes } from '../../write/dictionary-policy.ts'
import type { FinishedChunk, PageKind } from '../../write/finished-chunk.ts'
import type { GatheredSlots } from './gathered-slots.ts'

export interface WriteSlotsSettings {
  codec: CodecName
  codecs: Codecs
  limits: ColumnLimits
  /** for a page, compressed */
  compressed: ByteBuffer
  carried: CarriedColumn
}

interface SlotPage extends Omit<KernelPage, 'body'> {
  body: Uint8Array<ArrayBuffer>
  facts: PageFacts
}

/** Make a column chunk of `rows` slots of a column: pages, and what is to be said of them. */
export async function writeSlots(
  kernel: Kernel,
  column: GatheredSlots,
  from: number,
  rows: number,
  { codec, codecs, limits, compressed, carried }: WriteSlotsSettings,
): Promise<FinishedChunk> {
  const { leaf, number, hasChecksums } = column
  const statistics = new Statistics(leaf)
  const bloom = carried.bloomFilter ? new BloomBuilder(leaf) : undefined
  const pages: SlotPage[] = []
  kernel.onPage = (page) => {
    const facts: PageFacts = page.what === 'dictionary' ? NO_FACTS : factsOfPage(kernel, leaf, page, statistics)
    if (page.what !== 'dictionary' && carried.sizes) facts.sizes = sizesOfPage(kernel, leaf, page)
    if (page.what === 'plain' && bloom) addOpenPage(bloom, kernel, leaf, page.values)
    pages.push({ ...page, body: page.body.copy(), facts })
  }
  // a page must have room for the longest value
  const pageBytes = Math.max(limits.pageBytes, kernel.slots.longestText(number) + 4)
  const dictionaryBytes = dictionaryLimitBytes(limits.dictionaryBytes, column.dictionaryBytes)
  kernel.begin(leaf, codec, { ...limits, pageBytes, dictionaryBytes })
  if (!kernel.slots.writeSlots(number, from, rows)) {
    throw new ParquetError('corrupt_data', `column ${leaf.name}: values that cannot be written`, { column: leaf.name })
  }
  kernel.finish()
  const last = pages.at(-1)
  const dictionary = last?.what === 'dictionary' ? pages.pop() : undefined
  const finished: FinishedChunk = {
    leaf,
    codec,
    pages: [],
    bytes: 0,
    uncompressedBytes: 0,
    levels: rows,
    dictionaryBytes: 0,
    pageKinds: pageKindsOf(pages),
    statistics: statisticsOfValues(
      leaf,
      statistics,
      pages.reduce((sum, { facts }) => sum + facts.nulls, 0),
    ),
    dataPages: [],
  }
  for (const page of dictionary ? [dictionary, ...pages] : pages) {
    const isPacked = codec === 'snappy' || codec === 'none'
    const body = isPacked ? page.body : (await compress(codec, page.body, codecs, compressed)).slice()
    const header = pageHeader(page, body, hasChecksums)
    const bytes = header.length + body.length
    finished.pages.push(header, body)
    finished.bytes += bytes
    finished.uncompressedBytes += header.length + page.uncompressedBytes
    if (page === dictionary) finished.dictionaryBytes = bytes
    else finished.dataPages!.push({ bytes, ...page.facts })
  }
  if (carried.sizes) {
    finished.sizes = sumSizes(
      leaf,
      pages.map(({ facts }) => facts.sizes),
    )
  }
  if (!bloom) return finished
  // a dictionary of all values tells what a filter of them is to hold
  if (dictionary) {
    const values = { plain: kernel.copyDictionary(), count: dictionary.values }
    if (pages.every(({ what }) => what === 'indices')) return { ...finished, dictionary: values }
    bloom.add(decodePlain(leaf, values.plain, values.count), 0, values.count)
  }
  return { ...finished, bloomFilter: bloom.build() }
}

const NO_FACTS = { levels: 0, rows: 0, nulls: 0 }

function addOpenPage(bloom: BloomBuilder, kernel: Kernel, leaf: LeafColumn, values: number): void {
  const { slots } = kernel
  const table = decodePlain(leaf, kernel.slice(slots.pageValuesAt(), slots.pageValueBytes()).view(), values)
  bloom.add(table, 0, values)
}

function pageKindsOf(pages: readonly SlotPage[]): PageKind[] {
  const kinds: PageKind[] = []
  for (const { what } of pages) {
    const encoding = what === 'indices' ? ENCODING.RLE_DICTIONARY : ENCODING.PLAIN
    const same = kinds.find((kind) => kind.encoding === encoding)
    if (same) same.count++
    else kinds.push({ kind: PAGE.DATA, encoding, count: 1 })
  }
  return kinds
}
