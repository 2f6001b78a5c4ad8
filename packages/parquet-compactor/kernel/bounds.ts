// Looks at the values of a page: of the one that is being handed over, or of one of an input that is only looked through.

import { checkedOrder, valueBytes } from './column'
import * as dictionary from './dictionary'
import { inputAt, inputCount, inputEntryAt, inputEntryBytes } from './input-dictionary'
import { free, releaseTo, take } from './memory'
import { hasNulls, indicesAt, levelsAt, openValues, plainAt, plainBytes } from './open-page'

/** as src/splice/page-facts.ts numbers them */
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
let hasChecked: bool = false

/** @returns whether the page that is being handed over has bounds: a value of such an order that is a number */
export function findPageBounds(order: Order, areIndices: bool): bool {
  nans = 0
  if (openValues === 0) return false
  if (order !== Order.BYTES) {
    return findFixed(order, areIndices ? dictionary.plainAt : plainAt, areIndices ? indicesAt : 0, openValues)
  }
  if (areIndices) findAmongEntries(indicesAt, openValues, dictionary.count, false)
  else findAmongBytes(plainAt, plainAt + plainBytes)
  return true
}

/** Look at values of fixed width of a page of an input. */
export function checkFixed(values: usize, count: u32): void {
  nans = 0
  hasChecked = count > 0
  if (!hasChecked) return
  if (checkedOrder !== Order.BYTES) hasChecked = findFixed(checkedOrder, values, 0, count)
  else findAmongBytes(values, values + <usize>count * valueBytes)
}

/** The same for byte arrays with their lengths, which have been found sound. */
export function checkByteArrays(values: usize, end: usize): void {
  nans = 0
  hasChecked = end > values && checkedOrder === Order.BYTES
  if (hasChecked) findAmongBytes(values, end)
}

/** The same for indices into the dictionary of the input. */
export function checkIndices(indices: usize, count: u32): void {
  nans = 0
  hasChecked = count > 0
  if (!hasChecked) return
  if (checkedOrder !== Order.BYTES) hasChecked = findFixed(checkedOrder, inputAt, indices, count)
  else findAmongEntries(indices, count, inputCount, true)
}

/** whether the page that was looked at last has bounds */
export function hasCheckedBounds(): bool {
  return hasChecked
}

/** @param indices which values count; 0 for `count` one after another */
function findFixed(order: Order, values: usize, indices: usize, count: u32): bool {
  switch (order) {
    case Order.SIGNED_32:
      return find<i32>(values, indices, count)
    case Order.UNSIGNED_32:
      return find<u32>(values, indices, count)
    case Order.SIGNED_64:
      return find<i64>(values, indices, count)
    case Order.UNSIGNED_64:
      return find<u64>(values, indices, count)
    case Order.FLOAT:
      return find<f32>(values, indices, count)
    case Order.DOUBLE:
      return find<f64>(values, indices, count)
    case Order.BOOLEAN:
      return find<u8>(values, indices, count)
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

function find<T>(values: usize, indices: usize, count: u32): bool {
  let low: usize = 0
  let high: usize = 0
  let least: T = <T>0
  let greatest: T = <T>0
  for (let i: u32 = 0; i < count; i++) {
    const number = indices > 0 ? load<u32>(indices + ((<usize>i) << 2)) : i
    const at = values + <usize>number * sizeof<T>()
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

function findAmongBytes(from: usize, end: usize): void {
  const prefix: usize = valueBytes > 0 ? 0 : 4
  for (let at = from; at < end; ) {
    const length = prefix > 0 ? <usize>load<u32>(at) : valueBytes
    include(at + prefix, length, at === from)
    at += prefix + length
  }
}

/**
 * Entries of a dictionary count only if a value of the page refers to them.
 * @param ofInput whether it is the dictionary of the input, not ours
 */
function findAmongEntries(indices: usize, count: u32, entries: u32, ofInput: bool): void {
  const before = free
  const isUsed = take(<usize>entries)
  memory.fill(isUsed, 0, <usize>entries)
  for (let i: u32 = 0; i < count; i++) store<u8>(isUsed + <usize>load<u32>(indices + ((<usize>i) << 2)), 1)
  let isFirst = true
  for (let entry: u32 = 0; entry < entries; entry++) {
    if (load<u8>(isUsed + <usize>entry) === 0) continue
    const at = ofInput ? inputEntryAt(entry) : dictionary.entryAt(entry)
    include(at, ofInput ? inputEntryBytes(entry) : dictionary.entryBytes(entry), isFirst)
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
