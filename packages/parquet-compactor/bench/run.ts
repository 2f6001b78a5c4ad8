/**
 * Merges sets of small files with this engine and with others, and prints and writes the tables of BENCHMARKS.md:
 *
 *   npm run bench -- [--sets telemetry,tiny,wide,flights] [--scale 1] [--runs 5] [--ways 'engine in Node;parquet-wasm']
 *                    [--tasks keep,zstd,sort,memory] [--fragments 100,1000,5000,10000] [--folder DIR] [--out FILE]
 *
 * DuckDB with one thread always runs: the rest is told against it. Sets are made once a folder.
 */
import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { INPUT_NAMES, makeInput } from './inputs.ts'
import { type Comparison, compareWays, measureMemory } from './measure.ts'
import { comparisonTable, introduction, memoryTable } from './report.ts'
import { WAYS } from './ways.ts'

const { values: options } = parseArgs({
  options: {
    sets: { type: 'string', default: INPUT_NAMES.join() },
    scale: { type: 'string', default: '1' },
    runs: { type: 'string', default: '5' },
    ways: { type: 'string', default: WAYS.join(';').replaceAll(',', '') },
    tasks: { type: 'string', default: 'keep,zstd,sort,memory' },
    fragments: { type: 'string', default: '100,1000,5000,10000' },
    folder: { type: 'string', default: join(tmpdir(), 'parquet-compactor-bench') },
    out: { type: 'string', default: join(import.meta.dirname, '../BENCHMARKS.md') },
  },
})

const chosen = options.ways.split(';')
const ways = WAYS.filter((way) => way === 'duckdb, 1 thread' || chosen.includes(way.replaceAll(',', '')))
const pair = ways.filter((way) => way === 'duckdb, 1 thread' || way.startsWith('engine in Node'))
// sorting takes so long that the compiler is done early
const cold = pair.filter((way) => way !== 'engine in Node, warm')
const scale = Number(options.scale)
const runs = Number(options.runs)
const tasks = new Set(options.tasks.split(','))
const { folder } = options

const unknown = options.sets.split(',').filter((name) => !INPUT_NAMES.includes(name))
if (unknown.length > 0 || !(scale > 0) || !(runs > 0)) {
  throw new Error(`--sets takes ${INPUT_NAMES.join()}, --scale and --runs numbers above 0`)
}

const sections: string[] = []
const tell = (section: string) => {
  sections.push(section)
  console.log(`${section}\n`)
}
tell(introduction(scale, runs))
for (const name of options.sets.split(',')) {
  const input = await makeInput(name, scale, folder)
  tell(`## ${name}`)
  const comparisons: Comparison[] = [
    ...(tasks.has('keep') ? [{ task: 'keep the codec' as const, ways, runs, folder }] : []),
    ...(tasks.has('zstd') ? [{ task: 'to zstd' as const, ways: pair, runs, folder }] : []),
    ...(tasks.has('sort') ? [{ task: 'sort' as const, ways: cold, runs, folder }] : []),
  ]
  for (const comparison of comparisons) {
    tell(comparisonTable(input, comparison, await compareWays(input, comparison)))
  }
  if (tasks.has('memory')) {
    tell(memoryTable(name, await measureMemory(input, options.fragments.split(',').map(Number), folder)))
  }
}
writeFileSync(options.out, `${sections.join('\n\n')}\n`)
