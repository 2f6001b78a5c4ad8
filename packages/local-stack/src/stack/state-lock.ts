import { execFileSync } from 'node:child_process'
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { StackError } from './stack-error.ts'

/** Who holds a state folder: the stack itself and the process groups of its children. */
interface Holder {
  pid: number
  groups: number[]
}

const isAlive = (pid: number) => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Process ids of ours that are left in a group; a group id used again by another program yields none. */
function leftoversOf(group: number): number[] {
  let table: string
  try {
    table = execFileSync('ps', ['-A', '-o', 'pid=,pgid=,stat=,args='], { encoding: 'utf8', maxBuffer: 64 << 20 })
  } catch {
    return []
  }
  return table.split('\n').flatMap((line) => {
    const [, pid, pgid, stat, args] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? []
    const ours = args !== undefined && /workerd|-process\.ts/.test(args)
    return ours && Number(pgid) === group && !stat!.startsWith('Z') ? [Number(pid)] : []
  })
}

/**
 * One stack a state folder. A folder left by a killed stack is taken over, after what is left of its children is ended:
 * workerd outlives its parent, and two of them on one folder would both write it.
 */
export class StateLock {
  readonly #path: string
  readonly #holder: Holder = { pid: process.pid, groups: [] }

  private constructor(path: string) {
    this.#path = path
  }

  /** @throws StackError naming the pid of the stack that holds the folder */
  static async take(stateFolder: string): Promise<StateLock> {
    const lock = new StateLock(join(stateFolder, 'lock.json'))
    for (;;) {
      try {
        writeFileSync(lock.#path, JSON.stringify(lock.#holder), { flag: 'wx' })
        return lock
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      }
      const holder = readHolder(lock.#path)
      if (holder && isAlive(holder.pid))
        throw new StackError(`a stack already runs on ${stateFolder} (pid ${holder.pid}); stop it, or set FUSOU_STATE`)
      for (const group of holder?.groups ?? []) await endLeftovers(group)
      rmSync(lock.#path, { force: true })
    }
  }

  addGroup(pid: number): void {
    this.#holder.groups.push(pid)
    // beside and renamed: one killed while it writes must not leave a holder that nobody can read
    const partial = `${this.#path}.${process.pid}`
    writeFileSync(partial, JSON.stringify(this.#holder))
    renameSync(partial, this.#path)
  }

  release(): void {
    rmSync(this.#path, { force: true })
  }
}

function readHolder(path: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Holder
  } catch {
    return undefined
  }
}

async function endLeftovers(group: number): Promise<void> {
  for (let left = leftoversOf(group); left.length > 0; left = leftoversOf(group)) {
    for (const pid of left) {
      try {
        process.kill(pid, 'SIGKILL')
      } catch {}
    }
    await wait(50)
  }
}
