import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FusouClient, ListedFile } from '../client/fusou-client.ts'

const DOWNLOADS_AT_ONCE = 4

/** A live file of the result, on disk. */
export interface ResultFile extends ListedFile {
  datasetId: string
  path: string
}

/** List every dataset in one version, get its files, and hold each against the listed size and SHA-256. */
export async function downloadResult(
  datasetIds: readonly string[],
  ownerOf: (datasetId: string) => FusouClient,
  folder: string,
  onFile: (done: number, all: number) => void,
): Promise<{ files: ResultFile[]; faults: string[] }> {
  mkdirSync(folder, { recursive: true })
  const files: ResultFile[] = []
  const faults: string[] = []
  for (const datasetId of datasetIds) {
    const listed = await ownerOf(datasetId).listFiles(datasetId)
    files.push(...listed.files.map((file) => ({ ...file, datasetId, path: join(folder, `${file.id}.parquet`) })))
  }
  const queue = files.values()
  let done = 0
  const work = async () => {
    for (const file of queue) {
      const bytes = await ownerOf(file.datasetId).download(file.url)
      const sha256 = createHash('sha256').update(bytes).digest('hex')
      if (bytes.length !== file.bytes || sha256 !== file.sha256)
        faults.push(`file ${file.id} of ${file.datasetId} is not the listed one: ${bytes.length} bytes, ${sha256}`)
      writeFileSync(file.path, bytes)
      onFile(++done, files.length)
    }
  }
  await Promise.all(Array.from({ length: DOWNLOADS_AT_ONCE }, work))
  return { files, faults }
}
