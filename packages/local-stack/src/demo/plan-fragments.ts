import type { SeededRandom } from '../support/seeded-random.ts'

/** A run of source rows: all rows of one partition lie side by side in the order of `seq`. */
export interface Partition {
  datasetId: string
  table: string
  periodTag: string
  firstRow: number
  rows: number
}

/** One Parquet file to cut from the source. */
export interface Fragment {
  partition: Partition
  firstRow: number
  rows: number
  compression: (typeof COMPRESSIONS)[number]
  /** rows of a row group at the most */
  rowGroupRows: number
}

/** One object to upload: a single fragment, or several end to end, described by `tableOffsets`. */
export interface PlannedUpload {
  datasetId: string
  periodTag: string
  fragments: Fragment[]
  bundle: boolean
}

const COMPRESSIONS = ['snappy', 'zstd', 'gzip', 'uncompressed'] as const
const ROW_GROUP_ROWS = [2048, 122_880]
/** fragments between these, each order of magnitude as likely */
const FRAGMENT_ROWS = [200, 25_000] as const
const SLICE_ROWS = [10, 800] as const
/** one of so many uploads is an empty file */
const EMPTY_EVERY = 24
const MAX_SLICES = 33

/** Cut each partition into files of differing size, some of them without any row. Every row lies in exactly one. */
export function planSingleUploads(partitions: readonly Partition[], random: SeededRandom): PlannedUpload[] {
  const uploads = partitions.flatMap((partition) => {
    const end = partition.firstRow + partition.rows
    const cuts: PlannedUpload[] = []
    for (let at = partition.firstRow; at < end; ) {
      const rows = Math.min(random.magnitude(...FRAGMENT_ROWS), end - at)
      cuts.push(single(fragment(partition, at, rows, random)))
      at += rows
    }
    return cuts
  })
  const empties = Array.from({ length: Math.ceil(uploads.length / EMPTY_EVERY) }, () => {
    const partition = random.pick(partitions)
    return single(fragment(partition, partition.firstRow, 0, random))
  })
  return random.shuffled([...uploads, ...empties])
}

/**
 * Put the rows of many tables of one dataset into `count` objects of 2 to 33 slices each, many of zero rows; the last
 * object holds what is left of every table.
 * @param partitions of one dataset and one period tag, at most 33
 */
export function planBundles(partitions: readonly Partition[], count: number, random: SeededRandom): PlannedUpload[] {
  if (partitions.length > MAX_SLICES || partitions.length < 2) throw new RangeError('a bundle holds 2 to 33 tables')
  const next = new Map(partitions.map((partition) => [partition, partition.firstRow]))
  const take = (partition: Partition, wanted: number): Fragment => {
    const at = next.get(partition)!
    const rows = Math.min(wanted, partition.firstRow + partition.rows - at)
    next.set(partition, at + rows)
    return fragment(partition, at, rows, random)
  }
  const bundles = Array.from({ length: count - 1 }, () => {
    const tables = random.shuffled(partitions).slice(0, random.between(2, partitions.length))
    return bundle(tables.map((table) => take(table, random.next() < 0.4 ? 0 : random.magnitude(...SLICE_ROWS))))
  })
  return [...bundles, bundle(partitions.map((partition) => take(partition, Number.POSITIVE_INFINITY)))]
}

function fragment(partition: Partition, firstRow: number, rows: number, random: SeededRandom): Fragment {
  return {
    partition,
    firstRow,
    rows,
    compression: random.pick(COMPRESSIONS),
    rowGroupRows: random.pick(ROW_GROUP_ROWS),
  }
}

const single = (fragment: Fragment): PlannedUpload => ({ ...placeOf(fragment), fragments: [fragment], bundle: false })
const bundle = (fragments: Fragment[]): PlannedUpload => ({ ...placeOf(fragments[0]!), fragments, bundle: true })
const placeOf = ({ partition: { datasetId, periodTag } }: Fragment) => ({ datasetId, periodTag })
