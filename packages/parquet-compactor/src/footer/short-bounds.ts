import { PHYSICAL } from '../format/format.ts'
import type { LeafColumn } from '../schema/schema.ts'
import type { Bounds } from './bound-order.ts'

/** Bounds of pages are cut to this length: thousands of them are read before the first row is. */
const MAX_BYTES = 64

/**
 * Shorten bounds of byte arrays, as ColumnIndex allows: a lower bound is cut, an upper one cut behind a byte that is raised
 * by one. Cut only before or behind a character of ASCII, so that what was UTF-8 stays UTF-8.
 */
export function shortBounds(leaf: LeafColumn, { min, max }: Bounds): Bounds {
  if (leaf.physical !== PHYSICAL.BYTE_ARRAY) return { min, max }
  return { min: min.length > MAX_BYTES ? cutBelow(min) : min, max: max.length > MAX_BYTES ? cutAbove(max) : max }
}

function cutBelow(bytes: Uint8Array): Uint8Array {
  let end = MAX_BYTES
  // not within a character: its later bytes are 10xxxxxx
  while (end > 0 && (bytes[end]! & 0xc0) === 0x80) end--
  return bytes.slice(0, end)
}

function cutAbove(bytes: Uint8Array): Uint8Array {
  for (let last = MAX_BYTES - 1; last >= 0; last--) {
    if (bytes[last]! >= 0x7f) continue
    const cut = bytes.slice(0, last + 1)
    cut[last]!++
    return cut
  }
  return bytes
}
