import type { Codecs } from '../codecs/codec.ts'
import type { Footer } from '../footer/footer.ts'
import type { ByteBuffer } from '../format/byte-buffer.ts'
import type { LeafColumn } from '../schema/schema.ts'
import { adaptReader, nullReader } from './adapted-reader.ts'
import { type ChunkPlace, ChunkReader } from './chunk-reader.ts'
import type { FileReader } from './file-reader.ts'
import type { RowReader } from './row-stream.ts'

export interface ReadSettings {
  codecs: Codecs
  maxPageBytes: number
  /** for the page that is being read */
  scratch: ByteBuffer
}

export function chunkPlace(footer: Footer, chunk: number): ChunkPlace {
  return {
    offset: footer.chunkOffset[chunk]!,
    bytes: footer.chunkBytes[chunk]!,
    values: footer.chunkValues[chunk]!,
    codec: footer.chunkCodec[chunk]!,
  }
}

/** Read a column of a row group, as the output's schema has it. @param leaf of the output */
export function openChunk(
  file: FileReader,
  footer: Footer,
  rowGroup: number,
  column: number,
  leaf: LeafColumn,
  { codecs, maxPageBytes, scratch }: ReadSettings,
): RowReader {
  const read = (from: Footer, own: LeafColumn, at: number) =>
    new ChunkReader(
      file,
      own,
      chunkPlace(from, rowGroup * from.schema.leaves.length + at),
      codecs,
      maxPageBytes,
      scratch,
    )
  const adaptation = footer.adapted?.columns[column]
  if (!adaptation) return read(footer, leaf, column)
  const { source } = footer.adapted!
  if (adaptation.sourceColumn === undefined) return nullReader(leaf)
  const own = source.schema.leaves[adaptation.sourceColumn]!
  return adaptReader(read(source, own, adaptation.sourceColumn), leaf, adaptation)
}
