/** One run of one way in a process of its own, so that its peak memory is its own: run-one WAY OUTPUT LIST [CODEC] */
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { DuckDBInstance } from '@duckdb/node-api'
import { mergeParquet, type Source } from '../src/index.ts'

const [way, output, list, codec] = process.argv.slice(2) as [string, string, string, string]
const paths = readFileSync(list, 'utf8').split('\n')

/** what was measured, beside seconds and memory */
type Facts = Record<string, unknown>

async function engine(inputs: Uint8Array[]): Promise<Facts> {
  const sources = inputs.map(
    (bytes, i): Source => ({
      name: `${i}`,
      byteLength: bytes.byteLength,
      read: async (offset, length) => bytes.subarray(offset, offset + length),
    }),
  )
  const file = openSync(output, 'w')
  const report = await mergeParquet(
    sources,
    { write: async (bytes) => void writeSync(file, bytes) },
    { codecs: { zstd: { compress: (b) => zstdCompressSync(b), decompress: (b) => zstdDecompressSync(b) } } },
  )
  closeSync(file)
  return { rowGroups: report.rowGroupsOut, columnChunks: report.columnChunks }
}

async function copy(inputs: Uint8Array[]): Promise<Facts> {
  const file = openSync(output, 'w')
  for (const bytes of inputs) writeSync(file, bytes)
  closeSync(file)
  return {}
}

async function duckdb(): Promise<Facts> {
  const connection = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect()
  const started = performance.now()
  await connection.run(
    `copy (select * from read_parquet([${paths.map((path) => `'${path}'`)}])) to '${output}' (format parquet, compression ${codec})`,
  )
  const seconds = (performance.now() - started) / 1000
  const reader = await connection.runAndReadAll(`select max(row_group_id) + 1 from parquet_metadata('${output}')`)
  return { seconds, rowGroups: Number(reader.getRows()[0]![0]) }
}

const inputs = way === 'duckdb' ? [] : paths.map((path) => new Uint8Array(readFileSync(path)))
const idle = process.memoryUsage().rss
// a short first run, so that the compiler has seen the code; a Worker that merges all day has too
if (way === 'engine' && process.env.BENCH_WARM !== '0') await engine(inputs.slice(0, Math.ceil(inputs.length / 10)))
const started = performance.now()
const facts = await { engine: () => engine(inputs), copy: () => copy(inputs), duckdb }[way]!()
const seconds = (performance.now() - started) / 1000
const peak = process.resourceUsage().maxRSS * 1024
console.log(JSON.stringify({ seconds, ...facts, peakAboveIdle: peak - idle }))
