/**
 * Sorts sets whose ranges overlap with this engine and with DuckDB's ORDER BY on one thread, in turn, each run in a process of
 * its own, and prints medians: node bench/run-sort.ts [--sets telemetry,tiny,wide] [--scale 0.1] [--runs 3] [--folder DIR]
 * [--budget MIB] [--orders near,far]
 * `near`: the rows of 16 files at a time are dealt out among them, and sorted by time. `far`: sorted by a column of hashes.
 */
import { execFileSync } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, statSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { DuckDBInstance } from '@duckdb/node-api'
import { NODE_CODECS } from '../src/command/node-codecs.ts'
import { mergeParquet, type Source } from '../src/index.ts'
import { peakMemoryBytes } from '../test/support/peak-memory.ts'
import { makeSet, SETS, sizeOf } from './sets.ts'

const { values: options } = parseArgs({
  options: {
    sets: { type: 'string', default: 'telemetry,tiny,wide' },
    scale: { type: 'string', default: '1' },
    runs: { type: 'string', default: '3' },
    folder: { type: 'string', default: join(tmpdir(), 'parquet-compactor-bench') },
    budget: { type: 'string', default: '48' },
    orders: { type: 'string', default: 'near,far' },
    one: { type: 'string' },
    list: { type: 'string' },
    output: { type: 'string' },
    codec: { type: 'string' },
    by: { type: 'string' },
  },
})

const ORDERS: Record<string, string> = { near: 'recorded_at', far: 'nonce' }
const FILES_DEALT = 16
const MIB = 2 ** 20
const median = (numbers: number[]) => numbers.sort((a, b) => a - b)[numbers.length >> 1]!

/** of all threads, which a busy machine changes less than the time on the clock */
const cpuSeconds = (since: NodeJS.CpuUsage): number => {
  const { user, system } = process.cpuUsage(since)
  return (user + system) / 1e6
}

/** Deal the rows of so many files at a time out among them. */
async function deal(paths: string[], folder: string, codec: string): Promise<string[]> {
  mkdirSync(folder, { recursive: true })
  const dealt = paths.map((_, i) => join(folder, `${String(i).padStart(5, '0')}.parquet`))
  if (existsSync(join(folder, 'done'))) return dealt
  const connection = await (await DuckDBInstance.create()).connect()
  for (let from = 0; from < paths.length; from += FILES_DEALT) {
    const block = paths.slice(from, from + FILES_DEALT)
    await connection.run(
      `create or replace table block as select * from read_parquet([${block.map((path) => `'${path}'`)}])`,
    )
    for (const [i] of block.entries()) {
      const rows = `select * from block where sequence % ${block.length} = ${i} order by sequence`
      await connection.run(`copy (${rows}) to '${dealt[from + i]}' (format parquet, compression ${codec})`)
    }
  }
  writeFileSync(join(folder, 'done'), '')
  return dealt
}

async function runOne(): Promise<void> {
  const paths = readFileSync(options.list!, 'utf8').split('\n')
  const by = options.by!
  if (options.one === 'duckdb') {
    const connection = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect()
    const [started, cpu] = [performance.now(), process.cpuUsage()]
    await connection.run(
      `copy (select * from read_parquet([${paths.map((path) => `'${path}'`)}]) order by ${by}) to '${options.output}' (format parquet, compression ${options.codec})`,
    )
    const seconds = (performance.now() - started) / 1000
    const peak = peakMemoryBytes()
    console.log(JSON.stringify({ seconds, cpu: cpuSeconds(cpu), peak }))
    return
  }
  const inputs = paths.map((path) => new Uint8Array(readFileSync(path)))
  const idle = process.memoryUsage().rss
  const engine = async (bytes: Uint8Array[]) => {
    const sources = bytes.map(
      (file, i): Source => ({
        name: `${i}`,
        byteLength: file.byteLength,
        read: async (offset, length) => file.subarray(offset, offset + length),
      }),
    )
    const file = openSync(options.output!, 'w')
    const report = await mergeParquet(
      sources,
      { write: async (part) => void writeSync(file, part) },
      {
        sortBy: [{ column: by }],
        memoryBudgetBytes: Number(options.budget) * MIB,
        codecs: NODE_CODECS,
      },
    )
    closeSync(file)
    return report
  }
  await engine(inputs.slice(0, Math.ceil(inputs.length / 10)))
  const [started, cpu] = [performance.now(), process.cpuUsage()]
  const { rowGroupsKept, rowGroupsMerged } = await engine(inputs)
  const seconds = (performance.now() - started) / 1000
  const peak = peakMemoryBytes() - idle
  console.log(JSON.stringify({ seconds, cpu: cpuSeconds(cpu), peak, rowGroupsKept, rowGroupsMerged }))
}

async function runAll(): Promise<void> {
  const table: Record<string, unknown> = {}
  for (const set of SETS.filter(({ name }) => options.sets.split(',').includes(name))) {
    const files = Math.max(2, Math.round(set.files * Number(options.scale)))
    const made = await makeSet(set, files, options.folder)
    for (const order of options.orders.split(',')) {
      const paths =
        order === 'near' ? await deal(made, join(options.folder, `${set.name}-${files}-near`), set.codec) : made
      const list = join(options.folder, `${set.name}-${files}-${order}.txt`)
      writeFileSync(list, paths.join('\n'))
      const runs: Record<string, { seconds: number; cpu: number; peak: number }[]> = { engine: [], duckdb: [] }
      for (let run = 0; run < Number(options.runs); run++) {
        for (const way of ['engine', 'duckdb']) {
          const output = join(options.folder, `sorted-${way}.parquet`)
          const parameters = { one: way, list, output, codec: set.codec, by: ORDERS[order]!, budget: options.budget }
          const given = Object.entries(parameters).flatMap(([name, value]) => [`--${name}`, value])
          runs[way]!.push(
            JSON.parse(execFileSync(process.execPath, [import.meta.filename, ...given], { encoding: 'utf8' })),
          )
        }
      }
      const seconds = (way: string) => median(runs[way]!.map((run) => run.seconds))
      const cpu = (way: string) => median(runs[way]!.map((run) => run.cpu))
      const peak = (way: string) => Math.round(median(runs[way]!.map((run) => run.peak)) / MIB)
      const bytes = (way: string) => statSync(join(options.folder, `sorted-${way}.parquet`)).size
      table[`${set.name} ${order}`] = {
        'MB in': Math.round(sizeOf(paths) / 1e6),
        'engine s': Number(seconds('engine').toFixed(2)),
        'DuckDB s': Number(seconds('duckdb').toFixed(2)),
        ratio: Number((seconds('duckdb') / seconds('engine')).toFixed(2)),
        'CPU s': `${cpu('engine').toFixed(2)} / ${cpu('duckdb').toFixed(2)}`,
        'CPU ratio': Number((cpu('duckdb') / cpu('engine')).toFixed(2)),
        'engine peak MiB': peak('engine'),
        'DuckDB peak MiB': peak('duckdb'),
        'bytes to DuckDB': Number((bytes('engine') / bytes('duckdb')).toFixed(3)),
      }
    }
  }
  console.table(table)
}

await (options.one ? runOne() : runAll())
