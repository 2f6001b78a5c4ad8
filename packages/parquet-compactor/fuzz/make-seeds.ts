import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, constants } from 'node:zlib'
import { DuckDBInstance } from '@duckdb/node-api'
import { tableFromIPC, tableToIPC } from 'apache-arrow'
import { parquetWriteBuffer } from 'hyparquet-writer'
import pl from 'nodejs-polars'
import {
  Compression,
  readParquet,
  Table,
  WriterPropertiesBuilder,
  WriterVersion,
  writeParquet,
} from 'parquet-wasm/node'
import { editPages, editStatistics, withChecksums } from '../test/support/edit-file.ts'
import { binary, fieldsOf, i32, i64, numberOf } from '../test/support/thrift-tree.ts'
import { inVersionTwo } from '../test/support/version-two.ts'

const ROWS = 24
/** Every kind of layout in few bytes: plain, dictionary, nulls, a list, a struct, booleans. */
const SELECT = `select i, 's' || i % 5 as s, case when i % 4 = 1 then null else [i::int, null] end as l,
  {'a': i::float, 'b': 'b' || i % 3} as st, i % 3 = 0 as b from range(${ROWS}) t(i)`

/** Write small files of several writers and codecs. @returns their names, sorted */
export async function makeSeeds(folder: string): Promise<string[]> {
  mkdirSync(folder, { recursive: true })
  const names: string[] = []
  const put = (name: string, bytes: Uint8Array) => {
    writeFileSync(join(folder, name), bytes)
    names.push(name)
  }
  const connection = await (await DuckDBInstance.create()).connect()
  for (const codec of ['uncompressed', 'snappy', 'zstd', 'gzip', 'brotli', 'lz4_raw']) {
    for (const version of ['v1', 'v2']) {
      const name = `duckdb-${codec}-${version}.parquet`
      const options = `format parquet, compression ${codec}, parquet_version ${version}`
      await connection.run(`copy (${SELECT}) to '${join(folder, name)}' (${options})`)
      names.push(name)
    }
  }
  connection.closeSync()

  const table = tableFromIPC(readParquet(readFileSync(join(folder, 'duckdb-snappy-v1.parquet'))).intoIPCStream())
  const rust = () => Table.fromIPCStream(tableToIPC(table, 'stream'))
  for (const codec of ['UNCOMPRESSED', 'SNAPPY', 'LZ4_RAW'] as const) {
    const properties = () => new WriterPropertiesBuilder().setCompression(Compression[codec])
    put(`arrow-${codec}-v1.parquet`, writeParquet(rust(), properties().setMaxRowGroupSize(13).build()))
    const versionTwo = properties().setWriterVersion(WriterVersion.V2).setDictionaryEnabled(false)
    put(`arrow-${codec}-v2.parquet`, writeParquet(rust(), versionTwo.build()))
  }

  const frame = pl.readParquet(readFileSync(join(folder, 'duckdb-snappy-v1.parquet'))).select('i', 's', 'b')
  for (const compression of ['uncompressed', 'snappy', 'zstd', 'gzip'] as const) {
    const path = join(folder, `polars-${compression}.parquet`)
    frame.writeParquet(path, { compression })
    names.push(`polars-${compression}.parquet`)
  }

  const compressors = {
    BROTLI: (bytes: Uint8Array) =>
      new Uint8Array(brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_LGWIN]: 10 } })),
  }
  const rows = Array.from({ length: ROWS }, (_, i) => i)
  for (const codec of ['UNCOMPRESSED', 'SNAPPY', 'BROTLI'] as const) {
    const bytes = parquetWriteBuffer({
      codec,
      compressors,
      rowGroupSize: 11,
      columnData: [
        { name: 'i', data: rows.map((i) => BigInt(i)), type: 'INT64', encoding: 'DELTA_BINARY_PACKED' },
        { name: 's', data: rows.map((i) => `s${i % 5}`), type: 'STRING' },
        { name: 'd', data: rows.map((i) => `long and ${i}`), type: 'STRING', encoding: 'DELTA_BYTE_ARRAY' },
        { name: 'f', data: rows.map((i) => (i % 3 ? i / 7 : null)), type: 'DOUBLE', encoding: 'BYTE_STREAM_SPLIT' },
        { name: 't', data: rows.map((i) => new Date(i * 1e9)), type: 'TIMESTAMP' },
      ],
    })
    put(`hyparquet-${codec}.parquet`, new Uint8Array(bytes))
  }
  await putOddSeeds(folder, put)
  return names.sort()
}

/** What real files have and the ones above do not: checksums, NaN, null arrays, wrong counts and wrong bounds. */
async function putOddSeeds(folder: string, put: (name: string, bytes: Uint8Array) => void): Promise<void> {
  const connection = await (await DuckDBInstance.create()).connect()
  const write = async (select: string, options: string): Promise<Uint8Array> => {
    const path = join(folder, 'odd.tmp')
    await connection.run(`copy (${select}) to '${path}' (format parquet, ${options})`)
    const bytes = new Uint8Array(readFileSync(path))
    rmSync(path)
    return bytes
  }
  for (const codec of ['uncompressed', 'snappy', 'zstd']) {
    put(`checksums-${codec}.parquet`, withChecksums(await write(SELECT, `compression ${codec}`)))
  }
  const nans = `select i, 's' || i % 5 as s, case i % 4 when 0 then 'nan' when 1 then '-0' else (i % 7)::varchar end::double as d,
    case when i % 3 > 0 then (i / 7)::float end as f from range(${ROWS}) t(i)`
  for (const codec of ['uncompressed', 'snappy']) put(`nan-${codec}.parquet`, await write(nans, `compression ${codec}`))
  const arrays = `select i, 's' || i % 5 as s, (case when i % 3 > 0 then [i, null] end)::int[2] as l from range(${ROWS}) t(i)`
  put('null-arrays.parquet', await write(arrays, 'compression uncompressed'))
  const sound = await write(SELECT, 'compression snappy')
  for (const codec of ['UNCOMPRESSED', 'SNAPPY'] as const) {
    const two = inVersionTwo(sound, codec)
    put(
      `num-nulls-${codec}.parquet`,
      editPages(two, (page) => {
        const details = page.header.get(8)
        // too few: more than that, and no reader at hand takes them
        if (details) fieldsOf(details).set(2, i32(numberOf(fieldsOf(details).get(2)) >> 1))
        return page
      }),
    )
  }
  const low = Uint8Array.of(100, 0, 0, 0, 0, 0, 0, 0)
  put(
    'wrong-bounds.parquet',
    editStatistics(sound, 'i', (statistics) => {
      statistics.set(3, i64(1)).set(5, binary(low)).set(6, binary(low))
    }),
  )
  connection.closeSync()
}
