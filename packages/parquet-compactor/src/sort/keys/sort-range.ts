/** Bounds of the keys of an input row group, as bytes that compare in the order of the keys. */
export interface SortRange {
  /** no key is less */
  low: Uint8Array
  /** no key is greater */
  high: Uint8Array
}

export function compareKeys(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!
  return a.length - b.length
}
