// Joins the chunks of one flat column: small pages become large ones, under one dictionary where values repeat.
// Whatever is odd about a chunk is not handled here: the functions say so, and the caller reads the chunk in its own way.

import { chunkBase, keepForColumn, releaseColumn } from './memory'
import { beginPages, beginWithoutPages } from './open-page'

const ANY_BYTES: usize = 0x7fffffff

/** 0 for byte arrays, 1 for booleans */
export let valueBytes: usize = 0
export let isBoolean: bool = false
export let maxDefinition: u32 = 0
/** whether pages are only looked through */
export let isChecking: bool = false
/** in which bounds of such pages are found, as bounds.ts numbers orders */
export let checkedOrder: u32 = 0
/** whether values of pages go into the slots of slots.ts */
export let isGathering: bool = false

function begin(width: u32, boolean: bool, maxDefinitionLevel: u32): void {
  valueBytes = <usize>width
  isBoolean = boolean
  maxDefinition = maxDefinitionLevel
  isChecking = false
  isGathering = false
  releaseColumn()
}

/**
 * @param width      bytes of a value; 0 for byte arrays; 1 with `boolean`
 * @param outputCodec 0 for none, 1 for snappy, else pages are handed over uncompressed
 * @returns where the bytes of a chunk are to be put
 */
export function beginColumn(
  width: u32,
  boolean: bool,
  maxDefinitionLevel: u32,
  outputCodec: u32,
  mostLevels: u32,
  mostPageBytes: u32,
  mostDictionaryBytes: u32,
): usize {
  begin(width, boolean, maxDefinitionLevel)
  beginPages(outputCodec, mostLevels, mostPageBytes, mostDictionaryBytes, !boolean)
  keepForColumn()
  return chunkBase
}

/** Begin to look chunks of a column through: what is taken over from here on is not kept. @returns as `beginColumn` */
export function beginCheck(width: u32, boolean: bool, maxDefinitionLevel: u32, order: u32): usize {
  begin(width, boolean, maxDefinitionLevel)
  isChecking = true
  checkedOrder = order
  beginWithoutPages(ANY_BYTES)
  keepForColumn()
  return chunkBase
}

/** The same for a column whose values go into slots: see slots.ts. */
export function beginGathering(width: u32, boolean: bool, maxDefinitionLevel: u32, mostPageBytes: u32): usize {
  begin(width, boolean, maxDefinitionLevel)
  isGathering = true
  beginWithoutPages(<usize>mostPageBytes)
  keepForColumn()
  return chunkBase
}
