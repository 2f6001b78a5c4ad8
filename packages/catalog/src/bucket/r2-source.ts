import { FusouError } from '../fusou-error.ts'

/** Where the bytes of a file lie. */
interface StoredBytes {
  readonly id: string
  readonly r2Key: string
  readonly offset: number
  readonly length: number
}

/** The part of a bucket that is needed here. */
interface RangeBucket {
  get(
    key: string,
    options: { range: { offset: number; length: number } },
  ): Promise<{ size: number; arrayBuffer(): Promise<ArrayBuffer> } | null>
  head(key: string): Promise<{ size: number } | null>
}

/** A file of the catalog, or its slice of a larger object, read by range: a `Source` of the compactor, whose name is the id. */
export class R2Source {
  readonly name: string
  readonly byteLength: number
  readonly #bucket: RangeBucket
  readonly #input: StoredBytes

  constructor(bucket: RangeBucket, input: StoredBytes) {
    this.#bucket = bucket
    this.#input = input
    this.name = input.id
    this.byteLength = input.length
  }

  /** @throws FusouError `object_missing`, `corrupt_file` if the object ends before the file does; else what the bucket threw */
  async read(offset: number, length: number): Promise<Uint8Array> {
    const { r2Key, offset: start } = this.#input
    const range = { offset: start + offset, length }
    const object = await this.#bucket.get(r2Key, { range }).catch((error: unknown) => this.#explain(error))
    this.#check(object)
    return new Uint8Array(await object.arrayBuffer())
  }

  /** The bucket refuses a range that begins behind the end of the object; that tells of the object, not of the bucket. */
  async #explain(error: unknown): Promise<never> {
    this.#check(await this.#bucket.head(this.#input.r2Key))
    throw error
  }

  #check<Found extends { size: number }>(object: Found | null): asserts object is Found {
    const { r2Key, offset: start } = this.#input
    if (object === null) throw new FusouError('object_missing', `file ${this.name}: no object ${r2Key} in the bucket`)
    if (object.size < start + this.byteLength) {
      throw new FusouError('corrupt_file', `file ${this.name}: object ${r2Key} is ${object.size} bytes long, too short`)
    }
  }
}

/** Whether an error of reading a source tells of its object, not of the bucket. */
export function isObjectFault(error: unknown): error is FusouError {
  return error instanceof FusouError && (error.code === 'object_missing' || error.code === 'corrupt_file')
}
