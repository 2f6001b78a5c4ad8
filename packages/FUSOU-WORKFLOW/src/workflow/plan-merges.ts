import { MAX_MERGE_WORK_BYTES, type MergeableFile, type MergeReach } from '@fusou/catalog'

/** Inputs of one merge at the most: bounds the footers in memory and the reads of a step. */
export const MAX_MERGE_INPUTS = 1000
/** Files of one tier that make one of a higher tier. */
const TIER_FILES = 8
/** An output may be as large as the target and one small file; a merge through several tiers no larger. */
const MAX_OUTPUT_TARGETS = 1.75

type File = Pick<MergeableFile, 'table' | 'periodTag' | 'mergeGroup' | 'bytes' | 'fragments' | 'workBytes'> &
  Partial<Pick<MergeableFile, 'suspect'>>

/**
 * The tier of a file by the uploads in it: 0 is a fragment, and tier t ≥ 1 holds 2·8^(t-1) of them or more.
 * `fusou.tier()` of the database is the same rule.
 */
export function tierOf(fragments: number): number {
  return Math.floor((Math.floor(Math.log2(fragments)) + 2) / 3)
}

/**
 * Group small files into merges, each of one partition and one merge group, so that rows are seldom written again: two
 * fragments are merged, but a file that was merged before only with seven others of its tier. A row moves up a tier
 * each time, so it is written at most 1 + log8(n) times where its partition has had n uploads, and a partition
 * keeps at most seven small files of each of its 1 + log8(n) tiers, and one fragment. This holds if a merge of merged
 * files keeps three quarters of their bytes.
 *
 * Suspects are merged set by set, and last: should such a merge end the attempt, all others are done by then. Sets with
 * fewer ends come first among them. A set may be one file.
 *
 * What tiers leave, a merge that reaches for all takes: then any two small files of a kind meet, at one write more of
 * each row.
 * @param files        small live files, oldest first within a partition
 * @param targetBytes  wanted size of an output, in bytes of its inputs; an output has at most 1¾ of it
 * A rewrite takes every file that it is given, also one alone, since each was written with other settings.
 *
 * @param reach        `all`: also the tails that the tiers leave; the files for the others were chosen by the database
 * @returns groups of two files or more, or one suspect, or in a rewrite any one; at least one if the database saw work
 */
export function planMerges<F extends File>(files: readonly F[], targetBytes: number, reach: MergeReach): F[][] {
  const trusted = files.filter(({ suspect }) => !suspect)
  const kinds = Map.groupBy(trusted, (file) => JSON.stringify([file.table, file.periodTag, file.mergeGroup]))
  const plan = { all: planAll, rewrite: planRewrite, tiers: planTiers, due: planTiers }[reach]
  return [...[...kinds.values()].flatMap((kind) => plan(inOrderOfUpload(kind), targetBytes)), ...planSuspects(files)]
}

function planSuspects<F extends File>(files: readonly F[]): F[][] {
  const suspects = files.filter(({ suspect }) => suspect)
  const sets = Map.groupBy(suspects, ({ suspect }) => suspect!.setId)
  return [...sets.values()].sort(([one], [other]) => one!.suspect!.ends - other!.suspect!.ends)
}

/** A file of a higher tier was made from earlier uploads. */
function inOrderOfUpload<F extends File>(files: readonly F[]): F[] {
  return files.toSorted((one, other) => tierOf(other.fragments) - tierOf(one.fragments))
}

function planAll<F extends File>(files: readonly F[], targetBytes: number): F[][] {
  const { full, rest } = pack(files, targetBytes)
  return rest.length >= 2 ? [...full, rest] : full
}

function planRewrite<F extends File>(files: readonly F[], targetBytes: number): F[][] {
  const { full, rest } = pack(files, targetBytes, 1)
  return rest.length >= 1 ? [...full, rest] : full
}

/**
 * Like a counter of base eight: the merge of a tier counts as one more file of the tier above, and if that fills it,
 * is made together with it at once.
 */
function planTiers<F extends File>(files: readonly F[], targetBytes: number): F[][] {
  const tiers = Map.groupBy(files, (file) => tierOf(file.fragments))
  const fragments = pack(tiers.get(0) ?? [], targetBytes)
  const merges = fragments.full
  let carry: F[] = fragments.rest.length >= 2 ? fragments.rest : []
  for (let tier = 1; tier <= Math.max(tierOf(sum(carry, 'fragments') || 1), ...tiers.keys()); tier++) {
    const here = tiers.get(tier) ?? []
    if (carry.length > 0 && tierOf(sum(carry, 'fragments')) === tier && here.length + 1 >= TIER_FILES) {
      const joined = [...here, ...carry]
      const isBounded = joined.length <= MAX_MERGE_INPUTS && sum(joined, 'workBytes') <= MAX_MERGE_WORK_BYTES
      if (isBounded && sum(joined, 'bytes') <= targetBytes * MAX_OUTPUT_TARGETS) {
        carry = joined
        continue
      }
    }
    if (here.length < TIER_FILES) continue
    const { full, rest } = pack(here, targetBytes)
    merges.push(...full)
    if (rest.length < TIER_FILES) continue
    if (carry.length === 0) carry = rest
    else merges.push(rest)
  }
  if (carry.length > 0) merges.push(carry)
  return merges.map(inOrderOfUpload)
}

/**
 * Cut a list, in its order, into groups that reach the target, or have as many files or as much work as a merge takes, and
 * what is left. Any two files are a group, as the database leaves out those that take half of the work of a merge.
 * @param least files of a group
 */
function pack<F extends File>(files: readonly F[], targetBytes: number, least = 2): { full: F[][]; rest: F[] } {
  const full: F[][] = []
  let rest: F[] = []
  const close = () => {
    full.push(rest)
    rest = []
  }
  for (const file of files) {
    if (rest.length >= least && sum(rest, 'workBytes') + file.workBytes > MAX_MERGE_WORK_BYTES) close()
    rest.push(file)
    if (rest.length >= least && (sum(rest, 'bytes') >= targetBytes || rest.length === MAX_MERGE_INPUTS)) close()
  }
  return { full, rest }
}

function sum(files: readonly File[], what: 'bytes' | 'fragments' | 'workBytes'): number {
  return files.reduce((total, file) => total + file[what], 0)
}
