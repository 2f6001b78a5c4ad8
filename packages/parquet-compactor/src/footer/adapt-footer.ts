import { LOGICAL, PHYSICAL, REPETITION } from '../format/format.ts'
import { toStandardForm } from '../schema/collection-form.ts'
import type { LeafColumn, Schema } from '../schema/schema.ts'
import { type LeafPath, leafPaths, pathKey, readTree } from '../schema/schema-tree.ts'
import { extrasOf } from './chunk-extras.ts'
import type { Footer } from './footer.ts'
import { FooterTable } from './footer-table.ts'

/** How a column of the output is read from a file that has it otherwise, or not at all. */
export interface ColumnAdaptation {
  /** leaf of the file: the column itself, or one whose levels tell where it is missing; undefined where all is null */
  sourceColumn: number | undefined
  /** definition level of the output for each of the file */
  levels: Uint8Array
  /** for a missing column, the deepest repetition level of its group; deeper levels are skipped */
  missingBelow: number | undefined
  /** `null`: the file has a column that is null by its type, and a value in it is a fault */
  widening: 'signed' | 'unsigned' | 'float' | 'null' | undefined
}

/** Columns of the output for files of one schema. */
export interface SchemaAdaptation {
  source: Schema
  schema: Schema
  /** leaf of the file for each column of the output: whose numbers in the footer stand for it */
  sourceColumns: (number | undefined)[]
  /** undefined where pages can stay as they are */
  columns: (ColumnAdaptation | undefined)[]
}

export function adaptSchema(source: Schema, schema: Schema): SchemaAdaptation {
  const own = leafPaths(toStandardForm(readTree(source)))
  const numbers = new Map(own.map(({ names }, column) => [pathKey(names), column]))
  const sourceColumns: (number | undefined)[] = []
  const columns = leafPaths(toStandardForm(readTree(schema))).map((wanted, at) => {
    const found = numbers.get(pathKey(wanted.names))
    sourceColumns.push(found)
    if (found === undefined) return adaptMissing(wanted, own)
    const widening = wideningOf(source.leaves[found]!, schema.leaves[at]!)
    const isAsItIs = !widening && source.leaves[found]!.maxDefinition === schema.leaves[at]!.maxDefinition
    if (isAsItIs) return undefined
    const levels = levelMap(own[found]!.repetitions, wanted.repetitions)
    return { sourceColumn: found, levels, missingBelow: undefined, widening }
  })
  return { source, schema, sourceColumns, columns }
}

function wideningOf(from: LeafColumn, to: LeafColumn): ColumnAdaptation['widening'] {
  if (from.logicalType === LOGICAL.UNKNOWN && (to.logicalType !== LOGICAL.UNKNOWN || from.physical !== to.physical)) {
    return 'null'
  }
  if (from.physical === to.physical) return undefined
  if (to.physical === PHYSICAL.DOUBLE) return 'float'
  return from.isUnsigned ? 'unsigned' : 'signed'
}

const nested = (repetitions: readonly number[]): number =>
  repetitions.filter((repetition) => repetition !== REPETITION.REQUIRED).length
const repeated = (repetitions: readonly number[]): number =>
  repetitions.filter((repetition) => repetition === REPETITION.REPEATED).length

/** Maps definition levels of the file to those of the output, element by element. */
function levelMap(from: readonly number[], to: readonly number[]): Uint8Array {
  const levels = new Uint8Array(nested(from) + 1)
  let [level, wanted] = [0, 0]
  for (const [at, repetition] of from.entries()) {
    if (repetition !== REPETITION.REQUIRED) levels[level++] = wanted
    if (to[at] !== REPETITION.REQUIRED) wanted++
  }
  levels[level] = wanted
  return levels
}

/** A missing column is null wherever its nearest group that is there is: a neighbour in that group tells. */
function adaptMissing(wanted: LeafPath, own: readonly LeafPath[]): ColumnAdaptation {
  let depth = 0
  let sourceColumn: number | undefined
  for (const [at, { names }] of own.entries()) {
    let common = 0
    while (common < names.length && names[common] === wanted.names[common]) common++
    if (common > depth) {
      depth = common
      sourceColumn = at
    }
  }
  if (sourceColumn === undefined) {
    return { sourceColumn, levels: Uint8Array.of(0), missingBelow: 0, widening: undefined }
  }
  const neighbour = own[sourceColumn]!
  const above = neighbour.repetitions.slice(0, depth)
  const known = levelMap(above, wanted.repetitions.slice(0, depth))
  const levels = new Uint8Array(nested(neighbour.repetitions) + 1).fill(known.at(-1)!)
  levels.set(known)
  // a column of nulls may stand where the output has a group
  const widening = neighbour.names.length === depth ? 'null' : undefined
  return { sourceColumn, levels, missingBelow: repeated(above), widening }
}

/** Footers of files as if they had the schema of the output. Sorting columns are left out: they have other numbers, or values. */
export function adaptFooter(table: FooterTable, { schema, sourceColumns, columns }: SchemaAdaptation): Footer {
  const width = table.schema.leaves.length
  const adapted = new FooterTable(schema, table.rowGroups * sourceColumns.length)
  for (let rowGroup = 0; rowGroup < table.rowGroups; rowGroup++) {
    const rows = table.rowsOfGroup[rowGroup]!
    for (const [column, sourceColumn] of sourceColumns.entries()) {
      const chunk = adapted.beginChunk()
      if (sourceColumn === undefined) {
        adapted.setNumbers(chunk, table, rowGroup * width)
        adapted.chunkBytes[chunk] = 0
        adapted.chunkValues[chunk] = rows
        adapted.chunkNulls[chunk] = schema.leaves[column]!.maxRepetition > 0 ? -1 : rows
        adapted.addChunk(undefined)
        continue
      }
      const own = rowGroup * width + sourceColumn
      adapted.setNumbers(chunk, table, own)
      if (table.schema.leaves[sourceColumn]!.maxDefinition === 0) adapted.chunkNulls[chunk] = 0
      const isSame = !columns[column]?.widening
      const hasExtras = isSame && !columns[column] && table.chunkExtras[own] !== 0
      if (isSame) adapted.setBoundsOf(chunk, table, own)
      adapted.addChunk(hasExtras ? extrasOf(table, own) : undefined)
    }
    adapted.addRowGroup(rows, undefined)
  }
  return Object.assign(adapted, { adapted: { columns, source: table } })
}
