import { closeSync, openSync, writeSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { DuckDBInstance } from '@duckdb/node-api'
import { Table as ArrowTable, tableFromIPC, tableToIPC } from 'apache-arrow'
import { parquetMetadata, parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { parquetWriteBuffer, schemaFromColumnData } from 'hyparquet-writer'
import { Compression, readParquet, Table, WriterPropertiesBuilder, writeParquet } from 'parquet-wasm/node'
import { NODE_CODECS } from '../src/command/node-codecs.ts'
import { ScratchFile } from '../src/command/scratch-file.ts'
import { type MergeOptions, memorySource, mergeParquet } from '../src/index.ts'

/** What one process does. */
export interface WayOrder {
  way: Way
  paths: string[]
  output: string
  codec: 'snappy' | 'zstd'
  /** whether the codec is that of the inputs */
  keepsCodec: boolean
  sortColumn?: string
}

export const WAYS = [
  'duckdb, 1 thread',
  'duckdb, 2 threads',
  'engine in Node',
  'engine in Node, warm',
  'engine in workerd',
  'parquet-wasm',
  'hyparquet',
  'copy of the bytes',
] as const
export type Way = (typeof WAYS)[number]

/** Ways that decode values in one thread of JavaScript or WebAssembly, many times slower than the rest. */
export const SLOW_WAYS: readonly Way[] = ['parquet-wasm', 'hyparquet']

export function mergeOptionsOf({ codec, keepsCodec, sortColumn }: WayOrder): MergeOptions {
  return {
    codecs: NODE_CODECS,
    ...(!keepsCodec && { codec }),
    // an engine that does not know the option leaves the rows as they are, which the table then says
    ...(sortColumn !== undefined && { sortBy: [{ column: sortColumn }] }),
  }
}

export async function mergeWithEngine(order: WayOrder, inputs: Uint8Array[]): Promise<void> {
  const file = await open(order.output, 'w')
  const sources = inputs.map((bytes, i) => memorySource(`${i}`, bytes))
  // as the command does
  const scratch = new ScratchFile(order.output)
  const options = { ...mergeOptionsOf(order), scratch }
  await mergeParquet(sources, { write: async (bytes) => void (await file.write(bytes)) }, options)
  await scratch.discard()
  await file.close()
}

export function copyBytes({ output }: WayOrder, inputs: Uint8Array[]): void {
  const file = openSync(output, 'w')
  for (const bytes of inputs) writeSync(file, bytes)
  closeSync(file)
}

export async function mergeWithDuckDB({ paths, output, codec, sortColumn }: WayOrder, threads: number): Promise<void> {
  const connection = await (await DuckDBInstance.create(':memory:', { threads: `${threads}` })).connect()
  const files = `[${paths.map((path) => `'${path}'`).join()}]`
  const order = sortColumn === undefined ? '' : ` order by ${sortColumn}`
  await connection.run(
    `copy (select * from read_parquet(${files})${order}) to '${output}' (format parquet, compression ${codec})`,
  )
  connection.closeSync()
}

export function mergeWithParquetWasm({ output, codec }: WayOrder, inputs: Uint8Array[]): void {
  const batches = inputs.flatMap((bytes) => tableFromIPC(readParquet(bytes).intoIPCStream()).batches)
  const table = Table.fromIPCStream(tableToIPC(new ArrowTable(batches), 'stream'))
  const compression = codec === 'zstd' ? Compression.ZSTD : Compression.SNAPPY
  writeFile(output, writeParquet(table, new WriterPropertiesBuilder().setCompression(compression).build()))
}

/** Read every value and write it again; hyparquet-writer itself compresses with snappy. */
export async function mergeWithHyparquet({ output }: WayOrder, inputs: Uint8Array[]): Promise<void> {
  const columns = new Map<string, unknown[]>()
  for (const bytes of inputs) {
    const { buffer } = new Uint8Array(bytes)
    const metadata = parquetMetadata(buffer)
    const rows = await parquetReadObjects({ file: buffer, metadata, compressors })
    for (const { name, type } of metadata.schema) {
      if (!type) continue
      const values = columns.get(name) ?? []
      columns.set(name, values)
      for (const row of rows) values.push(row[name])
    }
  }
  const columnData = [...columns].map(([name, data]) => ({ name, data: data.map(plainValue), nullable: true }))
  writeFile(output, new Uint8Array(parquetWriteBuffer({ columnData, schema: schemaFromColumnData({ columnData }) })))
}

/** The writer finds the type of a column by its values. */
function plainValue(value: unknown): unknown {
  return typeof value === 'bigint' && value >= 2n ** 63n ? value - 2n ** 64n : value
}

function writeFile(path: string, bytes: Uint8Array): void {
  const file = openSync(path, 'w')
  writeSync(file, bytes)
  closeSync(file)
}
