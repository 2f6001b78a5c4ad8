// Values that come without a dictionary.

import { checkByteArrays } from './bounds'
import { isChecking, isGathering, maxDefinition, valueBytes } from './column'
import * as dictionary from './dictionary'
import { NO_INDEX } from './dictionary'
import * as gather from './gather'
import { isTooLong } from './input-dictionary'
import { countLevels } from './levels'
import {
  addLevels,
  appendFixed,
  appendPlain,
  BATCH_LEVELS,
  canIntern,
  flushPage,
  indicesAt,
  openLevels,
  openValues,
  pageBytes,
  pageLevels,
  plainBytes,
  usePlain,
  usesDictionary,
  valuesSeen,
} from './open-page'

/** After so many values a dictionary is given up if nearly all of them were distinct. */
const EARLY_VALUES: u32 = 8192
const EARLY_PERCENT: u64 = 98

/** whether values that come without a dictionary turn out to be nearly all distinct */
function isHopeless(): bool {
  return valuesSeen >= EARLY_VALUES && <u64>dictionary.count * 100 > <u64>valuesSeen * EARLY_PERCENT
}

export function takeFixed(values: usize, count: u32, definition: usize): void {
  let from = values
  for (let level: u32 = 0; level < count; ) {
    let levels = min(count - level, pageLevels - openLevels)
    if (usesDictionary && isHopeless()) {
      usePlain()
      continue
    }
    if (usesDictionary) {
      levels = min(levels, BATCH_LEVELS)
      const present = definition === 0 ? levels : countLevels(definition + level, levels, maxDefinition)
      if (!internFixed(from, present)) {
        usePlain()
        continue
      }
      from += <usize>present * valueBytes
      addLevels(definition === 0 ? 0 : definition + level, levels, present)
    } else {
      levels = min(levels, <u32>((pageBytes - plainBytes) / valueBytes))
      if (levels === 0) {
        flushPage()
        continue
      }
      const present = definition === 0 ? levels : countLevels(definition + level, levels, maxDefinition)
      const bytes = <usize>present * valueBytes
      appendFixed(from, bytes)
      from += bytes
      addLevels(definition === 0 ? 0 : definition + level, levels, present)
    }
    level += levels
  }
}

/** @returns false, and nothing has changed, where the dictionary may not hold them */
function internFixed(values: usize, present: u32): bool {
  if (!canIntern(present, <usize>present * valueBytes)) return false
  let to = indicesAt + ((<usize>openValues) << 2)
  let from = values
  const end = values + <usize>present * valueBytes
  let isFound = true
  if (valueBytes === 8) {
    for (; from < end; from += 8, to += 4) {
      const index = dictionary.intern8(load<u64>(from))
      store<u32>(to, index)
      if (index === NO_INDEX) isFound = false
    }
  } else if (valueBytes === 4) {
    for (; from < end; from += 4, to += 4) {
      const index = dictionary.intern4(load<u32>(from))
      store<u32>(to, index)
      if (index === NO_INDEX) isFound = false
    }
  } else {
    for (; from < end; from += valueBytes, to += 4) {
      const index = dictionary.internBytes(from, valueBytes)
      store<u32>(to, index)
      if (index === NO_INDEX) isFound = false
    }
  }
  return isFound
}

export function takeByteArrays(values: usize, end: usize, count: u32, definition: usize, present: u32): bool {
  if ((end - values) >> 2 < <usize>present) return false
  let from = values
  if (isGathering) return gather.putByteArrays(from, end, count, definition, present)
  if (isChecking) {
    for (let i: u32 = 0; i < present; i++) {
      if (end - from < 4) return false
      const length = <usize>load<u32>(from)
      if (length > end - from - 4) return false
      from += 4 + length
    }
    checkByteArrays(values, from)
    return true
  }
  for (let level: u32 = 0; level < count; ) {
    const most = min(min(count - level, pageLevels - openLevels), BATCH_LEVELS)
    if (usesDictionary && isHopeless()) {
      usePlain()
      continue
    }
    if (usesDictionary) {
      const inBatch = definition === 0 ? most : countLevels(definition + level, most, maxDefinition)
      const start = from
      let to = indicesAt + ((<usize>openValues) << 2)
      let isFound = true
      for (let i: u32 = 0; i < inBatch; i++, to += 4) {
        if (end - from < 4) return false
        const length = <usize>load<u32>(from)
        if (length > end - from - 4 || isTooLong(length)) return false
        const index = dictionary.internBytes(from + 4, length)
        if (index === NO_INDEX) {
          isFound = false
          break
        }
        store<u32>(to, index)
        from += 4 + length
      }
      if (!isFound) {
        from = start
        usePlain()
        continue
      }
      addLevels(definition === 0 ? 0 : definition + level, most, inBatch)
      level += most
      continue
    }
    let levels: u32 = 0
    let taken: u32 = 0
    for (; levels < most; levels++) {
      if (definition !== 0 && <u32>load<u8>(definition + level + levels) !== maxDefinition) continue
      if (end - from < 4) return false
      const length = <usize>load<u32>(from)
      if (length > end - from - 4) return false
      if (!appendPlain(from + 4, length)) break
      from += 4 + length
      taken++
    }
    if (levels === 0) {
      if (openLevels === 0) return false
      flushPage()
      continue
    }
    addLevels(definition === 0 ? 0 : definition + level, levels, taken)
    level += levels
  }
  return true
}
