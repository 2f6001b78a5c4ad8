/** What is known of the keys of an input row group, as bytes whose order is that of the keys. */
export interface SortRange {
  /** no key is less */
  low: Uint8Array
  /** no key is greater */
  high: Uint8Array
}

export interface SortMember {
  rows: number
  range: SortRange
  /** false if its own rows are not in order, or not all are wanted; undefined while nobody looked */
  isInOrder: boolean | undefined
}

/** Row groups that follow one another in the output, all keys of a cluster before those of the next. */
export interface SortCluster {
  /** indices of the row groups; those of a merged cluster as they came */
  members: number[]
  /** whether its rows must be merged by their values; otherwise it is one row group that stays as it is */
  isMerged: boolean
  /** holds the keys of all */
  range: SortRange
}

/**
 * Order row groups by their ranges, and find those that overlap. Ranges may touch where the row group that comes later in
 * the input also comes later in the output: rows of equal keys keep their order.
 */
export function planSort(members: readonly SortMember[]): SortCluster[] {
  const order = members.map((_, i) => i)
  order.sort((a, b) => {
    const [left, right] = [members[a]!.range, members[b]!.range]
    return compareKeys(left.low, right.low) || compareKeys(left.high, right.high) || a - b
  })
  const clusters: SortCluster[] = []
  let open: number[] = []
  let high: Uint8Array = new Uint8Array()
  let last = -1
  const close = () => {
    if (open.length === 0) return
    const isMerged = open.length > 1 || members[open[0]!]!.isInOrder === false
    const { low } = members[open[0]!]!.range
    clusters.push({ members: open.sort((a, b) => a - b), isMerged, range: { low, high } })
    open = []
    last = -1
  }
  for (const index of order) {
    const { range } = members[index]!
    const touch = open.length > 0 ? compareKeys(range.low, high) : 1
    if (touch > 0 || (touch === 0 && index > last)) close()
    if (open.length === 0 || compareKeys(range.high, high) > 0) high = range.high
    open.push(index)
    last = Math.max(last, index)
  }
  close()
  return clusters
}

export function compareKeys(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!
  return a.length - b.length
}

/** The clusters as text, a line for each run of row groups that stay as they are and each that is merged. */
export function printSortPlan(clusters: readonly SortCluster[], members: readonly SortMember[]): string {
  const lines: string[] = []
  let run = { count: 0, rows: 0 }
  const closeRun = () => {
    if (run.count > 0) lines.push(`in order: ${groups(run.count)}, ${run.rows} rows`)
    run = { count: 0, rows: 0 }
  }
  for (const { members: own, isMerged } of clusters) {
    const rows = own.reduce((sum, index) => sum + members[index]!.rows, 0)
    if (isMerged) {
      closeRun()
      lines.push(`merge values: ${groups(own.length)}, ${rows} rows`)
    } else {
      run = { count: run.count + own.length, rows: run.rows + rows }
    }
  }
  closeRun()
  return lines.join('\n')
}

const groups = (count: number): string => `${count} row group${count === 1 ? '' : 's'}`
