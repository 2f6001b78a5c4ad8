import type { InputFile } from '../read/input-file.ts'
import { type Gather, gatherInOrder } from './gather-step.ts'
import type { Piece } from './keys/value-piece.ts'
import type { Selection } from './select-rows.ts'

/** A row group from this part of the target on stays as it is between others that are rewritten. */
const LARGE_ENOUGH = 0.5

export interface SelectionWriters {
  inOrder(inputs: InputFile[]): Promise<void>
  gather(pieces: readonly Piece[], gather: Gather): Promise<void>
}

export async function writeSelection(
  { steps }: Selection,
  targetRowGroupBytes: number,
  writers: SelectionWriters,
): Promise<void> {
  for (const step of steps) {
    if (step.kind === 'gather') {
      await writers.gather(step.pieces, step.gather)
      continue
    }
    const bytes = step.pieces.reduce((sum, piece) => sum + piece.bytes, 0)
    // pages that are too few to stay as they are between rows that are gathered
    const areFew = steps.length > 1 && bytes < targetRowGroupBytes * LARGE_ENOUGH
    if (areFew) await writers.gather(step.pieces, gatherInOrder(step.pieces, undefined))
    else await writers.inOrder(inputsOf(step.pieces))
  }
}

/** Row groups of a file that follow one another are opened together. */
function inputsOf(pieces: readonly Piece[]): InputFile[] {
  const inputs: InputFile[] = []
  for (let at = 0; at < pieces.length; ) {
    const first = pieces[at]!
    let last = first
    at++
    for (let next = pieces[at]; next; next = pieces[++at]) {
      if (next.source !== first.source || next.firstRow !== last.firstRow + last.rows) break
      last = next
    }
    const range = { footer: first.footer, from: first.rowGroup, to: last.rowGroup + 1 }
    const rows = last.firstRow + last.rows - first.firstRow
    inputs.push({
      source: first.source,
      rows,
      rowGroups: range.to - range.from,
      footerRoom: 0,
      range,
      bytes: first.held,
    })
  }
  return inputs
}
