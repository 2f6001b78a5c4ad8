/** Structures that the output can lack though an input had them, and why. Readers then read more; no answer changes. */
export const DROP_REASONS = {
  bloom_filter_missing: 'bloom filters of chunks that were joined with one that has none',
  bloom_filter_sizes: 'bloom filters of several sizes, over values that were not read',
  bloom_filter_full: 'bloom filters that, joined, would let nearly every value pass',
  bloom_filter_large: 'bloom filters of more values than one of 128 KiB can tell apart',
  bloom_filter_unread: 'bloom filters of an unknown kind or length, or too far from each other to be read',
  page_index_memory: 'page indexes beyond a sixteenth of the memory budget',
  description_memory:
    'bounds, key-value metadata and geospatial statistics of column chunks, together beyond an eighth of the memory budget',
  page_index_unread:
    'bounds of pages, where the page index of an input was too large to be read: those of its chunk stand instead',
  size_statistics_missing: 'size statistics of chunks that were joined with one that has none',
  chunk_key_values_differ: 'key-value metadata of column chunks that differ',
  geospatial_statistics_missing: 'geospatial statistics of chunks that were joined with one that has none',
  sorting_columns_unsure: 'sorting columns of row groups that, one behind another, may not be sorted',
} as const

export type DropReason = keyof typeof DROP_REASONS

/** Counts them, for the report. */
export class DropTally {
  readonly counts: Partial<Record<DropReason, number>> = {}

  add(reason: DropReason, count = 1): void {
    if (count > 0) this.counts[reason] = (this.counts[reason] ?? 0) + count
  }
}
