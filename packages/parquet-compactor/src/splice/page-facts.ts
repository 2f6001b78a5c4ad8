import { NO_STATISTICS } from '../footer/chunk-bounds.ts'
import type { SizeStatistics } from '../footer/size-statistics.ts'
import { isFloat, type Order, orderOf, Statistics } from '../footer/statistics.ts'
import { PHYSICAL } from '../format/format.ts'
import type { Kernel } from '../kernel/kernel.ts'
import type { KernelPage } from '../kernel/kernel-page.ts'
import type { LeafColumn } from '../schema/schema.ts'
import type { FinishedChunk, FinishedPage } from '../write/finished-chunk.ts'

/** The entry of a page in the page indexes, without its length in the file. */
export type PageFacts = Omit<FinishedPage, 'bytes'>

/** as kernel/bounds.ts numbers them */
const ORDERS: Record<Order, number> = {
  int32: 1,
  uint32: 2,
  int64: 3,
  uint64: 4,
  float: 5,
  double: 6,
  boolean: 7,
  bytes: 8,
}

/** @returns the order in which the kernel finds bounds of a column; 0 for none */
export function kernelOrder(leaf: LeafColumn): number {
  const order = orderOf(leaf)
  return order === undefined ? 0 : ORDERS[order]
}

/**
 * Look at the values of the page that the kernel hands over, while they still stand in its memory.
 * @param ofChunk gets them as well
 */
export function factsOfPage(
  kernel: Kernel,
  leaf: LeafColumn,
  { what, levels, values }: Pick<KernelPage, 'what' | 'levels' | 'values'>,
  ofChunk: Statistics,
): PageFacts {
  const { slots } = kernel
  // those of a page that is looked through have been found
  const hasBounds =
    what === 'checked' ? slots.hasCheckedBounds() : slots.findPageBounds(kernelOrder(leaf), Number(what === 'indices'))
  const own = new Statistics(leaf)
  if (hasBounds) {
    const [lowBytes, highBytes] = [slots.lowBoundBytes(), slots.highBoundBytes()]
    const bytes = new Uint8Array(lowBytes + highBytes)
    bytes.set(kernel.slice(slots.lowBoundAt(), lowBytes).view())
    bytes.set(kernel.slice(slots.highBoundAt(), highBytes).view(), lowBytes)
    const positions = { starts: Uint32Array.of(0, lowBytes), lengths: Uint32Array.of(lowBytes, highBytes) }
    own.add({ count: 2, bytes, ...(leaf.width === 0 && positions) }, 0, 2)
  }
  own.nans += isFloat(leaf) ? slots.pageNans() : 0
  ofChunk.include(own)
  const nans = isFloat(leaf) ? own.nans : undefined
  return { levels, rows: levels, nulls: levels - values, nans, ...own.bounds() }
}

/** Count what SizeStatistics tell of the page that the kernel hands over. */
export function sizesOfPage(kernel: Kernel, leaf: LeafColumn, { what, levels }: KernelPage): SizeStatistics {
  const isText = leaf.physical === PHYSICAL.BYTE_ARRAY
  return {
    unencodedBytes: isText ? kernel.slots.pageTextBytes(Number(what === 'indices')) : undefined,
    definition: leaf.maxDefinition > 1 ? countLevels(kernel, leaf, levels) : undefined,
  }
}

function countLevels(kernel: Kernel, { maxDefinition }: LeafColumn, levels: number): number[] {
  const counts = new Array<number>(maxDefinition + 1).fill(0)
  const at = kernel.slots.pageDefinitionAt()
  if (at === 0) counts[maxDefinition] = levels
  else for (const level of kernel.slice(at, levels).view()) counts[level]!++
  return counts
}

/** @returns what the footer says of a chunk all of whose values were looked at */
export function statisticsOfValues(leaf: LeafColumn, values: Statistics, nulls: number): FinishedChunk['statistics'] {
  const bounds = values.bounds()
  return {
    ...NO_STATISTICS,
    nulls,
    nans: isFloat(leaf) ? values.nans : -1,
    ...bounds,
    // a zero bound may have the other sign
    ...(bounds && !isFloat(leaf) ? { minIsExact: true, maxIsExact: true } : {}),
  }
}
