import { randomBytes } from 'node:crypto'
import { type FileHandle, link, open, realpath, rename, stat, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Sink } from '../read/source.ts'
import { CommandError, isNotFound, messageOf } from './command-error.ts'
import { appendBytes } from './file-bytes.ts'
import type { InputFile } from './find-inputs.ts'

/**
 * A file that is written under a temporary name beside its own and appears under its own only when it is complete, so
 * that nothing half-done is ever there. What a killed process leaves ends in `.tmp`, which no folder of inputs offers.
 */
export class OutputFile implements Sink {
  readonly path: string
  readonly temporaryPath: string
  readonly #mayReplace: boolean
  readonly #file: FileHandle

  private constructor(path: string, temporaryPath: string, file: FileHandle, mayReplace: boolean) {
    this.path = path
    this.temporaryPath = temporaryPath
    this.#file = file
    this.#mayReplace = mayReplace
  }

  /** @throws CommandError `output_is_input`, `output_exists`, `write_failed` */
  static async create(path: string, inputs: readonly InputFile[], mayReplace: boolean): Promise<OutputFile> {
    await checkOutput(path, inputs, mayReplace)
    try {
      // a symbolic link is written through, not replaced
      const target = await realpath(path).catch(() => path)
      const temporary = join(dirname(target), `.${basename(target)}.${randomBytes(6).toString('hex')}.tmp`)
      return new OutputFile(target, temporary, await open(temporary, 'wx'), mayReplace)
    } catch (error) {
      throw new CommandError('write_failed', `${path}: ${messageOf(error)}`, { cause: error })
    }
  }

  async write(bytes: Uint8Array): Promise<void> {
    await appendBytes(this.#file, bytes)
  }

  /**
   * Put the complete file into its place.
   * @throws CommandError `output_exists` for one that has come meanwhile, `write_failed`
   */
  async commit(): Promise<void> {
    try {
      await this.#file.sync()
      await this.#file.close()
      if (this.#mayReplace) await rename(this.temporaryPath, this.path)
      else await this.#linkIntoPlace()
    } catch (error) {
      if (error instanceof CommandError) throw error
      throw new CommandError('write_failed', `${this.path}: ${messageOf(error)}`, { cause: error })
    }
  }

  /** A link, unlike a rename, never replaces; file systems without links get a rename after a look. */
  async #linkIntoPlace(): Promise<void> {
    try {
      await link(this.temporaryPath, this.path)
    } catch {
      // says so if it was there already
      await checkOutput(this.path, [], false)
      await rename(this.temporaryPath, this.path)
      return
    }
    await unlink(this.temporaryPath)
  }

  /** Remove what was written. Harmless after `commit`. */
  async discard(): Promise<void> {
    await this.#file.close()
    await unlink(this.temporaryPath).catch((error: unknown) => {
      if (!isNotFound(error)) throw error
    })
  }
}

/** @throws CommandError `output_is_input`, `output_exists` */
export async function checkOutput(path: string, inputs: readonly InputFile[], mayReplace: boolean): Promise<void> {
  const found = await stat(path, { bigint: true }).catch((error: unknown) => {
    if (isNotFound(error)) return undefined
    throw new CommandError('write_failed', `${path}: ${messageOf(error)}`, { cause: error })
  })
  if (!found) return
  const same = inputs.find(({ identity }) => identity === `${found.dev}:${found.ino}`)
  if (same) throw new CommandError('output_is_input', `${path} is the input ${same.path}`)
  if (found.isDirectory()) throw new CommandError('wrong_usage', `${path} is a folder; name a file`)
  if (!mayReplace) throw alreadyThere(path)
}

function alreadyThere(path: string): CommandError {
  return new CommandError('output_exists', `${path} is there already; --force replaces it`)
}
