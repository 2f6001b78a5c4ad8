import { rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { threadId } from 'node:worker_threads'
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib'
import { DuckDBInstance } from '@duckdb/node-api'
import { tableFromIPC } from 'apache-arrow'
import { type FileMetaData, parquetMetadata, parquetRead } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { readParquet } from 'parquet-wasm/node'

const exactly = (length: number) => ({ maxOutputLength: Math.max(1, length), chunkSize: Math.max(64, length) })

/** Node's decoders are strict, and no brotli window of 16 MiB is cleared for each page. */
const strict = {
  ...compressors,
  BROTLI: (bytes: Uint8Array, length: number) => brotliDecompressSync(bytes, exactly(length)),
  GZIP: (bytes: Uint8Array, length: number) => gunzipSync(bytes, exactly(length)),
  ZSTD: (bytes: Uint8Array, length: number) => zstdDecompressSync(bytes, exactly(length)),
}

/** Physical values, columns in order. */
export async function readWithHyparquet(file: Uint8Array): Promise<unknown[][]> {
  const { buffer } = new Uint8Array(file)
  let rows: unknown[][] = []
  await parquetRead({
    file: buffer,
    metadata: withoutLogicalTypes(parquetMetadata(buffer, { geoparquet: false })),
    compressors: strict,
    utf8: false,
    onComplete: (read) => {
      rows = read
    },
  })
  return rows
}

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

/** Rows as text. */
export async function readWithArrow(file: Uint8Array): Promise<string[]> {
  const table = tableFromIPC(readParquet(file).intoIPCStream())
  return table.toArray().map((row) => JSON.stringify(row, exact))
}

/** Rows as text. It takes longer than the others together, and is asked where they disagree. */
export async function readWithDuckdb(file: Uint8Array): Promise<string[]> {
  const path = join(tmpdir(), `fuzz-${process.pid}-${threadId}.parquet`)
  writeFileSync(path, file)
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' })
  try {
    const connection = await instance.connect()
    const result = await connection.runAndReadAll(`select * from read_parquet('${path}')`)
    return result.getRowsJson().map((row) => JSON.stringify(row))
  } finally {
    instance.closeSync()
    rmSync(path)
  }
}

/** JSON keeps neither bigints nor the difference of -0 and NaN */
function exact(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'number' && (Object.is(value, -0) || !Number.isFinite(value)))
    return `number ${Object.is(value, -0) ? '-0' : value}`
  return value
}
