import type { RowGroupRange } from '../footer/footer.ts'
import type { Source } from './source.ts'

/** Row groups of a source, whose footer was checked. */
export interface InputFile {
  source: Source
  rows: number
  rowGroups: number
  /** what its footer takes while it is read: the bytes and about as much again twice for the numbers in it */
  footerRoom: number
  /** undefined where what the footer says was let go of, for want of memory: it is read again */
  range: RowGroupRange | undefined
  /** all of the file, where it came with the footer */
  bytes: Uint8Array | undefined
}
