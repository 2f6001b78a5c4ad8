import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { CommandError, isNotFound, messageOf } from './command-error.ts'
import { expandPattern, isPattern } from './glob-pattern.ts'

export interface InputFile {
  path: string
  byteLength: number
  /** device and number of the file, which two names of one file share */
  identity: string
}

/**
 * Files as they are named; the `*.parquet` files of a folder and its folders, but for names that begin with a dot or an
 * underscore; and what patterns match, unless a file is named so. What one folder or pattern brings is sorted by path. A file
 * that is named twice is there twice, as in DuckDB's `read_parquet`.
 * @throws CommandError `no_input`, `read_failed`
 */
export async function findInputs(operands: readonly string[]): Promise<InputFile[]> {
  const inputs: InputFile[] = []
  for (const operand of operands) {
    for (const path of await pathsOf(operand)) {
      const { size, dev, ino } = await statOf(path)
      inputs.push({ path, byteLength: Number(size), identity: `${dev}:${ino}` })
    }
  }
  return inputs
}

async function pathsOf(operand: string): Promise<string[]> {
  const found = await stat(operand).catch((error: unknown) => {
    if (isNotFound(error)) return undefined
    throw new CommandError('read_failed', `${operand}: ${messageOf(error)}`, { cause: error })
  })
  if (found && !found.isDirectory()) return [operand]
  const paths = found ? await filesBelow(operand) : isPattern(operand) ? await expandPattern(operand) : undefined
  if (!paths) throw new CommandError('no_input', `${operand}: there is no such file or folder`)
  if (paths.length === 0) {
    throw new CommandError('no_input', `${operand}: ${found ? 'no *.parquet file in this folder' : 'no file matches'}`)
  }
  return paths.sort((a, b) => (a < b ? -1 : 1))
}

async function filesBelow(folder: string): Promise<string[]> {
  const paths: string[] = []
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.name.startsWith('.') || entry.name.startsWith('_')) continue
    const path = join(folder, entry.name)
    if (entry.isDirectory()) paths.push(...(await filesBelow(path)))
    else if (entry.name.endsWith('.parquet')) paths.push(path)
  }
  return paths
}

async function statOf(path: string) {
  try {
    // inode numbers of some file systems exceed what a double holds
    const found = await stat(path, { bigint: true })
    if (!found.isFile()) throw new CommandError('read_failed', `${path}: not a regular file`)
    return found
  } catch (error) {
    if (error instanceof CommandError) throw error
    throw new CommandError('read_failed', `${path}: ${messageOf(error)}`, { cause: error })
  }
}
