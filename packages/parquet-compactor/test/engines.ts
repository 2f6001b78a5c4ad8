import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { brotliDecompressSync } from 'node:zlib'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { tableFromIPC } from 'apache-arrow'
import { type FileMetaData, parquetMetadata, parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { readParquet } from 'parquet-wasm/node'
import { afterAll, expect } from 'vitest'
import type { InputFile } from '../src/command/find-inputs.ts'
import { type MergeOptions, type MergeReport, memorySink, memorySource, mergeParquet } from '../src/index.ts'

const folder = mkdtempSync(join(tmpdir(), 'parquet-compactor-'))
let files = 0
let connection: Promise<DuckDBConnection> | undefined

afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function duckdb(): Promise<DuckDBConnection> {
  connection ??= DuckDBInstance.create().then((instance) => instance.connect())
  return connection
}

export async function query(sql: string): Promise<unknown[][]> {
  return (await (await duckdb()).runAndReadAll(sql)).getRowsJson()
}

/** Write the result of a query with DuckDB. `options` as COPY takes them. */
export async function writeWithDuckDB(select: string, options = ''): Promise<Uint8Array> {
  const path = join(folder, `${files++}.parquet`)
  await query(`copy (${select}) to '${path}' (format parquet${options && `, ${options}`})`)
  return readFileSync(path)
}

export function store(bytes: Uint8Array): string {
  const path = join(folder, `${files++}.parquet`)
  writeFileSync(path, bytes)
  return path
}

/** The files as the command finds them. */
export function inputFiles(files: readonly Uint8Array[]): InputFile[] {
  return files.map((bytes) => {
    const path = store(bytes)
    return { path, byteLength: bytes.byteLength, identity: path }
  })
}

export async function readWithDuckDB(files: Uint8Array[]): Promise<unknown[][]> {
  return query(`select * from read_parquet([${files.map((file) => `'${store(file)}'`)}])`)
}

export function readWithArrow(file: Uint8Array): { rows: string[]; schema: string } {
  const table = tableFromIPC(readParquet(file).intoIPCStream())
  return {
    rows: table.toArray().map((row) => JSON.stringify(row, exact)),
    schema: table.schema.fields.map((field) => `${field} ${[...field.metadata]}`).join('\n'),
  }
}

/** Decodes all values, and makes no rows of them. */
export const countWithArrow = (file: Uint8Array): number => tableFromIPC(readParquet(file).intoIPCStream()).numRows

/** Its own decoder clears a window of 16 MiB for each page. */
const quickBrotli = (bytes: Uint8Array) => new Uint8Array(brotliDecompressSync(bytes))

export async function readWithHyparquet(file: Uint8Array): Promise<Record<string, unknown>[]> {
  const { buffer } = new Uint8Array(file)
  // physical values: dates and decimals are not converted
  return parquetReadObjects({ file: buffer, compressors: { ...compressors, BROTLI: quickBrotli }, utf8: false })
}

export function metadataOf(file: Uint8Array): FileMetaData {
  return parquetMetadata(file, { geoparquet: false })
}

/** JSON keeps neither bigints nor the difference of -0 and NaN */
function exact(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'number' && (Object.is(value, -0) || !Number.isFinite(value)))
    return `number ${Object.is(value, -0) ? '-0' : value}`
  if (value instanceof Uint8Array) return `bytes ${value}`
  return value
}

/** Shows the first row that differs, not all of them. */
function expectSameRows(actual: unknown[], expected: unknown[]): void {
  const at = expected.findIndex((row, i) => !isDeepStrictEqual(row, actual[i]))
  if (at >= 0) expect(actual[at], `row ${at}`).toStrictEqual(expected[at])
  expect(actual.length).toBe(expected.length)
}

export interface ReaderSet {
  duckdb?: boolean
  arrow?: boolean
  hyparquet?: boolean
}

/**
 * Merge, and hold the output to the inputs with every reader: rows in order, types, schema elements, metadata. Done twice
 * unless `minPageBytes` is given: small pages rewritten, and every page passed as it is where that is allowed.
 * @param without readers that cannot read the inputs themselves; the reason stands where it is passed
 * @returns the first output
 */
export async function expectFaithfulMerge(
  inputs: Uint8Array[],
  options: MergeOptions = {},
  without: ReaderSet = {},
): Promise<{ output: Uint8Array; report: MergeReport; spliced: MergeReport }> {
  const merge = async (more: MergeOptions) => {
    const sink = memorySink()
    const report = await mergeParquet(
      inputs.map((bytes, i) => memorySource(`input-${i}`, bytes)),
      sink,
      { ...options, ...more },
    )
    return { output: sink.bytes(), report }
  }
  const first = await merge({})
  const second = options.minPageBytes === undefined ? await merge({ minPageBytes: 0 }) : first
  const outputs = second === first ? [first] : [first, second]

  const firstMetadata = metadataOf(inputs[0]!)
  const rowCount = inputs.reduce((sum, input) => sum + Number(metadataOf(input).num_rows), 0)
  for (const { output, report } of outputs) {
    expect(report.rowsOut).toBe(report.rowsIn)
    expect(report.bytesOut).toBe(output.byteLength)
    const metadata = metadataOf(output)
    expect(Number(metadata.num_rows)).toBe(rowCount)
    expect(metadata.schema).toEqual(firstMetadata.schema)
    expect(metadata.created_by).toMatch(/^fusou-compaction version \d+\.\d+\.\d+ \(build [0-9a-f]+\)$/)
    expect(metadata.key_value_metadata ?? []).toEqual(firstMetadata.key_value_metadata ?? [])
  }
  if (!without.duckdb) {
    const expected = await readWithDuckDB(inputs)
    const describe = async (file: Uint8Array) => query(`describe select * from '${store(file)}'`)
    const types = await describe(inputs[0]!)
    for (const { output } of outputs) {
      expectSameRows(await readWithDuckDB([output]), expected)
      expect(await describe(output)).toEqual(types)
    }
  }
  if (!without.arrow) {
    const reads = inputs.map((input) => readWithArrow(input))
    const expected = reads.flatMap(({ rows }) => rows)
    const { schema } = reads[0]!
    for (const { output } of outputs) {
      const read = readWithArrow(output)
      expectSameRows(read.rows, expected)
      expect(read.schema).toBe(schema)
    }
  }
  if (!without.hyparquet) {
    const rows: Record<string, unknown>[] = []
    for (const input of inputs) for (const row of await readWithHyparquet(input)) rows.push(row)
    for (const { output } of outputs) expectSameRows(await readWithHyparquet(output), rows)
  }
  return { ...first, spliced: second.report }
}
