import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { ManyResult } from './in-workerd.ts'
import { type BenchInput, sizeOf, writeList } from './inputs.ts'
import type { OutputFacts } from './query.ts'
import type { RunResult } from './run-one.ts'
import { SLOW_WAYS, type Way, type WayOrder } from './ways.ts'

const execute = promisify(execFile)

/** Files of the set on which the slow ways run, once. */
const SLOW_PART = 0.1

export interface Comparison {
  /** what is asked of every way */
  task: 'keep the codec' | 'to zstd' | 'sort'
  ways: readonly Way[]
  runs: number
  folder: string
}

export interface WayResult {
  way: Way
  files: number
  runs: number
  bytesPerSecond: number
  cpuSeconds: number
  peakAboveIdleBytes: number
  /** undefined where the output is no Parquet file, or not of all rows */
  output: OutputFacts | undefined
}

/** Run the ways in turn, each in a process of its own, so that what else the machine does hits all alike. @returns medians */
export async function compareWays(input: BenchInput, comparison: Comparison): Promise<WayResult[]> {
  const { task, ways, runs, folder } = comparison
  const few = { ...input, paths: input.paths.slice(0, Math.max(2, Math.ceil(input.paths.length * SLOW_PART))) }
  const results = new Map<Way, RunResult[]>(ways.map((way) => [way, []]))
  for (let run = 0; run < runs; run++) {
    for (const way of ways) {
      const isSlow = SLOW_WAYS.includes(way)
      if (isSlow && run > 0) continue
      const order: Omit<WayOrder, 'paths'> = {
        way,
        output: outputOf(way, folder),
        codec: task === 'to zstd' ? 'zstd' : input.codec,
        keepsCodec: task !== 'to zstd',
        ...(task === 'sort' && { sortColumn: input.sortColumn }),
      }
      const list = writeList(isSlow ? few : input, folder)
      results.get(way)!.push(await runScript('run-one.ts', JSON.stringify(order), list))
    }
  }
  const whole = ways.filter((way) => !SLOW_WAYS.includes(way) && way !== 'copy of the bytes')
  const facts = await runScript<OutputFacts[]>(
    'query.ts',
    JSON.stringify(whole.map((way) => outputOf(way, folder))),
    JSON.stringify(input.queries),
    ...(task === 'sort' ? [input.sortColumn] : []),
  )
  return [...results].map(([way, measured]) => {
    const { paths } = SLOW_WAYS.includes(way) ? few : input
    return {
      way,
      files: paths.length,
      runs: measured.length,
      bytesPerSecond: sizeOf(paths) / median(measured.map(({ seconds }) => seconds)),
      cpuSeconds: median(measured.map(({ cpuSeconds }) => cpuSeconds)),
      peakAboveIdleBytes: median(measured.map(({ peakAboveIdleBytes }) => peakAboveIdleBytes)),
      output: facts[whole.indexOf(way)],
    }
  })
}

/** of fragments, which all pass from process to process, twice */
const MOST_MEMORY_BYTES = 2.25 * 2 ** 30

/** Peaks in workerd by number of fragments, as far as these are not too many bytes. */
export async function measureMemory(
  input: BenchInput,
  counts: number[],
  folder: string,
): Promise<[number, ManyResult][]> {
  const list = writeList(input, folder)
  const results: [number, ManyResult][] = []
  const bytesOfFile = input.bytesIn / input.paths.length
  for (const count of counts.filter((wanted) => wanted * bytesOfFile < MOST_MEMORY_BYTES))
    results.push([count, await runScript<ManyResult>('run-memory.ts', list, `${count}`)])
  return results
}

async function runScript<Result>(script: string, ...args: string[]): Promise<Result> {
  const path = join(import.meta.dirname, script)
  const { stdout } = await execute(process.execPath, ['--disable-warning=ExperimentalWarning', path, ...args], {
    maxBuffer: 2 ** 24,
  })
  return JSON.parse(stdout.trim().split('\n').at(-1)!)
}

function outputOf(way: Way, folder: string): string {
  return join(folder, `${way.replaceAll(/[^a-z0-9]+/gi, '-')}.parquet`)
}

function median(numbers: number[]): number {
  return numbers.sort((a, b) => a - b)[numbers.length >> 1]!
}
