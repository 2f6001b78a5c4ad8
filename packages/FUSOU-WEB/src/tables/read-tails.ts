import { type Catalog, type FooterFile, FusouError, R2Source } from '@fusou/catalog'
import { footerLength } from '@fusou/parquet-compactor'

/** Files of one call of the database. */
const PAGE_FILES = 500
/** Bucket reads at the same time, of the six connections that a Worker may hold. */
const READ_AHEAD = 5
/** A footer is read at once if it is no longer than the one before, but for a quarter, and within these bounds. */
const MIN_TAIL_BYTES = 16 * 1024
const MAX_TAIL_BYTES = 256 * 1024

interface FileTail {
  readonly file: FooterFile
  /** its last bytes, with the whole footer */
  readonly tail: Uint8Array
}

/**
 * The footers of the files of a table file, in the order in which they came. Several are read ahead, in most cases by one read
 * a file; a long one is read to its beginning when it is its turn, so that one such is held at a time.
 * @throws FusouError `object_missing`, `corrupt_file`, `storage_unavailable`; ParquetError `not_parquet`, `bad_footer`
 */
export async function* readTails(
  { catalog, bucket }: { catalog: Catalog; bucket: R2Bucket },
  footerId: string,
): AsyncGenerator<FileTail> {
  let tailBytes = MIN_TAIL_BYTES
  const ahead: { source: R2Source; file: FooterFile; end: Promise<Uint8Array> }[] = []
  const complete = async (): Promise<FileTail> => {
    const { source, file, end } = ahead.shift()!
    const read = await end
    const needed = footerLength(file.length, read)
    tailBytes = Math.min(MAX_TAIL_BYTES, Math.max(MIN_TAIL_BYTES, Math.ceil(needed * 1.25)))
    return { file, tail: needed <= read.byteLength ? read : await readEnd(source, needed) }
  }
  for await (const file of filesOf(catalog, footerId)) {
    const source = new R2Source(bucket, file)
    const end = readEnd(source, Math.min(tailBytes, file.length))
    // it is awaited in its turn, perhaps after another one has failed
    end.catch(() => undefined)
    ahead.push({ source, file, end })
    if (ahead.length >= READ_AHEAD) yield await complete()
  }
  while (ahead.length > 0) yield await complete()
}

async function* filesOf(catalog: Catalog, footerId: string): AsyncGenerator<FooterFile> {
  for (let after: FooterFile | undefined; ; ) {
    const files = await catalog.listFooterFiles(footerId, after, PAGE_FILES)
    yield* files
    after = files.at(-1)
    if (files.length < PAGE_FILES) return
  }
}

async function readEnd(source: R2Source, length: number): Promise<Uint8Array> {
  try {
    return await source.read(source.byteLength - length, length)
  } catch (cause) {
    if (cause instanceof FusouError) throw cause
    throw new FusouError('storage_unavailable', 'a footer could not be read; try again', { cause })
  }
}
