/**
 * Merges files in a process of its own and prints the most bytes that it held: buffers, WebAssembly memory and heap, each time
 * after a collection. node --expose-gc held-bytes.ts ORDER, see `HeldOrder`
 */
import { closeSync, openSync, readSync, statSync } from 'node:fs'
import { NODE_CODECS } from '../src/command/node-codecs.ts'
import { type MergeOptions, mergeParquet, type Source } from '../src/index.ts'

export interface HeldOrder {
  /** read again from the first where there are fewer than `files` */
  paths: string[]
  files: number
  options: MergeOptions
}

export interface HeldBytes {
  /** over what the process held before */
  peak: number
  peakBuffers: number
  rows: number
  rowGroups: number
}

const { paths, files, options }: HeldOrder = JSON.parse(process.argv[2]!)
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
const merge = (some: Source[]) => mergeParquet(some, { write: async () => look() }, { codecs: NODE_CODECS, ...options })

// what code and tables take that stay
await merge(sources.slice(0, 2))
const idle = held()
Object.assign(peak, idle)
const { rowsOut, rowGroupsOut } = await merge(sources)
const result: HeldBytes = {
  peak: peak.all - idle.all,
  peakBuffers: peak.buffers - idle.buffers,
  rows: rowsOut,
  rowGroups: rowGroupsOut,
}
console.log(JSON.stringify(result))
