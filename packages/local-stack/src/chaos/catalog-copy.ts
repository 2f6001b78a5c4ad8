import { cpSync, existsSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'

/** The database of a stack that does not run, copied as a backup would have it. */
export class CatalogCopy {
  readonly #live: string
  readonly #copy: string

  /** @param folder beside the state, for the copies */
  constructor(stateFolder: string, folder: string) {
    this.#live = join(stateFolder, 'database/data')
    this.#copy = join(folder, 'catalog-copy')
  }

  get isTaken(): boolean {
    return existsSync(this.#copy)
  }

  take(): void {
    rmSync(this.#copy, { recursive: true, force: true })
    cpSync(this.#live, this.#copy, { recursive: true })
  }

  /** Set the database back; the copy is used up. */
  restore(): void {
    rmSync(this.#live, { recursive: true, force: true })
    renameSync(this.#copy, this.#live)
  }

  /** Take the database away: the next start makes a new one. */
  putAside(): void {
    rmSync(this.#copy, { recursive: true, force: true })
    renameSync(this.#live, this.#copy)
  }
}
