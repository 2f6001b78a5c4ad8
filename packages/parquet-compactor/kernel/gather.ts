// Puts values of pages into the slots of slots.ts, in any order; gathered-pages.ts then hands each column to the writer in the
// order of its slots.

import { valueBytes } from './column'
import * as dictionary from './dictionary'
import { NO_INDEX } from './dictionary'
import { inputAt, inputCount, inputEntryAt, inputEntryBytes } from './input-dictionary'
import {
  column,
  Held,
  hasIndices,
  indexAt,
  isFull,
  isTooDistinct,
  keep,
  mappingAt,
  rowRoom,
  select,
  shift,
  slotOfTakenAt,
  taken,
  takenAt,
} from './slots'

const FIRST_DICTIONARY_BYTES: usize = 1024
const FIRST_ENTRIES: u32 = 64
const MOST_ENTRIES: u32 = 4_194_304
const TEXT_BLOCK_BYTES: usize = 65536
/** texts of a page after which its dictionary is looked at */
const JUDGED_TEXTS: u32 = 1024
/** so many entries have indices of 16 bits */
const MOST_SHORT: u32 = 65536

function slotBytes(): usize {
  return valueBytes > 0 ? valueBytes : 4
}

/** From here on slots hold values. */
function becomeValues(): bool {
  if (column.held === Held.VALUES) return true
  const slots = keep(<usize>rowRoom * slotBytes())
  if (isFull) return false
  if (hasIndices(column)) {
    for (let slot: u32 = 0; slot < rowRoom; slot++) {
      const at = dictionary.entryAt(indexAt(column, slot))
      if (valueBytes === 8) store<u64>(slots + ((<usize>slot) << 3), load<u64>(at))
      // a text stays where the dictionary has it
      else if (valueBytes === 0) store<u32>(slots + ((<usize>slot) << 2), <u32>(at - 4))
      else memory.copy(slots + <usize>slot * valueBytes, at, valueBytes)
    }
    if (mappingAt > 0) memory.fill(mappingAt, 0xff, (<usize>inputCount) << 2)
  }
  column.slotsAt = slots
  column.held = Held.VALUES
  return true
}

function beginIndices(): bool {
  const slots = keep((<usize>rowRoom) << 1)
  const at = keep(dictionary.dictionaryRoom(FIRST_DICTIONARY_BYTES, FIRST_ENTRIES))
  if (isFull) return false
  memory.fill(slots, 0, (<usize>rowRoom) << 1)
  column.slotsAt = slots
  column.held = Held.SHORT_INDICES
  dictionary.beginDictionary(at, FIRST_DICTIONARY_BYTES, FIRST_ENTRIES, valueBytes)
  return true
}

function becomeLong(): bool {
  const slots = keep((<usize>rowRoom) << 2)
  if (isFull) return false
  for (let slot: u32 = 0; slot < rowRoom; slot++) {
    store<u32>(slots + ((<usize>slot) << 2), indexAt(column, slot))
  }
  column.slotsAt = slots
  column.held = Held.INDICES
  return true
}

/** @returns the index in our dictionary, or `NO_INDEX` where it cannot have one */
function intern(at: usize, bytes: usize): u32 {
  if (<u32>bytes > column.longest) column.longest = <u32>bytes
  const wanted = dictionary.plainBytes + bytes + 4
  if (dictionary.count >= dictionary.entryRoom || wanted > dictionary.plainRoom) {
    const entries = min<u32>(dictionary.entryRoom << 2, MOST_ENTRIES)
    const room = max<usize>(wanted + bytes, dictionary.plainRoom << 2)
    if (dictionary.count >= entries) return NO_INDEX
    const to = keep(dictionary.dictionaryRoom(room, entries))
    if (to === 0) return NO_INDEX
    dictionary.moveDictionary(to, room, entries)
  }
  if (valueBytes === 8) return dictionary.intern8(load<u64>(at))
  return valueBytes === 4 ? dictionary.intern4(load<u32>(at)) : dictionary.internBytes(at, bytes)
}

/** Choose what slots hold from this page on. @param entries that it may add to the dictionary */
function makeReady(entries: u32): bool {
  if (column.held === Held.NOTHING && !beginIndices()) return false
  if (hasIndices(column)) {
    const isLong = column.held === Held.SHORT_INDICES && dictionary.count + entries > MOST_SHORT
    if (isTooDistinct(dictionary.count, column.values)) {
      if (!becomeValues()) return false
    } else if (isLong && !becomeLong()) return false
  }
  column.values += taken
  return true
}

export function putIndices(indices: usize, count: u32, definition: usize): bool {
  if (!select(count, definition)) return false
  if (taken === 0) return true
  if (!makeReady(min(taken, inputCount))) return false
  let done: usize = 0
  if (column.held === Held.SHORT_INDICES) done = putMapped<u16>(indices)
  else if (column.held === Held.INDICES) done = putMapped<u32>(indices)
  if (isFull) return false
  const end = (<usize>taken) << 2
  if (done < end && !becomeValues()) return false
  for (; done < end; done += 4) {
    const entry = load<u32>(indices + ((<usize>(load<u32>(takenAt + done) - shift)) << 2))
    if (!putEntry(entry, load<u32>(slotOfTakenAt + done))) return false
  }
  return true
}

/** Put indices of our own dictionary. @returns how far it went, four for each value: to the end unless an entry found no place */
function putMapped<T>(indices: usize): usize {
  const slots = column.slotsAt
  const end = (<usize>taken) << 2
  for (let from: usize = 0; from < end; from += 4) {
    const entry = load<u32>(indices + ((<usize>(load<u32>(takenAt + from) - shift)) << 2))
    const mapped = mappingAt + ((<usize>entry) << 2)
    let index = load<u32>(mapped)
    if (index === NO_INDEX) {
      index = intern(inputEntryAt(entry), inputEntryBytes(entry))
      if (index === NO_INDEX) return from
      store<u32>(mapped, index)
    }
    store<T>(slots + <usize>load<u32>(slotOfTakenAt + from) * sizeof<T>(), <T>index)
  }
  return end
}

function putEntry(entry: u32, slot: u32): bool {
  if (valueBytes > 0) {
    memory.copy(column.slotsAt + <usize>slot * valueBytes, inputAt + <usize>entry * valueBytes, valueBytes)
    return true
  }
  const mapped = mappingAt + ((<usize>entry) << 2)
  let at = load<u32>(mapped)
  if (at === NO_INDEX) {
    at = <u32>keepText(inputEntryAt(entry), inputEntryBytes(entry))
    if (at === 0) return false
    store<u32>(mapped, at)
  }
  store<u32>(column.slotsAt + ((<usize>slot) << 2), at)
  return true
}

/** @returns where its length and its bytes are kept; 0 where there is no room */
function keepText(from: usize, bytes: usize): usize {
  if (column.textAt + bytes + 4 > column.textEnd) {
    const block = max<usize>(bytes + 4, TEXT_BLOCK_BYTES)
    column.textAt = keep(block)
    column.textEnd = column.textAt + block
    if (column.textAt === 0) {
      column.textEnd = 0
      return 0
    }
  }
  const at = column.textAt
  store<u32>(at, <u32>bytes)
  memory.copy(at + 4, from, bytes)
  column.textAt = at + 4 + bytes
  if (<u32>bytes > column.longest) column.longest = <u32>bytes
  return at
}

/** @param values those that are not null, one after another */
export function putFixed(values: usize, count: u32, definition: usize): bool {
  if (!select(count, definition)) return false
  if (taken === 0) return true
  if (!becomeValues()) return false
  column.values += taken
  const slots = column.slotsAt
  const end = (<usize>taken) << 2
  if (valueBytes === 8) {
    for (let i: usize = 0; i < end; i += 4) {
      const value = load<u64>(values + ((<usize>(load<u32>(takenAt + i) - shift)) << 3))
      store<u64>(slots + ((<usize>load<u32>(slotOfTakenAt + i)) << 3), value)
    }
  } else if (valueBytes === 4) {
    for (let i: usize = 0; i < end; i += 4) {
      const value = load<u32>(values + ((<usize>(load<u32>(takenAt + i) - shift)) << 2))
      store<u32>(slots + ((<usize>load<u32>(slotOfTakenAt + i)) << 2), value)
    }
  } else if (valueBytes === 1) {
    for (let i: usize = 0; i < end; i += 4) {
      const value = load<u8>(values + <usize>(load<u32>(takenAt + i) - shift))
      store<u8>(slots + <usize>load<u32>(slotOfTakenAt + i), value)
    }
  } else {
    for (let i: usize = 0; i < end; i += 4) {
      const value = values + <usize>(load<u32>(takenAt + i) - shift) * valueBytes
      memory.copy(slots + <usize>load<u32>(slotOfTakenAt + i) * valueBytes, value, valueBytes)
    }
  }
  return true
}

/** Texts come to be held by a dictionary here even where those that wrote them had none: it is smaller, if they repeat. */
export function putByteArrays(values: usize, end: usize, count: u32, definition: usize, present: u32): bool {
  if (!select(count, definition)) return false
  if (taken > 0 && !makeReady(taken)) return false
  const before = column.values - taken
  let from = values
  let next: u32 = 0
  for (let i: u32 = 0; i < present; i++) {
    if (end - from < 4) return false
    const length = <usize>load<u32>(from)
    from += 4
    if (length > end - from) return false
    if (next < taken && load<u32>(takenAt + ((<usize>next) << 2)) - shift === i) {
      if (!putText(from, length, load<u32>(slotOfTakenAt + ((<usize>next) << 2)))) return false
      next++
      // a large page alone would make a large dictionary
      const isDue = next % JUDGED_TEXTS === 0 && hasIndices(column)
      if (isDue && isTooDistinct(dictionary.count, before + next) && !becomeValues()) return false
    }
    from += length
  }
  return next === taken
}

function putText(from: usize, length: usize, slot: u32): bool {
  if (column.held !== Held.VALUES) {
    const index = intern(from, length)
    if (isFull) return false
    if (index !== NO_INDEX) {
      if (column.held === Held.SHORT_INDICES) store<u16>(column.slotsAt + ((<usize>slot) << 1), <u16>index)
      else store<u32>(column.slotsAt + ((<usize>slot) << 2), index)
      return true
    }
    if (!becomeValues()) return false
  }
  const at = keepText(from, length)
  if (at === 0) return false
  store<u32>(column.slotsAt + ((<usize>slot) << 2), <u32>at)
  return true
}

/**
 * Put values that have been decoded elsewhere, as chunk.ts cannot.
 * @param at    where the levels of `count` rows are, or nothing where none is null; then come values, `bytes` long: byte arrays
 *              behind their lengths, booleans a byte each
 */
export function putDecoded(at: usize, count: u32, hasLevels: bool, present: u32, bytes: u32): bool {
  const values = hasLevels ? at + <usize>count : at
  const definition: usize = hasLevels ? at : 0
  if (valueBytes > 0) return putFixed(values, count, definition)
  return putByteArrays(values, values + <usize>bytes, count, definition, present)
}
