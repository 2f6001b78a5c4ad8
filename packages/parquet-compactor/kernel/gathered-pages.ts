// Hands the slots that gather.ts has filled to the writer of column.ts, which has begun with the column, in their order.

import {
  addLevels,
  free,
  indicesAt,
  maxDefinition,
  openLevels,
  openValues,
  pageLevels,
  releaseTo,
  take,
  takeByteArrays,
  takeFixed,
  usePlain,
  usesDictionary,
  valueBytes,
  valuesSeen,
} from './column'
import * as dictionary from './dictionary'
import * as gather from './gather'
import { countLevels } from './runs'

const BATCH_LEVELS: u32 = 4096
/** of byte arrays in a batch, unless one alone is longer */
const BATCH_BYTES: usize = 262_144

/**
 * Write the first `rows` slots of a column.
 * @param mostDictionaryBytes unless a dictionary of the inputs was larger
 * @returns whether all is well
 */
export function writeSlots(number: u32, rows: u32, mostDictionaryBytes: u32): bool {
  const column = gather.columnOf(number)
  if (column.held === gather.Held.INDICES) {
    dictionary.loadDictionary(gather.dictionaryStateOf(column))
    const most = max<u32>(mostDictionaryBytes, column.inputBytes + (column.inputBytes >> 1))
    if (!gather.isTooDistinct(dictionary.count, column.values) && <u32>dictionary.plainBytes <= most) {
      writeIndices(column, rows)
      return true
    }
    usePlain()
  }
  const before = free
  for (let slot: u32 = 0; slot < rows; ) {
    if (usesDictionary && gather.isTooDistinct(dictionary.count, valuesSeen)) usePlain()
    const levels = min(rows - slot, BATCH_LEVELS)
    const written = valueBytes > 0 ? writeFixed(column, slot, levels) : writeTexts(column, slot, levels)
    if (written === 0) return false
    slot += written
    releaseTo(before)
  }
  return true
}

function definitionOf(column: gather.Column, slot: u32): usize {
  return column.definitionAt === 0 ? 0 : column.definitionAt + <usize>slot
}

function writeIndices(column: gather.Column, rows: u32): void {
  for (let slot: u32 = 0; slot < rows; ) {
    const levels = min(rows - slot, pageLevels - openLevels)
    const definition = definitionOf(column, slot)
    const from = column.slotsAt + ((<usize>slot) << 2)
    const to = indicesAt + ((<usize>openValues) << 2)
    let values = levels
    if (definition === 0) {
      memory.copy(to, from, (<usize>levels) << 2)
    } else {
      values = 0
      for (let i: u32 = 0; i < levels; i++) {
        store<u32>(to + ((<usize>values) << 2), load<u32>(from + ((<usize>i) << 2)))
        if (<u32>load<u8>(definition + <usize>i) === maxDefinition) values++
      }
    }
    addLevels(definition, levels, values)
    slot += levels
  }
}

/** where the value of a slot is, of byte arrays their length before it */
function valueAt(column: gather.Column, slot: u32): usize {
  if (column.held === gather.Held.VALUES && valueBytes > 0) return column.slotsAt + <usize>slot * valueBytes
  const own = load<u32>(column.slotsAt + ((<usize>slot) << 2))
  if (column.held === gather.Held.VALUES) return <usize>own
  return dictionary.entryAt(own) - (valueBytes > 0 ? 0 : 4)
}

function writeFixed(column: gather.Column, slot: u32, levels: u32): u32 {
  const definition = definitionOf(column, slot)
  if (definition === 0 && column.held === gather.Held.VALUES) {
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

function writeTexts(column: gather.Column, slot: u32, most: u32): u32 {
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
