import type { Mutant } from './find-mutants.ts'

/** A mutant that no test can notice, since nothing that anybody sees differs. */
export interface EquivalentMutant {
  readonly path: string
  /** the changed text and what it becomes, as `describeChange` says it */
  readonly change: string
  readonly why: string
}

/** Reviewed one by one. An entry holds as long as its source line does. */
export const EQUIVALENT_MUTANTS: readonly EquivalentMutant[] = [
  {
    path: 'packages/FUSOU-WORKFLOW/src/workflow/plan-merges.ts',
    change:
      "for (let tier = 1; tier <= Math.max(tierOf(sum(carry, 'fragments') || 1), ...tiers.keys()); tier++) { => " +
      'for (let tier = 1; tier <= Math.max(tierOf((1)), ...tiers.keys()); tier++) {',
    why: 'a tier without files is passed over, so that no turn beyond the tiers that have some changes anything',
  },
  {
    path: 'packages/FUSOU-WORKFLOW/src/workflow/plan-merges.ts',
    change:
      "if (carry.length > 0 && tierOf(sum(carry, 'fragments')) === tier && here.length + 1 >= TIER_FILES) { => " +
      "if ((tierOf(sum(carry, 'fragments')) === tier) && here.length + 1 >= TIER_FILES) {",
    why: 'no fragments at all are of no tier, so that the first operand says nothing that the second does not',
  },
  {
    path: 'packages/catalog/src/database/database.ts',
    change:
      'auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false }, => ' +
      'auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: true },',
    why: 'a Worker has no address bar from which a session could be read',
  },
  {
    path: 'packages/FUSOU-WORKFLOW/src/workflow/plan-merges.ts',
    change:
      "for (let tier = 1; tier <= Math.max(tierOf(sum(carry, 'fragments') || 1), ...tiers.keys()); tier++) { => " +
      "for (let tier = 1; tier <= Math.max(tierOf(sum(carry, 'fragments') || 0), ...tiers.keys()); tier++) {",
    why: 'the tier of no fragments is below every other, as that of one is below every tier that has a turn',
  },
  {
    path: 'packages/parquet-compactor/src/format/hybrid-runs.ts',
    change: 'if (width === 8) { => if (false) {',
    why: 'the general way unpacks values of eight bits to the same numbers, only slower',
  },
  {
    path: 'packages/parquet-compactor/src/sort/gather/gathered-values.ts',
    change: 'if (index < 0) { => if (true) {',
    why: 'an entry that is interned again gets the index that it has already, only slower',
  },
]

/** The line of a change before and after it, without the spaces around. */
export function describeChange(
  text: string,
  { start, end, replacement }: Pick<Mutant, 'start' | 'end' | 'replacement'>,
): string {
  const from = text.lastIndexOf('\n', start - 1) + 1
  const to = `${text}\n`.indexOf('\n', end)
  const squeeze = (part: string) => part.replace(/\s+/g, ' ').trim()
  return `${squeeze(text.slice(from, to))} => ${squeeze(text.slice(from, start) + replacement + text.slice(end, to))}`
}
