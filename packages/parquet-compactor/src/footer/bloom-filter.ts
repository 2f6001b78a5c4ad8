import { ByteBuffer } from '../format/byte-buffer.ts'
import { LOGICAL, PHYSICAL } from '../format/format.ts'
import { ThriftReader } from '../format/thrift-reader.ts'
import { ThriftWriter } from '../format/thrift-writer.ts'
import type { ValueTable } from '../format/value-table.ts'
import { xxhash64 } from '../format/xxhash64.ts'
import type { LeafColumn } from '../schema/schema.ts'
import { readable } from './read-page-index.ts'

/** Split block bloom filters (BloomFilter.md): blocks of eight words, of which a value sets one bit each. */

const BLOCK_BYTES = 32
/** A larger filter is not built: what it saves a reader, reading it costs. */
const MAX_BUILT_BYTES = 128 * 1024
/** rate of false positives of a filter that is built, as DuckDB and arrow-rs choose it … */
const FALSE_POSITIVES = 0.01
/** … and what one that is joined may: beyond it a reader gains too little to read it. */
const MAX_FALSE_POSITIVES = 0.1
/** Values that are hashed for one filter at most; they are held until it is built, 8 bytes each. */
const MAX_HASHES = MAX_BUILT_BYTES

const SALT = Int32Array.of(
  0x47b6137b,
  0x44974d91,
  0x8824ad5b,
  0xa2b7289d,
  0x705495c7,
  0x2df1424b,
  0x9efc4947,
  0x5c6bfb31,
)

/**
 * Find the bitset of a filter.
 * @param bytes begin with the BloomFilterHeader and may go on behind the filter
 * @returns undefined where it is malformed, of another kind than the one that the format has, or not all there
 */
export function readBloomFilter(bytes: Uint8Array): { bitset: Uint8Array; filter: Uint8Array } | undefined {
  return readable(() => readFilter(bytes))
}

function readFilter(bytes: Uint8Array): { bitset: Uint8Array; filter: Uint8Array } | undefined {
  const reader: ThriftReader = new ThriftReader(bytes)
  let length = 0
  let kinds = 0
  reader.enterStruct()
  for (let id = reader.nextField(); id !== 0; id = reader.nextField()) {
    if (id === 1) length = reader.i32()
    else if (id <= 4) kinds += firstOfUnion(reader) ? 1 : 0
    else reader.skip()
  }
  const end = reader.offset + length
  if (kinds !== 3 || length < BLOCK_BYTES || length % BLOCK_BYTES !== 0 || end > bytes.length) return undefined
  return { bitset: bytes.subarray(reader.offset, end), filter: bytes.subarray(0, end) }
}

/** SPLIT_BLOCK, XXHASH and UNCOMPRESSED are each the first, and so far the only one, of their union */
function firstOfUnion(reader: ThriftReader): boolean {
  let isFirst = false
  reader.struct()
  for (let id = reader.nextField(); id !== 0; id = reader.nextField()) {
    isFirst = id === 1
    reader.skip()
  }
  return isFirst
}

function writeBloomFilter(bitset: Uint8Array): Uint8Array {
  const writer = new ThriftWriter(new ByteBuffer(bitset.length + 32))
  writer.open()
  writer.i32(1, bitset.length)
  for (let id = 2; id <= 4; id++) {
    writer.open(id)
    writer.open(1)
    writer.close()
    writer.close()
  }
  writer.close()
  writer.out.append(bitset)
  return writer.out.take()
}

/** The filters of several chunks together. */
export class BloomUnion {
  #bitset: Uint8Array | undefined

  /** @returns false where the filter has another size than those before */
  add(bitset: Uint8Array): boolean {
    if (!this.#bitset) {
      this.#bitset = bitset.slice()
      return true
    }
    if (bitset.length !== this.#bitset.length) return false
    for (let i = 0; i < bitset.length; i++) this.#bitset[i]! |= bitset[i]!
    return true
  }

  /** @returns undefined where it says yes to so much that nobody would gain by it */
  finish(): Uint8Array | undefined {
    const bitset = this.#bitset
    if (!bitset) return undefined
    // per block, the probability that a value which is not in it meets a set bit in each of its eight words
    let falsePositives = 0
    for (let block = 0; block < bitset.length; block += BLOCK_BYTES) {
      let chance = 1
      for (let word = block; word < block + BLOCK_BYTES; word += 4) {
        chance *=
          (BITS[bitset[word]!]! + BITS[bitset[word + 1]!]! + BITS[bitset[word + 2]!]! + BITS[bitset[word + 3]!]!) / 32
      }
      falsePositives += chance
    }
    const blocks = bitset.length / BLOCK_BYTES
    return falsePositives / blocks > MAX_FALSE_POSITIVES ? undefined : writeBloomFilter(bitset)
  }
}

/** set bits of a byte */
const BITS = Uint8Array.from({ length: 256 }, (_, byte) => {
  let bits = 0
  for (let rest = byte; rest > 0; rest >>= 1) bits += rest & 1
  return bits
})

/** Collects the values of a chunk for a filter that fits their number. */
export class BloomBuilder {
  readonly #leaf: LeafColumn
  readonly #width: number
  /** upper and lower half of each */
  #hashes = new Uint32Array(1024)
  #count = 0
  #isFull = false

  constructor(leaf: LeafColumn) {
    this.#leaf = leaf
    this.#width = leaf.width
  }

  /** @param references how often each value occurs; those that do not are passed over. Default: once */
  add(table: ValueTable, from: number, to: number, references?: Uint32Array): void {
    if ((this.#count + to - from) * 2 > this.#hashes.length) this.#makeRoom(to - from)
    if (this.#isFull) return
    for (let i = from; i < to; i++) {
      if (references?.[i] === 0) continue
      const start = table.starts ? table.starts[i]! : i * this.#width
      const end = start + (table.lengths ? table.lengths[i]! : this.#width)
      xxhash64(table.bytes, start, end, this.#hashes, this.#count * 2)
      this.#count++
    }
  }

  #makeRoom(more: number): void {
    if (this.#isFull) return
    this.#count = distinct(this.#hashes, this.#count)
    const needed = this.#count + more
    if (needed > MAX_HASHES) {
      this.#isFull = true
      this.#hashes = new Uint32Array()
    } else if (needed * 4 > this.#hashes.length) {
      const grown = new Uint32Array(needed * 4)
      grown.set(this.#hashes.subarray(0, this.#count * 2))
      this.#hashes = grown
    }
  }

  get heldBytes(): number {
    return this.#hashes.byteLength
  }

  /** @returns undefined where there were too many values */
  build(): Uint8Array | undefined {
    if (this.#isFull) return undefined
    this.#count = distinct(this.#hashes, this.#count)
    const bytes = bitsetBytes(this.#count)
    if (bytes > MAX_BUILT_BYTES) return undefined
    const words = new Int32Array(bytes / 4)
    const blocks = bytes / BLOCK_BYTES
    for (let i = 0; i < this.#count * 2; i += 2) {
      const block = Math.floor((this.#hashes[i]! * blocks) / 0x100000000) * 8
      const low = this.#hashes[i + 1]!
      for (let word = 0; word < 8; word++) words[block + word]! |= 1 << (Math.imul(low, SALT[word]!) >>> 27)
    }
    const bitset = new Uint8Array(bytes)
    const view = new DataView(bitset.buffer)
    for (let i = 0; i < words.length; i++) view.setInt32(i * 4, words[i]!, true)
    addOtherZero(bitset, this.#leaf)
    return writeBloomFilter(bitset)
  }
}

/** Bytes for so many values, a power of two as filters of other writers have it, so that equal sizes meet. */
function bitsetBytes(values: number): number {
  // BloomFilter.md, "Sizing an SBBF"
  const bits = (-8 * values) / Math.log(1 - FALSE_POSITIVES ** (1 / 8))
  let bytes = BLOCK_BYTES
  while (bytes * 8 < bits) bytes *= 2
  return bytes
}

/** Sort pairs of halves and keep one of each. @returns how many are left */
function distinct(hashes: Uint32Array, count: number): number {
  const keys = new BigUint64Array(count)
  for (let i = 0; i < count; i++) keys[i] = (BigInt(hashes[i * 2]!) << 32n) | BigInt(hashes[i * 2 + 1]!)
  keys.sort()
  let kept = 0
  for (let i = 0; i < count; i++) {
    const key = keys[i]!
    if (i > 0 && key === keys[i - 1]) continue
    hashes[kept * 2] = Number(key >> 32n)
    hashes[kept * 2 + 1] = Number(key & 0xffffffffn)
    kept++
  }
  return kept
}

/** Values of which none equals another. */
export interface DistinctValues {
  /** in PLAIN encoding */
  plain: Uint8Array
  count: number
}

/**
 * Make a filter of exactly these values.
 * @param fill makes a bitset of so many bytes
 * @returns undefined where it would be too large
 */
export function bloomFilterOf(
  values: DistinctValues,
  leaf: LeafColumn,
  fill: (bytes: number) => Uint8Array,
): Uint8Array | undefined {
  const bytes = bitsetBytes(values.count)
  if (bytes > MAX_BUILT_BYTES) return undefined
  const bitset = fill(bytes)
  addOtherZero(bitset, leaf)
  return writeBloomFilter(bitset)
}

/** -0 equals 0, but has another hash: readers that look for one of them must find the other. */
function addOtherZero(bitset: Uint8Array, leaf: LeafColumn): void {
  const { physical, width, logicalType } = leaf
  const isFloat = physical === PHYSICAL.FLOAT || physical === PHYSICAL.DOUBLE || logicalType === LOGICAL.FLOAT16
  if (!isFloat) return
  const zeros = new Uint8Array(width * 2)
  zeros[width * 2 - 1] = 0x80
  const hashes = new Uint32Array(4)
  xxhash64(zeros, 0, width, hashes, 0)
  xxhash64(zeros, width, width * 2, hashes, 2)
  const view = new DataView(bitset.buffer, bitset.byteOffset, bitset.byteLength)
  const places = [0, 2].map((at) => {
    const block = Math.floor((hashes[at]! * (bitset.length / BLOCK_BYTES)) / 0x100000000) * BLOCK_BYTES
    return Array.from(SALT, (salt, word) => ({
      at: block + word * 4,
      bit: 1 << (Math.imul(hashes[at + 1]!, salt) >>> 27),
    }))
  })
  const hasZero = places.some((words) => words.every(({ at, bit }) => (view.getInt32(at, true) & bit) !== 0))
  if (!hasZero) return
  for (const { at, bit } of places.flat()) view.setInt32(at, view.getInt32(at, true) | bit, true)
}
