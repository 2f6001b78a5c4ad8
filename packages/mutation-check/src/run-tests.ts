import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FileReport } from './report-tests.ts'

/** Configuration that the copy of a package gets; the package's own stays as it is. */
const configuration = (base: string) => `import { fileURLToPath } from 'node:url'
import { mergeConfig } from 'vitest/config'
import { InGivenOrder } from '../mutation-check/src/in-given-order.ts'
import { markBlocks } from '../mutation-check/src/mark-blocks.ts'
import { ReportTests } from '../mutation-check/src/report-tests.ts'
import base from './${base}'

const marked = process.env.MUTATION_MARK === 'yes'
export default mergeConfig(base, {
  plugins: marked ? [markBlocks(fileURLToPath(new URL('../..', import.meta.url)))] : [],
  test: {
    setupFiles: marked ? [fileURLToPath(new URL('../mutation-check/src/note-reach.ts', import.meta.url))] : [],
    reporters: [new ReportTests(process.env.MUTATION_REPORT)],
    sequence: { sequencer: InGivenOrder },
    silent: true,
    coverage: { enabled: false },
  },
})
`
const CONFIGURATION_NAME = 'vitest.mutation.config.ts'

/** Tests that need neither a runtime nor a database have a project of their own, which starts at once. */
const UNITS = { folder: '/test/units/', configuration: 'vitest.units.config.ts' }

/** Which of the projects of a package runs a test file. */
export function projectOf(root: string, packageName: string, file: string): string {
  const hasUnits = existsSync(join(root, 'packages', packageName, UNITS.configuration))
  return hasUnits && file.includes(UNITS.folder) ? UNITS.configuration : 'vitest.config.ts'
}

export interface TestRun {
  /** a copy of the repository */
  readonly root: string
  readonly packageName: string
  /** test files of one project, from the root, in the order in which they run */
  readonly files: readonly string[]
  readonly seconds: number
  /** Notes which blocks each test reaches, and runs all tests; else the first failure ends the run. */
  readonly markBlocks?: boolean
  readonly signal?: AbortSignal
}

export type TestOutcome =
  | { readonly passed: true; readonly reports: FileReport[] }
  | { readonly passed: false; readonly reason: string; readonly reports: FileReport[] }

/** Runs test files of one package in a process group of its own, which is ended whole when time is over. */
export async function runTests({
  root,
  packageName,
  files,
  seconds,
  markBlocks,
  signal,
}: TestRun): Promise<TestOutcome> {
  const folder = join(root, 'packages', packageName)
  const report = join(folder, 'mutation-report.json')
  rmSync(report, { force: true })
  const temporary = join(root, 'temporary')
  mkdirSync(temporary, { recursive: true })
  writeFileSync(join(folder, CONFIGURATION_NAME), configuration(projectOf(root, packageName, files[0] ?? '')))
  const inside = files.map((file) => file.slice(`packages/${packageName}/`.length))
  const given = ['run', '--root', folder, '--config', join(folder, CONFIGURATION_NAME), '--passWithNoTests=false']
  if (!markBlocks) given.push('--bail', '1')
  const child = spawn(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), ...given, ...inside], {
    cwd: folder,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      // files that ended tests leave behind go with the copy
      TMPDIR: temporary,
      MUTATION_MARK: markBlocks ? 'yes' : 'no',
      MUTATION_REPORT: report,
      MUTATION_ORDER: JSON.stringify(inside),
    },
  })
  let text = ''
  const keep = (chunk: Buffer) => {
    text = (text + chunk.toString()).slice(-4000)
  }
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  const end = () => endGroup(child.pid)
  running.add(end)
  let timedOut = false
  const timer = setTimeout(() => {
    timedOut = true
    end()
  }, seconds * 1000)
  signal?.addEventListener('abort', end)
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  clearTimeout(timer)
  signal?.removeEventListener('abort', end)
  // processes that the run left behind, such as a database server
  end()
  running.delete(end)
  const reports = readReports(report)
  if (code === 0) return { passed: true, reports }
  const failed = reports.flatMap((file) => file.failures.map((failure) => `${file.path}: ${failure}`))
  const reason = timedOut ? `timeout after ${seconds} s` : (failed[0] ?? lastLine(text))
  return { passed: false, reason, reports }
}

const running = new Set<() => void>()

/** Ends every run that is under way, with all that it started. */
export function endTests(): void {
  for (const end of running) end()
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

function readReports(path: string): FileReport[] {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    // a run that was ended has none, and its outcome says so
    return []
  }
}

function lastLine(text: string): string {
  const lines = text.split('\n').filter((line) => /error/i.test(line))
  return (lines[0] ?? text.trim().split('\n').at(-1) ?? '').trim().slice(0, 200)
}
