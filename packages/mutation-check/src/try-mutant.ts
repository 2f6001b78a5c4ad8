import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Mutant } from './find-mutants.ts'
import { fittingTests, packageOf, type ReachMap } from './reach-map.ts'
import { projectOf, runTests } from './run-tests.ts'

export type Verdict =
  | { readonly result: 'noticed'; readonly by: string; readonly seconds: number }
  | { readonly result: 'unnoticed'; readonly tests: readonly string[]; readonly seconds: number }
  /** the type checker notices it, so that it could not be committed */
  | { readonly result: 'invalid' }

/** A run that takes this many times as long as without the mutant does not end. */
const SLOWER = 5
const START_SECONDS = 60

/** Puts a mutant into the copy, asks the type checker and then the fitting tests, and takes it out again. */
export async function tryMutant(
  copy: string,
  mutant: Mutant,
  map: ReachMap,
  patienceSeconds: number,
): Promise<Verdict> {
  const path = join(copy, mutant.path)
  const text = readFileSync(path, 'utf8')
  const started = Date.now()
  const seconds = () => Math.round((Date.now() - started) / 1000)
  const invalid = new AbortController()
  writeFileSync(path, text.slice(0, mutant.start) + mutant.replacement + text.slice(mutant.end))
  try {
    const typed = hasTypes(copy, packageOf(mutant.path)).then((passes) => {
      if (!passes) invalid.abort()
      return passes
    })
    const tests = fittingTests(map, mutant, patienceSeconds)
    const projects = Map.groupBy(tests, (file) => {
      const packageName = packageOf(file)
      return `${packageName}/${projectOf(copy, packageName, file)}`
    })
    for (const files of projects.values()) {
      const packageName = packageOf(files[0]!)
      const expected = files.reduce((sum, file) => sum + map.tests[file]!.milliseconds / 1000, 0)
      const limit = Math.ceil(START_SECONDS + SLOWER * expected)
      const outcome = await runTests({ root: copy, packageName, files, seconds: limit, signal: invalid.signal })
      if (invalid.signal.aborted) break
      if (!outcome.passed) {
        if (!(await typed)) break
        return { result: 'noticed', by: outcome.reason, seconds: seconds() }
      }
    }
    return (await typed) ? { result: 'unnoticed', tests, seconds: seconds() } : { result: 'invalid' }
  } finally {
    writeFileSync(path, text)
  }
}

async function hasTypes(copy: string, packageName: string): Promise<boolean> {
  const checker = join(copy, 'node_modules/typescript/bin/tsc')
  const child = spawn(process.execPath, [checker, '-p', join(copy, 'packages', packageName)], { stdio: 'ignore' })
  return (await new Promise<number | null>((resolve) => child.once('close', resolve))) === 0
}
