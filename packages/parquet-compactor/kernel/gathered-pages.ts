// Hands the slots that slots.ts has filled to the writer of column.ts, which has begun with the column, in their order.

import { maxDefinition, valueBytes } from './column'
import * as dictionary from './dictionary'
import { NO_INDEX } from './dictionary'
import { countLevels } from './levels'
import { free, releaseTo, take } from './memory'
import {
  addLevels,
  indicesAt,
  openLevels,
  openValues,
  pageLevels,
  usePlain,
  usesDictionary,
  valuesSeen,
} from './open-page'
import { takeByteArrays, takeFixed } from './plain-values'
import * as slots from './slots'

const BATCH_LEVELS: u32 = 4096
/** bytes of byte arrays in a batch, unless one alone is longer */
const BATCH_BYTES: usize = 262_144

/**
 * Write some slots of a column.
 * @returns whether all is well
 */
export function writeSlots(number: u32, from: u32, rows: u32): bool {
  const column = slots.columnOf(number)
  const end = from + rows
  let slot = from
  if (slots.hasIndices(column)) {
    slot = writeIndices(column, from, end)
    if (slot < end) usePlain()
  }
  const before = free
  while (slot < end) {
    if (usesDictionary && slots.isTooDistinct(dictionary.count, valuesSeen)) usePlain()
    const levels = min(end - slot, BATCH_LEVELS)
    const written = valueBytes > 0 ? writeFixed(column, slot, levels) : writeTexts(column, slot, levels)
    if (written === 0) return false
    slot += written
    releaseTo(before)
  }
  return true
}

/** bytes of the largest dictionary that values of a column came by */
export function largestInput(number: u32): u32 {
  return slots.columnOf(number).inputBytes
}

/** whether slots of a column hold indices of a dictionary: then they are written as such */
export function holdsIndices(number: u32): bool {
  return slots.hasIndices(slots.columnOf(number))
}

function definitionOf(column: slots.Column, slot: u32): usize {
  return column.definitionAt === 0 ? 0 : column.definitionAt + <usize>slot
}

/** Writes indices into a dictionary of the entries that these slots refer to. @returns the first slot that is not written */
function writeIndices(column: slots.Column, from: u32, end: u32): u32 {
  const state = slots.dictionaryStateOf(column)
  const before = free
  const mappingBytes = (<usize>dictionary.countOf(state)) << 2
  const mapping = take(mappingBytes)
  memory.fill(mapping, 0xff, mappingBytes)
  let slot = from
  while (slot < end && !slots.isTooDistinct(dictionary.count, valuesSeen)) {
    const levels = min(min(end - slot, pageLevels - openLevels), BATCH_LEVELS)
    const definition = definitionOf(column, slot)
    const values = mapIndices(column, state, slot, levels, definition, mapping)
    if (values === NO_INDEX) break
    addLevels(definition, levels, values)
    slot += levels
  }
  releaseTo(before)
  return slot
}

/** @returns how many values there are, or `NO_INDEX` where one found no place in the dictionary */
function mapIndices(
  column: slots.Column,
  state: usize,
  slot: u32,
  levels: u32,
  definition: usize,
  mapping: usize,
): u32 {
  const to = indicesAt + ((<usize>openValues) << 2)
  let values: u32 = 0
  for (let i: u32 = 0; i < levels; i++) {
    if (definition !== 0 && <u32>load<u8>(definition + <usize>i) !== maxDefinition) continue
    const own = slots.indexAt(column, slot + i)
    const mapped = mapping + ((<usize>own) << 2)
    let index = load<u32>(mapped)
    if (index === NO_INDEX) {
      index = intern(dictionary.entryOf(state, own))
      if (index === NO_INDEX) return NO_INDEX
      store<u32>(mapped, index)
    }
    store<u32>(to + ((<usize>values) << 2), index)
    values++
  }
  return values
}

function intern(at: usize): u32 {
  if (valueBytes === 8) return dictionary.intern8(load<u64>(at))
  if (valueBytes === 4) return dictionary.intern4(load<u32>(at))
  return dictionary.internBytes(at, valueBytes > 0 ? valueBytes : <usize>load<u32>(at - 4))
}

/** where the value of a slot is, of byte arrays their length before it */
function valueAt(column: slots.Column, slot: u32): usize {
  if (slots.hasIndices(column)) {
    const at = dictionary.entryOf(slots.dictionaryStateOf(column), slots.indexAt(column, slot))
    return valueBytes > 0 ? at : at - 4
  }
  if (valueBytes > 0) return column.slotsAt + <usize>slot * valueBytes
  return <usize>load<u32>(column.slotsAt + ((<usize>slot) << 2))
}

function writeFixed(column: slots.Column, slot: u32, levels: u32): u32 {
  const definition = definitionOf(column, slot)
  if (definition === 0 && !slots.hasIndices(column)) {
    takeFixed(column.slotsAt + <usize>slot * valueBytes, levels, 0)
    return levels
  }
  const present = definition === 0 ? levels : countLevels(definition, levels, maxDefinition)
  const values = take(<usize>present * valueBytes)
  let to = values
  for (let i: u32 = 0; i < levels; i++) {
    if (definition !== 0 && <u32>load<u8>(definition + <usize>i) !== maxDefinition) continue
    const at = valueAt(column, slot + i)
    if (valueBytes === 8) store<u64>(to, load<u64>(at))
    else if (valueBytes === 4) store<u32>(to, load<u32>(at))
    else memory.copy(to, at, valueBytes)
    to += valueBytes
  }
  takeFixed(values, levels, definition)
  return levels
}

function writeTexts(column: slots.Column, slot: u32, most: u32): u32 {
  const definition = definitionOf(column, slot)
  let bytes: usize = 0
  let present: u32 = 0
  let levels: u32 = 0
  for (; levels < most && bytes < BATCH_BYTES; levels++) {
    if (definition !== 0 && <u32>load<u8>(definition + <usize>levels) !== maxDefinition) continue
    bytes += <usize>load<u32>(valueAt(column, slot + levels)) + 4
    present++
  }
  const values = take(bytes)
  let to = values
  for (let i: u32 = 0; i < levels; i++) {
    if (definition !== 0 && <u32>load<u8>(definition + <usize>i) !== maxDefinition) continue
    const at = valueAt(column, slot + i)
    const length = <usize>load<u32>(at) + 4
    memory.copy(to, at, length)
    to += length
  }
  return takeByteArrays(values, to, levels, definition, present) ? levels : 0
}
