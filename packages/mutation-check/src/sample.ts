import type { Mutant } from './find-mutants.ts'

/** Numbers from 0 to below 1 that a seed repeats (Mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/**
 * How many of `total` mutants each package gets: in proportion to the square root of how many it can have, so that the
 * largest package does not hide the others.
 */
export function shareAmong(total: number, sizes: readonly number[]): number[] {
  const roots = sizes.map(Math.sqrt)
  const sum = roots.reduce((all, root) => all + root, 0)
  let given = 0
  let wanted = 0
  return roots.map((root) => {
    wanted += (root / sum) * total
    const share = Math.round(wanted) - given
    given += share
    return share
  })
}

/**
 * All mutants in a random order; kinds take turns in proportion to the square root of how many mutants they have, so that
 * constants, which are a quarter of all, do not crowd out awaits and conditions.
 */
export function* drawMutants(mutants: readonly Mutant[], random: () => number): Generator<Mutant> {
  const kinds = [...Map.groupBy(mutants, (mutant) => mutant.kind).values()].map((left) => [...left])
  const weights = kinds.map((left) => Math.sqrt(left.length))
  for (;;) {
    const open = kinds.map((left, i) => (left.length > 0 ? weights[i]! : 0))
    const sum = open.reduce((all, weight) => all + weight, 0)
    if (sum === 0) return
    const chosen = chooseByWeight(open, random() * sum)
    const left = kinds[chosen]!
    yield left.splice(Math.floor(random() * left.length), 1)[0]!
  }
}

/** The index at which the sum of the weights passes `point`; one without weight is never chosen. */
function chooseByWeight(weights: readonly number[], point: number): number {
  let passed = 0
  const chosen = weights.findIndex((weight) => {
    passed += weight
    return passed > point
  })
  return chosen < 0 ? weights.findLastIndex((weight) => weight > 0) : chosen
}
