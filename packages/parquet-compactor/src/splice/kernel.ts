import type { CodecName } from '../codecs/codec.ts'
import type { DistinctValues } from '../footer/bloom-filter.ts'
import { PHYSICAL } from '../format/format.ts'
import { ParquetError } from '../parquet-error.ts'
import type { LeafColumn } from '../schema/schema.ts'
import { KERNEL_WASM_BASE64 } from './kernel-wasm.ts'
import type { SlotExports } from './slot-exports.ts'

/** What kernel/kernel.ts exports. */
interface KernelExports extends SlotExports {
  memory: { buffer: ArrayBuffer }
  beginColumn(
    width: number,
    isBoolean: number,
    maxDefinition: number,
    codec: number,
    pageLevels: number,
    pageBytes: number,
    dictionaryBytes: number,
  ): number
  beginGroup(bytes: number, members: number): number
  chunkList(): number
  takeList(from: number, count: number, maxPageBytes: number, pauseAt: number): number
  whyStopped(): number
  memberInHand(): number
  beginCheck(width: number, isBoolean: number, maxDefinition: number, order: number): number
  makeRoom(bytes: number): number
  takeChunk(bytes: number, levels: number, codec: number, maxPageBytes: number): number
  openChunk(bytes: number, levels: number): void
  takePages(codec: number, maxPageBytes: number): number
  nextPage(maxPageBytes: number): number
  pagePosition(): number
  pageAt(): number
  pageSize(): number
  hasChecksum(): number
  pageChecksum(): number
  packedAt(): number
  packedBytes(): number
  unpackedBytes(): number
  isPacked(): number
  makePageRoom(): number
  takePage(at: number): number
  takeStoredPage(): number
  usePlain(): void
  finishColumn(): void
  distinctValues(): number
  dictionaryAt(): number
  dictionaryBytes(): number
  isWrittenAnew(): number
  isDictionaryUsed(): number
  countValues(): number
  makeFilterRoom(bytes: number): number
  fillFilter(values: number, count: number, width: number, bitset: number, blocks: number): void
}

type PageInHand = Pick<
  KernelExports,
  | 'nextPage'
  | 'pagePosition'
  | 'pageAt'
  | 'pageSize'
  | 'hasChecksum'
  | 'pageChecksum'
  | 'packedAt'
  | 'packedBytes'
  | 'unpackedBytes'
  | 'isPacked'
>

/**
 * Bytes in the kernel's memory, as a place and not as a view: every call into the kernel may make that memory grow, and growth
 * detaches all views of it. What stands there is overwritten once the kernel goes on.
 */
export class KernelSlice {
  readonly length: number
  readonly #view: () => Uint8Array<ArrayBuffer>

  /** @param view makes a view of the memory as it is now */
  constructor(length: number, view: () => Uint8Array<ArrayBuffer>) {
    this.length = length
    this.#view = view
  }

  /** @returns a view that the next call into the kernel may detach: for use at once */
  view(): Uint8Array<ArrayBuffer> {
    return this.#view()
  }

  copy(): Uint8Array<ArrayBuffer> {
    return this.#view().slice()
  }
}

/** A page as the kernel hands it over. */
export interface KernelPage {
  /** `checked` is a page of an input that was looked through, without a body */
  what: 'plain' | 'indices' | 'dictionary' | 'checked'
  /** compressed if the codec of the column is snappy; for other codecs the caller does it */
  body: KernelSlice
  uncompressedBytes: number
  levels: number
  /** not null; of a dictionary its entries */
  values: number
}

export interface ColumnLimits {
  /** levels of a page at most */
  pageLevels: number
  /** bytes of the values of a page at most; a longer value is not handled */
  pageBytes: number
  /** bytes of distinct values from which on values are written plain */
  dictionaryBytes: number
}

const WHAT = ['plain', 'indices', 'dictionary', 'checked'] as const

/** as much of WebAssembly as is needed; neither the language's library nor Node's types name it */
interface WebAssemblyHost {
  Module: new (bytes: Uint8Array) => object
  Instance: new (module: object, imports: object) => { exports: unknown }
  RuntimeError: new () => Error
}

const { Module, Instance, RuntimeError } = (globalThis as unknown as { WebAssembly: WebAssemblyHost }).WebAssembly

let kernelModule: object | undefined
try {
  // as this file loads: a Worker may not do so inside a request
  kernelModule = new Module(Uint8Array.from(atob(KERNEL_WASM_BASE64), (letter) => letter.charCodeAt(0)))
} catch {
  // a runtime that never compiles, or loads files inside requests: its callers hand kernel.wasm over
}

/**
 * As the kernel numbers the codecs that it knows; any other number leaves pages to the caller. Of zstd it knows frames in
 * which nothing is compressed.
 */
const KERNEL_CODECS: Partial<Record<CodecName, number>> = { none: 0, snappy: 1, zstd: 2 }
const OTHER_CODEC = 3

/** No page ought to bring the kernel to this; memory that does not grow does. */
export function isTrap(error: unknown): boolean {
  return error instanceof RuntimeError
}

/** the kernel counts in numbers of 32 bits */
const MOST_BYTES = 2 ** 29

/** To set one up takes longer than to join a few small files. */
let atRest: Kernel | undefined
const MOST_BYTES_AT_REST = 16 * 2 ** 20

const STOPS = ['done', 'paged', 'odd', 'full'] as const

/**
 * `done` with a chunk; `paged` before a page that the caller unpacks, or whose checksum it compares; `odd` where the chunk must
 * be read in another way; `full` when the caller has got a page to compress, and is to come again
 */
export type Taken = (typeof STOPS)[number]

/**
 * One instance of the WebAssembly kernel (kernel/), for one column at a time. Its memory grows to what the largest
 * column needed and is let go of with the instance.
 */
export class Kernel {
  readonly #exports: KernelExports
  #view: Uint8Array<ArrayBuffer> = new Uint8Array()
  /** where chunks are put, and how large they may be */
  #chunkAt = 0
  #room = 0
  /** where members of the row group are kept, where the next one goes, and how many bytes may follow */
  #places: number[] = []
  #nextPlace = 0
  #left = 0
  #hasGroup = false
  onPage: (page: KernelPage) => void = () => {}
  /** then nothing in its memory is sure, and it must not be used again */
  hasTrapped = false

  /**
   * @param given kernel.wasm, compiled
   * @returns the one that is at rest, or a new one; `release` it in the end
   * @throws ParquetError `bad_option` where it must be given
   */
  static acquire(given: object | undefined): Kernel {
    kernelModule ??= given
    if (!kernelModule)
      throw new ParquetError('bad_option', 'nothing compiles here: option `kernel` must be kernel.wasm')
    const kernel = atRest ?? new Kernel(kernelModule)
    atRest = undefined
    return kernel
  }

  /** Keep it for the next merge, if it is in order and not large. */
  release(): void {
    this.onPage = () => {}
    if (!this.hasTrapped && this.memoryBytes <= MOST_BYTES_AT_REST) atRest = this
  }

  constructor(module: object) {
    const onPage = (
      what: number,
      at: number,
      bytes: number,
      uncompressedBytes: number,
      levels: number,
      values: number,
    ) => {
      const body = this.slice(at, bytes)
      this.onPage({ what: WHAT[what]!, body, uncompressedBytes, levels, values })
    }
    this.#exports = new Instance(module, { 'open-page': { onPage } }).exports as KernelExports
  }

  get memoryBytes(): number {
    return this.#exports.memory.buffer.byteLength
  }

  slice(at: number, length: number): KernelSlice {
    return new KernelSlice(length, () => this.#memory().subarray(at, at + length))
  }

  begin(leaf: LeafColumn, codec: CodecName, limits: ColumnLimits): void {
    const isBoolean = leaf.physical === PHYSICAL.BOOLEAN
    const { pageLevels, pageBytes, dictionaryBytes } = limits
    const width = isBoolean ? 1 : leaf.width
    this.#exports.beginColumn(
      width,
      Number(isBoolean),
      leaf.maxDefinition,
      KERNEL_CODECS[codec] ?? OTHER_CODEC,
      pageLevels,
      pageBytes,
      Math.min(dictionaryBytes, MOST_BYTES / 16),
    )
    this.#room = 0
  }

  /**
   * Look chunks of a column through from here on: nothing is kept, and `onPage` gets pages without a body.
   * @param order in which bounds of their values are found, as `kernelOrder` has it
   */
  beginCheck(leaf: LeafColumn, order: number): void {
    const isBoolean = leaf.physical === PHYSICAL.BOOLEAN
    this.#exports.beginCheck(isBoolean ? 1 : leaf.width, Number(isBoolean), leaf.maxDefinition, order)
    this.#room = 0
  }

  /**
   * Make room for small members of a row group, which stay in the kernel's memory until its columns are written.
   * @param bytes   of all
   * @param members how many at the most
   */
  beginGroup(bytes: number, members: number): void {
    this.#places = []
    this.#left = 0
    const isNeedless = bytes === 0 && !this.#hasGroup
    if (isNeedless || bytes > MOST_BYTES || this.hasTrapped) return
    this.#hasGroup = bytes > 0
    this.#nextPlace = this.#exports.beginGroup(bytes, members)
    this.#left = bytes
  }

  /**
   * Keep the next member.
   * @param offset where its bytes begin in the file
   * @returns whether there is room
   */
  keep(bytes: Uint8Array, offset: number): boolean {
    if (bytes.length > this.#left) return false
    this.#memory().set(bytes, this.#nextPlace)
    this.#places.push(this.#nextPlace - offset)
    this.#nextPlace += bytes.length
    this.#left -= bytes.length
    return true
  }

  /** how many members are kept, from the first on */
  get kept(): number {
    return this.#places.length
  }

  /** where the first byte of a member's file would be */
  placeOf(member: number): number {
    return this.#places[member]!
  }

  /** Write the list of chunks for `takeList`, four numbers each: place, bytes, levels, codec as `codecNumber` has it. */
  putChunkList(list: Uint32Array): void {
    this.#putWords(this.#exports.chunkList(), list)
  }

  codecNumber(codec: CodecName): number {
    return KERNEL_CODECS[codec] ?? OTHER_CODEC
  }

  /**
   * Take over chunks of the list.
   * @param pauseAt values after which to stop
   * @returns the first one that is not done and why; `paged` as for `take`
   */
  takeList(from: number, count: number, maxPageBytes: number, pauseAt: number): [number, Taken] {
    const next = this.#exports.takeList(from, count, Math.min(maxPageBytes, MOST_BYTES), pauseAt)
    return [next, STOPS[this.#exports.whyStopped()]!]
  }

  /** the member of the list in hand */
  get member(): number {
    return this.#exports.memberInHand()
  }

  /**
   * Take over all pages of a chunk.
   * @param levels values and nulls, by the footer
   * @returns `odd` where the chunk must be read in another way; `paged` where the next page is to be unpacked by the caller, or
   *          its checksum compared
   */
  take(chunk: Uint8Array, levels: number, codec: CodecName, maxPageBytes: number): Taken {
    if (chunk.length > MOST_BYTES) return 'odd'
    this.#put(chunk)
    const most = Math.min(maxPageBytes, MOST_BYTES)
    return STOPS[this.#exports.takeChunk(chunk.length, levels, this.codecNumber(codec), most)]!
  }

  /** Go on with the pages of the chunk in hand. @returns as `take` */
  takeRest(codec: CodecName, maxPageBytes: number): Taken {
    return STOPS[this.#exports.takePages(this.codecNumber(codec), Math.min(maxPageBytes, MOST_BYTES))]!
  }

  #put(chunk: Uint8Array): void {
    if (chunk.length > this.#room) {
      this.#chunkAt = this.#exports.makeRoom(chunk.length)
      this.#room = chunk.length
    }
    this.#memory().set(chunk, this.#chunkAt)
  }

  /** the dictionary so far: its entries, and its bytes in PLAIN encoding */
  get distinctValues(): number {
    return this.#exports.distinctValues()
  }

  get dictionaryBytes(): number {
    return this.#exports.dictionaryBytes()
  }

  /** @returns a copy of the dictionary in PLAIN encoding */
  copyDictionary(): Uint8Array {
    return this.slice(this.#exports.dictionaryAt(), this.#exports.dictionaryBytes()).copy()
  }

  /** whether pages that end now hold values of chunks before the one in hand */
  get isUnfolding(): boolean {
    return this.#exports.isWrittenAnew() !== 0
  }

  /** values that are not null, so far */
  get valuesSeen(): number {
    return this.#exports.countValues()
  }

  get usesDictionary(): boolean {
    return this.#exports.isDictionaryUsed() !== 0
  }

  usePlain(): void {
    this.#exports.usePlain()
  }

  /**
   * Make the bitset of a bloom filter of `bytes`, a multiple of 32, while no column is in hand.
   * @param width of each value; 0 for byte arrays
   */
  fillFilter({ plain, count }: DistinctValues, width: number, bytes: number): Uint8Array {
    const at = this.#exports.makeFilterRoom(bytes + plain.length)
    this.#room = 0
    this.#memory().fill(0, at, at + bytes)
    this.#memory().set(plain, at + bytes)
    this.#exports.fillFilter(at + bytes, count, width, at, bytes / 32)
    return this.slice(at, bytes).copy()
  }

  /** Hand over the last page, then the dictionary if pages use one. */
  finish(): void {
    this.#exports.finishColumn()
  }

  /** the page at which it stopped */
  get page(): PageInHand {
    return this.#exports
  }

  /** columns whose values stand in slots */
  get slots(): SlotExports {
    return this.#exports
  }

  /**
   * Begin with rows whose values go into slots; nothing else stays in the kernel's memory meanwhile.
   * @param arenaBytes for all that is kept
   * @param mostPicks  rows of one input that are taken at a time
   * @returns whether so many rows have room to begin with
   */
  beginSlots(arenaBytes: number, columns: number, rows: number, mostPicks: number): boolean {
    this.#places = []
    this.#left = 0
    this.#hasGroup = true
    return this.#exports.beginSlots(arenaBytes, columns, rows, mostPicks) !== 0
  }

  /** Begin with a chunk whose values go into slots. */
  beginSlotColumn(number: number, leaf: LeafColumn, maxPageBytes: number): void {
    const isBoolean = leaf.physical === PHYSICAL.BOOLEAN
    const most = Math.min(maxPageBytes, MOST_BYTES)
    this.#exports.beginSlotColumn(number, isBoolean ? 1 : leaf.width, Number(isBoolean), leaf.maxDefinition, most)
    this.#room = 0
  }

  /**
   * Choose the rows of the next chunk that go into slots.
   * @param rows   of the chunk, ascending
   * @param places the slot of each
   */
  putPicks(rows: Uint32Array, places: Uint32Array): void {
    this.#putWords(this.#exports.pickedRows(), rows)
    this.#putWords(this.#exports.pickedSlots(), places)
    this.#exports.beginPicks(rows.length)
  }

  /**
   * Put levels and values that have been decoded elsewhere into slots.
   * @param definition left out where nothing is null
   * @param present    values, in PLAIN encoding
   * @returns whether it could
   */
  putDecoded(count: number, definition: Uint8Array | undefined, present: number, values: Uint8Array): boolean {
    const levelBytes = definition?.length ?? 0
    const bytes = levelBytes + values.length
    this.#chunkAt = this.#exports.makeRoom(bytes)
    this.#exports.openChunk(bytes, 0)
    if (definition) this.#memory().set(definition, this.#chunkAt)
    this.#memory().set(values, this.#chunkAt + levelBytes)
    return this.#exports.putDecoded(this.#chunkAt, count, Number(levelBytes > 0), present, values.length) !== 0
  }

  #putWords(at: number, words: Uint32Array): void {
    new Uint32Array(this.#memory().buffer, at, words.length).set(words)
  }

  /**
   * Put a page that has been unpacked where the kernel takes it over.
   * @param page may be a view of the kernel's memory, as codecs may return part of what they are given
   * @returns whether it could
   */
  takeUnpacked(page: Uint8Array): boolean {
    const isOwn = page.buffer === this.#exports.memory.buffer
    const bytes = isOwn ? page.slice() : page
    const at = this.#exports.makePageRoom()
    this.#memory().set(bytes, at)
    return this.#exports.takePage(at) !== 0
  }

  /** Take over the page in hand, which is not compressed, where it stands. @returns whether it could */
  takeStored(): boolean {
    return this.#exports.takeStoredPage() !== 0
  }

  #memory(): Uint8Array<ArrayBuffer> {
    // memory that grew has left the view behind, without a length
    if (this.#view.length === 0) this.#view = new Uint8Array(this.#exports.memory.buffer)
    return this.#view
  }
}
