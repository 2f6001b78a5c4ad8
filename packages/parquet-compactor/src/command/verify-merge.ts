import { isDeepStrictEqual } from 'node:util'
import { CommandError, messageOf } from './command-error.ts'
import { rowConformer } from './conform-rows.ts'
import type { InputFile } from './find-inputs.ts'
import { RowReader } from './row-reader.ts'

/** Values of a window of rows; held are one window of the inputs and one of the output. */
const WINDOW_VALUES = 2 ** 19

export interface VerifyOptions {
  /** whether the schema of the output may be the union of those of the inputs; default false */
  isUnion?: boolean
  signal?: AbortSignal
  onProgress?(rowsDone: number, filesDone: number): void
}

/**
 * Read inputs and output back with another reader than the merge used, and compare schema and rows in order.
 * @returns rows compared
 * @throws CommandError `verify_failed`, which names the first row that differs; `read_failed` for what cannot be read back
 */
export async function verifyMerge(
  inputs: readonly InputFile[],
  output: Pick<InputFile, 'path' | 'byteLength'>,
  { isUnion = false, signal, onProgress }: VerifyOptions = {},
): Promise<number> {
  const merged = await readBack(output.path, () => RowReader.open(output))
  const stepRows = windowRows(merged.metadata)
  let window: unknown[][] = []
  let windowStart = 0
  let row = 0
  for (const [index, input] of inputs.entries()) {
    const reader = await readBack(input.path, () => RowReader.open(input))
    const conform = rowConformer(input.path, reader.metadata.schema, merged.metadata.schema, isUnion)
    for (let from = 0; from < reader.rowCount; from += stepRows) {
      signal?.throwIfAborted()
      const to = Math.min(reader.rowCount, from + stepRows)
      const found = await readBack(input.path, () => reader.read(from, to))
      const expected = conform ? found.map(conform) : found
      if (expected.length !== to - from) {
        throw new CommandError(
          'verify_failed',
          `${input.path}: ${expected.length} rows where its footer names ${to - from}`,
        )
      }
      for (const [at, values] of expected.entries()) {
        if (row >= windowStart + window.length) {
          windowStart = row
          window = await readBack(output.path, () => merged.read(row, Math.min(merged.rowCount, row + stepRows)))
        }
        const actual = window[row - windowStart]
        if (!actual) throw new CommandError('verify_failed', `${output.path} ends after ${row} rows`)
        const column = values.findIndex((value, i) => !isSameValue(value, actual[i]))
        if (column >= 0 || actual.length !== values.length) {
          const place = `row ${row} of the output is not row ${from + at} of ${input.path}`
          throw new CommandError('verify_failed', `${place}: column ${column < 0 ? values.length : column}`)
        }
        row++
      }
      onProgress?.(row, index)
    }
    onProgress?.(row, index + 1)
  }
  if (merged.rowCount !== row) {
    throw new CommandError('verify_failed', `${output.path} has ${merged.rowCount} rows, the inputs ${row}`)
  }
  return row
}

/** rows to read at a time */
export function windowRows({ schema }: RowReader['metadata']): number {
  const leaves = schema.filter((element) => element.type !== undefined).length
  return Math.max(1, Math.floor(WINDOW_VALUES / Math.max(1, leaves)))
}

/** Values as hyparquet makes them; a missing one is a null, however deep it stands. */
function isSameValue(a: unknown, b: unknown): boolean {
  if (a === b && a !== 0) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return Object.is(a ?? null, b ?? null)
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b) === 0
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, i) => isSameValue(item, b[i]))
  }
  const [one, other] = [a, b] as Record<string, unknown>[]
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b) || a instanceof Date) return isDeepStrictEqual(a, b)
  const names = Object.keys(one!)
  if (names.length !== Object.keys(other!).length) return false
  return names.every((name) => Object.hasOwn(other!, name) && isSameValue(one![name], other![name]))
}

export async function readBack<Result>(path: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (cause) {
    throw new CommandError('verify_failed', `${path} cannot be read back: ${messageOf(cause)}`, { cause })
  }
}
