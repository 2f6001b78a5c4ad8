import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { DiskFullError, saysDiskFull } from './disk-full.ts'
import { StackError } from './stack-error.ts'

/** A child that has not stopped this long after being asked is killed. */
const STOP_SECONDS = 10
/** lines of output of a child that did not start, for the message */
const LAST_LINES = 30

export interface ChildOptions {
  /** its name in messages to the user */
  name: string
  script: string
  cwd: string
  env: NodeJS.ProcessEnv
  /** sent over IPC: secrets stay out of the argument list */
  settings: unknown
  logFile: string
  /** named to the user when its disk is full */
  stateFolder: string
  onLine: (line: string) => void
}

/**
 * A process of the stack: started by `fork`, told its settings over IPC, ready when it says so over IPC.
 * It leads a process group of its own, so that Ctrl-C reaches the stack alone, which then stops it in order.
 * It ends itself when the IPC channel closes: it does not outlive a killed stack.
 */
export class Child<Ready> {
  readonly name: string
  readonly ready: Promise<Ready>
  /** settles when the process is gone, with the way it went */
  readonly exited: Promise<string>
  readonly #process: ChildProcess
  #stopping = false
  #sawDiskFull = false

  constructor(options: ChildOptions) {
    this.name = options.name
    this.#process = fork(options.script, [], {
      cwd: options.cwd,
      env: options.env,
      detached: true,
      // node:sqlite, which Node 24 still calls experimental: a line that is no JSON among the log lines
      execArgv: ['--disable-warning=ExperimentalWarning'],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    const lastLines: string[] = []
    const drained = [this.#process.stdout!, this.#process.stderr!].map((input) =>
      once(
        createInterface({ input }).on('line', (line) => {
          try {
            appendFileSync(options.logFile, `${line}\n`, { mode: 0o600 })
          } catch (error) {
            // The child is told apart from its log: it may go on, and the lines are still shown.
            if (!saysDiskFull(error)) throw error
            this.#sawDiskFull = true
          }
          this.#sawDiskFull ||= saysDiskFull(line)
          lastLines.push(line)
          if (lastLines.length > LAST_LINES) lastLines.shift()
          options.onLine(line)
        }),
        'close',
      ),
    )
    // not 'close': it never comes when this side closed the IPC channel
    this.exited = new Promise((resolve) => {
      this.#process.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`))
    })
    this.ready = new Promise((resolve, reject) => {
      this.#process.once('error', reject)
      this.#process.once('message', (message) => resolve(message as Ready))
      Promise.all([this.exited, ...drained]).then(([how]) => {
        const why = `${options.name} did not start (${how})`
        reject(
          this.#sawDiskFull
            ? new DiskFullError(options.stateFolder, why)
            : new StackError(`${why}:\n${lastLines.join('\n')}`),
        )
      })
    })
    this.ready.catch(() => {})
    this.#process.send({ settings: options.settings })
  }

  /** Also the id of its process group. */
  get pid(): number {
    return this.#process.pid!
  }

  /** Whether it, or the writing of its log, met a full disk. */
  get sawDiskFull(): boolean {
    return this.#sawDiskFull
  }

  get stopping(): boolean {
    return this.#stopping
  }

  async stop(): Promise<void> {
    this.#stopping = true
    const timer = setTimeout(() => this.#killGroup(), STOP_SECONDS * 1000)
    if (this.#process.connected) this.#process.disconnect()
    await this.exited
    clearTimeout(timer)
  }

  #killGroup(): void {
    try {
      process.kill(-this.pid, 'SIGKILL')
    } catch {}
  }
}

/**
 * The child's side of `Child`.
 * @param run starts the service; what it returns is told to the stack, except `stop`, which is run when the stack ends
 */
export function runAsChild<Settings, Ready extends object>(
  run: (settings: Settings, fail: (error: unknown) => void) => Promise<Ready & { stop: () => Promise<void> }>,
): void {
  const fail = (error: unknown) => {
    console.error(error instanceof Error ? (error.stack ?? error.message) : String(error))
    process.exit(1)
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.disconnect?.())
  process.once('message', async ({ settings }: { settings: Settings }) => {
    try {
      const { stop, ...ready } = await run(settings, fail)
      const end = () => stop().then(() => process.exit(0), fail)
      process.removeListener('disconnect', exitAtOnce)
      if (!process.connected) return await end()
      process.once('disconnect', end)
      process.send!(ready)
    } catch (error) {
      fail(error)
    }
  })
  const exitAtOnce = () => process.exit(1)
  process.once('disconnect', exitAtOnce)
}
