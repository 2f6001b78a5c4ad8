import { adaptFooter, adaptSchema } from './adapt-footer.ts'
import { ByteBuffer } from './byte-buffer.ts'
import { type CarriedColumn, type CarriedRowGroup, carriedColumns, carryChunk } from './carry-chunk.ts'
import { ChunkWriter, type ChunkWriterLimits } from './chunk-writer.ts'
import { CODEC_NAMES, CODEC_NUMBERS, canCompress } from './compression.ts'
import { DropTally } from './drop-reasons.ts'
import { FileReader, throwIfAborted } from './file-reader.ts'
import { FileWriter } from './file-writer.ts'
import type { FinishedChunk } from './finished-chunk.ts'
import type { Footer } from './footer.ts'
import { gatherRows } from './gather-rows.ts'
import { loadFooter, nameSource } from './inspect.ts'
import { Kernel } from './kernel.ts'
import { KeyValueMerge } from './merge-key-values.ts'
import type { Codec, CodecName, MergeOptions, MergeReport, SchemaChange } from './merge-options.ts'
import { ProgressCount } from './merge-progress.ts'
import { MergeTally } from './merge-tally.ts'
import { openChunk } from './open-chunk.ts'
import { ParquetError } from './parquet-error.ts'
import { type PlannedRowGroup, planMerge } from './plan-merge.ts'
import type { RankedRows } from './rank-rows.ts'
import { readAhead } from './read-ahead.ts'
import { readCarried } from './read-carried.ts'
import type { RowReader } from './row-stream.ts'
import { type Schema, schemaFingerprint } from './schema.ts'
import { type SlicedInput, selectRows, writeSelection } from './select-rows.ts'
import { encodeSortingColumns, mergeSorting } from './sorting-columns.ts'
import type { Sink, Source } from './source.ts'
import { type NamedSchema, uniteSchemas } from './unite-schemas.ts'
import type { Piece } from './value-piece.ts'
import { beginKeeping, type ColumnSettings, keepMember, type RowGroupSource, writeRowGroup } from './write-row-group.ts'

const MIB = 1024 * 1024

/** part of the memory budget that the page indexes of one large file may take, and the bloom filters of one row group */
const INDEX_SHARE = 32

interface Settings {
  targetRowGroupBytes: number
  codec: 'keep' | CodecName
  codecs: Partial<Record<CodecName, Codec>>
  maxReadsInFlight: number
  partBytes: number
  smallFileBytes: number
  minPageBytes: number
  pages: 'splice' | 'check' | 'rewrite'
  schema: 'strict' | 'union'
  memoryBudgetBytes: number
  schemaFingerprint: string | undefined
  signal: AbortSignal | undefined
  /** for the page that is being read */
  scratch: ByteBuffer
}

/**
 * Merge files of one schema into one file: sources in the given order, the rows of each in theirs. Pages are copied still
 * compressed where the plan allows it, and values as bytes elsewhere; they never become JavaScript values, so every
 * physical and logical type comes out as it went in.
 *
 * Reads each footer first, and fails before anything is written if a footer is bad or a schema differs. A failure later
 * leaves the sink with part of a file, which the caller throws away. Memory: one compressed row group of the output,
 * plus `memoryBudgetBytes`, plus about 150 bytes for each column chunk of the inputs.
 *
 * @throws ParquetError `schema_mismatch`, `corrupt_data`, `read_failed`, …: see `PARQUET_ERRORS`; the message names the source
 */
export async function mergeParquet(
  sources: readonly Source[],
  sink: Sink,
  options: MergeOptions = {},
): Promise<MergeReport> {
  const kernel = Kernel.acquire(options.kernel)
  try {
    return await mergeWith(kernel, sources, sink, options)
  } finally {
    kernel.release()
  }
}

async function mergeWith(
  kernel: Kernel,
  sources: readonly Source[],
  sink: Sink,
  options: MergeOptions,
): Promise<MergeReport> {
  const settings = checkOptions(options)
  const { inputs, keyValues, schema, schemaChanges } = await readInputs(sources, settings)
  const rowsIn = inputs.reduce((sum, { footer }) => sum + footer.rowCount, 0)
  const codecs = chooseCodecs(inputs, schema, settings)
  const selection = await selectRows(inputs, schema, options, settings)
  const tally = new MergeTally()
  const output = new FileWriter(sink, schema, settings.partBytes, settings.memoryBudgetBytes / 8)
  await output.begin()
  const drops = new DropTally()
  const footers = inputs.map(({ footer }) => footer)
  const columns = columnSettings(settings, codecs, carriedColumns(footers, schema), drops, kernel)
  if (selection && selection.sortingColumns.length > 0) {
    const sorting = encodeSortingColumns(selection.sortingColumns)
    columns.sortingOf = () => sorting
  }
  const progress = new ProgressCount(
    inputs.map(({ source, footer }) => ({ source, rows: footer.rowCount })),
    options.onProgress,
  )
  const group = new RowGroupBuilder(output, schema, columns, settings)
  const merge: Merge = { schema, codecs, output, group, tally, progress, columns }
  if (selection) {
    const writers = {
      inOrder: (run: readonly SlicedInput[], isRewritten: boolean) =>
        writeInOrder(run, isRewritten ? { ...settings, pages: 'rewrite' } : settings, merge),
      gather: (pieces: readonly Piece[], rows: RankedRows) => gatherPieces(pieces, rows, settings, merge),
    }
    await writeSelection(selection, settings.targetRowGroupBytes, writers)
  } else {
    await writeInOrder(inputs, settings, merge)
  }
  await group.flush()
  progress.report(output.offset)
  const rowsWanted = selection?.rows ?? rowsIn
  if (output.rowCount !== rowsWanted) {
    throw new ParquetError('row_count_mismatch', `${rowsWanted} rows are due, ${output.rowCount} were written`)
  }
  drops.add('page_index_memory', output.chunksWithoutIndex)
  const droppedKeys = schemaChanges.length > 0 ? keyValues.dropSchemas() : []
  await output.end(keyValues.pairs)
  return {
    files: inputs.length,
    rowsIn,
    rowsOut: output.rowCount,
    bytesIn: sources.reduce((sum, { byteLength }) => sum + byteLength, 0),
    bytesOut: output.offset,
    rowGroupsIn: inputs.reduce((sum, { footer }) => sum + footer.rowGroupCount, 0),
    rowGroupsOut: output.rowGroupCount,
    schemaFingerprint: await schemaFingerprint(schema),
    columnChunks: tally.report,
    keyValueMetadata: {
      written: keyValues.pairs.length,
      conflictingKeys: keyValues.conflictingKeys,
      ...(droppedKeys.length > 0 && { droppedKeys }),
    },
    duplicateRows: rowsIn - rowsWanted,
    ...(selection && { rowGroupsKept: selection.kept, rowGroupsMerged: selection.merged }),
    schemaChanges,
    dropped: drops.counts,
  }
}

/** What all row groups of the output share. */
interface Merge {
  schema: Schema
  codecs: CodecName[]
  output: FileWriter
  group: RowGroupBuilder
  tally: MergeTally
  progress: ProgressCount
  columns: ColumnSettings
}

/** Write the rows of inputs one after another, pages as they are where the plan allows it. */
async function writeInOrder(
  inputs: readonly SlicedInput[],
  settings: Settings,
  { schema, codecs, output, group, tally, progress, columns }: Merge,
): Promise<void> {
  const footers = inputs.map(({ footer }) => footer)
  const plan = planMerge(footers, schema, { ...settings, codecs })
  /** the row group of the plan that is being filled, how many members it has seen, and those it holds */
  let planned = 0
  let seen = 0
  let members: RowGroupSource[] = []
  let isKept = false
  // page indexes are for pages that are not read
  const mayPass = plan.some(({ isStreamed }) => !isStreamed)
  const withRows = inputs.filter(({ footer }) => footer.rowCount > 0)
  // half a quarter of the budget for files that wait
  const ahead = Math.max(
    1,
    Math.min(settings.maxReadsInFlight, Math.floor(settings.memoryBudgetBytes / 4 / settings.smallFileBytes)),
  )
  for await (const { file, footer, indexes } of readAhead(withRows, ahead, (input) =>
    openInput(input, mayPass, settings),
  )) {
    for (let index = 0; index < footer.rowGroupCount; index++) {
      const rows = footer.rowsOfGroup[index]!
      progress.add(file.source, rows)
      const next = plan[planned]
      if (rows > 0 && next) {
        const member = await openRowGroup(file, indexes, footer, index, next, settings)
        if (seen++ === 0) isKept = beginKeeping(next, columns)
        if (next.isStreamed) await copyRowGroup(member, schema, group, settings)
        else members.push(isKept ? keepMember(member, columns) : member)
        if (seen === next.members) {
          if (next.isStreamed) {
            tally.addStreamed(next)
          } else {
            await group.flush()
            await writeRowGroup(members, next, schema, output, columns, tally)
          }
          members = []
          seen = 0
          planned++
        }
      }
      if (members.length === 0) progress.report(output.offset)
    }
  }
}

/** Write rows of several inputs in an order of their own. */
async function gatherPieces(
  pieces: readonly Piece[],
  rows: RankedRows,
  settings: Settings,
  { schema, group, tally, progress, output, columns }: Merge,
): Promise<void> {
  const members = pieces.map(({ footer, rowGroup }) => ({ footer, rowGroup, carried: [] }))
  const target = { append: (count: number, readers: RowReader[]) => group.append(count, readers, members) }
  await gatherRows(pieces, rows, schema, target, { ...settings, maxPageBytes: columns.maxPageBytes })
  tally.add('rewritten', 'rows_reordered', pieces.length * schema.leaves.length)
  for (const piece of pieces) progress.add(piece.source, piece.rows)
  progress.report(output.offset)
}

export function checkOptions(options: MergeOptions): Settings {
  const number = (name: keyof MergeOptions, fallback: number, least: number): number => {
    const value = options[name] ?? fallback
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < least) {
      throw new ParquetError('bad_option', `${name} must be an integer of at least ${least}`)
    }
    return value
  }
  const { codec = 'keep', codecs = {}, pages = 'splice', schema = 'strict' } = options
  if (schema !== 'strict' && schema !== 'union') throw new ParquetError('bad_option', 'schema must be strict or union')
  if (codec !== 'keep' && CODEC_NUMBERS[codec] === undefined)
    throw new ParquetError('bad_option', `unknown codec ${codec}`)
  if (codec !== 'keep' && !canCompress(codec, codecs)) {
    throw new ParquetError('bad_option', `codec ${codec} cannot be written without a compress function`)
  }
  return {
    targetRowGroupBytes: number('targetRowGroupBytes', 16 * MIB, 1),
    codec,
    codecs,
    maxReadsInFlight: number('maxReadsInFlight', 6, 1),
    partBytes: number('partBytes', MIB, 1),
    smallFileBytes: number('smallFileBytes', MIB, 1),
    minPageBytes: number('minPageBytes', 4 * 1024, 0),
    pages,
    schema,
    memoryBudgetBytes: number('memoryBudgetBytes', 48 * MIB, MIB),
    schemaFingerprint: options.schemaFingerprint,
    signal: options.signal,
    scratch: new ByteBuffer(),
  }
}

export async function readInputs(
  sources: readonly Source[],
  settings: Settings,
): Promise<{ inputs: SlicedInput[]; keyValues: KeyValueMerge; schema: Schema; schemaChanges: SchemaChange[] }> {
  const inputs: SlicedInput[] = []
  const keyValues = new KeyValueMerge()
  let schema: Schema | undefined
  const schemas = new Map<string, NamedSchema>()
  let heldBytes = 0
  const load = async (source: Source) => {
    throwIfAborted(settings.signal)
    return { source, ...(await loadFooter(source, undefined, undefined, schema)) }
  }
  for await (const { source, footer, tail } of readAhead(sources, settings.maxReadsInFlight, load)) {
    if (!schema) {
      const { schemaFingerprint: expected } = settings
      if (expected !== undefined && (await schemaFingerprint(footer.schema)) !== expected) {
        throw new ParquetError('schema_mismatch', `${source.name}: not the schema with the fingerprint ${expected}`)
      }
      schema = footer.schema
    }
    if (settings.schema === 'strict' && footer.schema.canonical !== schema.canonical) {
      throw new ParquetError('schema_mismatch', `${source.name}: ${firstDifference(schema, footer.schema)}`)
    }
    for (let i = 0; i < footer.chunkCodec.length; i++) {
      if (!CODEC_NAMES[footer.chunkCodec[i]!]) {
        const { name } = footer.schema.leaves[i % footer.schema.leaves.length]!
        throw new ParquetError('unsupported_column', `${source.name}: column ${name} has codec ${footer.chunkCodec[i]}`)
      }
    }
    keyValues.add(footer.keyValues)
    const keeps = tail.byteLength === source.byteLength && heldBytes + tail.byteLength <= settings.memoryBudgetBytes / 8
    if (keeps) heldBytes += tail.byteLength
    // of thousands of equal schemas one is enough
    const own = schemas.get(footer.schema.canonical) ?? { schema: footer.schema, source: source.name }
    schemas.set(footer.schema.canonical, own)
    inputs.push({ source, footer: { ...footer, schema: own.schema, keyValues: [] }, bytes: keeps ? tail : undefined })
  }
  if (!schema) throw new ParquetError('bad_option', 'there is nothing to merge')
  if (schemas.size === 1) return { inputs, keyValues, schema, schemaChanges: [] }
  const united = uniteSchemas([...schemas.values()])
  const adaptations = new Map([...schemas].map(([text, own]) => [text, adaptSchema(own.schema, united.schema)]))
  for (const input of inputs) input.footer = adaptFooter(input.footer, adaptations.get(input.footer.schema.canonical)!)
  return { inputs, keyValues, schema: united.schema, schemaChanges: united.changes }
}

function firstDifference(a: Schema, b: Schema): string {
  const left = a.canonical.split('\n')
  const right = b.canonical.split('\n')
  const at = left.findIndex((line, i) => line !== right[i])
  if (at === 0 || at < 0) return `${b.leaves.length} columns where the first source has ${a.leaves.length}`
  return `${right[at] ?? 'nothing'} where the first source has ${left[at]}`
}

export function chooseCodecs(inputs: SlicedInput[], schema: Schema, settings: Settings): CodecName[] {
  const { codec } = settings
  const first = inputs.find(({ footer }) => footer.rowCount > 0)?.footer
  return schema.leaves.map((_, column) => {
    if (codec !== 'keep') return codec
    const group = first ? first.rowsOfGroup.findIndex((rows) => rows > 0) : -1
    const name = first && group >= 0 ? CODEC_NAMES[first.chunkCodec[group * schema.leaves.length + column]!] : undefined
    return name && canCompress(name, settings.codecs) ? name : 'snappy'
  })
}

/** @returns with its page indexes, where the file is not in memory as a whole and they fit */
async function openInput(
  input: SlicedInput,
  mayPass: boolean,
  settings: Settings,
): Promise<{ file: FileReader; footer: Footer; indexes: FileReader | undefined }> {
  const { source, footer } = input
  const file = new FileReader(source, settings.signal)
  let indexes: FileReader | undefined
  try {
    if (input.bytes) file.hold(0, input.bytes)
    else if (source.byteLength <= settings.smallFileBytes) await file.prime(0, source.byteLength)
    const { signal, memoryBudgetBytes } = settings
    const chunks: [number, number] = [0, footer.chunkExtras.length]
    if (file.has(0, source.byteLength)) indexes = file
    else if (mayPass)
      indexes = await readCarried(file, footer, chunks, 'pageIndexes', signal, memoryBudgetBytes / INDEX_SHARE)
  } catch (error) {
    throw nameSource(error, source.name)
  }
  input.bytes = undefined
  return { file, footer, indexes }
}

/** Make a row group ready: in memory if it is to be joined with others, or if one read brings it. */
async function openRowGroup(
  file: FileReader,
  indexes: FileReader | undefined,
  footer: Footer,
  rowGroup: number,
  planned: PlannedRowGroup,
  settings: Settings,
): Promise<RowGroupSource> {
  const columns = footer.schema.leaves.length
  const firstChunk = rowGroup * columns
  let bytes = 0
  let start = Number.POSITIVE_INFINITY
  let end = 0
  for (let chunk = firstChunk; chunk < firstChunk + columns; chunk++) {
    bytes += footer.chunkBytes[chunk]!
    start = Math.min(start, footer.chunkOffset[chunk]!)
    end = Math.max(end, footer.chunkOffset[chunk]! + footer.chunkBytes[chunk]!)
  }
  if (columns === 0 || file.has(0, file.source.byteLength)) return { file, footer, rowGroup, carried: [file] }
  const carried = planned.isStreamed ? [] : await readCarriedOfGroup(file, indexes, footer, rowGroup, settings)
  if (file.has(start, end - start)) return { file, footer, rowGroup, carried }
  const isJoined = !planned.isStreamed && planned.members > 1
  const most = isJoined ? settings.targetRowGroupBytes : settings.memoryBudgetBytes / 8
  // one read for the row group if its chunks stand together
  const isDense = end - start <= Math.min(most, bytes * 1.25)
  // members of a row group each keep their own bytes
  const own = isJoined ? new FileReader(file.source, settings.signal) : file
  try {
    if (isDense) await own.prime(start, end - start)
  } catch (error) {
    throw nameSource(error, file.source.name)
  }
  return { file: own, footer, rowGroup, carried }
}

/** Page indexes, if they did not come with those of the whole file, and bloom filters of a row group of a large file. */
async function readCarriedOfGroup(
  file: FileReader,
  indexes: FileReader | undefined,
  footer: Footer,
  rowGroup: number,
  { signal, memoryBudgetBytes }: Settings,
): Promise<FileReader[]> {
  const columns = footer.schema.leaves.length
  const chunks: [number, number] = [rowGroup * columns, (rowGroup + 1) * columns]
  const limit = memoryBudgetBytes / INDEX_SHARE
  try {
    const found = [
      indexes ?? (await readCarried(file, footer, chunks, 'pageIndexes', signal, limit)),
      await readCarried(file, footer, chunks, 'bloomFilters', signal, limit),
    ]
    return found.filter((reader) => reader !== undefined)
  } catch (error) {
    throw nameSource(error, file.source.name)
  }
}

/** Decode a row group and hand its rows to the builder. */
async function copyRowGroup(
  member: RowGroupSource,
  schema: Schema,
  group: RowGroupBuilder,
  settings: Settings,
): Promise<void> {
  const { file, footer, rowGroup } = member
  // without its bytes, which it must not hold until the row group ends
  const carried = { footer, rowGroup, carried: [] }
  const rows = footer.rowsOfGroup[rowGroup]!
  const columns = schema.leaves.length
  let bytes = 0
  for (let chunk = rowGroup * columns; chunk < (rowGroup + 1) * columns; chunk++) bytes += footer.chunkBytes[chunk]!
  const { codecs, memoryBudgetBytes, scratch } = settings
  const reading = { codecs, maxPageBytes: memoryBudgetBytes / 2, scratch }
  const readers = schema.leaves.map((leaf, column) => openChunk(file, footer, rowGroup, column, leaf, reading))
  // a large row group is cut, so that the output's can end within it
  const slices = Math.max(1, Math.ceil(bytes / (settings.targetRowGroupBytes / 4)))
  const rowsPerSlice = Math.max(1, Math.ceil(rows / slices))
  try {
    for (let done = 0; done < rows; done += rowsPerSlice) {
      throwIfAborted(settings.signal)
      await group.append(Math.min(rowsPerSlice, rows - done), readers, [carried])
    }
    for (const reader of readers) if (reader.mayHaveMore) await reader.expectEnd()
  } catch (error) {
    throw error instanceof ParquetError && error.code === 'write_failed' ? error : nameSource(error, file.source.name)
  }
}

function columnSettings(
  settings: Settings,
  codecs: CodecName[],
  carriedColumns: CarriedColumn[],
  drops: DropTally,
  kernel: Kernel,
): ColumnSettings {
  return {
    ...settings,
    carriedColumns,
    drops,
    sortingOf: mergeSorting,
    columnCodecs: codecs,
    maxPageBytes: settings.memoryBudgetBytes / 2,
    kernel,
    remapped: new ByteBuffer(),
    limits: chunkLimits(settings.memoryBudgetBytes / 4),
  }
}

/** @param share bytes that the open page of a column may hold, and its dictionary again */
function chunkLimits(share: number): ChunkWriterLimits {
  const clamp = (least: number, most: number) => Math.floor(Math.min(most, Math.max(least, share)))
  return {
    pageBytes: clamp(8 * 1024, MIB),
    pageLevels: Math.floor(Math.min(64 * 1024, Math.max(1024, share / 6))),
    dictionaryBytes: clamp(16 * 1024, MIB),
    scratch: new ByteBuffer(),
    compressed: new ByteBuffer(),
  }
}

/** Collects rows into a row group of the output and writes it when it is large enough. */
class RowGroupBuilder {
  rows = 0
  readonly #output: FileWriter
  readonly #schema: Schema
  readonly #columns: ColumnSettings
  readonly #settings: Settings
  readonly #limits: ChunkWriterLimits
  /** made with the first rows */
  #writers: ChunkWriter[] = []
  /** row groups that the rows come from, without their bytes */
  readonly #members = new Set<CarriedRowGroup>()

  constructor(output: FileWriter, schema: Schema, columns: ColumnSettings, settings: Settings) {
    this.#output = output
    this.#schema = schema
    this.#columns = columns
    this.#settings = settings
    // a quarter of the budget for open pages, a quarter for dictionaries
    this.#limits = chunkLimits(settings.memoryBudgetBytes / 4 / Math.max(1, schema.leaves.length))
  }

  #newWriters(): ChunkWriter[] {
    const { columnCodecs, codecs, carriedColumns } = this.#columns
    return this.#schema.leaves.map(
      (leaf, column) => new ChunkWriter(leaf, columnCodecs[column]!, codecs, this.#limits, carriedColumns[column]!),
    )
  }

  /** @param members row groups of the inputs whose rows they are */
  async append(rows: number, readers: readonly RowReader[], members: readonly CarriedRowGroup[]): Promise<void> {
    if (this.rows === 0) this.#writers = this.#newWriters()
    for (const member of members) this.#members.add(member)
    for (let column = 0; column < readers.length; column++) {
      await readers[column]!.copyRows(rows, this.#writers[column]!)
      readers[column]!.release()
    }
    this.rows += rows
    let bytes = 0
    let held = 0
    for (const writer of this.#writers) {
      bytes += writer.estimatedBytes
      held += writer.heldBytes
    }
    const isFull = bytes >= this.#settings.targetRowGroupBytes || held >= this.#settings.memoryBudgetBytes * 0.75
    if (isFull) await this.flush()
  }

  async flush(): Promise<void> {
    if (this.rows === 0) return
    const { carriedColumns, drops, sortingOf } = this.#columns
    const members = [...this.#members]
    const chunks: FinishedChunk[] = []
    for (const [column, writer] of this.#writers.entries()) {
      const chunk = await writer.finish()
      chunks.push(carryChunk(chunk, column, members, false, carriedColumns[column]!, drops))
    }
    await this.#output.writeRowGroup(this.rows, chunks, sortingOf(members, this.#schema, drops))
    this.rows = 0
    this.#members.clear()
    this.#writers = []
  }
}
