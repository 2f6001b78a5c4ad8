// The dictionary of the chunk in hand, and what becomes of its entries in ours.

import { isBoolean, isGathering, valueBytes } from './column'
import * as dictionary from './dictionary'
import { NO_INDEX } from './dictionary'
import { PLAIN, PLAIN_DICTIONARY } from './encodings'
import { chunkFree, free, keepForChunk, take } from './memory'
import { canIntern, pageBytes, usePlain, usesDictionary } from './open-page'
import * as header from './page-header'
import { beginInput } from './slots'

export let hasInput: bool = false
export let inputCount: u32 = 0
/** the values, and for byte arrays where each begins */
export let inputAt: usize = 0
let inputStartsAt: usize = 0
/** our index for each of its entries; 0 where values are written plain */
export let mappingAt: usize = 0
/** whether our index is the same for all of them */
export let isSameOrder: bool = false
/** bytes it takes, with everything that belongs to it */
export let inputHeld: usize = 0

/** A chunk begins, which has none yet. */
export function forgetInput(): void {
  hasInput = false
  mappingAt = 0
}

export function takeDictionary(at: usize, end: usize): bool {
  if (hasInput || isBoolean || header.values < 0) return false
  if (header.encoding !== PLAIN && header.encoding !== PLAIN_DICTIONARY) return false
  hasInput = true
  inputCount = <u32>header.values
  inputAt = at
  if (valueBytes === 0) {
    // each value takes its length at least
    if ((end - at) >> 2 < <usize>inputCount) return false
    inputStartsAt = take((<usize>inputCount) << 2)
    let from = at
    for (let i: u32 = 0; i < inputCount; i++) {
      if (end - from < 4) return false
      const length = <usize>load<u32>(from)
      from += 4
      if (length > end - from || isTooLong(length)) return false
      store<u32>(inputStartsAt + ((<usize>i) << 2), <u32>(from - at))
      from += length
    }
  } else if ((end - at) / valueBytes < <usize>inputCount) return false
  if (usesDictionary) mapInput(end - at)
  if (isGathering) beginInput(end - at)
  inputHeld = free - chunkFree
  keepForChunk()
  return true
}

/** whether a page of ours has no room for a byte array, which then must not get into the dictionary either */
export function isTooLong(length: usize): bool {
  return length > pageBytes - 4
}

function mapInput(bytes: usize): void {
  if (!canIntern(inputCount, bytes)) {
    usePlain()
    return
  }
  const mapping = take((<usize>inputCount) << 2)
  isSameOrder = true
  for (let i: u32 = 0; i < inputCount; i++) {
    const at = inputEntryAt(i)
    const index =
      valueBytes === 8
        ? dictionary.intern8(load<u64>(at))
        : valueBytes === 4
          ? dictionary.intern4(load<u32>(at))
          : dictionary.internBytes(at, inputEntryBytes(i))
    if (index === NO_INDEX) {
      usePlain()
      return
    }
    if (index !== i) isSameOrder = false
    store<u32>(mapping + ((<usize>i) << 2), index)
  }
  mappingAt = mapping
}

export function inputEntryAt(index: u32): usize {
  if (valueBytes > 0) return inputAt + <usize>index * valueBytes
  return inputAt + <usize>load<u32>(inputStartsAt + ((<usize>index) << 2))
}

export function inputEntryBytes(index: u32): usize {
  return valueBytes > 0 ? valueBytes : <usize>load<u32>(inputEntryAt(index) - 4)
}
