import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describeChange, EQUIVALENT_MUTANTS } from './equivalent-mutants.ts'
import { findMutants, findSources, hashText, type Mutant } from './find-mutants.ts'
import { fittingTests, packageOf, quickOnly, type ReachMap, refreshReachMap } from './reach-map.ts'
import { endAllProjects, ReadyProjects } from './ready-projects.ts'
import { drawMutants, seededRandom, shareAmong } from './sample.ts'
import { copyRepository } from './sandbox.ts'
import { tryMutant, type Verdict } from './try-mutant.ts'

export interface CheckOptions {
  readonly packages: readonly string[]
  readonly mutants: number
  readonly seed: number
  readonly patienceSeconds: number
  /** draws only from what the quick tests reach, and asks only them */
  readonly isQuick: boolean
  readonly say: (line: string) => void
  readonly each: (tried: TriedMutant) => void
}

export interface TriedMutant {
  readonly path: string
  readonly line: number
  readonly kind: string
  readonly change: string
  readonly verdict: Verdict | { readonly result: 'equivalent'; readonly why: string }
}

const ROOT = join(import.meta.dirname, '../../..')
/** ignored by git, like all state of this machine */
const KEPT = join(ROOT, '.local/mutation-check')

/** Draws mutants until enough of them have types, and tries each. */
export async function check(options: CheckOptions): Promise<TriedMutant[]> {
  const { packages, mutants, seed, patienceSeconds, isQuick, each } = options
  const copy = copyRepository(ROOT)
  const projects = new ReadyProjects(copy.folder)
  const clear = () => {
    endAllProjects()
    copy.remove()
  }
  const stop = () => {
    clear()
    process.exit(130)
  }
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
  try {
    const all = await refreshReachMap(copy.folder, join(KEPT, 'reach-map.json'), options)
    const map = isQuick ? quickOnly(all) : all
    const kept = new KeptVerdicts(join(KEPT, 'verdicts.json'))
    const found = packages
      .map((name) => findSources(copy.folder, `packages/${name}/src`).flatMap((path) => findMutants(copy.folder, path)))
      .map((some) =>
        isQuick
          ? some.filter((mutant) => mutant.block >= 0 && fittingTests(map, mutant, patienceSeconds).length > 0)
          : some,
      )
    const shares = shareAmong(
      mutants,
      found.map((all) => all.length),
    )
    const tried: TriedMutant[] = []
    for (const [i, all] of found.entries()) {
      let left = shares[i]!
      // a seed of its own for each package: another selection of packages draws the same mutants of this one
      for (const mutant of drawMutants(all, seededRandom(seed * 31 + hashName(packages[i]!)))) {
        if (left === 0) break
        const change = describeChange(readFileSync(join(copy.folder, mutant.path), 'utf8'), mutant)
        const argued = EQUIVALENT_MUTANTS.find((known) => known.path === mutant.path && known.change === change)
        const verdict = argued
          ? ({ result: 'equivalent', why: argued.why } as const)
          : await kept.get(mutant, map, patienceSeconds, () =>
              tryMutant(copy.folder, projects, mutant, map, patienceSeconds),
            )
        if (verdict.result === 'invalid') continue
        left--
        tried.push({ path: mutant.path, line: mutant.line, kind: mutant.kind, change, verdict })
        each(tried.at(-1)!)
      }
    }
    return tried
  } finally {
    process.removeListener('SIGINT', stop)
    process.removeListener('SIGTERM', stop)
    clear()
  }
}

/** Verdicts of earlier runs. A mutant that went unnoticed is tried again once its fitting tests are others. */
class KeptVerdicts {
  readonly #path: string
  readonly #verdicts: Record<string, { verdict: Verdict; tests: string }>

  constructor(path: string) {
    this.#path = path
    try {
      this.#verdicts = JSON.parse(readFileSync(path, 'utf8'))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      this.#verdicts = {}
    }
  }

  async get(mutant: Mutant, map: ReachMap, patience: number, attempt: () => Promise<Verdict>): Promise<Verdict> {
    const { path, start, end, replacement, sourceHash } = mutant
    const key = hashText(JSON.stringify([path, start, end, replacement, sourceHash]))
    const tests = hashText(
      fittingTests(map, mutant, patience)
        .map((test) => map.tests[test]!.hash)
        .join(),
    )
    const known = this.#verdicts[key]
    if (known && (known.verdict.result !== 'unnoticed' || known.tests === tests)) return known.verdict
    const verdict = await attempt()
    this.#verdicts[key] = { verdict, tests }
    mkdirSync(join(this.#path, '..'), { recursive: true })
    writeFileSync(this.#path, JSON.stringify(this.#verdicts))
    return verdict
  }
}

function hashName(name: string): number {
  return Number.parseInt(hashText(name).slice(0, 6), 16)
}

export function printMutant({ path, line, kind, change, verdict }: TriedMutant): string {
  const [before, after] = change.split(' => ', 2)
  const head = `${verdict.result} ${path}:${line} (${kind})`
  if (verdict.result === 'noticed') return `${head} by ${verdict.by} in ${verdict.seconds} s`
  const because =
    verdict.result === 'equivalent' ? verdict.why : verdict.result === 'unnoticed' ? askedOf(verdict.tests) : ''
  return `${head} ${because}\n  - ${before}\n  + ${after}`
}

function askedOf(tests: readonly string[]): string {
  return tests.length === 0 ? 'no test reaches it' : `by ${tests.length} test files that reach it`
}

/** Equivalent mutants count neither way. */
export function printTotals(tried: readonly TriedMutant[]): { text: string; fraction: number } {
  const countOf = (some: readonly TriedMutant[], result: string) =>
    some.filter(({ verdict }) => verdict.result === result).length
  const line = (name: string, some: readonly TriedMutant[]) => {
    const [noticed, unnoticed] = [countOf(some, 'noticed'), countOf(some, 'unnoticed')]
    const fraction = noticed + unnoticed === 0 ? 1 : noticed / (noticed + unnoticed)
    const percent = `${(fraction * 100).toFixed(1)} %`
    return {
      fraction,
      text: `${name}: ${noticed} of ${noticed + unnoticed} noticed (${percent}), ${countOf(some, 'equivalent')} equivalent`,
    }
  }
  const byPackage = [...Map.groupBy(tried, ({ path }) => packageOf(path))].map(([name, some]) => line(name, some).text)
  const all = line('together', tried)
  return { text: [...byPackage, all.text].join('\n'), fraction: all.fraction }
}
