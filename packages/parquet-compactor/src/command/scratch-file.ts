import { randomBytes } from 'node:crypto'
import { type FileHandle, open, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Scratch } from '../read/scratch.ts'
import { appendBytes, readBytes } from './file-bytes.ts'

/**
 * A temporary file beside the output, made when it is first written. Where a file that is open can be removed it is, at once, so
 * that its bytes are gone with the process, however that ends.
 */
export class ScratchFile implements Scratch {
  readonly #path: string
  #file: Promise<FileHandle> | undefined
  #isThere = false

  /** @param outputPath of the file that it is to be beside */
  constructor(outputPath: string) {
    const name = `.${basename(outputPath)}.${randomBytes(6).toString('hex')}.scratch.tmp`
    this.#path = join(dirname(outputPath), name)
  }

  async #open(): Promise<FileHandle> {
    const file = await open(this.#path, 'wx+')
    this.#isThere = true
    try {
      await unlink(this.#path)
      this.#isThere = false
    } catch {
      // a platform that removes no file while it is open: `discard` does
    }
    return file
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#file ??= this.#open()
    await appendBytes(await this.#file, bytes)
  }

  /** @returns fewer bytes only where the file has ended */
  async read(offset: number, length: number): Promise<Uint8Array> {
    return readBytes(await this.#file!, offset, length)
  }

  /** Remove it, if it was made. */
  async discard(): Promise<void> {
    const file = await this.#file?.catch(() => undefined)
    await file?.close()
    if (this.#isThere) await unlink(this.#path)
  }
}
