import { FusouError, type MergeInput } from '@fusou/catalog'
import type { Source } from '@fusou/parquet-compactor'

type StoredInput = Pick<MergeInput, 'id' | 'r2Key' | 'offset' | 'length'>

/** A file of the catalog, or its slice of a larger object, read by range. Its name is its id. */
export class R2Source implements Source {
  readonly name: string
  readonly byteLength: number
  readonly #bucket: R2Bucket
  readonly #input: StoredInput

  constructor(bucket: R2Bucket, input: StoredInput) {
    this.#bucket = bucket
    this.#input = input
    this.name = input.id
    this.byteLength = input.length
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    const { r2Key, offset: start } = this.#input
    const object = await this.#bucket.get(r2Key, { range: { offset: start + offset, length } })
    if (object === null) throw new FusouError('object_missing', `file ${this.name}: no object ${r2Key} in the bucket`)
    if (object.size < start + this.byteLength) {
      throw new FusouError('corrupt_file', `file ${this.name}: object ${r2Key} is ${object.size} bytes long, too short`)
    }
    return new Uint8Array(await object.arrayBuffer())
  }
}
