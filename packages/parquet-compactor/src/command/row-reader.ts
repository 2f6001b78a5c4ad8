import { type Compressors, type FileMetaData, parquetMetadataAsync, parquetRead, type SchemaElement } from 'hyparquet'
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
    this.metadata = withNamedMaps(metadata)
    this.#physical = { ...this.metadata, schema: withoutLogicalTypes(this.metadata.schema) }
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
      compressors: readCompressors,
      utf8: false,
      // INT96 timestamps
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

/** A page without values is not decompressed: its bytes may be none at all, or a frame that some decoders refuse. */
const readCompressors: Compressors = Object.fromEntries(
  Object.entries(compressors).map(([codec, decompress]) => [
    codec,
    (bytes: Uint8Array, length: number) => (length === 0 ? new Uint8Array() : decompress!(bytes, length)),
  ]),
)

/**
 * Values of logical types would lose digits, as decimals and timestamps do in JavaScript, and shredded VARIANT would be put
 * together from them. Lists and maps keep their annotation.
 */
function withoutLogicalTypes(schema: FileMetaData['schema']): FileMetaData['schema'] {
  return schema.map((element, index) => {
    const { converted_type, logical_type, ...physical } = element
    // the root has no repetition, but hyparquet believes one that stands there
    if (index === 0) {
      const { repetition_type, ...root } = physical
      return root
    }
    return element.type === undefined && converted_type !== undefined ? { ...physical, converted_type } : physical
  })
}

/** The names of a map's inner levels mean nothing, but hyparquet knows maps by `key` and `value` alone. */
function withNamedMaps(metadata: FileMetaData): FileMetaData {
  const { schema } = metadata
  const renamed: SchemaElement[] = schema.map((element) => ({ ...element }))
  const paths: string[][] = []
  let next = 1
  const visit = (path: string[], isInMap: boolean): void => {
    const at = next++
    const element = renamed[at]!
    const children = element.num_children ?? 0
    const isMap = isMapAt(schema, at) && !isInMap
    if (isMap) {
      element.converted_type = 'MAP'
      renamed[at + 2]!.name = 'key'
      renamed[at + 2 + sizeAt(schema, at + 2)]!.name = 'value'
    }
    const below = [...path, element.name]
    if (children === 0) paths.push(below)
    for (let child = 0; child < children; child++) visit(below, isMap)
  }
  for (let child = 0; child < (schema[0]?.num_children ?? 0); child++) visit([], false)
  const row_groups = metadata.row_groups.map((group) => ({
    ...group,
    columns: group.columns.map((column, at) => ({
      ...column,
      ...(column.meta_data && { meta_data: { ...column.meta_data, path_in_schema: paths[at]! } }),
    })),
  }))
  return { ...metadata, schema: renamed, row_groups }
}

function isMapAt(schema: FileMetaData['schema'], at: number): boolean {
  const [map, repeated] = [schema[at]!, schema[at + 1]]
  const isNamed = map.converted_type === 'MAP' || map.converted_type === 'MAP_KEY_VALUE'
  return isNamed && map.num_children === 1 && repeated?.repetition_type === 'REPEATED' && repeated.num_children === 2
}

/** @returns how many elements a node and those below it are */
function sizeAt(schema: FileMetaData['schema'], at: number): number {
  let size = 1
  for (let child = 0; child < (schema[at]?.num_children ?? 0); child++) size += sizeAt(schema, at + size)
  return size
}
