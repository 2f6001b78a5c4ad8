import type { MergeableFile } from '@fusou/catalog'

/** Inputs of one merge at the most: bounds the footers in memory and the reads of a step. */
export const MAX_MERGE_INPUTS = 1000

/**
 * Group small files into merges. A merge takes files of one partition and one schema, in the order given, until the
 * sum of their bytes reaches the target; so an output is at most the target and one small file large, and any two
 * small files of a kind meet in some merge.
 * @param files        small live files, oldest first within a partition
 * @param targetBytes  wanted size of an output, in bytes of its inputs
 * @returns groups of two files or more
 */
export function planMerges(files: readonly MergeableFile[], targetBytes: number): MergeableFile[][] {
  const open = new Map<string, { files: MergeableFile[]; bytes: number }>()
  const merges: MergeableFile[][] = []
  for (const file of files) {
    const kind = JSON.stringify([file.table, file.periodTag, file.fingerprint])
    const group = open.get(kind) ?? { files: [], bytes: 0 }
    open.set(kind, group)
    group.files.push(file)
    group.bytes += file.bytes
    if (group.files.length >= 2 && (group.bytes >= targetBytes || group.files.length === MAX_MERGE_INPUTS)) {
      merges.push(group.files)
      open.delete(kind)
    }
  }
  for (const group of open.values()) if (group.files.length >= 2) merges.push(group.files)
  return merges
}
