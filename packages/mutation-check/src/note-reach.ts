import { afterEach } from 'vitest'
import type { MarkedGlobal } from './mark-blocks.ts'

/** After each test, the blocks that were reached since the last go to its report. */
afterEach(({ task }) => {
  const marks = (globalThis as MarkedGlobal).__reachedBlocks
  if (!marks) return
  const reached: number[] = []
  for (let block = marks.indexOf(1); block >= 0; block = marks.indexOf(1, block + 1)) reached.push(block)
  marks.fill(0)
  Object.assign(task.meta, { reached })
})
