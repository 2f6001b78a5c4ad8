// Split block bloom filters (BloomFilter.md).

import { makeRoom } from './chunk'
import { keepForColumn, releaseColumn } from './memory'
import { xxhash64 } from './xxhash64'

const SALT = memory.data<u32>([
  0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d, 0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31,
])

/** Make room for a filter and its values; there is no column in hand. @returns where they are to be put */
export function makeFilterRoom(bytes: u32): usize {
  releaseColumn()
  keepForColumn()
  return makeRoom(bytes)
}

/**
 * Set the bits of values.
 * @param values in PLAIN encoding, well formed; byte arrays where `width` is 0
 * @param bitset of `blocks` blocks of 32 bytes
 */
export function fillFilter(values: usize, count: u32, width: u32, bitset: usize, blocks: u32): void {
  let at = values
  for (let i: u32 = 0; i < count; i++) {
    let length = <usize>width
    if (width === 0) {
      length = <usize>load<u32>(at)
      at += 4
    }
    const hash = xxhash64(at, length)
    at += length
    const block = bitset + ((<usize>(((hash >> 32) * <u64>blocks) >> 32)) << 5)
    // the upper five bits of each product choose a bit of each word
    const key = <u32>hash
    for (let word: usize = 0; word < 32; word += 4) {
      const bit: u32 = 1 << ((key * load<u32>(SALT + word)) >> 27)
      store<u32>(block + word, load<u32>(block + word) | bit)
    }
  }
}
