import type { ByteBuffer } from '../format/byte-buffer.ts'
import { PHYSICAL } from '../format/format.ts'
import { encodeHybridRuns } from '../format/hybrid-runs.ts'
import type { LeafColumn } from '../schema/schema.ts'

/** How many levels are 0, 1, …, the highest. */
export function histogram(levels: Uint8Array, maxLevel: number): number[] {
  const counts = new Array<number>(maxLevel + 1).fill(0)
  for (let i = 0; i < levels.length; i++) counts[levels[i]!]!++
  return counts
}

export function countRows(repetition: Uint8Array, from: number, to: number): number {
  let rows = 0
  for (let i = from; i < to; i++) if (repetition[i] === 0) rows++
  return rows
}

/** Append levels as a page of version 1 has them, behind their length. */
export function appendLevels(levels: Uint8Array, width: number, body: ByteBuffer): void {
  behindLength(body, () => encodeHybridRuns(levels, width, body))
}

/** The same for levels that are all `level`, which fits one byte. */
export function appendOneRun(count: number, level: number, body: ByteBuffer): void {
  behindLength(body, () => {
    body.varint(count * 2)
    body.push(level)
  })
}

function behindLength(body: ByteBuffer, append: () => void): void {
  const start = body.length
  body.uint32(0)
  append()
  const end = body.length
  body.length = start
  body.uint32(end - start - 4)
  body.length = end
}

/** @param values BOOLEAN a byte each, others in PLAIN encoding */
export function appendPlainValues(leaf: LeafColumn, values: ByteBuffer, body: ByteBuffer): void {
  if (leaf.physical !== PHYSICAL.BOOLEAN) {
    body.append(values.view())
    return
  }
  for (let i = 0; i < values.length; i += 8) {
    let byte = 0
    for (let bit = 0; bit < 8 && i + bit < values.length; bit++) byte |= values.bytes[i + bit]! << bit
    body.push(byte)
  }
}
