import { ByteBuffer } from '../../format/byte-buffer.ts'
import { corrupt } from '../../format/page-header.ts'
import type { PageValues } from '../../format/value-table.ts'
import type { LevelBatch, RowReader, RowSink } from '../../read/row-stream.ts'
import type { LeafColumn } from '../../schema/schema.ts'
import { GatheredValues } from './gathered-values.ts'

const NOWHERE = -1
/** levels handed on between two looks at the open page of the output */
const BATCH_LEVELS = 8192

/** Rows of an input, in their order, and the place of each in the range that is gathered. */
export interface PickedRows {
  rows: Uint32Array
  places: Uint32Array
}

/** Any number of values a row: levels are kept as they come and put in order in the end. */
export class GatheredLists implements RowSink, RowReader {
  readonly isPageFull = false
  readonly mayHaveMore = false
  readonly leaf: LeafColumn
  hasChecksums = false
  /** places that there are */
  rows: number
  #picked: PickedRows = { rows: new Uint32Array(), places: new Uint32Array() }
  /** the next of them */
  #pick = 0
  /** rows of the input seen so far */
  #row = 0
  readonly #values: GatheredValues
  readonly #definition = new ByteBuffer()
  readonly #repetition = new ByteBuffer()
  /** for each row of the range, where its levels begin; beside it, where its values begin and how many levels it has */
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
    this.leaf = leaf
    this.rows = rows
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

  async flushPage(): Promise<void> {}
  async expectEnd(): Promise<void> {}
  release(): void {}

  addChecksums(): void {
    this.hasChecksums = true
  }

  /** Begin with other rows, of at most as many places as there were at first. */
  restart(rows: number): void {
    this.rows = rows
    this.#values.clear()
    this.#definition.clear()
    this.#repetition.clear()
    this.#levelCount.fill(0)
    this.#valueCount = 0
    this.#done = undefined
  }

  /** Begin with the rows of an input, of which these are taken. */
  begin(picked: PickedRows): void {
    this.#picked = picked
    this.#pick = 0
    this.#row = 0
    this.#at = NOWHERE
  }

  append({ definition, repetition, levelFrom, levelTo, values, valueFrom, valueTo }: LevelBatch): void {
    const { maxDefinition } = this.leaf
    const { rows, places } = this.#picked
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
        this.#at = rows[this.#pick] === this.#row++ ? places[this.#pick++]! : NOWHERE
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

  /** all inputs were seen: from here on rows are read */
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
