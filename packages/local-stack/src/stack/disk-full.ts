import { statfsSync } from 'node:fs'
import { StackError } from './stack-error.ts'

/** Bytes that a fresh stack writes at its start, and some room for its use. */
const MIN_FREE_BYTES = 128 * 2 ** 20
/** The number of ENOSPC on Linux and macOS: what `npm start` ends with when there is no room. */
export const DISK_FULL_EXIT_CODE = 28

/** How Node, SQLite in workerd and PostgreSQL say that there is no room. */
const DISK_FULL =
  /ENOSPC|EDQUOT|SQLITE_FULL|no space left on device|disk quota exceeded|database or disk is full|53100/i

/** The disk of the state folder has no room: shown as one sentence. */
export class DiskFullError extends StackError {
  constructor(stateFolder: string, found: string) {
    super(`no room on the disk of ${stateFolder} (${found}); free some, or set FUSOU_STATE to a folder on another disk`)
  }
}

/** Whether a line of a log, or an error with its causes, says that a disk is full. */
export function saysDiskFull(said: unknown): boolean {
  if (typeof said === 'string') return DISK_FULL.test(said)
  for (let error = said, depth = 0; error instanceof Error && depth < 8; error = error.cause, depth++) {
    if (DISK_FULL.test((error as NodeJS.ErrnoException).code ?? '') || DISK_FULL.test(error.message)) return true
  }
  return false
}

/** The error as the user shall see it: one about the disk becomes one sentence, others stay. */
export function nameDiskFull(error: unknown, stateFolder: string): unknown {
  if (error instanceof DiskFullError || !saysDiskFull(error)) return error
  const code = (error as NodeJS.ErrnoException).code
  return new DiskFullError(stateFolder, code ?? 'a part of the stack could not write')
}

export const freeBytesOf = (folder: string): number => {
  const { bavail, bsize } = statfsSync(folder)
  return bavail * bsize
}

/** @throws DiskFullError when there is too little room to begin with */
export function requireRoom(stateFolder: string, freeBytes: number): void {
  if (freeBytes >= MIN_FREE_BYTES) return
  const mebibytes = (bytes: number) => `${Math.floor(bytes / 2 ** 20)} MiB`
  throw new DiskFullError(stateFolder, `${mebibytes(freeBytes)} are free, ${mebibytes(MIN_FREE_BYTES)} are needed`)
}
