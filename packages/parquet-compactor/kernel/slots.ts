// Columns of a row group whose values stand in numbered slots, and which rows of the piece in hand go into them.
// Memory: an arena of fixed size below what memory.ts gives to columns. All that is kept stands in it: picks, slots, levels, dictionaries
// and texts. What is taken from it is given back only when the next row group begins.

import { beginGathering, maxDefinition } from './column'
import * as dictionary from './dictionary'
import { inputCount } from './input-dictionary'
import { beginGroup } from './kept-chunks'
import { countLevels } from './levels'
import { align, take } from './memory'

/** behind a column comes the dictionary that it puts away while another one is in hand */
const STATE_AT: usize = offsetof<Column>()
const COLUMN_BYTES: usize = STATE_AT + (dictionary.STATE_WORDS << 2)
/** a dictionary that holds more than this part of the values, after so many, is given up */
const JUDGED_VALUES: u32 = 4096
const MOST_DISTINCT_PERCENT: u64 = 60

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
  /** bytes of the longest byte array */
  longest: u32
  /** bytes of the largest input dictionary */
  inputBytes: u32
}

let arenaAt: usize = 0
let arenaEnd: usize = 0
let arenaFree: usize = 0
export let isFull: bool = false
export let rowRoom: u32 = 0

// picks of the piece in hand: rows of it, ascending, and the slot of each
let rowsAt: usize = 0
let slotsOfRowsAt: usize = 0
let picks: u32 = 0

// the chunk in hand
export let column: Column = changetype<Column>(0)
let pick: u32 = 0
let row: u32 = 0
/** for each entry of its dictionary, the new index, or the offset of its byte array */
export let mappingAt: usize = 0

// values taken from the current page: their numbers, less `shift`, and their slots
export let takenAt: usize = 0
export let slotOfTakenAt: usize = 0
export let taken: u32 = 0
export let shift: u32 = 0

/** @returns where to put so many bytes, 0 and `isFull` where the arena has no room */
export function keep(bytes: usize): usize {
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

/** Bytes of the longest byte array of a column. */
export function longestText(number: u32): u32 {
  return columnOf(number).longest
}

export function columnOf(number: u32): Column {
  return changetype<Column>(arenaAt + <usize>number * COLUMN_BYTES)
}

export function dictionaryStateOf(own: Column): usize {
  return changetype<usize>(own) + STATE_AT
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
export function select(count: u32, definition: usize): bool {
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

/** whether a dictionary saves so little that values are better off plain */
export function isTooDistinct(entries: u32, values: u32): bool {
  return values > JUDGED_VALUES && <u64>entries * 100 > <u64>values * MOST_DISTINCT_PERCENT
}
