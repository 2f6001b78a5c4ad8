import type { RowGroupRange } from '../footer/footer.ts'
import type { Source } from './source.ts'

/** Row groups of a source, whose footer was checked. */
export interface InputFile {
  source: Source
  rows: number
  rowGroups: number
  /** bytes that reading its footer takes: the footer, and about twice as much for the numbers in it */
  footerRoom: number
  /** undefined if the parsed footer was evicted; it is read again */
  range: RowGroupRange | undefined
  /** all of the file, where it came with the footer */
  bytes: Uint8Array | undefined
}
