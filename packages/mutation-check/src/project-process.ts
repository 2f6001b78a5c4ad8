import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ViteUserConfig } from 'vitest/config'
import { createVitest, type TestModule } from 'vitest/node'
import { type FileReport, firstLine, reportOf } from './file-report.ts'
import { InGivenOrder } from './in-given-order.ts'
import { markBlocks } from './mark-blocks.ts'

/** The argument of this process, as JSON. */
export interface ProjectSettings {
  /** a copy of the repository */
  readonly root: string
  readonly packageName: string
  /** file name of vitest's configuration */
  readonly configuration: string
  /** Notes which blocks each test reaches, and runs all tests; else the first failure ends a run. */
  readonly isMarked: boolean
}

export interface RunRequest {
  /** test files from the root of the repository, in the order in which they run */
  readonly files: readonly string[]
  /** sources that were written since the last run, from the root of the repository */
  readonly changed: readonly string[]
}

export interface RunAnswer {
  readonly reports: FileReport[]
  /** the first lines of errors outside of tests */
  readonly errors: string[]
}

/**
 * Keeps one project of vitest ready: its server, its global setup and what it has transformed serve run after run. Test
 * workers are new in each run, so that no state of a module outlives it.
 */
async function serve({ root, packageName, configuration, isMarked }: ProjectSettings): Promise<void> {
  const folder = join(root, 'packages', packageName)
  const marking = (): ViteUserConfig => ({
    plugins: [markBlocks(root)],
    test: { setupFiles: [fileURLToPath(new URL('note-reach.ts', import.meta.url))] },
  })
  const vitest = await createVitest(
    'test',
    {
      root: folder,
      config: join(folder, configuration),
      watch: false,
      bail: isMarked ? 0 : 1,
      reporters: [{}],
      silent: true,
      coverage: { enabled: false },
      sequence: { sequencer: InGivenOrder },
    },
    isMarked ? marking() : {},
  )
  await vitest.standalone()
  process.on('message', async ({ files, changed }: RunRequest) => {
    for (const path of changed) vitest.invalidateFile(join(root, path))
    const project = vitest.projects[0]!
    const specifications = files.map((path) => project.createSpecification(join(root, path)))
    const { testModules, unhandledErrors } = await vitest.runTestSpecifications(specifications)
    const asked = new Set(files.map((path) => join(root, path)))
    const reports = (testModules as TestModule[]).filter(({ moduleId }) => asked.has(moduleId)).map(reportOf)
    const errors = unhandledErrors.map((error) => firstLine((error as Error).message))
    process.send!({ reports, errors } satisfies RunAnswer)
  })
}

await serve(JSON.parse(process.argv[2]!))
