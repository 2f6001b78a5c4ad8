// Pages of indices into the dictionary of their chunk.

import { checkIndices } from './bounds'
import { isChecking, isGathering, maxDefinition } from './column'
import { decodeIndices } from './decode-indices'
import * as dictionary from './dictionary'
import * as gather from './gather'
import { hasInput, inputCount, inputEntryAt, inputEntryBytes, isSameOrder, mappingAt } from './input-dictionary'
import { countLevels } from './levels'
import { take } from './memory'
import {
  addLevels,
  appendPlain,
  BATCH_LEVELS,
  flushPage,
  indicesAt,
  openLevels,
  openValues,
  pageLevels,
  usesDictionary,
} from './open-page'

export function takeIndices(from: usize, end: usize, count: u32, definition: usize, present: u32): bool {
  if (!hasInput) return false
  const isUnfolded = isChecking || isGathering || !usesDictionary || mappingAt === 0
  // most chunks end in the open page
  const isDirect = !isUnfolded && count <= pageLevels - openLevels
  const indices = isDirect ? indicesAt + ((<usize>openValues) << 2) : take((<usize>present) << 2)
  if (present > 0) {
    if (from >= end) return false
    const width = <u32>load<u8>(from)
    if (width > 32) return false
    const mapping = isUnfolded || isSameOrder ? 0 : mappingAt
    if (!decodeIndices(from + 1, end, width, present, indices, inputCount, mapping)) return false
  }
  if (isChecking) {
    checkIndices(indices, present)
    return true
  }
  if (isGathering) return gather.putIndices(indices, count, definition)
  if (isUnfolded) return unfold(indices, count, definition, false)
  if (isDirect) {
    addLevels(definition, count, present)
    return true
  }
  let value = indices
  for (let level: u32 = 0; level < count; ) {
    const levels = min(count - level, pageLevels - openLevels)
    const values = definition === 0 ? levels : countLevels(definition + level, levels, maxDefinition)
    memory.copy(indicesAt + ((<usize>openValues) << 2), value, (<usize>values) << 2)
    value += (<usize>values) << 2
    addLevels(definition === 0 ? 0 : definition + level, levels, values)
    level += levels
  }
  return true
}

/** Write the values that indices stand for. @param isOwn whether they are indices of our own dictionary */
export function unfold(indices: usize, count: u32, definition: usize, isOwn: bool): bool {
  let value = indices
  for (let level: u32 = 0; level < count; ) {
    const most = min(min(count - level, pageLevels - openLevels), BATCH_LEVELS)
    let levels: u32 = 0
    let values: u32 = 0
    for (; levels < most; levels++) {
      if (definition !== 0 && <u32>load<u8>(definition + level + levels) !== maxDefinition) continue
      const index = load<u32>(value)
      const at = isOwn ? dictionary.entryAt(index) : inputEntryAt(index)
      const bytes = isOwn ? dictionary.entryBytes(index) : inputEntryBytes(index)
      if (!appendPlain(at, bytes)) break
      value += 4
      values++
    }
    if (levels === 0) {
      if (openLevels === 0) return false
      flushPage()
      continue
    }
    addLevels(definition === 0 ? 0 : definition + level, levels, values)
    level += levels
  }
  return true
}
