import { readFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import type { ManyResult } from './in-workerd.ts'
import type { BenchInput } from './inputs.ts'
import type { Comparison, WayResult } from './measure.ts'

const MIB = 2 ** 20
const BASE = 'duckdb, 1 thread'

export function introduction(scale: number, runs: number): string {
  const [cpu] = cpus()
  const versions = ['@duckdb/node-api', 'parquet-wasm', 'hyparquet', 'hyparquet-writer', 'miniflare']
    .map((name) => `${name} ${dependencies()[name]}`)
    .join(', ')
  return `# Benchmarks

Written by \`npm run bench\` on ${new Date().toISOString().slice(0, 10)}: ${cpus().length} × ${cpu?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB,
${process.platform} ${process.arch}, Node ${process.versions.node}, ${versions}. ${scale === 1 ? 'The whole sets' : `${scale} of the files of each set`}, medians of ${runs} run${runs === 1 ? '' : 's'}.

Each run is a process of its own, and the ways take turns. Where they are not DuckDB's, inputs are in memory before the
clock starts; DuckDB reads its files from the page cache. Every way writes its output to a file, but for the engine in
workerd, which puts it into memory of the Worker that is there before the clock starts: a Worker hands parts over and uses
their memory again. The engine first merges a tenth of the files, so that the compiler has seen the code; \`warm\` is the fourth
merge of all of them in one process, as in a Worker that merges all day. To sort it has a temporary file as scratch,
as the command does.

CPU is user and system time of the process (of workerd for the engine there, without the one that writes), peak its resident
memory over what it held before the merge, with the inputs. Queries are DuckDB's with one thread, medians of 15, outputs in turn.
\`×\` is how many times the throughput of DuckDB with one thread; bytes and queries are parts of those of its output.
parquet-wasm and hyparquet decode every value: they run once, on a tenth of the files.`
}

export function comparisonTable(input: BenchInput, { task, runs }: Comparison, results: WayResult[]): string {
  const base = results.find(({ way }) => way === BASE)!
  const title = { 'keep the codec': 'same codec', 'to zstd': 'to zstd', sort: `sorted by ${input.sortColumn}` }[task]
  const size = (input.bytesIn / input.paths.length / 1024).toFixed(1)
  const queries = Object.keys(input.queries) as (keyof BenchInput['queries'])[]
  const header = ['way', 'MB/s', '×', 'CPU s', 'peak MiB', 'bytes', 'row groups', ...queries, 'rows']
  const rows = results.map((result) => {
    const { way, output } = result
    const ran =
      result.files < input.paths.length || result.runs < runs ? ` (${result.files} files, ${result.runs} run)` : ''
    return [
      way + ran,
      (result.bytesPerSecond / 1e6).toFixed(result.bytesPerSecond < 1e7 ? 1 : 0),
      (result.bytesPerSecond / base.bytesPerSecond).toFixed(2),
      result.cpuSeconds.toFixed(2),
      Math.round(result.peakAboveIdleBytes / MIB),
      output ? (output.bytes / base.output!.bytes).toFixed(3) : '–',
      output?.rowGroups ?? '–',
      ...queries.map((name) =>
        output ? (output.querySeconds[name]! / base.output!.querySeconds[name]!).toFixed(2) : '–',
      ),
      output ? rowsVerdict(output, base) : '–',
    ].join(' | ')
  })
  return `### ${input.name}, ${title}

${input.paths.length} files of ${size} KiB, ${input.codec}, ${(input.bytesIn / 1e6).toFixed(1)} MB

| ${header.join(' | ')} |
|${header.map((_, i) => (i === 0 ? '---' : '---:')).join('|')}|
| ${rows.join(' |\n| ')} |`
}

function rowsVerdict(output: NonNullable<WayResult['output']>, base: WayResult): string {
  if (output.checksum !== base.output!.checksum) return 'DIFFER'
  return output.unsortedRows ? 'not sorted' : 'equal'
}

export function memoryTable(name: string, results: [number, ManyResult][]): string {
  const rows = results.map(([count, { peakHeapBytes, peakAboveIdleBytes, peakOfReadingBytes, seconds }]) => {
    const mib = [peakHeapBytes, peakAboveIdleBytes, peakOfReadingBytes].map((bytes) => Math.round(bytes / MIB))
    return `| ${[count, ...mib, seconds.toFixed(1)].join(' | ')} |`
  })
  return `### ${name}, memory in workerd

Each fragment is read by ranges from outside, the output is streamed out; the files of the set come again where it has fewer.
A collection is asked for every 16 reads: without a limit on its memory V8 hardly collects. Heap and buffers are what the
inspector says of the Worker, up to 16 reads of garbage included; resident is the whole process, which keeps something of
each read until the request ends, as the last column shows, of the same reads with nothing done.

| fragments | heap and buffers, peak MiB | resident above idle, peak MiB | resident, reading alone | seconds |
|---:|---:|---:|---:|---:|
${rows.join('\n')}`
}

function dependencies(): Record<string, string> {
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  return { ...manifest.dependencies, ...manifest.devDependencies }
}
