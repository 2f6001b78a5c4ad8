import { type FileMetaData, parquetMetadataAsync, parquetRead } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { readFileRange } from './file-source.ts'
import type { InputFile } from './find-inputs.ts'

/** a file up to this length is held while it is read */
const SMALL_FILE_BYTES = 2 ** 20

interface RangeFile {
  byteLength: number
  slice(start: number, end?: number): Promise<ArrayBuffer>
}

/** A Parquet file read by hyparquet, which shares only its codecs with the engine. */
export class RowReader {
  readonly rowCount: number
  readonly metadata: FileMetaData
  readonly #file: RangeFile
  readonly #physical: FileMetaData

  private constructor(file: RangeFile, metadata: FileMetaData) {
    this.#file = file
    this.metadata = metadata
    this.#physical = withoutLogicalTypes(metadata)
    this.rowCount = Number(metadata.num_rows)
  }

  static async open({ path, byteLength }: Pick<InputFile, 'path' | 'byteLength'>): Promise<RowReader> {
    const whole = byteLength <= SMALL_FILE_BYTES ? (await readFileRange(path, 0, byteLength)).buffer : undefined
    const file = {
      byteLength,
      slice: async (start: number, end = byteLength) =>
        whole ? whole.slice(start, end) : (await readFileRange(path, start, end - start)).buffer,
    }
    return new RowReader(file, await parquetMetadataAsync(file, { geoparquet: false }))
  }

  /** @returns physical values of the rows, columns in the order of the schema */
  async read(rowStart: number, rowEnd: number): Promise<unknown[][]> {
    let rows: unknown[][] = []
    await parquetRead({
      file: this.#file,
      metadata: this.#physical,
      compressors,
      utf8: false,
      // of INT96
      parsers: { timestampFromNanoseconds: (nanoseconds: bigint) => nanoseconds as unknown as Date },
      rowStart,
      rowEnd,
      onComplete: (read) => {
        rows = read
      },
    })
    return rows
  }
}

/** Values of logical types would lose digits, as decimals and timestamps do in JavaScript. Groups keep their nesting. */
function withoutLogicalTypes(metadata: FileMetaData): FileMetaData {
  const schema = metadata.schema.map((element, index) => {
    // the root has no repetition, but hyparquet believes one that stands there
    if (index === 0) {
      const { repetition_type, ...root } = element
      return root
    }
    if (element.type === undefined) return element
    const { converted_type, logical_type, ...physical } = element
    return physical
  })
  return { ...metadata, schema }
}
