import { ByteBuffer } from './byte-buffer.ts'
import { ChunkReader } from './chunk-reader.ts'
import { ChunkWriter, type ChunkWriterLimits } from './chunk-writer.ts'
import { CODEC_NAMES, CODEC_NUMBERS, canCompress } from './compression.ts'
import { FileReader, throwIfAborted } from './file-reader.ts'
import { FileWriter } from './file-writer.ts'
import type { Footer } from './footer.ts'
import { loadFooter, nameSource } from './inspect.ts'
import { KeyValueMerge } from './merge-key-values.ts'
import type { Codec, CodecName, MergeOptions, MergeProgress, MergeReport } from './merge-options.ts'
import { MergeTally } from './merge-tally.ts'
import { ParquetError } from './parquet-error.ts'
import { type PlannedRowGroup, planMerge } from './plan-merge.ts'
import { readAhead } from './read-ahead.ts'
import { type Schema, schemaFingerprint } from './schema.ts'
import type { Sink, Source } from './source.ts'
import { type ColumnSettings, chunkPlace, type RowGroupSource, writeRowGroup } from './write-row-group.ts'

const MIB = 1024 * 1024

interface Input {
  source: Source
  footer: Footer
  /** all of it, where it came with the footer */
  bytes: Uint8Array | undefined
}

interface Settings {
  targetRowGroupBytes: number
  codec: 'keep' | CodecName
  codecs: Partial<Record<CodecName, Codec>>
  maxReadsInFlight: number
  smallFileBytes: number
  minPageBytes: number
  pages: 'splice' | 'rewrite'
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
  const settings = checkOptions(options)
  const { inputs, keyValues, schema } = await readInputs(sources, settings)
  const rowsIn = inputs.reduce((sum, { footer }) => sum + footer.rowCount, 0)
  const codecs = chooseCodecs(inputs, schema, settings)
  const footers = inputs.map(({ footer }) => footer)
  const plan = planMerge(footers, schema, { ...settings, codecs })
  const tally = new MergeTally()
  const output = new FileWriter(sink, schema)
  await output.begin()
  const group = new RowGroupBuilder(output, schema, codecs, settings)
  const columns = columnSettings(settings, codecs)
  /** the row group of the plan that is being filled, how many members it has seen, and those it holds */
  let planned = 0
  let seen = 0
  let members: RowGroupSource[] = []
  let progress: MergeProgress = { rowsDone: 0, rowsTotal: rowsIn, filesDone: 0, filesTotal: inputs.length, bytesOut: 0 }
  const waiting: MergeProgress[] = []
  const report = () => {
    for (const step of waiting.splice(0)) options.onProgress?.({ ...step, bytesOut: output.offset })
  }
  const withRows = inputs.filter(({ footer }) => footer.rowCount > 0)
  let filesDone = inputs.length - withRows.length
  // half a quarter of the budget for files that wait
  const ahead = Math.max(
    1,
    Math.min(settings.maxReadsInFlight, Math.floor(settings.memoryBudgetBytes / 4 / settings.smallFileBytes)),
  )
  for await (const { file, footer } of readAhead(withRows, ahead, (input) => openInput(input, settings))) {
    for (let index = 0; index < footer.rowGroupCount; index++) {
      const rows = footer.rowsOfGroup[index]!
      if (index === footer.rowGroupCount - 1) filesDone++
      progress = { ...progress, rowsDone: progress.rowsDone + rows, filesDone }
      waiting.push(progress)
      const next = plan[planned]
      if (rows > 0 && next) {
        const member = await openRowGroup(file, footer, schema, index, next, settings)
        seen++
        if (next.isStreamed) await copyRowGroup(member, schema, group, settings)
        else members.push(member)
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
      if (members.length === 0) report()
    }
  }
  await group.flush()
  if (output.rowCount !== rowsIn) {
    throw new ParquetError('row_count_mismatch', `the footers name ${rowsIn} rows, ${output.rowCount} were written`)
  }
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
    keyValueMetadata: { written: keyValues.pairs.length, conflictingKeys: keyValues.conflictingKeys },
  }
}

function checkOptions(options: MergeOptions): Settings {
  const number = (name: keyof MergeOptions, fallback: number, least: number): number => {
    const value = options[name] ?? fallback
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < least) {
      throw new ParquetError('bad_option', `${name} must be an integer of at least ${least}`)
    }
    return value
  }
  const { codec = 'keep', codecs = {}, pages = 'splice' } = options
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
    smallFileBytes: number('smallFileBytes', MIB, 1),
    minPageBytes: number('minPageBytes', 4 * 1024, 0),
    pages,
    memoryBudgetBytes: number('memoryBudgetBytes', 48 * MIB, MIB),
    schemaFingerprint: options.schemaFingerprint,
    signal: options.signal,
    scratch: new ByteBuffer(),
  }
}

async function readInputs(
  sources: readonly Source[],
  settings: Settings,
): Promise<{ inputs: Input[]; keyValues: KeyValueMerge; schema: Schema }> {
  const inputs: Input[] = []
  const keyValues = new KeyValueMerge()
  let schema: Schema | undefined
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
    if (footer.schema.canonical !== schema.canonical) {
      throw new ParquetError('schema_mismatch', `${source.name}: ${firstDifference(schema, footer.schema)}`)
    }
    for (let i = 0; i < footer.chunkCodec.length; i++) {
      if (!CODEC_NAMES[footer.chunkCodec[i]!]) {
        const { name } = schema.leaves[i % schema.leaves.length]!
        throw new ParquetError('unsupported_column', `${source.name}: column ${name} has codec ${footer.chunkCodec[i]}`)
      }
    }
    keyValues.add(footer.keyValues)
    const keeps = tail.byteLength === source.byteLength && heldBytes + tail.byteLength <= settings.memoryBudgetBytes / 8
    if (keeps) heldBytes += tail.byteLength
    // of thousands of equal schemas one is enough
    inputs.push({ source, footer: { ...footer, schema, keyValues: [] }, bytes: keeps ? tail : undefined })
  }
  if (!schema) throw new ParquetError('bad_option', 'there is nothing to merge')
  return { inputs, keyValues, schema }
}

function firstDifference(a: Schema, b: Schema): string {
  const left = a.canonical.split('\n')
  const right = b.canonical.split('\n')
  const at = left.findIndex((line, i) => line !== right[i])
  if (at === 0 || at < 0) return `${b.leaves.length} columns where the first source has ${a.leaves.length}`
  return `${right[at] ?? 'nothing'} where the first source has ${left[at]}`
}

function chooseCodecs(inputs: Input[], schema: Schema, settings: Settings): CodecName[] {
  const { codec } = settings
  const first = inputs.find(({ footer }) => footer.rowCount > 0)?.footer
  return schema.leaves.map((_, column) => {
    if (codec !== 'keep') return codec
    const group = first ? first.rowsOfGroup.findIndex((rows) => rows > 0) : -1
    const name = first && group >= 0 ? CODEC_NAMES[first.chunkCodec[group * schema.leaves.length + column]!] : undefined
    return name && canCompress(name, settings.codecs) ? name : 'snappy'
  })
}

async function openInput(input: Input, settings: Settings): Promise<{ file: FileReader; footer: Footer }> {
  const { source, footer } = input
  const file = new FileReader(source, settings.signal)
  try {
    if (input.bytes) file.hold(0, input.bytes)
    else if (source.byteLength <= settings.smallFileBytes) await file.prime(0, source.byteLength)
  } catch (error) {
    throw nameSource(error, source.name)
  }
  input.bytes = undefined
  return { file, footer }
}

/** Make a row group ready: in memory if it is to be joined with others, or if one read brings it. */
async function openRowGroup(
  file: FileReader,
  footer: Footer,
  schema: Schema,
  rowGroup: number,
  planned: PlannedRowGroup,
  settings: Settings,
): Promise<RowGroupSource> {
  const columns = schema.leaves.length
  const firstChunk = rowGroup * columns
  let bytes = 0
  let start = Number.POSITIVE_INFINITY
  let end = 0
  for (let chunk = firstChunk; chunk < firstChunk + columns; chunk++) {
    bytes += footer.chunkBytes[chunk]!
    start = Math.min(start, footer.chunkOffset[chunk]!)
    end = Math.max(end, footer.chunkOffset[chunk]! + footer.chunkBytes[chunk]!)
  }
  if (columns === 0 || file.has(start, end - start)) return { file, footer, rowGroup }
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
  return { file: own, footer, rowGroup }
}

/** Decode a row group and hand its rows to the builder. */
async function copyRowGroup(
  { file, footer, rowGroup }: RowGroupSource,
  schema: Schema,
  group: RowGroupBuilder,
  settings: Settings,
): Promise<void> {
  const rows = footer.rowsOfGroup[rowGroup]!
  const columns = schema.leaves.length
  let bytes = 0
  for (let chunk = rowGroup * columns; chunk < (rowGroup + 1) * columns; chunk++) bytes += footer.chunkBytes[chunk]!
  const { codecs, memoryBudgetBytes, scratch } = settings
  const readers = schema.leaves.map(
    (leaf, column) =>
      new ChunkReader(
        file,
        leaf,
        chunkPlace(footer, rowGroup * columns + column),
        codecs,
        memoryBudgetBytes / 2,
        scratch,
      ),
  )
  // a large row group is cut, so that the output's can end within it
  const slices = Math.max(1, Math.ceil(bytes / (settings.targetRowGroupBytes / 4)))
  const rowsPerSlice = Math.max(1, Math.ceil(rows / slices))
  try {
    for (let done = 0; done < rows; done += rowsPerSlice) {
      throwIfAborted(settings.signal)
      await group.append(Math.min(rowsPerSlice, rows - done), readers)
    }
    for (const reader of readers) if (reader.mayHaveMore) await reader.expectEnd()
  } catch (error) {
    throw error instanceof ParquetError && error.code === 'write_failed' ? error : nameSource(error, file.source.name)
  }
}

function columnSettings(settings: Settings, codecs: CodecName[]): ColumnSettings {
  return {
    ...settings,
    columnCodecs: codecs,
    maxPageBytes: settings.memoryBudgetBytes / 2,
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
  readonly #codecs: CodecName[]
  readonly #settings: Settings
  readonly #limits: ChunkWriterLimits
  #writers: ChunkWriter[]

  constructor(output: FileWriter, schema: Schema, codecs: CodecName[], settings: Settings) {
    this.#output = output
    this.#schema = schema
    this.#codecs = codecs
    this.#settings = settings
    // a quarter of the budget for open pages, a quarter for dictionaries
    this.#limits = chunkLimits(settings.memoryBudgetBytes / 4 / Math.max(1, schema.leaves.length))
    this.#writers = this.#newWriters()
  }

  #newWriters(): ChunkWriter[] {
    return this.#schema.leaves.map(
      (leaf, column) => new ChunkWriter(leaf, this.#codecs[column]!, this.#settings.codecs, this.#limits),
    )
  }

  async append(rows: number, readers: ChunkReader[]): Promise<void> {
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
    const chunks = []
    for (const writer of this.#writers) chunks.push(await writer.finish())
    await this.#output.writeRowGroup(this.rows, chunks)
    this.rows = 0
    this.#writers = this.#newWriters()
  }
}
