import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { findSources, hashText, type Mutant } from './find-mutants.ts'
import { numberFiles, placeOf } from './mark-blocks.ts'
import { runTests } from './run-tests.ts'
import { MUTATED_PACKAGES, TESTING_PACKAGES, TOO_LONG, UNSEEN_REACH } from './tested-packages.ts'

/** What one test file reached when it ran on the sources without a fault. */
interface TestReach {
  readonly hash: string
  readonly milliseconds: number
  /** why it cannot tell a mutant from the sources as they are */
  readonly failures: readonly string[]
  /** blocks by source file; −1 is the file itself */
  readonly reached: Readonly<Record<string, readonly number[]>>
}

/** Which test files reach which blocks, kept from one run of this command to the next. */
export interface ReachMap {
  /** by test file; paths are from the root of the repository */
  readonly tests: Record<string, TestReach>
  /** hashes of the sources that the blocks were counted in */
  readonly sources: Record<string, string>
}

const MAP_SECONDS = 1800
/** Workers share one module graph, so that only the first test file loads a source. */
const SHARED_MODULES = new Set(['FUSOU-WEB'])

export function findTests(root: string, packageName: string): string[] {
  const folder = `packages/${packageName}/test`
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => join(folder, name))
    .filter((path) => !TOO_LONG.test(path))
    .sort()
}

export function packageOf(path: string): string {
  return path.split('/')[1]!
}

/**
 * Runs the tests that changed since the map was kept, and all of them if there is none.
 * @param copy of the repository in which they run
 */
export async function refreshReachMap(copy: string, kept: string, say: (line: string) => void): Promise<ReachMap> {
  const map: ReachMap = existsSync(kept) ? JSON.parse(readFileSync(kept, 'utf8')) : { tests: {}, sources: {} }
  const present = new Set(TESTING_PACKAGES.flatMap((name) => findTests(copy, name)))
  for (const path of Object.keys(map.tests)) if (!present.has(path)) delete map.tests[path]
  const numbered = numberFiles(copy)
  for (const packageName of TESTING_PACKAGES) {
    const hashes = new Map(findTests(copy, packageName).map((path) => [path, hashFile(copy, path)]))
    const files = [...hashes.keys()].filter((path) => map.tests[path]?.hash !== hashes.get(path))
    if (files.length === 0) continue
    say(`${packageName}: running ${files.length} test files to see what they reach`)
    const outcome = await runTests({ root: copy, packageName, files, seconds: MAP_SECONDS, markBlocks: true })
    if (outcome.reports.length === 0) throw new Error(`${packageName}: ${outcome.passed ? 'no tests' : outcome.reason}`)
    for (const { path, milliseconds, failures, reached } of outcome.reports) {
      const name = `packages/${packageName}/${path}`
      for (const failure of failures) say(`${name} fails without a mutant and is left out: ${failure}`)
      const blocks: Record<string, number[]> = {}
      for (const number of reached) {
        const { file, block } = placeOf(number)
        const source = numbered[file]!
        blocks[source] = [...(blocks[source] ?? []), block]
      }
      map.tests[name] = { hash: hashes.get(name)!, milliseconds, failures, reached: blocks }
    }
    for (const name of MUTATED_PACKAGES) {
      for (const source of findSources(copy, `packages/${name}/src`)) map.sources[source] = hashFile(copy, source)
    }
    mkdirSync(dirname(kept), { recursive: true })
    writeFileSync(kept, JSON.stringify(map))
  }
  return map
}

/**
 * The test files that reach a mutant, the quickest first, those of its own package before others. Other packages are
 * asked if the mutant is in the catalog, whose client they use, or if none of its own reaches it.
 */
export function fittingTests(map: ReachMap, mutant: Mutant, patienceSeconds: number): string[] {
  const reaching = Object.entries(map.tests).filter(
    ([test, { failures }]) => failures.length === 0 && reaches(map, test, mutant),
  )
  const owned = reaching.filter(([test]) => packageOf(test) === packageOf(mutant.path))
  const others = reaching.filter(([test]) => packageOf(test) !== packageOf(mutant.path))
  const asked = packageOf(mutant.path) === 'catalog' || owned.length === 0 ? [owned, others] : [owned]
  let milliseconds = 0
  return asked
    .flatMap((tests) => tests.sort(([, a], [, b]) => a.milliseconds - b.milliseconds))
    .filter(([, test], i) => {
      milliseconds += test.milliseconds
      return i === 0 || milliseconds <= patienceSeconds * 1000
    })
    .map(([test]) => test)
}

function reaches(map: ReachMap, test: string, mutant: Mutant): boolean {
  if (UNSEEN_REACH.some(({ sources, tests }) => sources.test(mutant.path) && tests.test(test))) return true
  const { reached } = map.tests[test]!
  const blocks = reached[mutant.path]
  // blocks of a source that changed since are not the same: all that load it are asked
  if (mutant.block >= 0 && map.sources[mutant.path] === mutant.sourceHash)
    return blocks?.includes(mutant.block) ?? false
  if (blocks) return true
  const shares = ([other, { reached }]: [string, TestReach]) =>
    packageOf(other) === packageOf(test) && mutant.path in reached
  return SHARED_MODULES.has(packageOf(test)) && Object.entries(map.tests).some(shares)
}

function hashFile(root: string, path: string): string {
  return hashText(readFileSync(join(root, path), 'utf8'))
}
