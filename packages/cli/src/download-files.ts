import { createHash } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type FusouClient, unwrap } from '@fusou/client'
import { Failure } from './failure.ts'

export interface RemoteFile {
  readonly id: string
  readonly periodTag: string
  readonly sha256: string
  readonly bytes: number
}

/**
 * Downloads files into a folder, several at a time, each as `<period>-<id>.parquet`. One that is there already, with the
 * hash that the catalog names, is not read again.
 * @returns how many were downloaded, and how many were there
 */
export async function downloadFiles(
  client: FusouClient,
  files: readonly RemoteFile[],
  folder: string,
  concurrency: number,
): Promise<{ downloaded: number; present: number; bytes: number }> {
  await mkdir(folder, { recursive: true })
  const done = { downloaded: 0, present: 0, bytes: 0 }
  let next = 0
  const fetchSome = async (): Promise<void> => {
    while (next < files.length) {
      const file = files[next++]!
      const path = join(folder, `${file.periodTag}-${file.id}.parquet`)
      if (await hasHash(path, file.sha256)) {
        done.present++
        continue
      }
      const content = await unwrap(
        client.api.GET('/api/files/{id}', { params: { path: { id: file.id } }, parseAs: 'arrayBuffer' }) as Promise<{
          data?: ArrayBuffer
          error?: unknown
          response: Response
        }>,
      )
      const bytes = new Uint8Array(content)
      if (sha256(bytes) !== file.sha256) throw new Failure(`${file.id}: its bytes are not those that the catalog names`)
      // under its name only once it is whole
      await writeFile(`${path}.part`, bytes)
      await rename(`${path}.part`, path)
      done.downloaded++
      done.bytes += bytes.byteLength
    }
  }
  await Promise.all(Array.from({ length: concurrency }, fetchSome))
  return done
}

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

async function hasHash(path: string, hash: string): Promise<boolean> {
  try {
    return sha256(await readFile(path)) === hash
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}
