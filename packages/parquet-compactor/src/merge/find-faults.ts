import { isSourceFault, ParquetError, type ParquetErrorCode } from '../parquet-error.ts'
import type { FileLimits } from '../read/file-limits.ts'
import { throwIfAborted } from '../read/file-reader.ts'
import { loadFooter, nameSource } from '../read/inspect.ts'
import { readAhead } from '../read/read-ahead.ts'
import { readRange, type Sink, type Source } from '../read/source.ts'
import { schemaFingerprint as fingerprintOf, type Schema } from '../schema/schema.ts'
import { uniteSchemas } from '../schema/unite-schemas.ts'
import type { MergeOptions } from './merge-options.ts'
import { mergeParquet } from './merge-parquet.ts'
import { UNREAD_HEAD } from './read-inputs.ts'
import { checkOptions, type Settings } from './settings.ts'

/** Why a source cannot be merged. */
export interface InputFault {
  /** `name` of the source */
  source: string
  code: ParquetErrorCode
  /** names of the column and the groups around it, joined by dots, where the fault is in one column */
  column?: string
  /** the message without the code: it names the source, the column and the page */
  detail: string
  /** the error of `read`, if `isReadFault` took it for a fault of the source */
  cause?: unknown
}

export interface FindFaultsOptions
  extends Omit<MergeOptions, 'pages' | 'sortBy' | 'dedupeBy' | 'keep' | 'scratch' | 'onProgress'> {
  /**
   * Decides whether what a source's `read` threw is a fault of that source, for example that its object does not exist. Such a
   * source is reported with the code `read_failed`; any other failure to read says nothing of the bytes and is thrown.
   * Default: every failure to read is thrown, unless `read` threw a `ParquetError` that tells of the bytes.
   */
  isReadFault?: (cause: unknown) => boolean
}

/**
 * Read every source whole, as `mergeParquet` with `pages: 'check'` does, and report all that cannot be merged, where
 * `mergeParquet` stops at the first. Each source is merged alone into nothing, with the same options, so that what is
 * reported is refused by a merge too, and what a merge takes is not reported.
 *
 * Schemas are held to `schemaFingerprint`; without it to that of the first source that has a readable footer. With
 * `schema: 'union'` a source is reported if its columns cannot be united with those of the sources before it.
 *
 * Holds no more than `memoryBudgetBytes`, and a fault for each bad source.
 *
 * @returns faults in the order of the sources, one each at the most; empty if all can be merged
 * @throws ParquetError what is no fault of a source: `read_failed` (see `isReadFault`), `aborted`, `bad_option`, `memory_budget`
 * @example
 * const faults = await findFaults(sources, { isReadFault: (cause) => cause instanceof ObjectMissing })
 * const bad = new Set(faults.map(({ source }) => source))
 * await mergeParquet(sources.filter(({ name }) => !bad.has(name)), sink)
 */
export async function findFaults(sources: readonly Source[], options: FindFaultsOptions = {}): Promise<InputFault[]> {
  const { isReadFault = () => false, schemaFingerprint, ...merging } = options
  const settings = checkOptions({ ...merging, pages: 'check' })
  const schemas = new SchemaJudge(settings, schemaFingerprint)
  const faults: InputFault[] = []
  const fetch = (source: Source) => fetchSmall(source, settings)
  const room = { bytes: settings.shares.filesAhead, of: ({ byteLength }: Source) => heldAhead(byteLength, settings) }
  for await (const { source, error } of readAhead(sources, settings.maxReadsInFlight, fetch, room)) {
    try {
      if (error) throw error
      const adopt = await schemas.judge(source)
      await mergeParquet([source], NOWHERE, { ...merging, pages: 'check' })
      adopt()
    } catch (thrown) {
      faults.push(faultOf(thrown, source.name, isReadFault))
    }
  }
  return faults
}

const NOWHERE: Sink = { write: async () => {} }

/** @throws what is no fault of the source */
function faultOf(thrown: unknown, source: string, isReadFault: (cause: unknown) => boolean): InputFault {
  const error = nameSource(thrown, source)
  if (!(error instanceof ParquetError)) throw error
  const { code, column, detail } = error
  const fault = { source, code, ...(column !== undefined && { column }), detail }
  if (isSourceFault(code)) return fault
  const cause = code === 'read_failed' ? readFailure(error) : undefined
  if (cause === undefined || !isReadFault(cause)) throw error
  return { ...fault, cause }
}

/** @returns what the source's `read` threw, behind the errors that say where */
function readFailure(error: ParquetError): unknown {
  let { cause } = error
  while (cause instanceof ParquetError) cause = cause.cause
  return cause
}

const heldAhead = (byteLength: number, { smallFileBytes }: Settings) => (byteLength <= smallFileBytes ? byteLength : 0)

/** Small files are read whole while the ones before them are looked at. @returns the error where that fails */
async function fetchSmall(source: Source, settings: Settings): Promise<{ source: Source; error?: unknown }> {
  const { name, byteLength } = source
  if (heldAhead(byteLength, settings) === 0) return { source }
  try {
    throwIfAborted(settings.signal)
    const bytes = await readRange(source, 0, byteLength)
    const read = async (offset: number, length: number) => bytes.subarray(offset, offset + length)
    return { source: { name, byteLength, read } }
  } catch (error) {
    return { source, error }
  }
}

/** Holds the schema of each source to what the merge would have. */
class SchemaJudge {
  readonly #isUnion: boolean
  readonly #limits: FileLimits
  /** fingerprint that sources must have; with `union` the first alone */
  #expected: string | undefined
  /** united schema of the sources so far */
  #united: Schema | undefined
  /** canonical texts that were united, so that each is looked at once */
  readonly #known = new Set<string>()

  constructor({ schema, limits }: Settings, expected: string | undefined) {
    this.#isUnion = schema === 'union'
    this.#limits = limits
    this.#expected = expected
  }

  /**
   * @returns a function that adopts the schema: the next ones are held to it too. A source with another fault is not adopted
   * @throws ParquetError `schema_mismatch`, and what reading a footer throws
   */
  async judge(source: Source): Promise<() => void> {
    const { schema } = (await loadFooter(source, { head: UNREAD_HEAD, schema: this.#united, limits: this.#limits }))
      .footer.footer
    if (this.#known.has(schema.canonical)) return () => {}
    let [fingerprint, united] = [this.#expected, schema]
    if (this.#isUnion && this.#united) {
      const others = { schema: this.#united, source: 'the sources before it' }
      united = uniteSchemas([others, { schema, source: source.name }]).schema
    } else {
      fingerprint = await fingerprintOf(schema)
      if (fingerprint !== (this.#expected ?? fingerprint)) {
        throw new ParquetError('schema_mismatch', `not the schema with the fingerprint ${this.#expected}`)
      }
    }
    return () => {
      this.#expected = fingerprint
      this.#united = united
      this.#known.add(schema.canonical)
    }
  }
}
