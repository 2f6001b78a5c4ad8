/**
 * Composes files in a process of its own and prints what it held: node --expose-gc held-by-composer.ts PATHS COUNT. The first few files
 * are read again and again, so that only the composer grows.
 */
import { readFileSync } from 'node:fs'
import { FooterComposer } from '../src/index.ts'
import { peakMemoryBytes } from './support/peak-memory.ts'

export interface HeldByComposer {
  /** after the last file and a collection, over what was held before the first */
  heldBytes: number
  /** resident memory of the process at its most, with `finish`, over what it took before the first file */
  peakBytes: number
  footerBytes: number
  nullChunkCount: number
  rowGroupCount: number
}

const files = (JSON.parse(process.argv[2]!) as string[]).map((path) => readFileSync(path))
const count = Number(process.argv[3])
const collect = (globalThis as unknown as { gc(): void }).gc

function held(): number {
  collect()
  collect()
  const { external, heapUsed } = process.memoryUsage()
  return external + heapUsed
}

const composer = new FooterComposer()
let address = 0
const add = (number: number) => {
  const tail = files[number % files.length]!
  composer.add({ source: `file-${number}`, address, byteLength: tail.length, tail })
  address += tail.length
}
// code that is compiled is no memory of the composer
for (let number = 0; number < files.length; number++) add(number)
const before = { held: held(), peak: peakMemoryBytes() }
for (let number = files.length; number < count; number++) add(number)
const heldBytes = held() - before.held
const { footerBytes, nullChunkCount, rowGroupCount } = composer.finish(address)
const peakBytes = peakMemoryBytes() - before.peak
console.log(
  JSON.stringify({ heldBytes, peakBytes, footerBytes, nullChunkCount, rowGroupCount } satisfies HeldByComposer),
)
