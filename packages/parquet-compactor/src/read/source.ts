import { plainBytes } from '../format/plain-bytes.ts'
import { ParquetError } from '../parquet-error.ts'

/** A Parquet file that is read by ranges. A slice of a larger object is a source with a shifted offset. */
export interface Source {
  /** names the file in errors and reports */
  readonly name: string
  /** length of the file in bytes */
  readonly byteLength: number
  /**
   * @param offset first byte, counted from the start of this file
   * @param length bytes to read, always inside the file
   * @returns exactly `length` bytes, which the library only reads and may hold until the merge ends
   */
  read(offset: number, length: number): Promise<Uint8Array>
}

/** Where a file is written, in order. */
export interface Sink {
  /**
   * Called with one part at a time, never before the previous call has settled. The merge goes on meanwhile, but neither ends
   * nor fails before the last call has settled. All parts are `partBytes` long but the last, which may be shorter. The bytes are
   * the sink's only until its promise settles: then they are overwritten.
   */
  write(bytes: Uint8Array): Promise<void>
}

/** A file that is already in memory. */
export function memorySource(name: string, bytes: Uint8Array): Source {
  return {
    name,
    byteLength: bytes.byteLength,
    read: async (offset, length) => bytes.subarray(offset, offset + length),
  }
}

/** A sink that keeps what it is given, for tests and small outputs. */
export function memorySink(): Sink & { bytes(): Uint8Array } {
  const chunks: Uint8Array[] = []
  return {
    write: async (chunk) => {
      chunks.push(chunk.slice())
    },
    bytes() {
      const joined = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0))
      let at = 0
      for (const chunk of chunks) {
        joined.set(chunk, at)
        at += chunk.byteLength
      }
      return joined
    },
  }
}

/**
 * Read a range and check that it came whole.
 * @throws ParquetError `read_failed` when the source fails, `truncated` when it returns another length
 */
export async function readRange(source: Source, offset: number, length: number): Promise<Uint8Array> {
  let bytes: Uint8Array
  try {
    bytes = plainBytes(await source.read(offset, length))
  } catch (cause) {
    if (cause instanceof ParquetError) throw cause
    throw new ParquetError('read_failed', `${source.name}: ${length} bytes at ${offset}: ${reason(cause)}`, {
      cause,
      source: source.name,
    })
  }
  if (bytes.byteLength !== length) {
    throw new ParquetError('truncated', `${source.name}: asked ${length} bytes at ${offset}, got ${bytes.byteLength}`, {
      source: source.name,
    })
  }
  return bytes
}

export function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
