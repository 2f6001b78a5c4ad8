import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { hashText, type Mutant } from './find-mutants.ts'
import { numberFiles, placeOf } from './mark-blocks.ts'
import { projectOf, ReadyProjects } from './ready-projects.ts'
import { QUICK, TESTING_PACKAGES, TOO_LONG, UNSEEN_REACH } from './tested-packages.ts'

/** The blocks that one test file reached when it ran on the sources without a fault. */
interface TestReach {
  readonly hash: string
  readonly milliseconds: number
  /** why it cannot tell a mutant from the sources as they are */
  readonly failures: readonly string[]
  /** by source file: its hash, and the blocks in it; −1 is the file itself */
  readonly reached: Readonly<Record<string, { readonly hash: string; readonly blocks: readonly number[] }>>
}

/** Which test files reach which blocks, kept from one run of this command to the next. */
export interface ReachMap {
  /** by test file; paths are from the root of the repository */
  readonly tests: Record<string, TestReach>
}

const MAP_SECONDS = 1800
/** Test files between two states of the map that are kept: an interrupted run goes on from the last. */
const FILES_AT_ONCE = 8
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

/** The same map without the tests that need a runtime or a database. */
export function quickOnly({ tests }: ReachMap): ReachMap {
  return { tests: Object.fromEntries(Object.entries(tests).filter(([path]) => QUICK.test(path))) }
}

export function packageOf(path: string): string {
  return path.split('/')[1]!
}

/**
 * Runs the tests that changed since the map was kept, and all of them if there is none.
 * @param copy of the repository in which they run
 * @param kept   the file that keeps the map
 */
export async function refreshReachMap(
  copy: string,
  kept: string,
  { packages, isQuick, say }: { packages: readonly string[]; isQuick: boolean; say: (line: string) => void },
): Promise<ReachMap> {
  const map: ReachMap = existsSync(kept) ? JSON.parse(readFileSync(kept, 'utf8')) : { tests: {} }
  const present = new Set(TESTING_PACKAGES.flatMap((name) => findTests(copy, name)))
  for (const path of Object.keys(map.tests)) if (!present.has(path)) delete map.tests[path]
  // the client of the catalog is for the most part tested by those that use it
  for (const packageName of packages.includes('catalog') ? TESTING_PACKAGES : packages) {
    const stale = findTests(copy, packageName)
      .filter((path) => map.tests[path]?.hash !== hashFile(copy, path))
      .filter((path) => !isQuick || QUICK.test(path))
    if (stale.length > 0) say(`${packageName}: running ${stale.length} test files to see what they reach`)
    const projects = new ReadyProjects(copy, { isMarked: true })
    try {
      for (const files of Map.groupBy(stale, (path) => projectOf(copy, packageName, path)).values()) {
        for (let first = 0; first < files.length; first += FILES_AT_ONCE) {
          await noteReach(copy, projects, packageName, files.slice(first, first + FILES_AT_ONCE), map, say)
          mkdirSync(dirname(kept), { recursive: true })
          writeFileSync(kept, JSON.stringify(map))
        }
      }
    } finally {
      projects.end()
    }
  }
  return map
}

async function noteReach(
  copy: string,
  projects: ReadyProjects,
  packageName: string,
  files: readonly string[],
  map: ReachMap,
  say: (line: string) => void,
): Promise<void> {
  const numbered = numberFiles(copy)
  const outcome = await projects.run({ packageName, files, seconds: MAP_SECONDS })
  if (outcome.reports.length === 0) throw new Error(`${packageName}: ${outcome.passed ? 'no tests' : outcome.reason}`)
  for (const { path, milliseconds, failures, reached } of outcome.reports) {
    const name = `packages/${packageName}/${path}`
    for (const failure of failures) say(`${name} fails without a mutant and is left out: ${failure}`)
    const blocks = Map.groupBy(reached.map(placeOf), ({ file }) => numbered[file]!)
    const places = [...blocks].map(([source, places]) => {
      return [source, { hash: hashFile(copy, source), blocks: places.map(({ block }) => block) }] as const
    })
    map.tests[name] = { hash: hashFile(copy, name), milliseconds, failures, reached: Object.fromEntries(places) }
  }
}

/**
 * The test files that reach a mutant: those without a runtime and a database first, then those of its own package, each
 * from the quickest on. Other packages are asked if the mutant is in the catalog, whose client they use, or if none of its
 * own reaches it.
 */
export function fittingTests(map: ReachMap, mutant: Mutant, patienceSeconds: number): string[] {
  const reaching = Object.entries(map.tests).filter(
    ([test, { failures }]) => failures.length === 0 && reaches(map, test, mutant),
  )
  const owned = reaching.filter(([test]) => packageOf(test) === packageOf(mutant.path))
  const others = reaching.filter(([test]) => packageOf(test) !== packageOf(mutant.path))
  const asked = packageOf(mutant.path) === 'catalog' || owned.length === 0 ? [owned, others] : [owned]
  const ordered = asked.flatMap((tests) => tests.sort(([, a], [, b]) => a.milliseconds - b.milliseconds))
  const quickFirst = [true, false].flatMap((isQuick) => ordered.filter(([test]) => QUICK.test(test) === isQuick))
  let milliseconds = 0
  return quickFirst
    .filter(([, test], i) => {
      milliseconds += test.milliseconds
      return i === 0 || milliseconds <= patienceSeconds * 1000
    })
    .map(([test]) => test)
}

function reaches(map: ReachMap, test: string, mutant: Mutant): boolean {
  if (UNSEEN_REACH.some(({ sources, tests }) => sources.test(mutant.path) && tests.test(test))) return true
  const { reached } = map.tests[test]!
  const found = reached[mutant.path]
  // blocks of a source that changed since are not the same: all that load it are asked
  if (mutant.block >= 0 && found?.hash === mutant.sourceHash) return found.blocks.includes(mutant.block)
  if (found || mutant.block >= 0) return found !== undefined
  const shares = ([other, { reached }]: [string, TestReach]) =>
    packageOf(other) === packageOf(test) && mutant.path in reached
  return SHARED_MODULES.has(packageOf(test)) && Object.entries(map.tests).some(shares)
}

function hashFile(root: string, path: string): string {
  return hashText(readFileSync(join(root, path), 'utf8'))
}
