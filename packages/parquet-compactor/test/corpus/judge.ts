/** Merges files in one way and holds the output to what three readers find in the inputs, with filters pushed into statistics. */
import { parquetReadObjects, type SchemaElement } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { expect } from 'vitest'
import { NODE_CODECS } from '../../src/command/node-codecs.ts'
import { verifyMerge } from '../../src/command/verify-merge.ts'
import { verifySelection } from '../../src/command/verify-selection.ts'
import { type MergeOptions, memorySink, memorySource, mergeParquet } from '../../src/index.ts'
import { inputFiles, metadataOf, query, readWithArrow, store, writeWithDuckDB } from '../engines.ts'

/** Types whose values DuckDB takes as a literal of text, and orders as a sorted merge does. */
const SCALAR =
  /^(BOOLEAN|U?(TINY|SMALL|BIG)INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL\(.*\)|VARCHAR|JSON|BLOB|DATE|TIME|TIMESTAMP(_S|_MS|_NS)?( WITH TIME ZONE)?|UUID)$/

/** `hyparquet filters`: as its users call it, with values converted; some types it reads only as they are stored. */
type Reader = 'DuckDB' | 'arrow-rs' | 'hyparquet' | 'hyparquet filters'

export interface CorpusFiles {
  inputs: Uint8Array[]
  /** readers that read all inputs: what a reader cannot read in them it is not asked for in the output */
  readers: Set<Reader>
  /** tables of DuckDB: rows of the inputs as it reads them, with their number */
  table: string
  columns: { name: string; type: string }[]
  arrowRows: string[]
}

let tables = 0

export async function readCorpusFiles(inputs: Uint8Array[]): Promise<CorpusFiles> {
  const readers = new Set<Reader>()
  const table = `inputs_${tables++}`
  const list = listOf(inputs)
  const isRead = async (work: () => unknown) => {
    try {
      await work()
      return true
    } catch {
      return false
    }
  }
  let columns: CorpusFiles['columns'] = []
  const fillTable = async () => {
    await query(`create temp table ${table} as select *, row_number() over () as row_number from read_parquet(${list})`)
    const described = await query(`describe select * exclude (row_number) from ${table}`)
    columns = described.map(([name, type]) => ({ name: String(name), type: String(type) }))
  }
  let arrowRows: string[] = []
  const readAllWithArrow = () => {
    arrowRows = inputs.filter(hasRows).flatMap((input) => readWithArrow(input).rows)
  }
  const [first, ...rest] = inputFiles(inputs)
  if (await isRead(fillTable)) readers.add('DuckDB')
  if (await isRead(readAllWithArrow)) readers.add('arrow-rs')
  if (await isRead(() => Promise.all([first!, ...rest].map((input) => verifyMerge([input], input))))) {
    readers.add('hyparquet')
  }
  if (await isRead(() => Promise.all(inputs.map(readConverted)))) readers.add('hyparquet filters')
  return { inputs, readers, table, columns, arrowRows }
}

/** Some readers refuse files without rows, in which there is nothing to compare. */
const hasRows = (file: Uint8Array) => metadataOf(file).num_rows > 0

const listOf = (files: Uint8Array[]) => `[${files.map((file) => `'${store(file)}'`)}]`
const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`

export const WAYS = ['default', 'passing pages', 'check', 'rewrite', 'other codec', 'sort', 'dedupe', 'union'] as const
export type Way = (typeof WAYS)[number]

/** @param turn chooses the column to sort by and the like, so that in turn all have theirs */
export async function judge(files: CorpusFiles, way: Way, turn: number): Promise<void> {
  const scalars = files.columns.filter(({ type }) => SCALAR.test(type))
  const key = scalars[turn % Math.max(1, scalars.length)]?.name
  if (way === 'sort' || way === 'dedupe') {
    if (key === undefined || !files.readers.has('DuckDB')) return
  }
  switch (way) {
    case 'default':
      return judgeOrdered(files, {})
    case 'passing pages':
      return judgeOrdered(files, { minPageBytes: 0 })
    case 'check':
      return judgeOrdered(files, { pages: 'check', minPageBytes: turn % 2 ? 0 : 4096 })
    case 'rewrite':
      return judgeOrdered(files, { pages: 'rewrite', targetRowGroupRows: turn % 2 ? 131_072 : 100 })
    case 'other codec':
      return judgeOrdered(files, { codec: (['zstd', 'snappy', 'gzip', 'none'] as const)[turn % 4]! })
    case 'sort':
      return judgeSorted(files, key!, turn % 2 === 1)
    case 'dedupe':
      return judgeDeduplicated(files, key!, turn % 2 ? 'first' : 'last')
    case 'union':
      return judgeUnion(files, turn)
  }
}

async function merge(inputs: Uint8Array[], options: MergeOptions): Promise<Uint8Array> {
  const sink = memorySink()
  const sources = inputs.map((bytes, i) => memorySource(`input-${i}`, bytes))
  const report = await mergeParquet(sources, sink, { codecs: NODE_CODECS, ...options })
  expect(report.bytesOut).toBe(sink.bytes().byteLength)
  return sink.bytes()
}

async function judgeOrdered(files: CorpusFiles, options: MergeOptions): Promise<void> {
  const { inputs, readers, table, arrowRows } = files
  const output = await merge(inputs, options)
  expect(metadataOf(output).schema.slice(1)).toEqual(metadataOf(inputs[0]!).schema.slice(1))
  if (readers.has('DuckDB')) {
    await expectRows(output, `select * exclude (row_number) from ${table} order by row_number`)
    await expectFilters(output, table, files.columns)
  }
  if (readers.has('arrow-rs')) {
    const read = readWithArrow(output)
    expectSame(read.rows, arrowRows)
    expect(read.schema).toBe(readWithArrow(inputs.find(hasRows)!).schema)
  }
  if (readers.has('hyparquet')) {
    await verifyMerge(inputFiles(inputs), inputFiles([output])[0]!)
  }
  if (readers.has('hyparquet filters')) await expectHyparquetFilters(output)
}

async function judgeSorted(files: CorpusFiles, key: string, descending: boolean): Promise<void> {
  const { inputs, readers, table, columns, arrowRows } = files
  const sortBy = [{ column: key, descending, nullsFirst: descending }]
  const output = await merge(inputs, { sortBy })
  const order = `${quoted(key)} ${descending ? 'desc nulls first' : 'asc nulls last'}, row_number`
  await expectRows(output, `select * exclude (row_number) from ${table} order by ${order}`)
  await expectFilters(output, table, columns)
  if (readers.has('arrow-rs')) expectSame(readWithArrow(output).rows.sort(), [...arrowRows].sort())
  if (readers.has('hyparquet')) {
    await verifySelection(inputFiles(inputs), inputFiles([output])[0]!, { sortBy })
  }
  if (readers.has('hyparquet filters')) await expectHyparquetFilters(output)
}

async function judgeDeduplicated(files: CorpusFiles, key: string, keep: 'first' | 'last'): Promise<void> {
  const { inputs, readers, table, columns } = files
  const output = await merge(inputs, { dedupeBy: [key], keep })
  const order = keep === 'last' ? 'row_number desc' : 'row_number'
  const ranked = `select *, row_number() over (partition by ${quoted(key)} order by ${order}) as place from ${table}`
  const kept = `kept_${tables++}`
  await query(`create temp table ${kept} as select * exclude (place) from (${ranked}) where place = 1`)
  await expectRows(output, `select * exclude (row_number) from ${kept} order by row_number`)
  await expectFilters(output, kept, columns)
  await query(`drop table ${kept}`)
  const rows = Number(metadataOf(output).num_rows)
  if (readers.has('arrow-rs')) expect(readWithArrow(output).rows).toHaveLength(rows)
  if (readers.has('hyparquet')) {
    await verifySelection(inputFiles(inputs), inputFiles([output])[0]!, { dedupeBy: [key], keep })
  }
}

async function judgeUnion(files: CorpusFiles, turn: number): Promise<void> {
  const { inputs, readers, table, arrowRows } = files
  const other = await writeWithDuckDB('select i::smallint as extra from range(7) t(i)')
  const all = turn % 2 ? [other, ...inputs] : [...inputs, other]
  const output = await merge(all, { schema: 'union' })
  if (readers.has('DuckDB')) {
    const own = `select null::smallint as extra, * exclude (row_number) from (select * from ${table} order by row_number)`
    // a field that is repeated without a list around it cannot be null: it has no elements
    const lists = metadataOf(inputs[0]!).schema.flatMap(({ name, repetition_type }, at, schema) =>
      repetition_type === 'REPEATED' && isTopLevel(schema, at) ? [`[] as ${quoted(name)}`] : [],
    )
    const more = `select ${['*', ...lists]} from '${store(other)}'`
    const [first, second] = turn % 2 ? [more, own] : [own, more]
    const names = (await query(`describe select * from '${store(output)}'`)).map(([name]) => quoted(String(name)))
    await expectRows(output, `select ${names} from (${first} union all by name ${second})`)
  }
  if (readers.has('arrow-rs')) expect(readWithArrow(output).rows).toHaveLength(arrowRows.length + 7)
  if (readers.has('hyparquet')) await verifyMerge(inputFiles(all), inputFiles([output])[0]!, { isUnion: true })
}

function isTopLevel(schema: SchemaElement[], at: number): boolean {
  let next = 1
  while (next < at) next += sizeOf(schema, next)
  return next === at
}

/** @returns how many elements a node and those below it are */
function sizeOf(schema: SchemaElement[], at: number): number {
  let size = 1
  for (let child = 0; child < (schema[at]?.num_children ?? 0); child++) size += sizeOf(schema, at + size)
  return size
}

async function expectRows(output: Uint8Array, expected: string): Promise<void> {
  const rows = async (sql: string) => (await query(sql)).map((row) => JSON.stringify(row))
  expectSame(await rows(`select * from '${store(output)}'`), await rows(expected))
}

/** Shows the first row that differs, not all of them. */
function expectSame(actual: readonly string[], expected: readonly string[]): void {
  const at = expected.findIndex((row, i) => row !== actual[i])
  if (at >= 0) expect(actual[at], `row ${at}`).toBe(expected[at])
  expect(actual.length).toBe(expected.length)
}

/**
 * DuckDB skips row groups by bounds, counts of nulls and bloom filters: with a constant, a filter has to find in the output as many
 * rows as it finds in the table.
 */
async function expectFilters(output: Uint8Array, table: string, columns: CorpusFiles['columns']): Promise<void> {
  const path = store(output)
  const scalars = columns.filter(({ type }) => SCALAR.test(type))
  if (scalars.length === 0) return
  const values = scalars.map(({ name }) => {
    const column = quoted(name)
    return `[min(${column})::varchar, max(${column})::varchar, any_value(${column})::varchar, arbitrary(${column} order by row_number desc)::varchar]`
  })
  const [found] = (await query(`select ${values} from ${table}`)) as (string | null)[][][]
  const filters: { where: string; name: string }[] = []
  for (const [at, { name, type }] of scalars.entries()) {
    const isFloat = type === 'FLOAT' || type === 'DOUBLE'
    const constants = new Set(
      [...found![at]!, ...(isFloat ? ['nan', '0', '-0.0'] : [])].filter((value) => value !== null),
    )
    for (const value of constants) {
      const literal = `'${value.replaceAll("'", "''")}'::${type}`
      // a range ends at the greatest value, where bounds that leave out a NaN would end too early
      const ranges = value === found![at]![1] ? ['<', '>='] : []
      // DuckDB 1.5 misses rows of its own files where a BLOB with a zero byte is looked for in a bloom filter
      const operators = type === 'BLOB' ? ranges : ['=', ...ranges]
      for (const operator of operators) filters.push({ where: `${quoted(name)} ${operator} ${literal}`, name })
    }
    filters.push({ where: `${quoted(name)} is null`, name }, { where: `${quoted(name)} is not null`, name })
  }
  expect(filters.length).toBeGreaterThan(scalars.length)
  const counts = async (from: string) =>
    (await query(filters.map(({ where }) => `select count(*) from ${from} where ${where}`).join(' union all '))).flat()
  const [actual, expected] = [await counts(`'${path}'`), await counts(table)]
  const wrong = filters.filter((_, at) => actual[at] !== expected[at]).map(({ where }) => where)
  expect(wrong).toEqual([])
}

/** hyparquet skips row groups and pages by their bounds, too. */
async function expectHyparquetFilters(output: Uint8Array): Promise<void> {
  const file = convertedBy(output)
  const rows = await readConverted(output)
  const names = Object.keys(rows[0] ?? {})
  for (const name of names) {
    const value = rows.at(-1)![name]
    if (!['string', 'number', 'bigint', 'boolean'].includes(typeof value) || Number.isNaN(value)) continue
    const filter = { [name]: { $eq: value } } as never
    const found = await parquetReadObjects({ ...file, filter, columns: [name] })
    expect(found.length, name).toBe(rows.filter((row) => row[name] === value).length)
  }
}

const convertedBy = (bytes: Uint8Array) => ({ file: new Uint8Array(bytes).buffer, compressors: readSmall })
const readConverted = (bytes: Uint8Array) => parquetReadObjects(convertedBy(bytes))

/** A page without values may be a frame that the decoders refuse. */
const readSmall = Object.fromEntries(
  Object.entries(compressors).map(([codec, decompress]) => [
    codec,
    (bytes: Uint8Array, length: number) => (length === 0 ? new Uint8Array() : decompress!(bytes, length)),
  ]),
)
