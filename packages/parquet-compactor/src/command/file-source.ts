import { open } from 'node:fs/promises'
import type { Source } from '../read/source.ts'
import { readBytes } from './file-bytes.ts'
import type { InputFile } from './find-inputs.ts'

/** A file that is opened for each read: thousands of them at once would exceed what a process may hold open. */
export function fileSource({ path, byteLength }: InputFile): Source {
  return { name: path, byteLength, read: (offset, length) => readFileRange(path, offset, length) }
}

/** @returns fewer bytes only where the file has ended */
export async function readFileRange(path: string, offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const file = await open(path)
  try {
    return await readBytes(file, offset, length)
  } finally {
    await file.close()
  }
}
