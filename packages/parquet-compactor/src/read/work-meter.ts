import { type DeclaredWork, workBytes } from '../footer/declared-work.ts'
import { ParquetError } from '../parquet-error.ts'

/**
 * Pages are read once to be checked and again to be written, and dictionaries once more where a row group is cut: so much
 * more than the footers declare is no lie yet.
 */
const SLACK = 2

/** A page of the output takes some microseconds beside its bytes: its header, its bounds and its place in the indexes. */
const BYTES_OF_PAGE = 256

interface Account {
  declared: number
  /** pages unpacked, and pages written from them before compression */
  unpacked: number
  written: number
}

/**
 * Counts what pages really unpack to, and what is written of them, while a merge runs. Footers bound the work before it
 * starts; this stops a merge whose footers lie, and names the source that lies most. Values are counted nowhere, since
 * readers stop where a chunk has more than its footer says.
 */
export class WorkMeter {
  readonly #maxWorkBytes: number
  readonly #maxChunkBytes: number
  readonly #accounts = new Map<string, Account>()
  readonly #total: Account = { declared: 0, unpacked: 0, written: 0 }
  #open: Account = this.#total

  /**
   * @param maxWorkBytes  of all sources together
   * @param maxChunkBytes pages of one column chunk of the output, compressed, which are held until it is complete
   */
  constructor(maxWorkBytes: number, maxChunkBytes: number) {
    this.#maxWorkBytes = maxWorkBytes
    this.#maxChunkBytes = maxChunkBytes
  }

  /** Note what the footer of a source declares. */
  declare(source: string, work: DeclaredWork): void {
    this.#account(source).declared += workBytes(work)
  }

  /** Charges the following work to this source. */
  reading(source: string): void {
    this.#open = this.#account(source)
  }

  /** @throws ParquetError `over_limit` */
  unpack(bytes: number): void {
    this.#open.unpacked += bytes
    this.#total.unpacked += bytes
    if (this.#total.unpacked > this.#maxWorkBytes * SLACK) this.#refuse('unpacked', 'its pages unpack to')
  }

  /**
   * @param bytes      of a page of the output before compression
   * @param chunkBytes pages of its column chunk so far, compressed
   * @throws ParquetError `over_limit`
   */
  write(bytes: number, chunkBytes: number): void {
    this.#open.written += bytes + BYTES_OF_PAGE
    this.#total.written += bytes + BYTES_OF_PAGE
    if (this.#total.written > this.#maxWorkBytes * SLACK) this.#refuse('written', 'its values written plain take')
    this.checkChunk(chunkBytes)
  }

  /** @throws ParquetError `over_limit` */
  checkChunk(chunkBytes: number): void {
    if (chunkBytes <= this.#maxChunkBytes) return
    const held = `where ${Math.floor(this.#maxChunkBytes)} may be held`
    throw new ParquetError('over_limit', `rewritten values take ${chunkBytes} bytes of one row group, ${held}`)
  }

  #account(source: string): Account {
    let account = this.#accounts.get(source)
    if (!account) {
      account = { declared: 0, unpacked: 0, written: 0 }
      this.#accounts.set(source, account)
    }
    return account
  }

  #refuse(what: 'unpacked' | 'written', verb: string): never {
    let [source, worst]: [string | undefined, Account] = [undefined, this.#open]
    for (const [name, account] of this.#accounts) {
      const isWorse = account[what] - account.declared > worst[what] - worst.declared
      if (source === undefined || isWorse) [source, worst] = [name, account]
    }
    throw new ParquetError(
      'over_limit',
      `${source}: ${verb} ${worst[what]} bytes, where its footer declares work of ${worst.declared} and all sources may take ` +
        `${this.#maxWorkBytes * SLACK}`,
      { source },
    )
  }
}
