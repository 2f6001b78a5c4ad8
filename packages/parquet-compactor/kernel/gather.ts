// Puts values of pages into numbered slots, in any order, for all columns of a row group at once; gathered-pages.ts then hands
// each column to the writer in the order of its slots.
// Memory: an arena of fixed size below what memory.ts gives to columns. All that is kept stands in it: picks, slots, levels, dictionaries
// and texts. What is taken from it is given back only when the next row group begins.

import { beginGathering, maxDefinition, valueBytes } from './column'
import * as dictionary from './dictionary'
import { NO_INDEX } from './dictionary'
import { inputAt, inputCount, inputEntryAt, inputEntryBytes } from './input-dictionary'
import { beginGroup } from './kept-chunks'
import { countLevels } from './levels'
import { align, take } from './memory'

const COLUMN_BYTES: usize = 48 + (dictionary.STATE_WORDS << 2)
const FIRST_DICTIONARY_BYTES: usize = 1024
const FIRST_ENTRIES: u32 = 64
const MOST_ENTRIES: u32 = 4_194_304
const TEXT_BLOCK_BYTES: usize = 65536
/** a dictionary that holds more than this part of the values, after so many, is given up */
const JUDGED_VALUES: u32 = 4096
const MOST_DISTINCT_PERCENT: u64 = 60

/** so many entries have indices of 16 bits */
const MOST_SHORT: u32 = 65536

/**
 * Nothing yet but nulls; indices of the dictionary, of 16 bits while they fit; values, or of byte arrays where their length and
 * bytes are.
 */
export enum Held {
  NOTHING,
  SHORT_INDICES,
  INDICES,
  VALUES,
}

/** One column, in the arena. */
@unmanaged
export class Column {
  held: Held
  slotsAt: usize
  /** a level for each slot, from the first null on; else 0 */
  definitionAt: usize
  /** values put so far */
  values: u32
  /** where the next byte array goes, and the end of its block */
  textAt: usize
  textEnd: usize
  /** of the longest byte array */
  longest: u32
  /** of the largest dictionary that values came by */
  inputBytes: u32
}

let arenaAt: usize = 0
let arenaEnd: usize = 0
let arenaFree: usize = 0
let isFull: bool = false
let rowRoom: u32 = 0

// picks of the piece in hand: rows of it, ascending, and the slot of each
let rowsAt: usize = 0
let slotsOfRowsAt: usize = 0
let picks: u32 = 0

// the chunk in hand
let column: Column = changetype<Column>(0)
let pick: u32 = 0
let row: u32 = 0
/** what each entry of its dictionary has become: an index, or where its text is */
let mappingAt: usize = 0

// what is taken of the page in hand: numbers of values, less `shift`, and their slots
let takenAt: usize = 0
let slotOfTakenAt: usize = 0
let taken: u32 = 0
let shift: u32 = 0

/** @returns where to put so many bytes, 0 and `isFull` where the arena has no room */
function keep(bytes: usize): usize {
  const at = arenaFree
  if (bytes > arenaEnd - at) {
    isFull = true
    return 0
  }
  arenaFree = align(at + bytes)
  if (arenaFree > arenaEnd) arenaFree = arenaEnd
  return at
}

/**
 * Begin a row group of `rows` slots.
 * @param mostPicks of one piece
 * @returns whether there is room to begin
 */
export function beginSlots(arenaBytes: u32, columns: u32, rows: u32, mostPicks: u32): bool {
  arenaAt = beginGroup(arenaBytes, 0)
  arenaEnd = arenaAt + <usize>arenaBytes
  arenaFree = arenaAt
  isFull = false
  rowRoom = rows
  const columnsAt = keep(<usize>columns * COLUMN_BYTES)
  rowsAt = keep((<usize>mostPicks) << 2)
  slotsOfRowsAt = keep((<usize>mostPicks) << 2)
  if (isFull) return false
  memory.fill(columnsAt, 0, <usize>columns * COLUMN_BYTES)
  return true
}

export function isArenaFull(): bool {
  return isFull
}

export function arenaUsed(): u32 {
  return <u32>(arenaFree - arenaAt)
}

export function pickedRows(): usize {
  return rowsAt
}

export function pickedSlots(): usize {
  return slotsOfRowsAt
}

/** `count` rows of the piece in hand are taken. */
export function beginPicks(count: u32): void {
  picks = count
}

/** of the longest byte array of a column */
export function longestText(number: u32): u32 {
  return columnOf(number).longest
}

export function columnOf(number: u32): Column {
  return changetype<Column>(arenaAt + <usize>number * COLUMN_BYTES)
}

export function dictionaryStateOf(own: Column): usize {
  return changetype<usize>(own) + 48
}

/** Begin with a chunk, or begin it again. @returns where its bytes are to be put */
export function beginSlotColumn(
  number: u32,
  width: u32,
  boolean: bool,
  maxDefinitionLevel: u32,
  mostPageBytes: u32,
): usize {
  const at = beginGathering(width, boolean, maxDefinitionLevel, mostPageBytes)
  column = columnOf(number)
  if (hasIndices(column)) dictionary.loadDictionary(dictionaryStateOf(column))
  pick = 0
  row = 0
  mappingAt = 0
  return at
}

/** Ends the chunk in hand. @returns whether it had all rows that are picked */
export function endSlotColumn(): bool {
  if (hasIndices(column)) dictionary.saveDictionary(dictionaryStateOf(column))
  return pick === picks
}

/** The chunk in hand has a dictionary. */
export function beginInput(bytes: usize): void {
  mappingAt = take((<usize>inputCount) << 2)
  memory.fill(mappingAt, 0xff, (<usize>inputCount) << 2)
  if (<u32>bytes > column.inputBytes) column.inputBytes = <u32>bytes
}

/** the first pick from `from` on that is not before `end` */
function firstPickAt(from: u32, end: u32): u32 {
  let low = from
  let high = picks
  while (low < high) {
    const middle = (low + high) >> 1
    if (load<u32>(rowsAt + ((<usize>middle) << 2)) < end) low = middle + 1
    else high = middle
  }
  return low
}

/** Find what is taken of the next `count` rows, and keep the levels of what is null. */
function select(count: u32, definition: usize): bool {
  const first = row
  const end = first + count
  row = end
  const from = pick
  // often all of them
  const areAll =
    count > 0 && picks - from >= count && load<u32>(rowsAt + ((<usize>(from + count - 1)) << 2)) === end - 1
  const to = areAll ? from + count : firstPickAt(from, end)
  pick = to
  const own = (<usize>from) << 2
  if (definition === 0) {
    takenAt = rowsAt + own
    slotOfTakenAt = slotsOfRowsAt + own
    taken = to - from
    shift = first
    return true
  }
  if (column.definitionAt === 0) {
    column.definitionAt = keep(<usize>rowRoom)
    if (isFull) return false
    memory.fill(column.definitionAt, <u8>maxDefinition, <usize>rowRoom)
  }
  takenAt = take((<usize>(to - from)) << 2)
  slotOfTakenAt = take((<usize>(to - from)) << 2)
  const levelOfSlot = column.definitionAt
  let value: u32 = 0
  let level: u32 = 0
  let out: usize = 0
  for (let at = own, last = (<usize>to) << 2; at < last; at += 4) {
    const next = load<u32>(rowsAt + at) - first
    const slot = load<u32>(slotsOfRowsAt + at)
    if (next - level > 16) {
      value += countLevels(definition + <usize>level, next - level, maxDefinition)
      level = next
    }
    for (; level < next; level++) if (<u32>load<u8>(definition + <usize>level) === maxDefinition) value++
    const own = load<u8>(definition + <usize>next)
    if (<u32>own === maxDefinition) {
      store<u32>(takenAt + out, value)
      store<u32>(slotOfTakenAt + out, slot)
      out += 4
    } else {
      store<u8>(levelOfSlot + <usize>slot, own)
    }
  }
  taken = <u32>(out >> 2)
  shift = 0
  return true
}

export function hasIndices(own: Column): bool {
  return own.held === Held.SHORT_INDICES || own.held === Held.INDICES
}

/** the index in a slot of a column that has them */
export function indexAt(own: Column, slot: u32): u32 {
  if (own.held === Held.SHORT_INDICES) return <u32>load<u16>(own.slotsAt + ((<usize>slot) << 1))
  return load<u32>(own.slotsAt + ((<usize>slot) << 2))
}

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

/** whether a dictionary saves so little that values are better off plain */
export function isTooDistinct(entries: u32, values: u32): bool {
  return values > JUDGED_VALUES && <u64>entries * 100 > <u64>values * MOST_DISTINCT_PERCENT
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
 * Put values that have been decoded elsewhere, as kernel/chunk.ts cannot.
 * @param at    where the levels of `count` rows are, or nothing where none is null; then come values, `bytes` long: byte arrays
 *              behind their lengths, booleans a byte each
 */
export function putDecoded(at: usize, count: u32, hasLevels: bool, present: u32, bytes: u32): bool {
  const values = hasLevels ? at + <usize>count : at
  const definition: usize = hasLevels ? at : 0
  if (valueBytes > 0) return putFixed(values, count, definition)
  return putByteArrays(values, values + <usize>bytes, count, definition, present)
}
