import { PHYSICAL, REPETITION } from '../format/format.ts'
import type { LeafColumn, Schema } from '../schema/schema.ts'
import { type LeafPath, leafPaths, readTree } from '../schema/schema-tree.ts'
import { boundsOf, ChunkBounds, NO_STATISTICS } from './chunk-bounds.ts'
import { ExtrasPacker, extrasOf, NO_EXTRAS } from './chunk-extras.ts'
import type { Footer } from './footer.ts'

/** How a column of the output is read from a file that has it otherwise, or not at all. */
export interface ColumnAdaptation {
  /** leaf of the file: the column itself, or one whose levels tell where it is missing; undefined where all is null */
  sourceColumn: number | undefined
  /** definition level of the output for each of the file */
  levels: Uint8Array
  /** of a column that is missing: the repetition level down to which its group goes; deeper levels are passed over */
  missingBelow: number | undefined
  widening: 'signed' | 'unsigned' | 'float' | undefined
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
  const own = leafPaths(readTree(source))
  const sourceColumns: (number | undefined)[] = []
  const columns = leafPaths(readTree(schema)).map((wanted, at) => {
    const found = own.findIndex(({ names }) => JSON.stringify(names) === JSON.stringify(wanted.names))
    if (found < 0) {
      const missing = adaptMissing(wanted, own)
      sourceColumns.push(undefined)
      return missing
    }
    sourceColumns.push(found)
    const widening = wideningOf(source.leaves[found]!, schema.leaves[at]!)
    const isAsItIs = !widening && source.leaves[found]!.maxDefinition === schema.leaves[at]!.maxDefinition
    if (isAsItIs) return undefined
    const levels = levelMap(own[found]!.repetitions, wanted.repetitions)
    return { sourceColumn: found, levels, missingBelow: undefined, widening }
  })
  return { source, schema, sourceColumns, columns }
}

function wideningOf(from: LeafColumn, to: LeafColumn): ColumnAdaptation['widening'] {
  if (from.physical === to.physical) return undefined
  if (to.physical === PHYSICAL.DOUBLE) return 'float'
  return from.isUnsigned ? 'unsigned' : 'signed'
}

const nested = (repetitions: readonly number[]): number =>
  repetitions.filter((repetition) => repetition !== REPETITION.REQUIRED).length
const repeated = (repetitions: readonly number[]): number =>
  repetitions.filter((repetition) => repetition === REPETITION.REPEATED).length

/** What is defined down to some element in the file is defined down to the same element in the output. */
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
  return { sourceColumn, levels, missingBelow: repeated(above), widening: undefined }
}

/** The footer of a file as if it had the schema of the output. */
export function adaptFooter(footer: Footer, adaptation: SchemaAdaptation): Footer {
  const { schema, sourceColumns, columns } = adaptation
  const width = footer.schema.leaves.length
  const chunks = footer.rowGroupCount * sourceColumns.length
  const bounds = new ChunkBounds()
  const extras = new ExtrasPacker()
  const adapted = {
    chunkOffset: new Float64Array(chunks),
    chunkBytes: new Float64Array(chunks),
    chunkValues: new Float64Array(chunks),
    chunkCodec: new Uint8Array(chunks),
    chunkNulls: new Float64Array(chunks),
    chunkEncodings: new Uint16Array(chunks),
    chunkPages: new Uint32Array(chunks),
    chunkVersions: new Uint8Array(chunks),
    chunkHasDictionary: new Uint8Array(chunks),
    chunkDictionaryBytes: new Float64Array(chunks),
  }
  for (let rowGroup = 0, chunk = 0; rowGroup < footer.rowGroupCount; rowGroup++) {
    for (const [column, sourceColumn] of sourceColumns.entries()) {
      const own = rowGroup * width + (sourceColumn ?? 0)
      for (const name of Object.keys(adapted) as (keyof typeof adapted)[]) adapted[name][chunk] = footer[name][own] ?? 0
      if (sourceColumn === undefined) {
        adapted.chunkBytes[chunk] = 0
        adapted.chunkValues[chunk] = footer.rowsOfGroup[rowGroup]!
        adapted.chunkNulls[chunk] = schema.leaves[column]!.maxRepetition > 0 ? -1 : footer.rowsOfGroup[rowGroup]!
      } else if (footer.schema.leaves[sourceColumn]!.maxDefinition === 0) {
        adapted.chunkNulls[chunk] = 0
      }
      const isSame = sourceColumn !== undefined && !columns[column]?.widening
      bounds.add(isSame ? { ...NO_STATISTICS, ...boundsOf(footer, own) } : NO_STATISTICS)
      extras.add(isSame && !columns[column] ? extrasOf(footer, own) : NO_EXTRAS)
      chunk++
    }
  }
  const { bytes, at, state } = bounds.finish()
  const packed = extras.finish()
  return {
    schema,
    rowCount: footer.rowCount,
    rowGroupCount: footer.rowGroupCount,
    footerBytes: footer.footerBytes,
    rowsOfGroup: footer.rowsOfGroup,
    ...adapted,
    boundsHaveOrder: footer.boundsHaveOrder,
    keyValues: footer.keyValues,
    boundsBytes: bytes,
    boundsAt: Uint32Array.from(at),
    boundsState: Uint8Array.from(state),
    extrasBytes: packed.bytes,
    extrasAt: Uint32Array.from(packed.at),
    chunkExtras: Uint8Array.from(packed.has),
    // columns have other numbers, or other values
    sortingOfGroup: Array.from(footer.rowsOfGroup, () => undefined),
    adapted: { columns, source: footer },
  }
}
