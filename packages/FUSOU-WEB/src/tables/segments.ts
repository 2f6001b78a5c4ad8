import { type AddressedThing, FusouError } from '@fusou/catalog'

/** A part of a table file: bytes of an object, or bytes that are the same in every table file. */
export type Segment =
  | { readonly kind: 'stored'; readonly r2Key: string; readonly offset: number; readonly length: number }
  | { readonly kind: 'magic'; readonly offset: number; readonly length: number }
  | { readonly kind: 'zeros'; readonly length: number }

/** A table file begins as every Parquet file does. */
export const MAGIC = new TextEncoder().encode('PAR1')
/** Addresses below were never given to anything, and hold zeros behind the magic. */
export const FIRST_ADDRESS = 1024 * 1024

/**
 * The parts of the addresses from `from` to before `to` of a table.
 * @param things what lies there, in order, and what lies next behind: without it nobody knows whether the space between
 *   was always empty
 * @throws FusouError `bytes_gone` where something lay that was vacuumed
 */
export function laySegments(things: readonly AddressedThing[], from: number, to: number): Segment[] {
  const segments: Segment[] = []
  let at = from
  if (at < MAGIC.length && at < to) {
    const length = Math.min(to, MAGIC.length) - at
    segments.push({ kind: 'magic', offset: at, length })
    at += length
  }
  if (at < FIRST_ADDRESS) at = pushZeros(segments, at, Math.min(to, FIRST_ADDRESS))
  for (const { address, length, guard, r2Key, offset } of things) {
    if (at >= to) break
    if (address + length <= at) continue
    if (address > at) {
      if (at < address - guard) throw gone(at)
      at = pushZeros(segments, at, Math.min(to, address))
      if (at >= to) break
    }
    const end = Math.min(to, address + length)
    segments.push({ kind: 'stored', r2Key, offset: offset + at - address, length: end - at })
    at = end
  }
  if (at < to) throw gone(at)
  return segments
}

function pushZeros(segments: Segment[], from: number, to: number): number {
  if (to > from) segments.push({ kind: 'zeros', length: to - from })
  return Math.max(from, to)
}

const gone = (at: number) =>
  new FusouError(
    'bytes_gone',
    `the bytes at ${at} are of no file that is left: open the table again, and read what its footer names`,
  )
