import { BoundOrder, type Bounds } from '../footer/bound-order.ts'
import { haveTypeOrder } from '../footer/chunk-bounds.ts'
import { type ChunkExtras, extrasOf, NO_EXTRAS } from '../footer/chunk-extras.ts'
import { readColumnIndex, readUnencodedBytes } from '../footer/read-page-index.ts'
import { PAGE, PHYSICAL } from '../format/format.ts'
import type { LeafColumn } from '../schema/schema.ts'
import type { FinishedPage } from '../write/finished-chunk.ts'
import type { SplicePart } from './splice-chunk.ts'

/**
 * What the page indexes of the output say of the pages of one chunk of the inputs: what the input's own ColumnIndex says of
 * them, and otherwise what holds for the whole chunk, since every page lies within its bounds.
 * @param bounds of the chunk, if they can be trusted
 */
export function pagesOfPart(leaf: LeafColumn, part: SplicePart, bounds: Bounds | undefined): FinishedPage[] {
  // a page index that contradicts its pages is useless
  return pagesWith(extrasOf(part.footer, part.chunk), leaf, part, bounds) ?? pagesWith(NO_EXTRAS, leaf, part, bounds)!
}

/** @returns undefined where the index contradicts the pages */
function pagesWith(
  { columnIndex, offsetIndex, nans }: ChunkExtras,
  leaf: LeafColumn,
  part: SplicePart,
  bounds: Bounds | undefined,
): FinishedPage[] | undefined {
  const { scanned, footer, chunk } = part
  const count = scanned.pages.length
  const indexBytes = columnIndex && part.held(columnIndex)
  const order = indexBytes && BoundOrder.of(leaf)
  const index = indexBytes && readColumnIndex(indexBytes, leaf, order, haveTypeOrder(footer, chunk), count)
  const lengthBytes = leaf.physical === PHYSICAL.BYTE_ARRAY && offsetIndex ? part.held(offsetIndex) : undefined
  const lengths = lengthBytes && readUnencodedBytes(lengthBytes, count)
  const chunkNulls = footer.chunkNulls[chunk]!
  const pages = scanned.pages.map(({ header, bytes, rows }, i): FinishedPage => {
    const levels = header.values
    let nulls = -1
    if (leaf.maxDefinition === 0) nulls = 0
    else if (header.kind === PAGE.DATA_V2) nulls = header.nulls
    else if (index?.nulls) nulls = index.nulls[i]!
    else if (index?.isNull[i]) nulls = levels
    else if (chunkNulls === 0) nulls = 0
    else if (chunkNulls > 0 && count === 1) nulls = chunkNulls
    else if (chunkNulls === footer.chunkValues[chunk]) nulls = levels
    const own = index?.bounds[i] ?? bounds
    return {
      bytes: bytes.length,
      levels,
      rows: rows ?? -1,
      nulls,
      nans: index?.nans?.[i] ?? (nans === 0 ? 0 : undefined),
      min: own?.min,
      max: own?.max,
      sizes: { ...index?.sizes[i], unencodedBytes: lengths?.[i] },
    }
  })
  const isContradicted =
    index && pages.some(({ levels, nulls }, i) => nulls > levels || index.isNull[i] !== (nulls === levels))
  return isContradicted ? undefined : pages
}
