import type { CodecName } from '../codecs/codec.ts'
import type { DistinctValues } from '../footer/bloom-filter.ts'
import { PHYSICAL } from '../format/format.ts'
import type { LeafColumn } from '../schema/schema.ts'
import { KERNEL_CODECS, MAX_BYTES, OTHER_CODEC, STOPS, type Taken, WHAT } from './abi.ts'
import type { KernelExports, PageInHand } from './kernel-exports.ts'
import { instantiate, kernelModuleOr } from './kernel-module.ts'
import { type KernelPage, KernelSlice } from './kernel-page.ts'
import type { SlotExports } from './slot-exports.ts'

export interface ColumnLimits {
  /** levels of a page at most */
  pageLevels: number
  /** bytes of the values of a page at most; a longer value is not handled */
  pageBytes: number
  /** bytes of distinct values from which on values are written plain */
  dictionaryBytes: number
}

/** To set one up takes longer than to join a few small files. */
let atRest: Kernel | undefined
const MAX_BYTES_AT_REST = 16 * 2 ** 20

/**
 * One instance of the WebAssembly kernel (kernel/), for one column at a time. Its memory grows to what the largest
 * column needed and is released with the instance.
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
    const module = kernelModuleOr(given)
    const kernel = atRest ?? new Kernel(module)
    atRest = undefined
    return kernel
  }

  /** Keep it for the next merge, if it is in order and not large. */
  release(): void {
    this.onPage = () => {}
    if (!this.hasTrapped && this.memoryBytes <= MAX_BYTES_AT_REST) atRest = this
  }

  constructor(module: object) {
    this.#exports = instantiate(module, (what, at, bytes, uncompressedBytes, levels, values) => {
      const body = this.slice(at!, bytes!)
      this.onPage({ what: WHAT[what!]!, body, uncompressedBytes: uncompressedBytes!, levels: levels!, values: values! })
    })
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
      Math.min(dictionaryBytes, MAX_BYTES / 16),
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
    if (isNeedless || bytes > MAX_BYTES || this.hasTrapped) return
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
    const next = this.#exports.takeList(from, count, Math.min(maxPageBytes, MAX_BYTES), pauseAt)
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
    if (chunk.length > MAX_BYTES) return 'odd'
    this.#put(chunk)
    const most = Math.min(maxPageBytes, MAX_BYTES)
    return STOPS[this.#exports.takeChunk(chunk.length, levels, this.codecNumber(codec), most)]!
  }

  /** Go on with the pages of the chunk in hand. @returns as `take` */
  takeRest(codec: CodecName, maxPageBytes: number): Taken {
    return STOPS[this.#exports.takePages(this.codecNumber(codec), Math.min(maxPageBytes, MAX_BYTES))]!
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
    const most = Math.min(maxPageBytes, MAX_BYTES)
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
