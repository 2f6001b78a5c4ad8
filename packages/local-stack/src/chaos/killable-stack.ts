import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { Child } from '../stack/child.ts'
import { StackError } from '../stack/stack-error.ts'
import type { StackInfo } from '../stack/stack-info.ts'
import type { StackOptions } from '../stack/start-stack.ts'
import type { StackReady } from './stack-process.ts'

export type Victim = 'tree' | 'database' | 'workers'

interface KillableStackOptions {
  /** `stateFolder`, `webPort` and `supabasePort` of all its starts */
  stack: StackOptions & { webPort: number; supabasePort: number }
  logFile: string
  onLine: (line: string) => void
}

/** A stack that is killed and started again on the same state and ports. */
export class KillableStack {
  readonly #options: KillableStackOptions
  #child: Child<StackReady>
  #ready: StackReady | undefined

  private constructor(options: KillableStackOptions) {
    this.#options = options
    this.#child = this.#spawn()
  }

  static async start(options: KillableStackOptions): Promise<KillableStack> {
    const stack = new KillableStack(options)
    stack.#ready = await stack.#child.ready
    return stack
  }

  #spawn(): Child<StackReady> {
    const { stack, logFile, onLine } = this.#options
    return new Child<StackReady>({
      name: 'the stack',
      script: join(import.meta.dirname, 'stack-process.ts'),
      cwd: process.cwd(),
      env: process.env,
      settings: { ...stack, keepBuild: this.#ready !== undefined },
      logFile,
      stateFolder: stack.stateFolder,
      onLine,
    })
  }

  /** Ports and tokens are the same at each start, except those of the control door. */
  get info(): StackInfo {
    return this.#ready!.info
  }

  get sqlUrl(): string {
    return this.#ready!.sqlUrl
  }

  /** Kill it or a part of it, which ends the rest, and start it again. */
  async kill(victim: Victim): Promise<void> {
    this.#strike(victim)
    await this.#child.exited
    this.#child = this.#spawn()
    this.#ready = await this.#child.ready
  }

  /** Kill it, do something to its state while nothing runs, and start it again. */
  async whileStopped(work: () => void): Promise<void> {
    this.#strike('tree')
    await this.#child.exited
    work()
    this.#child = this.#spawn()
    this.#ready = await this.#child.ready
  }

  /** Kill it, and again so long after its start began. */
  async killStarting(afterMs: number): Promise<void> {
    this.#strike('tree')
    await this.#child.exited
    this.#child = this.#spawn()
    await Promise.race([wait(afterMs), this.#child.ready.catch(() => {})])
    await this.kill('tree')
  }

  #strike(victim: Victim): void {
    const [database, workers] = this.#groups()
    const groups = { tree: [this.#child.pid, database, workers], database: [database], workers: [workers] }[victim]
    for (const group of groups) if (group !== undefined) killGroup(group)
  }

  /** The process groups of the children that run by now, in the order of their start. */
  #groups(): number[] {
    const path = join(this.#options.stack.stateFolder, 'lock.json')
    try {
      const holder = JSON.parse(readFileSync(path, 'utf8')) as { pid: number; groups: number[] }
      return holder.pid === this.#child.pid ? holder.groups : []
    } catch (error) {
      // while it starts: no lock yet, or one that is half written
      if ((error as NodeJS.ErrnoException).code === 'ENOENT' || error instanceof SyntaxError) return []
      throw error
    }
  }

  /** Settles when it ends unasked. */
  async died(): Promise<StackError> {
    const child = this.#child
    const how = await child.exited
    if (child !== this.#child || child.stopping) return new Promise(() => {})
    return new StackError(`the stack ended by itself (${how}); see ${this.#options.logFile}`)
  }

  stop(): Promise<void> {
    return this.#child.stop()
  }
}

function killGroup(group: number): void {
  try {
    process.kill(-group, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
