import { ByteBuffer } from '../format/byte-buffer.ts'
import { corrupt } from '../format/page-header.ts'
import type { PageValues } from '../format/value-table.ts'
import type { LevelBatch, RowReader, RowSink } from '../read/row-stream.ts'
import type { LeafColumn } from '../schema/schema.ts'
import { GatheredValues } from './gathered-values.ts'

const NOWHERE = -1
/** levels handed on between two looks at the open page of the output */
const BATCH_LEVELS = 8192

/** A range of rows of one column, filled in any order and handed on in order. */
export interface GatheredColumn extends RowSink, RowReader {
  readonly heldBytes: number
  /** Begin with the rows of an input, of which these are taken. */
  begin(picked: PickedRows): void
  /** Begin with another range, of at most as many rows as the first. */
  restart(rows: number): void
  /** all inputs were seen: from here on rows are read */
  finish(): void
}

/** Rows of an input, in their order, and the place of each in the range that is gathered. */
export interface PickedRows {
  rows: Int32Array
  places: Int32Array
}

/** @param rows how many the range has */
export function gatherColumn(leaf: LeafColumn, rows: number): GatheredColumn {
  return leaf.maxRepetition > 0 ? new GatheredLists(leaf, rows) : new GatheredScalars(leaf, rows)
}

abstract class Gathered {
  readonly isPageFull = false
  readonly leaf: LeafColumn
  rows: number
  picked: PickedRows = { rows: new Int32Array(), places: new Int32Array() }
  /** the next of them */
  pick = 0
  /** rows of the input seen so far */
  row = 0

  constructor(leaf: LeafColumn, rows: number) {
    this.leaf = leaf
    this.rows = rows
  }

  get mayHaveMore(): boolean {
    return false
  }

  async flushPage(): Promise<void> {}
  async expectEnd(): Promise<void> {}
  release(): void {}
}

/** At most one value a row. */
class GatheredScalars extends Gathered implements GatheredColumn {
  readonly #values: GatheredValues
  /** definition level of each row, from the first null on */
  #definition: Uint8Array | undefined
  #room: Uint8Array | undefined
  #source: Uint32Array | undefined
  /** of the values in hand that are not null */
  #places = new Int32Array()
  #slots = new Int32Array()
  #done: { values: PageValues; row: number; value: number } | undefined

  constructor(leaf: LeafColumn, rows: number) {
    super(leaf, rows)
    this.#values = new GatheredValues(leaf, rows)
  }

  get heldBytes(): number {
    return this.#values.heldBytes + (this.#room?.length ?? 0) * 5
  }

  restart(rows: number): void {
    // room for the range before may be smaller than the first was
    if (rows > (this.#room?.length ?? rows)) this.#room = undefined
    this.rows = rows
    this.#values.clear()
    this.#definition = undefined
    this.#done = undefined
  }

  begin(picked: PickedRows): void {
    this.picked = picked
    this.pick = 0
    this.row = 0
  }

  append({ definition, levelFrom, levelTo, values, valueFrom, valueTo }: LevelBatch): void {
    const { rows, places } = this.picked
    const first = this.row
    const end = first + levelTo - levelFrom
    this.row = end
    const from = this.pick
    let to = from
    // often all of them
    if (rows[from + end - first - 1] === end - 1) to = from + end - first
    else while (to < rows.length && rows[to]! < end) to++
    this.pick = to
    if (!definition || valueTo - valueFrom === end - first) {
      this.#values.put(values, { places: rows, slots: places, from, to }, valueFrom - first)
      return
    }
    const { maxDefinition } = this.leaf
    if (!this.#definition) {
      this.#room ??= new Uint8Array(this.rows)
      this.#definition = this.#room.subarray(0, this.rows).fill(maxDefinition)
    }
    if (this.#slots.length < to - from) {
      this.#places = new Int32Array(to - from)
      this.#slots = new Int32Array(to - from)
    }
    let value = valueFrom
    let present = 0
    for (let level = levelFrom, pick = from; pick < to; level++) {
      const isPresent = definition[level] === maxDefinition
      if (rows[pick] === first + level - levelFrom) {
        const place = places[pick++]!
        if (isPresent) {
          this.#places[present] = value
          this.#slots[present++] = place
        } else {
          this.#definition[place] = definition[level]!
        }
      }
      if (isPresent) value++
    }
    this.#values.put(values, { places: this.#places, slots: this.#slots, from: 0, to: present }, 0)
  }

  finish(): void {
    let count = this.rows
    const definition = this.#definition
    if (definition) {
      const { maxDefinition } = this.leaf
      if (!this.#source || this.#source.length < this.rows) this.#source = new Uint32Array(this.rows)
      const source = this.#source
      count = 0
      for (let row = 0; row < this.rows; row++) if (definition[row] === maxDefinition) source[count++] = row
      this.#values.compact(source, count)
    }
    this.#done = { values: this.#values.values(count), row: 0, value: 0 }
  }

  async copyRows(rows: number, sink: RowSink): Promise<void> {
    const done = this.#done!
    const end = done.row + rows
    while (done.row < end) {
      if (sink.isPageFull) await sink.flushPage()
      const to = Math.min(end, done.row + BATCH_LEVELS)
      let valueTo = done.value + to - done.row
      if (this.#definition) {
        valueTo = done.value
        for (let row = done.row; row < to; row++) if (this.#definition[row] === this.leaf.maxDefinition) valueTo++
      }
      sink.append({
        definition: this.#definition,
        repetition: undefined,
        levelFrom: done.row,
        levelTo: to,
        values: done.values,
        valueFrom: done.value,
        valueTo,
      })
      done.row = to
      done.value = valueTo
    }
    if (sink.isPageFull) await sink.flushPage()
  }
}

/** Any number of values a row: levels are kept as they come and put in order in the end. */
class GatheredLists extends Gathered implements GatheredColumn {
  readonly #values: GatheredValues
  readonly #definition = new ByteBuffer()
  readonly #repetition = new ByteBuffer()
  /** of each row of the range: where its levels and its values begin, and how many levels there are */
  readonly #levelFrom: Uint32Array
  readonly #levelCount: Uint32Array
  readonly #valueFrom: Uint32Array
  #valueCount = 0
  /** where the row in hand goes */
  #at = NOWHERE
  #slots = new Int32Array()
  #places = new Int32Array()
  #done: { values: PageValues; levelAt: number; valueAt: number } | undefined

  constructor(leaf: LeafColumn, rows: number) {
    super(leaf, rows)
    this.#values = new GatheredValues(leaf, rows)
    this.#levelFrom = new Uint32Array(rows)
    this.#levelCount = new Uint32Array(rows)
    this.#valueFrom = new Uint32Array(rows)
  }

  get heldBytes(): number {
    // twice, as they are put in order
    const levels = 2 * (this.#definition.bytes.length + this.#repetition.bytes.length)
    return this.#values.heldBytes + levels + 12 * this.rows + 4 * this.#valueCount
  }

  restart(rows: number): void {
    this.rows = rows
    this.#values.clear()
    this.#definition.clear()
    this.#repetition.clear()
    this.#levelCount.fill(0)
    this.#valueCount = 0
    this.#done = undefined
  }

  begin(picked: PickedRows): void {
    this.picked = picked
    this.pick = 0
    this.row = 0
    this.#at = NOWHERE
  }

  append({ definition, repetition, levelFrom, levelTo, values, valueFrom, valueTo }: LevelBatch): void {
    const { maxDefinition } = this.leaf
    const { rows, places } = this.picked
    const count = valueTo - valueFrom
    if (this.#slots.length < count) {
      this.#slots = new Int32Array(count)
      this.#places = new Int32Array(count)
    }
    this.#values.grow(this.#valueCount + count)
    let value = valueFrom
    let present = 0
    for (let level = levelFrom; level < levelTo; level++) {
      if (repetition![level] === 0) {
        this.#at = rows[this.pick] === this.row++ ? places[this.pick++]! : NOWHERE
        if (this.#at !== NOWHERE) {
          this.#levelFrom[this.#at] = this.#definition.length
          this.#valueFrom[this.#at] = this.#valueCount
        }
      }
      const isPresent = !definition || definition[level] === maxDefinition
      if (this.#at !== NOWHERE) {
        this.#definition.push(definition ? definition[level]! : maxDefinition)
        this.#repetition.push(repetition![level]!)
        this.#levelCount[this.#at]!++
        if (isPresent) {
          this.#places[present] = value
          this.#slots[present++] = this.#valueCount++
        }
      }
      if (isPresent) value++
    }
    this.#values.put(values, { places: this.#places, slots: this.#slots, from: 0, to: present }, 0)
  }

  finish(): void {
    const { maxDefinition } = this.leaf
    const definition = this.#definition.take()
    const repetition = this.#repetition.take()
    const order = new Uint32Array(this.#valueCount)
    let values = 0
    for (let row = 0; row < this.rows; row++) {
      const from = this.#levelFrom[row]!
      const to = from + this.#levelCount[row]!
      let value = this.#valueFrom[row]!
      for (let level = from; level < to; level++) if (definition[level] === maxDefinition) order[values++] = value++
      this.#definition.append(definition, from, to)
      this.#repetition.append(repetition, from, to)
    }
    if (this.#definition.length !== definition.length) corrupt('a row came twice')
    const { table, indices } = this.#values.values(this.#valueCount)
    if (indices) for (let i = 0; i < order.length; i++) order[i] = indices[order[i]!]!
    this.#done = { values: { count: order.length, table, indices: order }, levelAt: 0, valueAt: 0 }
  }

  async copyRows(rows: number, sink: RowSink): Promise<void> {
    const done = this.#done!
    const { maxDefinition } = this.leaf
    const definition = this.#definition.view()
    const repetition = this.#repetition.view()
    let left = rows
    while (left > 0) {
      if (sink.isPageFull) await sink.flushPage()
      let levelTo = done.levelAt
      let valueTo = done.valueAt
      // whole rows only, as pages end with them
      while (levelTo < definition.length) {
        if (repetition[levelTo] === 0) {
          if (left === 0 || levelTo - done.levelAt >= BATCH_LEVELS) break
          left--
        }
        if (definition[levelTo] === maxDefinition) valueTo++
        levelTo++
      }
      sink.append({
        definition,
        repetition,
        levelFrom: done.levelAt,
        levelTo,
        values: done.values,
        valueFrom: done.valueAt,
        valueTo,
      })
      done.levelAt = levelTo
      done.valueAt = valueTo
    }
    if (sink.isPageFull) await sink.flushPage()
  }
}
