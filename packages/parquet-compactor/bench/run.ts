/**
 * Merges the sets with this engine, with DuckDB on one thread, and by copying the bytes, in turn, and prints medians as
 * ratios to DuckDB: node bench/run.ts [--sets telemetry,tiny,wide] [--scale 0.1] [--runs 3] [--folder DIR]
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, statSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { makeSet, SETS, sizeOf } from './sets.ts'

const { values: options } = parseArgs({
  options: {
    sets: { type: 'string', default: 'telemetry,tiny,wide' },
    scale: { type: 'string', default: '1' },
    runs: { type: 'string', default: '3' },
    folder: { type: 'string', default: join(tmpdir(), 'parquet-compactor-bench') },
  },
})
const scale = Number(options.scale)
const runs = Number(options.runs)
const WAYS = ['engine', 'duckdb', 'copy'] as const

interface Run {
  seconds: number
  peakAboveIdle: number
  rowGroups?: number
  columnChunks?: unknown
  bytes: number
}

const median = (numbers: number[]) => numbers.sort((a, b) => a - b)[numbers.length >> 1]!
const MIB = 2 ** 20

console.log(`node ${process.version}, ${cpus().length} × ${cpus()[0]?.model}, scale ${scale}, medians of ${runs}`)
mkdirSync(options.folder, { recursive: true })
for (const set of SETS.filter(({ name }) => options.sets.split(',').includes(name))) {
  const files = Math.max(2, Math.round(set.files * scale))
  const paths = await makeSet(set, files, options.folder)
  const bytesIn = sizeOf(paths)
  const list = join(options.folder, `${set.name}-${files}.txt`)
  writeFileSync(list, paths.join('\n'))
  const results: Record<string, Run[]> = { engine: [], duckdb: [], copy: [] }
  for (let run = 0; run < runs; run++) {
    for (const way of WAYS) {
      const output = join(options.folder, `${set.name}-${way}.parquet`)
      const script = join(import.meta.dirname, 'run-one.ts')
      const printed = execFileSync(process.execPath, [script, way, output, list, set.codec], { encoding: 'utf8' })
      results[way]!.push({ ...(JSON.parse(printed) as Run), bytes: statSync(output).size })
    }
  }
  const seconds = (way: string) => median(results[way]!.map((run) => run.seconds))
  const peak = (way: string) => median(results[way]!.map((run) => run.peakAboveIdle))
  console.log(`\n${set.name}: ${files} files of ${(bytesIn / files / 1024).toFixed(1)} KiB, ${set.codec}`)
  console.table(
    Object.fromEntries(
      WAYS.map((way) => [
        way,
        {
          'MB/s': Math.round(bytesIn / seconds(way) / 1e6),
          'ratio to DuckDB': Number((seconds('duckdb') / seconds(way)).toFixed(2)),
          'ratio to copy': Number((seconds('copy') / seconds(way)).toFixed(2)),
          'peak MiB': Math.round(peak(way) / MIB),
          'bytes to DuckDB': Number((results[way]![0]!.bytes / results.duckdb![0]!.bytes).toFixed(3)),
          'row groups': results[way]![0]!.rowGroups,
        },
      ]),
    ),
  )
  console.log(JSON.stringify(results.engine![0]!.columnChunks))
}
