import { createHash } from 'node:crypto'
import type { SentSlice } from '../checks/ledger.ts'
import type { SeededRandom } from '../demo/seeded-random.ts'
import type { StampedFiles } from '../load/stamped-files.ts'

type Bytes = Uint8Array<ArrayBuffer>

/** Parquet files of all sorts that clients send; each has a stamp of its own. */
export class ChaosFiles {
  readonly #files: StampedFiles
  #stamps = 0

  constructor(files: StampedFiles) {
    this.#files = files
  }

  sound(table: string): { slice: SentSlice; bytes: Bytes } {
    const stamp = this.#stamps++
    const { rows, bytes } = this.#files.file(stamp)
    return { slice: { stamp, rows, table, sha256: sha256(bytes), rotten: false }, bytes }
  }

  /** No rows, and the same bytes each time. */
  empty(table: string): { slice: SentSlice; bytes: Bytes } {
    const bytes = this.#files.empty()
    return { slice: { stamp: undefined, rows: 0, table, sha256: sha256(bytes), rotten: false }, bytes }
  }

  /** A sound footer behind pages whose headers are no headers. */
  rotten(table: string): { slice: SentSlice; bytes: Bytes } {
    const { slice, bytes } = this.sound(table)
    // behind the magic number, where the first page begins
    bytes.fill(0xff, 4, 24)
    return { slice: { ...slice, sha256: sha256(bytes), rotten: true }, bytes }
  }

  /** What no reader would take for Parquet, in one of many ways. */
  bad(table: string, random: SeededRandom): { slice: SentSlice; bytes: Bytes } {
    const { slice, bytes } = this.sound(table)
    const broken = random.pick<() => Bytes>([
      () => bytes.slice(0, bytes.length - random.between(1, 200)),
      () => new Uint8Array(random.between(0, 12)),
      () => {
        bytes.fill(0x00, bytes.length - 8, bytes.length - 4)
        return bytes
      },
      () => new TextEncoder().encode('id,name\n1,one\n2,two\n'),
    ])()
    return { slice: { ...slice, sha256: sha256(broken) }, bytes: broken }
  }
}

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
