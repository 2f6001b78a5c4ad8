import { openAsBlob } from 'node:fs'
import type { FusouClient, TableOffset, UploadAnswer } from '../client/fusou-client.ts'
import type { Upload } from './cut-source.ts'

/** The result of one upload. */
export interface Uploaded {
  upload: Upload
  answer: UploadAnswer
}

/**
 * Upload by `clients` at once, in the order given, every other file as a raw body and the rest as forms.
 * @param onUpload gets the number of uploads answered so far
 */
export async function uploadAll(
  client: FusouClient,
  uploads: readonly Upload[],
  clients: number,
  onUpload: (uploaded: Uploaded) => void,
): Promise<Uploaded[]> {
  const queue = uploads.entries()
  const done: Uploaded[] = []
  const work = async () => {
    for (const [index, upload] of queue) {
      const answer = await uploadOne(client, upload, index % 2 === 0 ? 'raw' : 'multipart')
      done.push({ upload, answer })
      onUpload({ upload, answer })
    }
  }
  await Promise.all(Array.from({ length: clients }, work))
  return done
}

export async function uploadOne(client: FusouClient, upload: Upload, way: 'raw' | 'multipart'): Promise<UploadAnswer> {
  const [first] = upload.fragments
  if (!upload.bundle) {
    const file = await openAsBlob(first!.path)
    const { table } = first!.partition
    const { datasetId, periodTag } = upload
    return client.upload({ datasetId, tableId: table, periodTag, fileName: `${table}.parquet`, file, way })
  }
  const blobs = await Promise.all(upload.fragments.map(({ path }) => openAsBlob(path)))
  // no period tag: what clients send that do not know it is the default
  return client.upload({
    datasetId: upload.datasetId,
    tableId: 'bundle',
    tableOffsets: offsetsOf(upload),
    fileName: 'bundle.bin',
    file: new Blob(blobs),
    way,
  })
}

export function offsetsOf({ fragments }: Pick<Upload, 'fragments'>): TableOffset[] {
  let start = 0
  return fragments.map(({ partition, bytes }) => {
    const offset = { table_name: partition.table, start_byte: start, byte_length: bytes, format: 'parquet' } as const
    start += bytes
    return offset
  })
}
