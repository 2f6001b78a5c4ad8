import type { ByteBuffer } from './byte-buffer.ts'
import { inColumn } from './chunk-reader.ts'
import { ChunkWriter, type ChunkWriterLimits, type FinishedChunk } from './chunk-writer.ts'
import type { FileReader } from './file-reader.ts'
import { throwIfAborted } from './file-reader.ts'
import type { FileWriter } from './file-writer.ts'
import type { Footer } from './footer.ts'
import { nameSource } from './inspect.ts'
import type { Codec, CodecName } from './merge-options.ts'
import type { MergeTally } from './merge-tally.ts'
import { chunkPlace, openChunk } from './open-chunk.ts'
import type { PlannedRowGroup, PlanReason } from './plan-merge.ts'
import { NotSpliceable, scanChunk } from './scan-chunk.ts'
import type { LeafColumn, Schema } from './schema.ts'
import { type SplicePart, spliceChunk } from './splice-chunk.ts'

/** A row group of an input; small ones are in memory, chunks of large ones are read as they are needed. */
export interface RowGroupSource {
  file: FileReader
  footer: Footer
  rowGroup: number
}

export interface ColumnSettings {
  codecs: Partial<Record<CodecName, Codec>>
  /** codec of each column of the output */
  columnCodecs: readonly CodecName[]
  minPageBytes: number
  maxPageBytes: number
  signal: AbortSignal | undefined
  /** for the page that is being read */
  scratch: ByteBuffer
  /** for indices that change */
  remapped: ByteBuffer
  limits: ChunkWriterLimits
}

/**
 * Write one row group of the output column by column, so that one column at a time is held beside the members.
 * @throws ParquetError naming the source and the column
 */
export async function writeRowGroup(
  members: readonly RowGroupSource[],
  planned: PlannedRowGroup,
  schema: Schema,
  output: FileWriter,
  settings: ColumnSettings,
  tally: MergeTally,
): Promise<void> {
  output.beginRowGroup(schema.leaves.length)
  for (const [column, leaf] of schema.leaves.entries()) {
    throwIfAborted(settings.signal)
    const { action, reason } = planned.columns[column]!
    let rewriteReason: PlanReason = reason
    let chunk: FinishedChunk | undefined
    if (action !== 'rewrite') {
      const spliced = await splice(members, column, leaf, settings)
      if (spliced instanceof NotSpliceable) {
        rewriteReason = spliced.reason
      } else {
        const isRemapped = spliced.reason === 'several_dictionaries'
        const done = action === 'copy' ? 'copied' : isRemapped ? 'remapped' : 'spliced'
        tally.add(done, action === 'copy' ? reason : spliced.reason, members.length)
        chunk = spliced
      }
    }
    if (!chunk) {
      tally.add('rewritten', rewriteReason, members.length)
      chunk = await rewrite(members, column, leaf, settings)
    }
    await output.writeChunk(chunk)
  }
  await output.endRowGroup(planned.rows)
}

async function splice(
  members: readonly RowGroupSource[],
  column: number,
  leaf: LeafColumn,
  settings: ColumnSettings,
): ReturnType<typeof spliceChunk> {
  const parts: SplicePart[] = []
  for (const { file, footer, rowGroup } of members) {
    const chunk = rowGroup * footer.schema.leaves.length + column
    const place = chunkPlace(footer, chunk)
    const scanned = await named(file, leaf, async () => {
      const bytes = await file.read(place.offset, place.bytes)
      const rows = footer.rowsOfGroup[rowGroup]!
      return scanChunk(bytes, leaf, place, rows, settings.codecs, settings.maxPageBytes)
    })
    if (scanned instanceof NotSpliceable) return scanned
    parts.push({ scanned, footer, chunk, place, within: (work) => named(file, leaf, work) })
  }
  return spliceChunk(leaf, parts, {
    codec: settings.columnCodecs[column]!,
    codecs: settings.codecs,
    minPageBytes: settings.minPageBytes,
    dictionaryBytes: settings.limits.dictionaryBytes,
    maxPageBytes: settings.maxPageBytes,
    scratch: settings.scratch,
    compressed: settings.limits.compressed,
    remapped: settings.remapped,
  })
}

async function rewrite(
  members: readonly RowGroupSource[],
  column: number,
  leaf: LeafColumn,
  settings: ColumnSettings,
): Promise<FinishedChunk> {
  const { codecs, columnCodecs, limits, maxPageBytes, scratch } = settings
  const writer = new ChunkWriter(leaf, columnCodecs[column]!, codecs, limits)
  for (const { file, footer, rowGroup } of members) {
    const reader = openChunk(file, footer, rowGroup, column, leaf, { codecs, maxPageBytes, scratch })
    try {
      await reader.copyRows(footer.rowsOfGroup[rowGroup]!, writer)
      if (reader.mayHaveMore) await reader.expectEnd()
    } catch (error) {
      throw nameSource(error, file.source.name)
    }
  }
  return writer.finish()
}

/** Failures within say in which file and column they happened. */
async function named<Result>(file: FileReader, leaf: LeafColumn, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    throw nameSource(inColumn(error, leaf), file.source.name)
  }
}
