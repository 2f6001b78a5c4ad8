import { type Catalog, type ComposedFooter, describe, FusouError, log } from '@fusou/catalog'
import { FooterComposer, isSourceFault, ParquetError } from '@fusou/parquet-compactor'
import { holdComposition } from '../upload/upload-memory.ts'
import type { Layout } from './pinned-layout.ts'
import { readTails } from './read-tails.ts'
import { MAGIC } from './segments.ts'

/** What the catalog answers to the one who is to compose a footer. */
interface BegunFooter {
  readonly id: string
  readonly version: number
  /** null: of a pinned version, whose files lie one after the other */
  readonly address: number | null
  readonly leftOut: number
  readonly r2Key: string
}

interface Storage {
  readonly catalog: Catalog
  readonly bucket: R2Bucket
}

/**
 * Compose a footer from those of the files, store it and let everybody use it.
 * @returns `changed`: other files are in quarantine since it was begun
 * @throws FusouError `table_refused`, `object_missing`, `corrupt_file`, `storage_unavailable`, `overloaded`
 */
export async function composeFooter(storage: Storage, begun: BegunFooter): Promise<ComposedFooter | 'changed'> {
  const { catalog, bucket } = storage
  try {
    using _ = await holdComposition()
    const { address, tail, layout, rows } = await compose(storage, begun)
    await bucket.put(begun.r2Key, new Blob([tail, layout])).catch((cause: unknown) => {
      throw new FusouError('storage_unavailable', 'the footer could not be stored; try again', { cause })
    })
    const sizes = { address, tailBytes: tail.byteLength, layoutBytes: layout.byteLength, rows }
    const completed = await catalog.completeFooter(begun.id, sizes)
    return completed.outcome === 'ready' ? completed.footer : 'changed'
  } catch (error) {
    throw await giveUp(catalog, begun.id, error)
  }
}

async function compose(storage: Storage, { id, version, address: tailAddress, leftOut }: BegunFooter) {
  const composer = new FooterComposer({
    keyValues: { 'fusou.version': String(version), 'fusou.left_out': String(leftOut) },
  })
  const layout: Layout = []
  let end = MAGIC.length
  for await (const { file, tail } of readTails(storage, id)) {
    const address = tailAddress === null ? end : file.address!
    const rowGroupsBefore = composer.rowGroupCount
    composer.add({ source: `file ${file.id} (period ${file.periodTag})`, address, byteLength: file.length, tail })
    end += file.length
    if (tailAddress === null)
      layout.push([file.length, file.r2Key, file.offset, file.id, composer.rowGroupCount - rowGroupsBefore])
  }
  const address = tailAddress ?? end
  const { bytes, rowCount } = composer.finish(address)
  return {
    address,
    tail: bytes as Uint8Array<ArrayBuffer>,
    layout: new TextEncoder().encode(tailAddress === null ? JSON.stringify(layout) : ''),
    rows: rowCount,
  }
}

/** Notes why no footer came of it. Should that fail too, the next composer begins after a minute. */
async function giveUp(catalog: Catalog, id: string, error: unknown): Promise<unknown> {
  const isParquet = error instanceof ParquetError
  // The files never change, so neither does this answer. Another version, or other files in quarantine, has its own footer.
  const isFinal = isParquet && isSourceFault(error.code)
  const detail = isParquet ? error.message.slice(0, 1000) : ''
  await catalog
    .failFooter(id, isFinal ? { code: error.code, detail } : undefined)
    .catch((cause: unknown) => log('error', 'footer_not_ended', { id, ...describe(cause) }))
  return isFinal ? new FusouError('table_refused', detail, { cause: error }) : error
}
