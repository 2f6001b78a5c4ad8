import { isDeepStrictEqual } from 'node:util'
import { brotliCompressSync, constants } from 'node:zlib'
import { NODE_CODECS } from '../src/command/node-codecs.ts'
import { PAGE } from '../src/format/format.ts'
import { bitWidth, decodeHybridRuns } from '../src/format/hybrid-runs.ts'
import { type PageHeader, readPageHeader } from '../src/format/page-header.ts'
import {
  type MergeOptions,
  type MergeReport,
  memorySink,
  memorySource,
  mergeParquet,
  ParquetError,
} from '../src/index.ts'
import { loadFooter } from '../src/read/inspect.ts'
import { editFooter } from '../test/support/edit-file.ts'
import { fieldsOf, i32, list, type ThriftStruct, valuesOf } from '../test/support/thrift-tree.ts'
import { checkStatistics } from './check-statistics.ts'
import { pick, type Random } from './random.ts'
import { readWithArrow, readWithDuckdb, readWithHyparquet } from './read-rows.ts'

/**
 * `equal`      merged, and the rows are those an independent reader finds in the inputs
 * `refused`    a ParquetError that names the file
 * `unreadable` merged, but no independent reader takes the input, nor the output: a page passed as it was
 */
export type Outcome = 'equal' | 'refused' | 'unreadable'

/** Small, so that what a file claims cannot take much. */
const MEMORY_BUDGET_BYTES = 2 ** 20

/** Compressing as a frame of one block as it is (RFC 8878): to set up zstd for each small page would take longest of all. */
function storeAsZstd(bytes: Uint8Array): Uint8Array {
  const frame = new Uint8Array(12 + bytes.length)
  const view = new DataView(frame.buffer)
  view.setUint32(0, 0xfd2fb528, true)
  // one segment, its size in four bytes
  view.setUint8(4, 0xa0)
  view.setUint32(5, bytes.length, true)
  view.setUint16(9, ((bytes.length & 0x1fff) << 3) | 1, true)
  view.setUint8(11, bytes.length >> 13)
  frame.set(bytes, 12)
  return frame
}

const QUICK_BROTLI = { params: { [constants.BROTLI_PARAM_QUALITY]: 0, [constants.BROTLI_PARAM_LGWIN]: 10 } }

/** with the decoders of the library */
const OWN_DECODERS: NonNullable<MergeOptions['codecs']> = {
  zstd: { compress: storeAsZstd },
  brotli: { compress: (bytes) => brotliCompressSync(bytes, QUICK_BROTLI) },
}
/** with those of Node, which are strict and faster */
const NODE_DECODERS: NonNullable<MergeOptions['codecs']> = {
  gzip: { ...NODE_CODECS.gzip },
  zstd: { ...NODE_CODECS.zstd, ...OWN_DECODERS.zstd },
  brotli: { ...NODE_CODECS.brotli, ...OWN_DECODERS.brotli },
}

export interface FuzzCase {
  mutated: Uint8Array
  /** the file it was made from */
  sound: Uint8Array
}

/** @throws what must not be: an error of another kind, or rows that differ */
export async function checkFile({ mutated, sound }: FuzzCase, random: Random): Promise<Outcome> {
  const hasOwnDecoders = random(32) === 0
  const options: MergeOptions = {
    codecs: hasOwnDecoders ? OWN_DECODERS : NODE_DECODERS,
    memoryBudgetBytes: MEMORY_BUDGET_BYTES,
    pages: pick(['splice', 'splice', 'check', 'rewrite'], random),
    minPageBytes: pick([0, 0, 4096], random),
    // of one byte, each row becomes a row group, which takes ten times as long to write and to read
    targetRowGroupBytes: random(16) === 0 ? 1 : pick([150, 700, 2 ** 20], random),
    codec: pick(['keep', 'keep', 'snappy', 'none'], random),
  }
  const isJoined = random(2) === 0
  const sources = isJoined
    ? [memorySource('sound', sound), memorySource('fuzz', mutated), memorySource('sound', sound)]
    : [memorySource('fuzz', mutated)]
  const sink = memorySink()
  let report: MergeReport
  try {
    report = await mergeParquet(sources, sink, options)
  } catch (error) {
    if (!(error instanceof ParquetError)) throw error
    // a file that leads sets the schema, and the others are named where they differ
    if (!error.message.includes('fuzz')) throw new Error(`the error names another file: ${error.message}`)
    return 'refused'
  }
  const { rowsOut, columnChunks } = report
  if (columnChunks.reasons.kernel_trapped) throw new Error('the kernel trapped')
  const setting = JSON.stringify({ ...options, codecs: hasOwnDecoders, isJoined })
  const reading = { input: mutated, output: sink.bytes(), sound: isJoined ? sound : undefined, rowsOut }
  // hyparquet does not end, or takes all memory, on pages that tell of more values than they have; these arrow judges alone
  const hasPassed = columnChunks.copied + columnChunks.spliced + columnChunks.remapped > 0
  const isDecodable = hasPassed || hasOwnDecoders ? await canBeDecoded(mutated) : true
  const difference = isDecodable
    ? await compare(readWithHyparquet, reading)
    : 'not every page of the input can be decoded'
  if (difference === undefined) {
    // where pages pass unread, what a file tells of itself is believed, but only of itself
    const isRead = options.pages !== 'splice' || !hasPassed
    const rows = await readWithHyparquet(sink.bytes())
    const others = isJoined && (await isTruthful(sound)) ? (await readSound(readWithHyparquet, sound)).length : 0
    checkStatistics(sink.bytes(), rows, (row) => isRead || row < others || row >= rows.length - others, isRead)
    return 'equal'
  }
  // readers are lenient each in its own way: what one of them confirms is right
  const second = await compare(readWithArrow, reading)
  if (second === undefined) return 'equal'
  // metadata of its own, which only arrow reads
  if (second?.includes('ARROW:schema')) return 'unreadable'
  // what arrow refuses in input and output alike is a page that passed as it was; hyparquet makes something of many
  if (second === BOTH_REFUSED) return 'unreadable'
  // what was changed may not matter to the merge: then the rows are those of the sound file
  if (isDecodable && (await compare(readWithHyparquet, { ...reading, input: sound })) === undefined) return 'equal'
  // nulls that a page header miscounts keep all but the sound file from being read by others
  if (isDecodable && (await compare(readWithArrow, { ...reading, input: sound })) === undefined) return 'equal'
  // the brotli decoder of the library does not miss the last bits of a stream whose bytes are all there
  if (hasOwnDecoders && (await compare(readWithArrow, { ...reading, input: sound })) === undefined) return 'equal'
  // each reader takes these in its own way, and none as the format has them
  if (await hasBitPackedLevels(mutated)) return 'unreadable'
  // the same where a header counts fewer nulls than the levels have
  if (await hasMiscountedNulls(mutated)) return 'unreadable'
  // the zstd and brotli decoders of the library do not see every damage inside a stream, as its README says
  if (hasOwnDecoders && /Error strings stripped|Invalid Data/.test(second ?? '')) return 'unreadable'
  // an index page that passes as it was: what is beyond its own dictionary may be within the joined one
  if (report.rowGroupsIn > 1 && second?.includes('dictionary index out of bounds')) return 'unreadable'
  // no reader takes the input, and what is changed in it passed unread: the rows of the others must stand as they are
  if (!isDecodable && hasPassed && second?.startsWith(INPUT_REFUSED)) {
    if (isJoined && !(await isFramedBy(sink.bytes(), sound))) throw new Error(`rows of a sound file differ; ${setting}`)
    return 'unreadable'
  }
  // hyparquet reads arrays with a null among them in its own way; arrow refuses bytes that matter to no row
  const third = await compare(readWithDuckdb, reading)
  if (third === undefined) return 'equal'
  // a footer may say what no reader takes, and no row depends on
  const bare = {
    input: bareFile(mutated),
    output: bareFile(sink.bytes()),
    sound: isJoined ? bareFile(sound) : undefined,
    rowsOut,
  }
  const fourth = await compare(readWithArrow, bare)
  if (fourth === undefined) return 'equal'
  throw new Error(`hyparquet: ${difference}; arrow: ${second}; DuckDB: ${third}; arrow, bare: ${fourth}; ${setting}`)
}

async function canBeDecoded(file: Uint8Array): Promise<boolean> {
  const options = { pages: 'rewrite', codecs: NODE_DECODERS, memoryBudgetBytes: MEMORY_BUDGET_BYTES } as const
  try {
    await mergeParquet([memorySource('fuzz', file)], memorySink(), options)
    return true
  } catch (error) {
    if (error instanceof ParquetError) return false
    throw error
  }
}

/** A page of version 2 whose header counts other nulls than its levels have. */
async function hasMiscountedNulls(file: Uint8Array): Promise<boolean> {
  const { footer } = (await loadFooter(memorySource('fuzz', file))).footer
  for (let chunk = 0; chunk < footer.chunks; chunk++) {
    const { maxDefinition } = footer.schema.leaves[chunk % footer.schema.leaves.length]!
    let at = footer.chunkOffset[chunk]!
    for (const end = at + footer.chunkBytes[chunk]!; at < end; ) {
      const header = headerAt(file, at)
      if (!header) break
      const body = file.subarray(at + header.headerBytes)
      at += header.headerBytes + header.compressedBytes
      if (header.kind !== PAGE.DATA_V2 || maxDefinition === 0) continue
      const levels = new Uint8Array(header.values)
      const from = header.repetitionBytes
      decodeHybridRuns(body, from, from + header.definitionBytes, bitWidth(maxDefinition), levels)
      if (levels.filter((level) => level !== maxDefinition).length !== header.nulls) return true
    }
  }
  return false
}

/** The encoding of levels that was given up in 2013. */
async function hasBitPackedLevels(file: Uint8Array): Promise<boolean> {
  const { footer } = (await loadFooter(memorySource('fuzz', file))).footer
  for (let chunk = 0; chunk < footer.chunks; chunk++) {
    let at = footer.chunkOffset[chunk]!
    for (const end = at + footer.chunkBytes[chunk]!; at < end; ) {
      const header = headerAt(file, at)
      // behind the last value there may be anything
      if (!header) break
      if (header.definitionEncoding === 4 || header.repetitionEncoding === 4) return true
      at += header.headerBytes + header.compressedBytes
    }
  }
  return false
}

function headerAt(file: Uint8Array, at: number): PageHeader | undefined {
  try {
    return readPageHeader(file, at)
  } catch (error) {
    if (error instanceof ParquetError) return undefined
    throw error
  }
}

const BOTH_REFUSED = 'neither input nor output can be read'
const INPUT_REFUSED = 'the input cannot be read'

/** Whether arrow finds the rows of the sound file at both ends of the output. */
async function isFramedBy(output: Uint8Array, sound: Uint8Array): Promise<boolean> {
  const [rows, around] = [await readWithArrow(output), await readSound(readWithArrow, sound)]
  return (
    rows.length >= 2 * around.length &&
    isDeepStrictEqual(rows.slice(0, around.length), around) &&
    isDeepStrictEqual(rows.slice(rows.length - around.length), around)
  )
}

interface Reading {
  input: Uint8Array
  output: Uint8Array
  /** stands before and behind the input, if given */
  sound: Uint8Array | undefined
  rowsOut: number
}

type ReadRows = (file: Uint8Array) => Promise<unknown[]>

/** @returns how the rows differ, undefined if they do not */
async function compare(read: ReadRows, { input, output, sound, rowsOut }: Reading): Promise<string | undefined> {
  const own = await read(input).catch((error: unknown) => error as Error)
  const merged = await read(output).catch((error: unknown) => error as Error)
  if (own instanceof Error) {
    return merged instanceof Error ? BOTH_REFUSED : `${INPUT_REFUSED} (${own.message}), the output can`
  }
  if (merged instanceof Error) return `the input can be read, the output cannot (${merged.message})`
  const around = sound ? await readSound(read, sound).catch((error: unknown) => error as Error) : []
  if (around instanceof Error) return `the sound file cannot be read (${around.message})`
  const expected = [...around, ...own, ...around]
  const at = expected.findIndex((row, i) => !isDeepStrictEqual(row, merged[i]))
  if (at >= 0) return `row ${at} is ${show(merged[at])}, not ${show(expected[at])}`
  if (merged.length === expected.length && rowsOut === merged.length) return undefined
  return `${merged.length} rows in the output, ${rowsOut} reported, ${expected.length} in the inputs`
}

const truthful = new WeakMap<Uint8Array, boolean>()

/** whether the footer of a sound file tells the truth: one of the seeds has wrong bounds */
async function isTruthful(sound: Uint8Array): Promise<boolean> {
  const known = truthful.get(sound)
  if (known !== undefined) return known
  let holds = true
  try {
    checkStatistics(sound, (await readSound(readWithHyparquet, sound)) as unknown[][], () => true, false)
  } catch {
    holds = false
  }
  truthful.set(sound, holds)
  return holds
}

/** The file with only those fields in its footer by which its rows are found: neither statistics nor logical types. */
function bareFile(file: Uint8Array): Uint8Array {
  return editFooter(file, (footer) => {
    keepFields(footer, [1, 2, 3, 4])
    for (const element of valuesOf(footer.get(2)).map(fieldsOf)) keepFields(element, [1, 2, 3, 4, 5])
    for (const group of valuesOf(footer.get(4)).map(fieldsOf)) {
      keepFields(group, [1, 2, 3])
      for (const chunk of valuesOf(group.get(1)).map(fieldsOf)) {
        keepFields(chunk, [2, 3])
        const metadata = fieldsOf(chunk.get(3))
        keepFields(metadata, [1, 3, 4, 5, 6, 7, 9, 11])
        metadata.set(2, list([i32(0)]))
      }
    }
  })
}

function keepFields(struct: ThriftStruct, ids: readonly number[]): void {
  for (const id of [...struct.keys()]) if (!ids.includes(id)) struct.delete(id)
}

/** rows of sound files, by the reader: there are few of these files, and each is read thousands of times */
const soundRows = new Map<ReadRows, WeakMap<Uint8Array, unknown[]>>()

async function readSound(read: ReadRows, sound: Uint8Array): Promise<unknown[]> {
  const known = soundRows.get(read) ?? new WeakMap()
  soundRows.set(read, known)
  const rows = known.get(sound) ?? (await read(sound))
  known.set(sound, rows)
  return rows
}

function show(row: unknown): string {
  const text = typeof row === 'string' ? row : JSON.stringify(row, (_, v) => (typeof v === 'bigint' ? `${v}n` : v))
  return `${text}`.slice(0, 200)
}
