import type { Kernel } from '../../kernel/kernel.ts'
import { ParquetError } from '../../parquet-error.ts'
import { type FileReader, throwIfAborted } from '../../read/file-reader.ts'
import { readAhead } from '../../read/read-ahead.ts'
import type { Schema } from '../../schema/schema.ts'
import { openPiece, type Piece, type PieceSettings, piecesAhead } from '../keys/value-piece.ts'
import { LEFT_OUT, type RankedPiece, type RankedRows, ranksOf } from '../rank/rank-rows.ts'
import { GatheredGroup } from './gathered-group.ts'
import { guessBytesOfRow, isHardToGuess } from './held-bytes.ts'

/** Takes rows that are complete, all columns of them, and has them written. */
export interface RowTarget {
  /** rows that it is to get yet */
  readonly rowsLeft: number
  /** @param group all places are filled up to `rows` */
  write(group: GatheredGroup, rows: number, kernel: Kernel): Promise<void>
}

export interface GatherSettings extends PieceSettings {
  /** makes one for rows that are gathered alone */
  newKernel: () => Kernel
}

/** part of the budget for rows that are being gathered; the rest is for pages of inputs and of the output that are open */
const GATHER_SHARE = 0.75
/** part of what is expected to fit, as rows differ */
const SAFE_SHARE = 0.95
/** a piece whose rows do not fit in such small numbers has huge values */
const LEAST_ROWS = 16
/** bytes a row takes while it is ranked: a key of eight bytes, its number twice, its rank */
export const RANKING_BYTES_OF_ROW = 20
/** part of the budget for the ranks of rows that are ranked part by part */
const RANKS_SHARE = 0.1
/** beyond this part of the budget rows that wait are written before others are ranked */
const RANKING_SHARE = 0.2
/** part of the rows of a group that are gathered to see what they take, and of how many pieces at the most */
const MEASURED_SHARE = 1 / 8
/** fraction of the rows of a group below which measuring is not worth it */
const WORTH_MEASURING = 1 / 2
const MEASURED_PIECES = 64
/** A row group that is as full as this is written rather than begin with rows that will not all find room. */
const WELL_FILLED = 0.5

/** Rows of a piece, and the first and last of their places in the output. */
interface Member extends RankedPiece {
  least: number
  greatest: number
}

/**
 * Hands the rows of pieces on in the order of their ranks, some at a time: of all pieces that have rows among them, which are then
 * read whole, so that wide overlaps are read again and again. Pieces that follow share a group with those before. Values are
 * moved as bytes, in the kernel's memory. Held are the rows of one group, in three quarters of the budget at most, and
 * the ranks of the pieces in hand.
 */
export class RowGatherer {
  readonly #schema: Schema
  readonly #settings: GatherSettings
  #kernel: Kernel | undefined
  #group: GatheredGroup | undefined
  #target: RowTarget | undefined
  readonly #bytesOfRow: number
  readonly #mostRowsOfPiece: number
  /** bytes a row takes in memory: an estimate until the first group is written */
  #heldBytesOfRow: number
  #isMeasured = false
  /** maximum rows of a group, set once a larger group did not fit */
  #mostRows = Number.POSITIVE_INFINITY
  /** once a guess of what is needed was too small */
  #wantsAllRoom = false

  /** @param pieces all that will be gathered, in any order */
  constructor(schema: Schema, pieces: readonly Piece[], settings: GatherSettings) {
    this.#schema = schema
    this.#settings = settings
    const bytes = pieces.reduce((sum, piece) => sum + piece.bytes, 0)
    const rowsOfPieces = pieces.reduce((sum, piece) => sum + piece.rows, 0)
    this.#mostRowsOfPiece = pieces.reduce((most, piece) => Math.max(most, piece.rows), 0)
    this.#bytesOfRow = bytes / Math.max(1, rowsOfPieces)
    this.#heldBytesOfRow = guessBytesOfRow(schema.leaves, pieces)
  }

  /** how many rows are expected to fit into a group, beside the ranks of a part */
  get rowsAtATime(): number {
    return this.#placesIn(this.#room(this.#settings.memoryBudgetBytes * RANKS_SHARE))
  }

  /**
   * Gather rows, behind those that went to the same target before.
   * @param rankingBytes what it takes to rank them
   * @throws ParquetError `memory_budget` when a few rows do not fit
   */
  async gather(
    rank: (rowsAtATime: number) => AsyncIterable<RankedRows>,
    rankingBytes: number,
    target: RowTarget,
  ): Promise<void> {
    const { memoryBudgetBytes } = this.#settings
    if (target !== this.#target) await this.flush()
    this.#target = target
    if (rankingBytes > memoryBudgetBytes * RANKING_SHARE) {
      await this.flush()
      // memory of the kernel does not shrink
      this.#kernel = undefined
    }
    for await (const part of rank(this.rowsAtATime)) await this.#gatherPart(part, target)
  }

  /** Gather the rows of a few pieces and discard them, to measure a row where that is hard to estimate and nothing was written yet. */
  async measure(pieces: readonly Piece[]): Promise<void> {
    if (this.#isMeasured || !pieces.some((piece) => isHardToGuess(this.#schema.leaves, piece))) return
    const all = pieces.reduce((sum, piece) => sum + piece.rows, 0)
    if (all < this.rowsAtATime * WORTH_MEASURING) return
    const wanted = this.rowsAtATime * MEASURED_SHARE
    const stride = Math.max(1, Math.floor(pieces.length / MEASURED_PIECES))
    const some: Piece[] = []
    let rows = 0
    for (let i = 0; i < pieces.length && rows < wanted; i += stride) {
      some.push(pieces[i]!)
      rows += pieces[i]!.rows
    }
    const kept = Math.min(rows, Math.ceil(wanted))
    const order = Uint32Array.from({ length: kept }, (_, row) => row)
    const rank = async function* () {
      yield { pieces: ranksOf(some, order), kept }
    }
    await this.gather(rank, rows * RANKING_BYTES_OF_ROW, { rowsLeft: 0, write: async () => {} })
    await this.flush()
  }

  async #gatherPart(part: RankedRows, target: RowTarget): Promise<void> {
    const { kept } = part
    const members = membersOf(part)
    const mostPicks = part.pieces.reduce((most, { ranks }) => Math.max(most, ranks.length), 0)
    if (this.#group && this.#group.mostPicks < Math.min(this.#group.rows, mostPicks)) await this.flush()
    const rankBytes = part.pieces.reduce((sum, own) => sum + own.ranks.byteLength + (own.rows?.byteLength ?? 0), 0)
    const room = this.#room(rankBytes)
    for (let first = 0; first < kept; ) {
      this.#group ??= this.#open(room, kept - first, target.rowsLeft, mostPicks)
      const group = this.#group
      const isWell = group.filled >= group.rows * WELL_FILLED
      if (isWell && kept - first > group.rows - group.filled && kept - first <= group.rows) {
        await this.flush()
        continue
      }
      const count = Math.min(group.rows - group.filled, kept - first)
      if (await this.#fill(group, members, first, count)) {
        first += count
        if (group.filled === group.rows) await this.flush()
      } else if (group.filled > 0) {
        group.isFull = true
        await this.flush()
      } else {
        this.#group = undefined
        if (group.roomBytes < room) {
          this.#wantsAllRoom = true
        } else if (count > LEAST_ROWS) {
          this.#mostRows = Math.ceil(count / 2)
        } else {
          throw new ParquetError('memory_budget', `${count} rows take more than ${room} bytes`)
        }
      }
    }
  }

  /** Hand on the rows so far. */
  async flush(): Promise<void> {
    const group = this.#group
    this.#group = undefined
    if (!group || group.filled === 0) return
    const rows = group.filled
    this.#isMeasured = true
    this.#heldBytesOfRow = Math.max(group.heldBytes / group.rows, group.isFull ? group.heldBytes / rows : 0)
    group.finish()
    await this.#target!.write(group, rows, this.#kernel!)
  }

  /** Hand on the rows so far, and release the kernel. */
  async end(): Promise<void> {
    await this.flush()
    this.#kernel?.release()
    this.#kernel = undefined
  }

  #room(ranksBytes: number): number {
    const { memoryBudgetBytes } = this.#settings
    return Math.floor(Math.max(memoryBudgetBytes * GATHER_SHARE - ranksBytes, memoryBudgetBytes / 4))
  }

  /** how many rows are expected to fit */
  #placesIn(room: number): number {
    const picksBytes = Math.min(this.#mostRowsOfPiece, room / 16) * 8
    const fitting = Math.floor(((room - picksBytes) / this.#heldBytesOfRow) * SAFE_SHARE)
    return Math.max(LEAST_ROWS, Math.min(fitting, this.#mostRows))
  }

  /**
   * @param rows      that are to find a place now
   * @param rowsLeft  these and others that may follow
   * @param mostPicks rows of one piece, at the most
   */
  #open(room: number, rows: number, rowsLeft: number, mostPicks: number): GatheredGroup {
    const most = this.#placesIn(room)
    // groups of one size rather than a small last one
    const groups = Math.ceil(rows / most)
    const places = groups > 1 ? Math.ceil(rows / groups) : Math.max(rows, Math.min(most, rowsLeft))
    // those that follow are as large
    const picks = Math.min(places, places > rows ? Math.max(mostPicks, this.#mostRowsOfPiece) : mostPicks)
    const needed = places * (this.#heldBytesOfRow * 2 + this.#bytesOfRow * 4) + picks * 8 + 2 ** 20
    this.#kernel ??= this.#settings.newKernel()
    const roomBytes = this.#wantsAllRoom ? room : Math.min(room, Math.ceil(needed))
    return new GatheredGroup(this.#schema, places, roomBytes, picks, this.#kernel)
  }

  /** @returns false where the rows take more memory than there is */
  async #fill(group: GatheredGroup, members: readonly Member[], first: number, count: number): Promise<boolean> {
    const settings = this.#settings
    const wanted = members.filter(({ least, greatest }) => least < first + count && greatest >= first)
    const open = async (member: Member): Promise<Member & { file: FileReader }> => ({
      ...member,
      file: await openPiece(member.piece, settings),
    })
    const ahead = piecesAhead(
      wanted.map(({ piece }) => piece),
      settings,
    )
    for await (const member of readAhead(wanted, ahead, open)) {
      throwIfAborted(settings.signal)
      if (!(await group.take(member, member.file, first, count, settings))) return false
    }
    group.filled += count
    return true
  }
}

function membersOf({ pieces }: RankedRows): Member[] {
  return pieces.map((own) => {
    let [least, greatest] = [Number.POSITIVE_INFINITY, -1]
    const { ranks } = own
    // most of the time of a loop over the elements themselves would be the iterator's
    for (let row = 0; row < ranks.length; row++) {
      const rank = ranks[row]!
      if (rank === LEFT_OUT) continue
      if (rank < least) least = rank
      if (rank > greatest) greatest = rank
    }
    return { ...own, least, greatest }
  })
}
