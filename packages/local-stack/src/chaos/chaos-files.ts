import { createHash } from 'node:crypto'
import type { SentSlice } from '../checks/ledger.ts'
import type { StampedFiles } from '../load/stamped-files.ts'
import type { SeededRandom } from '../support/seeded-random.ts'

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

  /** No columns, and more rows than any merge of it could write. */
  hostile(table: string): { slice: SentSlice; bytes: Bytes } {
    const bytes = new Uint8Array(COLUMNLESS)
    return { slice: { stamp: undefined, rows: 2 ** 40, table, sha256: sha256(bytes), rotten: false }, bytes }
  }

  /** Bytes that no reader takes for Parquet, in one of many ways. */
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

/** 2^40, as Thrift's compact protocol writes it. */
const ROWS = [0x80, 0x80, 0x80, 0x80, 0x80, 0x40]
/**
 * The footer of a file whose root has no children, with one row group of 2^40 rows and no column. Compact protocol: version
 * (field 1, i32), schema (field 2, a list of one struct: name, num_children), num_rows (field 3, i64), row_groups (field 4, a list
 * of one struct: columns, total_byte_size, num_rows).
 */
const FOOTER = [
  [0x15, 0x02],
  [0x19, 0x1c, 0x48, 0x04, 0x72, 0x6f, 0x6f, 0x74, 0x15, 0x00, 0x00],
  [0x16, ...ROWS],
  [0x19, 0x1c, 0x19, 0x0c, 0x16, 0x00, 0x16, ...ROWS, 0x00],
  [0x00],
].flat()
const MAGIC = [0x50, 0x41, 0x52, 0x31]
const COLUMNLESS = [...MAGIC, ...FOOTER, FOOTER.length, 0, 0, 0, ...MAGIC]

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
