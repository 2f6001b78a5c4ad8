import type { CodecName } from '../codecs/codec.ts'
import { CODEC_NAMES, canCompress } from '../codecs/compression.ts'
import { adaptFooter, adaptSchema } from '../footer/adapt-footer.ts'
import { addWork, checkWork, NO_WORK } from '../footer/declared-work.ts'
import type { FileFooter, Footer, RowGroupRange } from '../footer/footer.ts'
import { type FooterTable, FooterTables } from '../footer/footer-table.ts'
import { ParquetError } from '../parquet-error.ts'
import { throwIfAborted } from '../read/file-reader.ts'
import type { InputFile } from '../read/input-file.ts'
import { loadFooter, loadTail, parseFooter } from '../read/inspect.ts'
import { readAhead } from '../read/read-ahead.ts'
import type { Source } from '../read/source.ts'
import { describeDifference } from '../schema/describe-difference.ts'
import { type Schema, schemaFingerprint } from '../schema/schema.ts'
import { type NamedSchema, type SchemaChange, uniteSchemas } from '../schema/unite-schemas.ts'
import type { SelectionOptions } from '../sort/select-rows.ts'
import { KeyValueMerge, MAX_KEY_VALUE_BYTES } from './merge-key-values.ts'
import { BYTES_OF_COLUMN, type Settings } from './settings.ts'

export interface ReadInputs {
  inputs: InputFile[]
  keyValues: KeyValueMerge
  schema: Schema
  schemaChanges: SchemaChange[]
  /** @param whole the bytes of the file, where they are in memory */
  rangeOf(input: InputFile, whole?: Uint8Array): RowGroupRange | Promise<RowGroupRange>
}

/** Where the head did not come with the tail it is taken for right: it says nothing of the rows, and would cost a read a file. */
export const UNREAD_HEAD = new TextEncoder().encode('PAR1')

/**
 * Read and check all footers, before anything is written.
 * @param footerBytes what may be kept of them
 */
export async function readInputs(
  sources: readonly Source[],
  settings: Settings,
  footerBytes: number,
): Promise<ReadInputs> {
  const inputs: InputFile[] = []
  const keyValues = new KeyValueMerge(Math.min(MAX_KEY_VALUE_BYTES, settings.shares.keyValues))
  let work = NO_WORK
  let schemaBytes = 0
  let schema: Schema | undefined
  const schemas = new Map<string, NamedSchema>()
  const kept = new FooterTables()
  const keptTables = new Set<FooterTable>()
  let heldBytes = 0
  const { limits, shares } = settings
  const parse = async (source: Source, end: Uint8Array, ownBytes: number) => {
    const tables = kept.byteLength < footerBytes ? kept : undefined
    const { footer, tail } = await parseFooter(source, end, ownBytes, { schema, limits }, tables)
    return { file: footer, tail, isKept: tables !== undefined }
  }
  const load = async (source: Source) => {
    throwIfAborted(settings.signal)
    const { tail, footerBytes: ownBytes } = await loadTail(source, { head: UNREAD_HEAD, limits })
    const isShort = ownBytes <= Math.max(tail.byteLength, shares.footerAhead)
    return { source, tail, ownBytes, parsed: isShort ? await parse(source, tail, ownBytes) : undefined }
  }
  for await (const { source, tail: end, ownBytes, parsed } of readAhead(sources, settings.maxReadsInFlight, load)) {
    const { file, tail, isKept } = parsed ?? (await parse(source, end, ownBytes))
    const { footer, from, to } = file
    if (!schema) {
      const { schemaFingerprint: expected } = settings
      if (expected !== undefined && (await schemaFingerprint(footer.schema)) !== expected) {
        throw new ParquetError('schema_mismatch', `${source.name}: not the schema with the fingerprint ${expected}`, {
          source: source.name,
        })
      }
      schema = footer.schema
    }
    if (settings.schema === 'strict' && footer.schema.canonical !== schema.canonical) {
      throw new ParquetError('schema_mismatch', `${source.name}: ${describeDifference(schema, footer.schema)}`, {
        source: source.name,
      })
    }
    checkCodecs(file, source)
    keyValues.add(file.keyValues, { rows: file.rowCount, schema: footer.schema })
    work = addWork(work, file.work)
    checkWork(work, limits.maxWorkBytes)
    settings.codecs.work?.declare(source.name, file.work)
    const keeps = tail.byteLength === source.byteLength && heldBytes + tail.byteLength <= settings.shares.heldFiles
    if (keeps) heldBytes += tail.byteLength
    if (!schemas.has(footer.schema.canonical)) {
      schemaBytes += heldSchemaBytes(footer.schema)
      if (schemas.size > 0 && schemaBytes > shares.schemas) {
        const detail = `${schemas.size + 1} schemas take more than ${Math.floor(shares.schemas)} bytes`
        throw new ParquetError('memory_budget', `${detail}: raise memoryBudgetBytes or merge fewer files at a time`)
      }
      schemas.set(footer.schema.canonical, { schema: footer.schema, source: source.name })
    }
    if (isKept) keptTables.add(footer)
    inputs.push({
      source,
      rows: file.rowCount,
      rowGroups: to - from,
      footerRoom: ownBytes * 3,
      range: isKept ? { footer, from, to } : undefined,
      bytes: keeps ? tail : undefined,
    })
  }
  if (!schema) throw new ParquetError('bad_option', 'there is nothing to merge')
  if (schemas.size === 1) {
    const tables = new FooterTables()
    const rangeOf: ReadInputs['rangeOf'] = (input, whole) => input.range ?? readAgain(input, whole, schema, tables)
    return { inputs, keyValues, schema, schemaChanges: [], rangeOf }
  }
  const united = uniteSchemas([...schemas.values()])
  const adaptations = new Map([...schemas].map(([text, own]) => [text, adaptSchema(own.schema, united.schema)]))
  const adapt = (table: FooterTable) => adaptFooter(table, adaptations.get(table.schema.canonical)!)
  const adapted = new Map<Footer, Footer>([...keptTables].map((table) => [table, adapt(table)]))
  for (const { range } of inputs) if (range) range.footer = adapted.get(range.footer)!
  const rangeOf: ReadInputs['rangeOf'] = async (input, whole) => {
    if (input.range) return input.range
    const file = await readAgain(input, whole, schema)
    return { ...file, footer: adapt(file.footer) }
  }
  const { schema: output, changes: schemaChanges } = united
  return { inputs, keyValues, schema: output, schemaChanges, rangeOf }
}

/** @param tables where the footer goes; without, into a table of its own */
async function readAgain(
  { source, rows, rowGroups }: InputFile,
  whole: Uint8Array | undefined,
  known: Schema | undefined,
  tables?: FooterTables,
): Promise<FileFooter> {
  const { footer: file } = await loadFooter(source, { tail: whole, head: UNREAD_HEAD, schema: known }, tables)
  if (file.rowCount !== rows || file.to - file.from !== rowGroups) {
    throw new ParquetError('read_failed', `${source.name}: it is not what it was when the merge began`, {
      source: source.name,
    })
  }
  return file
}

/** Bytes for parsed footers: sorting and removing duplicates look at all inputs at one time. */
export function footerBytesFor({ sortBy, dedupeBy }: SelectionOptions, { shares }: Settings): number {
  return sortBy || dedupeBy ? shares.allFooters : shares.footers
}

/** The ranges of row groups of all inputs, in order. */
export function rangesOf({ inputs, rangeOf }: ReadInputs, { maxReadsInFlight, shares }: Settings) {
  const room = { bytes: shares.filesAhead, of: footerRoomOf }
  return readAhead(inputs, maxReadsInFlight, async (input) => rangeOf(input, input.bytes), room)
}

/** @returns what is held to read the footer of an input again */
export function footerRoomOf({ range, footerRoom }: InputFile): number {
  return range ? 0 : footerRoom
}

/** @returns about what a schema takes in memory */
function heldSchemaBytes({ leaves, canonical, elementBytes }: Schema): number {
  return leaves.length * BYTES_OF_COLUMN + canonical.length * 2 + elementBytes.length
}

function checkCodecs({ footer, from, to }: RowGroupRange, source: Source): void {
  const { leaves } = footer.schema
  for (let chunk = from * leaves.length; chunk < to * leaves.length; chunk++) {
    const codec = footer.chunkCodec[chunk]!
    if (CODEC_NAMES[codec]) continue
    const { name } = leaves[chunk % leaves.length]!
    throw new ParquetError('unsupported_column', `${source.name}: column ${name} has codec ${codec}`, {
      source: source.name,
      column: name,
    })
  }
}

/** @returns the codec of each column of the output */
export async function chooseCodecs(
  { inputs, schema, rangeOf }: ReadInputs,
  { codec, codecs }: Settings,
): Promise<CodecName[]> {
  if (codec !== 'keep') return schema.leaves.map(() => codec)
  const first = inputs.find(({ rows }) => rows > 0)
  if (!first) return schema.leaves.map(() => 'snappy')
  const { footer, from } = await rangeOf(first)
  const group = footer.rowsOfGroup.findIndex((rows, at) => at >= from && rows > 0)
  return schema.leaves.map((_, column) => {
    const name = CODEC_NAMES[footer.chunkCodec[group * schema.leaves.length + column]!]
    return name && canCompress(name, codecs) ? name : 'snappy'
  })
}
