import type { ColumnAdaptation } from '../footer/adapt-footer.ts'
import type { ValueTable } from '../format/value-table.ts'
import { ParquetError } from '../parquet-error.ts'
import type { LeafColumn } from '../schema/schema.ts'
import type { LevelBatch, RowReader, RowSink } from './row-stream.ts'

const BATCH_LEVELS = 8192
const NO_VALUES = {
  count: 0,
  table: { count: 0, bytes: new Uint8Array(), starts: new Uint32Array(), lengths: new Uint32Array() },
}

/** Hands on a column as the output has it. @param inner reads the column of the file that the adaptation names */
export function adaptReader(inner: RowReader, leaf: LeafColumn, adaptation: ColumnAdaptation): RowReader {
  return {
    copyRows: (rows, sink) => inner.copyRows(rows, adaptingSink(sink, leaf, adaptation)),
    release: () => inner.release(),
    get mayHaveMore() {
      return inner.mayHaveMore
    },
    expectEnd: () => inner.expectEnd(),
  }
}

/** A column of which the file has nothing. */
export function nullReader(leaf: LeafColumn): RowReader {
  const levels = new Uint8Array(BATCH_LEVELS)
  return {
    async copyRows(rows, sink) {
      for (let left = rows; left > 0; ) {
        if (sink.isPageFull) await sink.flushPage()
        const count = Math.min(left, BATCH_LEVELS)
        sink.append({
          definition: levels,
          repetition: leaf.maxRepetition > 0 ? levels : undefined,
          levelFrom: 0,
          levelTo: count,
          values: NO_VALUES,
          valueFrom: 0,
          valueTo: 0,
        })
        left -= count
      }
    },
    release() {},
    mayHaveMore: false,
    async expectEnd() {},
  }
}

function adaptingSink(sink: RowSink, leaf: LeafColumn, adaptation: ColumnAdaptation): RowSink {
  let from: ValueTable | undefined
  let to: ValueTable | undefined
  return {
    get isPageFull() {
      return sink.isPageFull
    },
    flushPage: () => sink.flushPage(),
    append(batch) {
      if (adaptation.widening === 'null' && batch.valueTo > batch.valueFrom) {
        throw new ParquetError(
          'corrupt_data',
          `column ${leaf.name}: values in a column of type UNKNOWN, which has none`,
          { column: leaf.name },
        )
      }
      if (adaptation.missingBelow !== undefined) {
        sink.append(missingLevels(batch, leaf, adaptation, adaptation.missingBelow))
        return
      }
      const { table } = batch.values
      const widening = adaptation.widening === 'null' ? undefined : adaptation.widening
      // widen each table once: writers translate a dictionary once
      if (widening && from !== table) {
        from = table
        to = widen(table, widening)
      }
      const isNull = adaptation.widening === 'null'
      const values = isNull ? NO_VALUES : widening ? { ...batch.values, table: to! } : batch.values
      const { definition, levelFrom, levelTo } = batch
      if (!definition) {
        sink.append({ ...batch, values })
        return
      }
      const [valueFrom, valueTo] = isNull ? [0, 0] : [batch.valueFrom, batch.valueTo]
      const levels = new Uint8Array(levelTo)
      for (let i = levelFrom; i < levelTo; i++) levels[i] = adaptation.levels[definition[i]!]!
      sink.append({ ...batch, definition: levels, values, valueFrom, valueTo })
    },
  }
}

function missingLevels(
  { definition, repetition, levelFrom, levelTo }: LevelBatch,
  leaf: LeafColumn,
  { levels }: ColumnAdaptation,
  missingBelow: number,
): LevelBatch {
  const own = new Uint8Array(levelTo - levelFrom)
  const repetitions = new Uint8Array(levelTo - levelFrom)
  let count = 0
  for (let i = levelFrom; i < levelTo; i++) {
    const level = repetition ? repetition[i]! : 0
    if (level > missingBelow) continue
    own[count] = definition ? levels[definition[i]!]! : levels.at(-1)!
    repetitions[count++] = level
  }
  return {
    definition: own,
    repetition: leaf.maxRepetition > 0 ? repetitions : undefined,
    levelFrom: 0,
    levelTo: count,
    values: NO_VALUES,
    valueFrom: 0,
    valueTo: 0,
  }
}

function widen({ bytes, count }: ValueTable, widening: 'signed' | 'unsigned' | 'float'): ValueTable {
  const from = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const widened = new Uint8Array(count * 8)
  const to = new DataView(widened.buffer)
  for (let i = 0; i < count; i++) {
    if (widening === 'float') {
      to.setFloat64(i * 8, from.getFloat32(i * 4, true), true)
      continue
    }
    const value = from.getInt32(i * 4, true)
    to.setInt32(i * 8, value, true)
    to.setInt32(i * 8 + 4, widening === 'signed' ? value >> 31 : 0, true)
  }
  return { count, bytes: widened }
}
