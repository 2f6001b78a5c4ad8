import { type Catalog, type ComposedFooter, FusouError, type Requester } from '@fusou/catalog'
import { ComposedFooterReader, type PartFacts, type SchemaField } from '@fusou/parquet-compactor'
import { openTable } from '../tables/open-table.ts'
import { Layout } from '../tables/pinned-layout.ts'
import { holdComposed } from '../upload/upload-memory.ts'
import { toShared } from './names.ts'
import { sparkSchema } from './spark-schema.ts'

export interface SnapshotFile {
  readonly id: string
  /** of the whole file, in bytes */
  readonly size: number
  readonly part: PartFacts
}

/** One version of a table. It holds memory until it is disposed of. */
export interface Snapshot extends Disposable {
  readonly version: number
  readonly fields: readonly SchemaField[]
  /** the first two lines of an answer, as objects */
  readonly head: readonly [protocol: object, metaData: object]
  /** Files with rows, once. */
  files(): Generator<SnapshotFile>
}

/**
 * Opens a version by the object of its pinned table file, which has the footers of all files in one: one read of the bucket,
 * whatever the number of files, and one of each file for the first reader of a version.
 * @throws FusouError `unknown_dataset`, `unknown_table`, `unknown_version`, `version_gone`, `table_refused`, `overloaded`,
 *   `object_missing`, `storage_unavailable`
 */
export async function openSnapshot(
  { catalog, bucket }: { catalog: Catalog; bucket: R2Bucket },
  { datasetId, table, version }: { datasetId: string; table: string; version: number | undefined },
  requester: Requester,
): Promise<Snapshot> {
  const footer = await openTable({ catalog, bucket }, { datasetId, table }, requester, { version, pinned: true })
  const memory = await holdComposed(footer.tailBytes + footer.layoutBytes)
  try {
    const bytes = await readObject(bucket, footer)
    const reader = new ComposedFooterReader(bytes.subarray(0, footer.tailBytes))
    const layout = Layout.parse(JSON.parse(new TextDecoder().decode(bytes.subarray(footer.tailBytes))))
    const shown = layout.filter(([, , , , rowGroups]) => rowGroups > 0)
    const metaData = {
      id: `${datasetId}/${table}`,
      name: toShared(table),
      format: { provider: 'parquet' },
      schemaString: sparkSchema(reader.fields),
      partitionColumns: [],
      configuration: {},
      version: footer.version,
      size: shown.reduce((sum, [length]) => sum + length, 0),
      numFiles: shown.length,
    }
    return {
      version: footer.version,
      fields: reader.fields,
      head: [{ protocol: { minReaderVersion: 1 } }, { metaData }],
      *files() {
        for (const [size, , , id, rowGroups] of shown) yield { id, size, part: reader.next(rowGroups) }
      },
      [Symbol.dispose]: () => memory[Symbol.dispose](),
    }
  } catch (error) {
    memory[Symbol.dispose]()
    throw error
  }
}

async function readObject(bucket: R2Bucket, { r2Key, tailBytes, layoutBytes }: ComposedFooter): Promise<Uint8Array> {
  const object = await bucket.get(r2Key).catch((cause: unknown) => {
    throw new FusouError('storage_unavailable', 'the table could not be read; try again', { cause })
  })
  if (object?.size !== tailBytes + layoutBytes)
    throw new FusouError('object_missing', 'the footer of this version is gone; tell the operator')
  return object.bytes()
}
