/**
 * Merges files in a process of its own and prints the most bytes that it held: buffers, WebAssembly memory and heap, each time
 * after a collection. node --expose-gc held-bytes.ts ORDER, see `HeldOrder`
 */
import { closeSync, mkdtempSync, openSync, readSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NODE_CODECS } from '../src/command/node-codecs.ts'
import { ScratchFile } from '../src/command/scratch-file.ts'
import { type MergeOptions, mergeParquet, type Source } from '../src/index.ts'

export interface HeldOrder {
  /** read again from the first where there are fewer than `files` */
  paths: string[]
  files: number
  options: MergeOptions
  /** whether a file is given for rows that are sorted */
  hasScratch: boolean
}

export interface HeldBytes {
  /** over what the process held before */
  peak: number
  peakBuffers: number
  rows: number
  rowGroups: number
  scratchBytes: number
}

const { paths, files, options, hasScratch }: HeldOrder = JSON.parse(process.argv[2]!)
const collect = (globalThis as unknown as { gc(): void }).gc

/** reads between two looks */
const READS_A_LOOK = 97

function held(): { buffers: number; all: number } {
  // memory that grew is let go of by the second
  collect()
  collect()
  const { external, heapUsed } = process.memoryUsage()
  return { buffers: external, all: external + heapUsed }
}

const peak = { buffers: 0, all: 0 }
function look(): void {
  const now = held()
  peak.buffers = Math.max(peak.buffers, now.buffers)
  peak.all = Math.max(peak.all, now.all)
}

const lengths = paths.map((path) => statSync(path).size)
let reads = 0
const sources = Array.from({ length: files }, (_, i): Source => {
  const path = paths[i % paths.length]!
  return {
    name: path,
    byteLength: lengths[i % paths.length]!,
    async read(offset, length) {
      const bytes = new Uint8Array(length)
      const file = openSync(path, 'r')
      readSync(file, bytes, 0, length, offset)
      closeSync(file)
      // as a bucket does, which answers later
      await new Promise((resolve) => setImmediate(resolve))
      if (++reads % READS_A_LOOK === 0) look()
      return bytes
    },
  }
})
const folder = mkdtempSync(join(tmpdir(), 'held-bytes-scratch-'))

async function merge(some: Source[]) {
  const scratch = hasScratch ? new ScratchFile(join(folder, 'output')) : undefined
  const write = async () => look()
  const report = await mergeParquet(some, { write }, { codecs: NODE_CODECS, ...options, ...(scratch && { scratch }) })
  await scratch?.discard()
  return report
}

// what code and tables take that stay
await merge(sources.slice(0, 2))
const idle = held()
Object.assign(peak, idle)
const { rowsOut, rowGroupsOut, scratchBytes = 0 } = await merge(sources)
rmSync(folder, { recursive: true })
const result: HeldBytes = {
  peak: peak.all - idle.all,
  peakBuffers: peak.buffers - idle.buffers,
  rows: rowsOut,
  rowGroups: rowGroupsOut,
  scratchBytes,
}
console.log(JSON.stringify(result))
