import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { FileReport } from './file-report.ts'
import type { ProjectSettings, RunAnswer, RunRequest } from './project-process.ts'

/** Tests that need neither a runtime nor a database have a project of their own, which starts at once. */
const UNITS = { folder: '/test/units/', configuration: 'vitest.units.config.ts' }

/** Which of the projects of a package runs a test file. */
export function projectOf(root: string, packageName: string, file: string): string {
  const hasUnits = existsSync(join(root, 'packages', packageName, UNITS.configuration))
  return hasUnits && file.includes(UNITS.folder) ? UNITS.configuration : 'vitest.config.ts'
}

export interface TestRun {
  readonly packageName: string
  /** test files of one project, from the root, in the order in which they run */
  readonly files: readonly string[]
  readonly seconds: number
}

export type TestOutcome =
  | { readonly passed: true; readonly reports: FileReport[] }
  | {
      readonly passed: false
      readonly reason: string
      readonly reports: FileReport[]
      /** the first file that failed, unless the run was ended */
      readonly failedFile?: string
    }

/** The projects of a copy of the repository, each in a process group of its own that is kept from run to run. */
export class ReadyProjects {
  readonly #root: string
  readonly #isMarked: boolean
  readonly #children = new Map<string, ChildProcess>()
  /** by project, the sources that were written since its last run */
  readonly #changed = new Map<string, Set<string>>()

  constructor(root: string, { isMarked = false } = {}) {
    this.#root = root
    this.#isMarked = isMarked
  }

  /** Says that a source was written, from the root of the repository. */
  noteChange(path: string): void {
    for (const changed of this.#changed.values()) changed.add(path)
  }

  /** Runs test files of one project. A run that does not end in time takes its project with it. */
  async run({ packageName, files, seconds }: TestRun): Promise<TestOutcome> {
    const configuration = projectOf(this.#root, packageName, files[0] ?? '')
    const key = `${packageName}/${configuration}`
    const child = this.#children.get(key) ?? this.#start(key, { packageName, configuration })
    const changed = this.#changed.get(key)!
    let output = ''
    const keep = (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-4000)
    }
    child.stdout!.on('data', keep)
    child.stderr!.on('data', keep)
    const timeout = AbortSignal.timeout(seconds * 1000)
    const end = () => this.restart(packageName, configuration)
    timeout.addEventListener('abort', end)
    const answer = await new Promise<RunAnswer | undefined>((resolve) => {
      child.once('message', (message) => resolve(message as RunAnswer))
      child.once('close', () => resolve(undefined))
      child.send({ files, changed: [...changed] } satisfies RunRequest)
    })
    timeout.removeEventListener('abort', end)
    child.removeAllListeners('message').removeAllListeners('close')
    child.stdout!.off('data', keep).resume()
    child.stderr!.off('data', keep).resume()
    changed.clear()
    if (!answer) {
      end()
      const reason = timeout.aborted ? `timeout after ${seconds} s` : lastLine(output)
      return { passed: false, reason, reports: [] }
    }
    return outcomeOf(packageName, files, answer)
  }

  #start(key: string, { packageName, configuration }: Pick<ProjectSettings, 'packageName' | 'configuration'>) {
    // files that ended tests leave behind go with the copy
    const TMPDIR = join(this.#root, 'temporary')
    mkdirSync(TMPDIR, { recursive: true })
    const settings: ProjectSettings = { root: this.#root, packageName, configuration, isMarked: this.#isMarked }
    const script = join(this.#root, 'packages/mutation-check/src/project-process.ts')
    const child = spawn(process.execPath, [script, JSON.stringify(settings)], {
      cwd: join(this.#root, 'packages', packageName),
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: { ...process.env, TMPDIR, NODE_ENV: 'test' },
    })
    if (child.pid !== undefined) started.add(child.pid)
    this.#children.set(key, child)
    this.#changed.set(key, new Set())
    return child
  }

  /** Ends a project with all that it started; the next run starts a new one. */
  restart(packageName: string, configuration: string): void {
    const key = `${packageName}/${configuration}`
    endGroup(this.#children.get(key)?.pid)
    this.#children.delete(key)
  }

  end(): void {
    for (const child of this.#children.values()) endGroup(child.pid)
    this.#children.clear()
  }
}

const started = new Set<number>()

/** Ends every project of this process, with all that it started. */
export function endAllProjects(): void {
  for (const pid of started) endGroup(pid)
}

function outcomeOf(packageName: string, files: readonly string[], { reports, errors }: RunAnswer): TestOutcome {
  const failed = reports.find(({ failures }) => failures.length > 0)
  if (failed) {
    const failedFile = `packages/${packageName}/${failed.path}`
    return { passed: false, reason: `${failed.path}: ${failed.failures[0]}`, reports, failedFile }
  }
  if (errors[0] !== undefined) return { passed: false, reason: errors[0], reports }
  if (reports.length < files.length) return { passed: false, reason: 'not all test files ran', reports }
  return { passed: true, reports }
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
  started.delete(pid)
}

function lastLine(text: string): string {
  const lines = text.split('\n').filter((line) => /error/i.test(line))
  return (lines[0] ?? text.trim().split('\n').at(-1) ?? '').trim().slice(0, 200)
}
