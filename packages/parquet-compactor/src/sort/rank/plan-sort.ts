import { compareKeys, type SortRange } from '../keys/sort-range.ts'

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
  const open: { members: number[]; range: SortRange; first: number; last: number }[] = []
  for (const index of order) {
    let own = { members: [index], range: members[index]!.range, first: index, last: index }
    for (let before = open.at(-1); before; before = open.at(-1)) {
      const touch = compareKeys(own.range.low, before.range.high)
      if (touch > 0 || (touch === 0 && own.first > before.last)) break
      open.pop()
      const high = compareKeys(own.range.high, before.range.high) > 0 ? own.range.high : before.range.high
      for (const member of own.members) before.members.push(member)
      own = {
        members: before.members,
        range: { low: before.range.low, high },
        // a row group that joins may come before those of equal keys that were thought to be done
        first: Math.min(before.first, own.first),
        last: Math.max(before.last, own.last),
      }
    }
    open.push(own)
  }
  return open.map(({ members: own, range }) => ({
    members: own.sort((a, b) => a - b),
    isMerged: own.length > 1 || members[own[0]!]!.isInOrder === false,
    range,
  }))
}

/** The clusters as text, a line for each run of row groups that stay as they are and each that is merged. */
export function printSortPlan(
  clusters: readonly Pick<SortCluster, 'members' | 'isMerged'>[],
  members: readonly Pick<SortMember, 'rows'>[],
): string {
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
