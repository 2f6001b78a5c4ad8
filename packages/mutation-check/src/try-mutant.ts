import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Mutant } from './find-mutants.ts'
import { fittingTests, packageOf, type ReachMap } from './reach-map.ts'
import { projectOf, type ReadyProjects, type TestRun } from './ready-projects.ts'

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
  projects: ReadyProjects,
  mutant: Mutant,
  map: ReachMap,
  patienceSeconds: number,
): Promise<Verdict> {
  const path = join(copy, mutant.path)
  const text = readFileSync(path, 'utf8')
  const write = (changed: string) => {
    writeFileSync(path, changed)
    projects.noteChange(mutant.path)
  }
  const put = () => write(text.slice(0, mutant.start) + mutant.replacement + text.slice(mutant.end))
  const started = Date.now()
  const seconds = () => Math.round((Date.now() - started) / 1000)
  put()
  try {
    if (!(await hasTypes(copy, packageOf(mutant.path)))) return { result: 'invalid' }
    const tests = fittingTests(map, mutant, patienceSeconds)
    const byProject = Map.groupBy(tests, (file) => `${packageOf(file)}/${projectOf(copy, packageOf(file), file)}`)
    for (const files of byProject.values()) {
      const packageName = packageOf(files[0]!)
      const expected = files.reduce((sum, file) => sum + map.tests[file]!.milliseconds / 1000, 0)
      const run: TestRun = { packageName, files, seconds: Math.ceil(START_SECONDS + SLOWER * expected) }
      let outcome = await projects.run(run)
      if (!outcome.passed && outcome.failedFile !== undefined) {
        // A ready project keeps its database, where an earlier mutant may have left what fails every later run.
        write(text)
        const without = await projects.run({ ...run, files: [outcome.failedFile] })
        put()
        if (!without.passed) {
          projects.restart(packageName, projectOf(copy, packageName, files[0]!))
          outcome = await projects.run(run)
        }
      }
      if (!outcome.passed) return { result: 'noticed', by: outcome.reason, seconds: seconds() }
    }
    return { result: 'unnoticed', tests, seconds: seconds() }
  } finally {
    write(text)
  }
}

/** Only the changed file and the files that it affects are checked once the package was. */
async function hasTypes(copy: string, packageName: string): Promise<boolean> {
  const checker = join(copy, 'node_modules/typescript/bin/tsc')
  const state = join(copy, 'temporary', `${packageName}.tsbuildinfo`)
  const options = ['-p', join(copy, 'packages', packageName), '--incremental', '--tsBuildInfoFile', state]
  const child = spawn(process.execPath, [checker, ...options], { stdio: 'ignore' })
  return (await new Promise<number | null>((resolve) => child.once('close', resolve))) === 0
}
