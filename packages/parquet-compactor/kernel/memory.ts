// Where things stand: what belongs to the row group, then to the column, then to the chunk in hand, then to its page.

/** values or bytes may be touched so far behind their end */
export const SLACK: usize = 32

export let free: usize = 0
/** behind the bytes of the row group, which stay over its columns */
let groupEnd: usize = align(__heap_base)
/** behind what belongs to the column */
export let chunkBase: usize = 0
/** behind what belongs to the chunk in hand */
export let chunkFree: usize = 0

export function align(bytes: usize): usize {
  return (bytes + 15) & ~15
}

export function ensure(end: usize): void {
  const pages = <i32>((<u64>end + 65535) >> 16) - memory.size()
  if (pages > 0 && memory.grow(pages) < 0) unreachable()
}

export function take(bytes: usize): usize {
  const at = free
  free = align(at + bytes + SLACK)
  ensure(free)
  return at
}

/** Give back what was taken since `free` was `at`. */
export function releaseTo(at: usize): void {
  free = at
}

/** Give everything back: a row group begins. */
export function releaseGroup(): void {
  free = align(__heap_base)
}

/** Memory taken so far stays until the next row group. */
export function keepForGroup(): void {
  groupEnd = free
}

/** Give back what belongs to a column. */
export function releaseColumn(): void {
  free = groupEnd
}

/** Memory taken so far stays until the next column. */
export function keepForColumn(): void {
  chunkBase = free
  chunkFree = free
}

/** Give back what belongs to a chunk. @param at where the next one has its own from */
export function releaseChunk(at: usize): void {
  chunkFree = at
  free = at
}

/** Memory taken so far stays until the next chunk. */
export function keepForChunk(): void {
  chunkFree = free
}

/** Give back what belongs to a page. */
export function releasePage(): void {
  free = chunkFree
}
