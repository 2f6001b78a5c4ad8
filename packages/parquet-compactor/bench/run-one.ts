/** One run of one way in a process of its own, so that its CPU seconds and its peak are its own: run-one ORDER LIST */
import { readFileSync } from 'node:fs'
import { peakMemoryBytes } from '../test/support/peak-memory.ts'
import { mergeInWorkerd } from './in-workerd.ts'
import {
  copyBytes,
  mergeWithDuckDB,
  mergeWithEngine,
  mergeWithHyparquet,
  mergeWithParquetWasm,
  type WayOrder,
} from './ways.ts'

export interface RunResult {
  seconds: number
  cpuSeconds: number
  /** resident memory over what was held with the inputs in memory */
  peakAboveIdleBytes: number
}

const [text, list] = process.argv.slice(2) as [string, string]
const order: WayOrder = { ...JSON.parse(text), paths: JSON.parse(readFileSync(list, 'utf8')) }
const { way } = order

const inputs = way.startsWith('duckdb') ? [] : order.paths.map((path) => new Uint8Array(readFileSync(path)))

/** So that the compiler has seen the code; a Worker that merges all day has too. */
const WARM_UP_PART = 0.1
/** after which the compiler is done with all of the code */
const WARM_MERGES = 3
const few = inputs.slice(0, Math.ceil(inputs.length * WARM_UP_PART))

async function measure(work: () => unknown): Promise<RunResult> {
  const idle = process.memoryUsage().rss
  const before = process.resourceUsage()
  const started = performance.now()
  await work()
  const seconds = (performance.now() - started) / 1000
  const after = process.resourceUsage()
  const cpuMicros = after.userCPUTime + after.systemCPUTime - before.userCPUTime - before.systemCPUTime
  return { seconds, cpuSeconds: cpuMicros / 1e6, peakAboveIdleBytes: Math.max(0, peakMemoryBytes() - idle) }
}

async function run(): Promise<RunResult> {
  switch (way) {
    case 'duckdb, 1 thread':
      return measure(() => mergeWithDuckDB(order, 1))
    case 'duckdb, 2 threads':
      return measure(() => mergeWithDuckDB(order, 2))
    case 'engine in Node':
      await mergeWithEngine(order, few)
      return measure(() => mergeWithEngine(order, inputs))
    case 'engine in Node, warm':
      for (let merge = 0; merge < WARM_MERGES; merge++) await mergeWithEngine(order, inputs)
      return measure(() => mergeWithEngine(order, inputs))
    case 'engine in workerd':
      return mergeInWorkerd(order, inputs, few.length)
    case 'parquet-wasm':
      return measure(() => mergeWithParquetWasm(order, inputs))
    case 'hyparquet':
      return measure(() => mergeWithHyparquet(order, inputs))
    case 'copy of the bytes':
      return measure(() => copyBytes(order, inputs))
  }
}

console.log(JSON.stringify(await run()))
