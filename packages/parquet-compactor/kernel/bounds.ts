// Looks at the values of the page that is being handed over, while they still stand in the open page.

import { valueBytes } from './column'
import * as dictionary from './dictionary'
import { free, releaseTo, take } from './memory'
import { hasNulls, indicesAt, levelsAt, openValues, plainAt, plainBytes } from './open-page'

/** as src/sort/write-slots.ts numbers them */
enum Order {
  NONE,
  SIGNED_32,
  UNSIGNED_32,
  SIGNED_64,
  UNSIGNED_64,
  FLOAT,
  DOUBLE,
  BOOLEAN,
  BYTES,
}

let lowAt: usize = 0
let lowBytes: usize = 0
let highAt: usize = 0
let highBytes: usize = 0
let nans: u32 = 0

/** @returns whether the page has bounds: a value of such an order that is a number */
export function findPageBounds(order: Order, areIndices: bool): bool {
  nans = 0
  if (openValues === 0) return false
  switch (order) {
    case Order.SIGNED_32:
      return find<i32>(areIndices)
    case Order.UNSIGNED_32:
      return find<u32>(areIndices)
    case Order.SIGNED_64:
      return find<i64>(areIndices)
    case Order.UNSIGNED_64:
      return find<u64>(areIndices)
    case Order.FLOAT:
      return find<f32>(areIndices)
    case Order.DOUBLE:
      return find<f64>(areIndices)
    case Order.BOOLEAN:
      return find<u8>(areIndices)
    case Order.BYTES:
      if (areIndices) findAmongEntries()
      else findAmongBytes()
      return true
    default:
      return false
  }
}

export function lowBoundAt(): usize {
  return lowAt
}

export function lowBoundBytes(): u32 {
  return <u32>lowBytes
}

export function highBoundAt(): usize {
  return highAt
}

export function highBoundBytes(): u32 {
  return <u32>highBytes
}

/** values that are no number */
export function pageNans(): u32 {
  return nans
}

/** the values of the page in PLAIN encoding, booleans a byte each */
export function pageValuesAt(): usize {
  return plainAt
}

export function pageValueBytes(): u32 {
  return <u32>plainBytes
}

/** the definition levels of the page; 0 where nothing is null */
export function pageDefinitionAt(): usize {
  return hasNulls ? levelsAt : 0
}

/** bytes of all byte arrays of the page, without their lengths */
export function pageTextBytes(areIndices: bool): f64 {
  if (!areIndices) return <f64>(plainBytes - ((<usize>openValues) << 2))
  let bytes: f64 = 0
  for (let i: u32 = 0; i < openValues; i++)
    bytes += <f64>dictionary.entryBytes(load<u32>(indicesAt + ((<usize>i) << 2)))
  return bytes
}

function find<T>(areIndices: bool): bool {
  let low: usize = 0
  let high: usize = 0
  let least: T = <T>0
  let greatest: T = <T>0
  for (let i: u32 = 0; i < openValues; i++) {
    const number = areIndices ? load<u32>(indicesAt + ((<usize>i) << 2)) : i
    const at = (areIndices ? dictionary.plainAt : plainAt) + <usize>number * sizeof<T>()
    const value = load<T>(at)
    // nothing else is not as great as itself
    if (isFloat<T>() && !(value <= load<T>(at))) {
      nans++
      continue
    }
    if (low === 0) {
      low = at
      high = at
      least = value
      greatest = value
    } else if (value < least) {
      least = value
      low = at
    } else if (value > greatest) {
      greatest = value
      high = at
    }
  }
  lowAt = low
  highAt = high
  lowBytes = sizeof<T>()
  highBytes = sizeof<T>()
  return low > 0
}

function findAmongBytes(): void {
  const prefix: usize = valueBytes > 0 ? 0 : 4
  const end = plainAt + plainBytes
  for (let at = plainAt; at < end; ) {
    const length = prefix > 0 ? <usize>load<u32>(at) : valueBytes
    include(at + prefix, length, at === plainAt)
    at += prefix + length
  }
}

/** Entries count only if a value of the page refers to them. */
function findAmongEntries(): void {
  const before = free
  const isUsed = take(<usize>dictionary.count)
  memory.fill(isUsed, 0, <usize>dictionary.count)
  for (let i: u32 = 0; i < openValues; i++) store<u8>(isUsed + <usize>load<u32>(indicesAt + ((<usize>i) << 2)), 1)
  let isFirst = true
  for (let entry: u32 = 0; entry < dictionary.count; entry++) {
    if (load<u8>(isUsed + <usize>entry) === 0) continue
    include(dictionary.entryAt(entry), dictionary.entryBytes(entry), isFirst)
    isFirst = false
  }
  releaseTo(before)
}

function include(at: usize, bytes: usize, isFirst: bool): void {
  if (isFirst || compareBytes(at, bytes, lowAt, lowBytes) < 0) {
    lowAt = at
    lowBytes = bytes
  }
  if (isFirst || compareBytes(at, bytes, highAt, highBytes) > 0) {
    highAt = at
    highBytes = bytes
  }
}

function compareBytes(a: usize, aBytes: usize, b: usize, bBytes: usize): i32 {
  const order = memory.compare(a, b, min(aBytes, bBytes))
  return order !== 0 ? order : aBytes < bBytes ? -1 : aBytes > bBytes ? 1 : 0
}
