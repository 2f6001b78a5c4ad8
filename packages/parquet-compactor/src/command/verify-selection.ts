import { createHash, randomBytes } from 'node:crypto'
import type { MergeOptions } from '../merge/merge-options.ts'
import { CommandError } from './command-error.ts'
import { rowConformer } from './conform-rows.ts'
import type { InputFile } from './find-inputs.ts'
import { compareKeyValues, type KeyValue, keyReader, type ReadKey } from './key-values.ts'
import { RowReader } from './row-reader.ts'
import { readBack, type VerifyOptions, windowRows } from './verify-merge.ts'

/** Rows whose keys are held at one time; of more than these, files are read again for each part of the keys. */
const KEYS_AT_A_TIME = 2 ** 18

type Selecting = Pick<MergeOptions, 'sortBy' | 'dedupeBy' | 'keep'>

export function isSelecting({ sortBy = [], dedupeBy = [] }: Selecting): boolean {
  return sortBy.length + dedupeBy.length > 0
}

/**
 * Verify a merge that sorts, or leaves out duplicates, with another reader than the merge used.
 * Sorted: output and inputs have the same rows, as often, and those of the output are in order; whether rows of equal keys
 * stand as they came is not looked at. Without duplicates: the output has every key once, with the row that is to stay.
 * Rows are compared by SHA-256.
 * @returns rows of the output
 * @throws CommandError `verify_failed`; `read_failed` for what cannot be read back
 */
export async function verifySelection(
  inputs: readonly InputFile[],
  output: Pick<InputFile, 'path' | 'byteLength'>,
  { sortBy = [], dedupeBy = [], keep = 'last' }: Selecting,
  options: VerifyOptions & { keysAtATime?: number } = {},
): Promise<number> {
  const merged = await readBack(output.path, () => RowReader.open(output))
  const { schema } = merged.metadata
  const keys = dedupeBy.map((column) => keyReader(schema, column))
  const passes = keys.length > 0 ? Math.max(1, Math.ceil(merged.rowCount / (options.keysAtATime ?? KEYS_AT_A_TIME))) : 1
  const salt = randomBytes(16)
  for (let pass = 0; pass < passes; pass++) {
    const check =
      keys.length > 0 ? new UniqueRows(keys, keep, sortBy.length > 0, pass, passes, salt) : new SameRows(salt)
    let number = 0
    for (const [index, input] of inputs.entries()) {
      const reader = await readBack(input.path, () => RowReader.open(input))
      const conform = rowConformer(input.path, reader.metadata.schema, schema, options.isUnion ?? false)
      for await (const rows of windowsOf(reader, input.path, options.signal)) {
        for (const row of rows) check.addInput(conform ? conform(row) : row, number++)
        options.onProgress?.((merged.rowCount * pass) / passes, index)
      }
    }
    const order = new OrderCheck(schema, pass === 0 ? sortBy : [])
    number = 0
    for await (const rows of windowsOf(merged, output.path, options.signal)) {
      for (const row of rows) {
        const fault = order.add(row) ?? check.addOutput(row)
        if (fault) throw new CommandError('verify_failed', `row ${number} of ${output.path} ${fault}`)
        number++
      }
      options.onProgress?.((merged.rowCount * pass + number) / passes, inputs.length)
    }
    const fault = check.end()
    if (fault) throw new CommandError('verify_failed', `${output.path} ${fault}`)
  }
  return merged.rowCount
}

async function* windowsOf(reader: RowReader, path: string, signal?: AbortSignal): AsyncGenerator<unknown[][]> {
  const step = windowRows(reader.metadata)
  for (let from = 0; from < reader.rowCount; from += step) {
    signal?.throwIfAborted()
    const to = Math.min(reader.rowCount, from + step)
    const rows = await readBack(path, () => reader.read(from, to))
    if (rows.length !== to - from) {
      throw new CommandError('verify_failed', `${path}: ${rows.length} rows where its footer names ${to - from}`)
    }
    yield rows
  }
}

interface RowCheck {
  /** @param number of the row in all inputs */
  addInput(row: readonly unknown[], number: number): void
  /** @returns what is wrong with it */
  addOutput(row: readonly unknown[]): string | undefined
  end(): string | undefined
}

/** Whether two sets of rows are the same, by the sums of their digests: of any number of rows a few bytes are held. */
class SameRows implements RowCheck {
  readonly #salt: Uint8Array
  readonly #sums = new Uint32Array(8)
  #rows = 0

  constructor(salt: Uint8Array) {
    this.#salt = salt
  }

  addInput(row: readonly unknown[]): void {
    this.#add(row, 1)
  }

  addOutput(row: readonly unknown[]): undefined {
    this.#add(row, -1)
  }

  #add(row: readonly unknown[], sign: 1 | -1): void {
    const hash = digest(row, this.#salt)
    for (let i = 0; i < 8; i++) this.#sums[i]! += sign * hash.readUInt32LE(i * 4)
    this.#rows += sign
  }

  end(): string | undefined {
    if (this.#rows !== 0) return `has ${Math.abs(this.#rows)} rows ${this.#rows > 0 ? 'less' : 'more'} than the inputs`
    return this.#sums.every((sum) => sum === 0) ? undefined : 'has other rows than the inputs'
  }
}

/** Whether each key of the inputs stands in the output once, with the row that is to stay; of a part of the keys. */
class UniqueRows implements RowCheck {
  readonly #keys: readonly ReadKey[]
  readonly #keep: 'first' | 'last'
  readonly #isSorted: boolean
  readonly #pass: number
  readonly #passes: number
  readonly #salt: Uint8Array
  readonly #due = new Map<string, { digest: string; number: number }>()
  #lastNumber = -1

  constructor(
    keys: readonly ReadKey[],
    keep: 'first' | 'last',
    isSorted: boolean,
    pass: number,
    passes: number,
    salt: Uint8Array,
  ) {
    this.#keys = keys
    this.#keep = keep
    this.#isSorted = isSorted
    this.#pass = pass
    this.#passes = passes
    this.#salt = salt
  }

  /** @returns undefined for a key of another pass */
  #keyOf(row: readonly unknown[]): string | undefined {
    const key = digest(
      this.#keys.map((read) => read(row)),
      this.#salt,
    )
    return key.readUInt32LE(0) % this.#passes === this.#pass ? key.toString('latin1', 0, 16) : undefined
  }

  addInput(row: readonly unknown[], number: number): void {
    const key = this.#keyOf(row)
    if (key === undefined || (this.#keep === 'first' && this.#due.has(key))) return
    this.#due.set(key, { digest: digest(row, this.#salt).toString('latin1', 0, 16), number })
  }

  addOutput(row: readonly unknown[]): string | undefined {
    const key = this.#keyOf(row)
    if (key === undefined) return undefined
    const due = this.#due.get(key)
    if (!due) return 'has a key that stands there already, or in no input'
    if (due.digest !== digest(row, this.#salt).toString('latin1', 0, 16)) {
      return `is not the ${this.#keep} row of its key: that is row ${due.number} of all inputs`
    }
    this.#due.delete(key)
    if (!this.#isSorted && due.number < this.#lastNumber) return 'stands behind a row that came later'
    this.#lastNumber = due.number
    return undefined
  }

  end(): string | undefined {
    return this.#due.size > 0 ? `lacks ${this.#due.size} keys of the inputs` : undefined
  }
}

class OrderCheck {
  readonly #columns: { name: string; read: ReadKey; isDescending: boolean; areNullsFirst: boolean }[]
  #last: KeyValue[] | undefined

  constructor(schema: Parameters<typeof keyReader>[0], sortBy: NonNullable<Selecting['sortBy']>) {
    this.#columns = sortBy.map(({ column, descending = false, nullsFirst = false }) => {
      return { name: column, read: keyReader(schema, column), isDescending: descending, areNullsFirst: nullsFirst }
    })
  }

  add(row: readonly unknown[]): string | undefined {
    const last = this.#last
    const values = this.#columns.map(({ read }) => read(row))
    this.#last = values
    for (const [i, { name, isDescending, areNullsFirst }] of this.#columns.entries()) {
      const [before, own] = [last?.[i], values[i]]
      if (!last) break
      let order: number
      if (before === undefined || own === undefined) {
        order = (Number(before === undefined) - Number(own === undefined)) * (areNullsFirst ? -1 : 1)
      } else order = compareKeyValues(before, own) * (isDescending ? -1 : 1)
      if (order > 0) return `is out of order: column ${name}`
      if (order < 0) break
    }
    return undefined
  }
}

function digest(values: readonly unknown[], salt: Uint8Array): Buffer {
  return createHash('sha256').update(salt).update(JSON.stringify(values, exact)).digest()
}

/** Texts come as bytes, so no text looks like one of these. */
function exact(_key: string, value: unknown): unknown {
  if (value === undefined) return null
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : Number.isFinite(value) ? value : `${value}`
  if (value instanceof Uint8Array)
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64url')
  return value
}
