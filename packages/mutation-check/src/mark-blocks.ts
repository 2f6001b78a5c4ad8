import { relative } from 'node:path'
import { findBlocks, findSources } from './find-mutants.ts'
import { parse } from './syntax.ts'
import { MUTATED_PACKAGES } from './tested-packages.ts'

/** More than all sources together have. */
const MAX_BLOCKS = 1 << 16
/** Blocks of one file; block −1, a file itself, comes first. */
const BLOCKS_PER_FILE = 128

export interface MarkedGlobal {
  __reachedBlocks?: Uint8Array
}

interface Plugin {
  name: string
  enforce: 'pre'
  transform(code: string, id: string): { code: string; map: null } | undefined
}

/** The order of files that gives blocks their numbers. */
export function numberFiles(root: string): string[] {
  return MUTATED_PACKAGES.flatMap((name) => findSources(root, `packages/${name}/src`))
}

export function numberOf(file: number, block: number): number {
  return file * BLOCKS_PER_FILE + block + 1
}

/** @returns index into `numberFiles` and block */
export function placeOf(number: number): { file: number; block: number } {
  return { file: Math.floor(number / BLOCKS_PER_FILE), block: (number % BLOCKS_PER_FILE) - 1 }
}

/** A plugin of Vite that makes each block of the mutated sources note that it ran. */
export function markBlocks(root: string): Plugin {
  const files = numberFiles(root)
  if (files.length * BLOCKS_PER_FILE > MAX_BLOCKS) throw new Error('more files than block numbers')
  return {
    name: 'mark-blocks',
    enforce: 'pre',
    transform(code, id) {
      const path = relative(root, id.split('?')[0]!)
      const file = files.indexOf(path)
      return file < 0 ? undefined : { code: mark(path, code, file), map: null }
    },
  }
}

function mark(path: string, code: string, file: number): string {
  const note = (block: number) => `__marks[${numberOf(file, block)}] = 1`
  const blocks = findBlocks(parse(path, code))
  if (blocks.length >= BLOCKS_PER_FILE) throw new Error(`${path} has ${blocks.length} blocks`)
  const insertions = blocks.flatMap(({ start, end, expression }, block) =>
    expression
      ? [
          { at: start, text: `(${note(block)}, `, rank: start },
          { at: end, text: ')', rank: -start },
        ]
      : [{ at: start + 1, text: ` ${note(block)};`, rank: start }],
  )
  insertions.sort((a, b) => a.at - b.at || a.rank - b.rank)
  let marked = ''
  let at = 0
  for (const insertion of insertions) {
    marked += code.slice(at, insertion.at) + insertion.text
    at = insertion.at
  }
  return `const __marks = globalThis.__reachedBlocks ??= new Uint8Array(${MAX_BLOCKS}); ${note(-1)};${marked}${code.slice(at)}`
}
