import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'

/** Rows of the templates: files of about 5 to 40 KB, as most clients send. */
const TEMPLATE_ROWS = [100, 200, 300, 500, 800] as const
/** Stands in the column `upload` of a template; no other value of the file has these eight bytes. */
const PLACE = 0x5afe_c0de_1234_5678n

interface Template {
  rows: number
  bytes: Buffer
  /** where the id of the upload goes: in its pages, and in the statistics of the footer */
  places: number[]
}

/** Small Parquet files, each with rows that are in no other: (upload, row, payload = md5(row)). */
export class StampedFiles {
  readonly #templates: Template[]
  readonly #empty: Buffer

  private constructor(templates: Template[], empty: Buffer) {
    this.#templates = templates
    this.#empty = empty
  }

  static async make(folder: string): Promise<StampedFiles> {
    mkdirSync(folder, { recursive: true })
    const instance = await DuckDBInstance.create()
    const connection = await instance.connect()
    const write = async (rows: number) => {
      const path = join(folder, `template-${rows}.parquet`)
      // uncompressed, and without a Bloom filter, which would still have the hash of the placeholder
      await connection.run(`copy (select ${PLACE}::bigint as upload, range as row, md5(range::varchar) as payload
        from range(${rows})) to '${path}' (format parquet, compression uncompressed, write_bloom_filter false)`)
      return readFileSync(path)
    }
    const templates: Template[] = []
    for (const rows of TEMPLATE_ROWS) {
      const bytes = await write(rows)
      templates.push({ rows, bytes, places: placesIn(bytes) })
    }
    const empty = await write(0)
    connection.closeSync()
    instance.closeSync()
    return new StampedFiles(templates, empty)
  }

  /** The same columns and no row. */
  empty(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#empty)
  }

  /** @param upload from 0 */
  file(upload: number): { rows: number; bytes: Uint8Array<ArrayBuffer> } {
    const { rows, bytes, places } = this.#templates[upload % this.#templates.length]!
    const copy = new Uint8Array(bytes)
    const view = new DataView(copy.buffer)
    for (const place of places) view.setBigInt64(place, BigInt(upload), true)
    return { rows, bytes: copy }
  }
}

function placesIn(bytes: Buffer): number[] {
  const pattern = Buffer.alloc(8)
  pattern.writeBigInt64LE(PLACE)
  const places: number[] = []
  for (let at = bytes.indexOf(pattern); at >= 0; at = bytes.indexOf(pattern, at + 8)) places.push(at)
  if (places.length === 0) throw new Error('the template does not have its placeholder')
  return places
}
