import { open } from 'node:fs/promises'
import type { Source } from '../read/source.ts'
import type { InputFile } from './find-inputs.ts'

/** A file that is opened for each read: thousands of them at once would exceed what a process may hold open. */
export function fileSource({ path, byteLength }: InputFile): Source {
  return { name: path, byteLength, read: (offset, length) => readFileRange(path, offset, length) }
}

/** @returns fewer bytes only where the file has ended */
export async function readFileRange(path: string, offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const file = await open(path)
  try {
    const bytes = new Uint8Array(length)
    let done = 0
    while (done < length) {
      const { bytesRead } = await file.read(bytes, done, length - done, offset + done)
      if (bytesRead === 0) return bytes.subarray(0, done)
      done += bytesRead
    }
    return bytes
  } finally {
    await file.close()
  }
}
