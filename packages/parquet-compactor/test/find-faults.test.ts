import { describe, expect, test } from 'vitest'
import { checksum } from '../src/format/checksum.ts'
import {
  type FindFaultsOptions,
  findFaults,
  type InputFault,
  inspectParquet,
  memorySink,
  memorySource,
  mergeParquet,
  ParquetError,
  type Source,
} from '../src/index.ts'
import { writeWithDuckDB } from './engines.ts'
import { type HandmadeFile, handmade } from './handmade.ts'

const int32 = (...values: number[]) => new Uint8Array(Int32Array.from(values).buffer)
const sound = (from = 0): HandmadeFile => {
  const body = int32(from, from + 1, from + 2)
  return { rows: 3, pages: [{ values: 3, body, crc: checksum(body) }] }
}

/** files of one INT32 column "v", each with a fault of its own, and the code that tells of it */
const DAMAGED: Record<string, { bytes: Uint8Array; code: string; column?: string }> = {
  'no-magic': { bytes: new Uint8Array(100), code: 'not_parquet' },
  'cut-off': { bytes: handmade(sound()).subarray(0, -10), code: 'truncated' },
  'bad-footer': { bytes: handmade({ ...sound(), fileRows: 7 }), code: 'bad_footer' },
  'other-schema': { bytes: handmade({ ...sound(), repetition: 1 }), code: 'schema_mismatch' },
  'bad-checksum': {
    bytes: handmade({ rows: 3, pages: [{ values: 3, body: int32(1, 2, 3), crc: 7 }] }),
    code: 'corrupt_data',
    column: 'v',
  },
  'short-page': {
    bytes: handmade({ rows: 3, pages: [{ values: 3, body: int32(1, 2) }] }),
    code: 'corrupt_data',
    column: 'v',
  },
  'unknown-encoding': {
    bytes: handmade({ rows: 3, pages: [{ values: 3, body: int32(1, 2, 3), encoding: 4 }] }),
    code: 'unsupported_column',
    column: 'v',
  },
}
const damaged = Object.entries(DAMAGED).map(([name, { bytes }]) => memorySource(name, bytes))
const good = (count: number) => Array.from({ length: count }, (_, i) => memorySource(`good-${i}`, handmade(sound(i))))

/** in turn, as far as both go */
function interleave(left: Source[], right: Source[]): Source[] {
  return Array.from({ length: Math.max(left.length, right.length) }, (_, i) => [left[i], right[i]])
    .flat()
    .filter((source) => source !== undefined)
}

class ObjectMissing extends Error {}

const throwing = (name: string, error: Error): Source => ({ name, byteLength: 500, read: () => Promise.reject(error) })

describe('findFaults', () => {
  test('every damaged source is reported in one pass, in order, with its name, code and column', async () => {
    const faults = await findFaults(interleave(good(20), damaged))
    expect(faults).toHaveLength(7)
    expect(faults.map(({ source, code, column }) => ({ source, code, column }))).toEqual(
      Object.entries(DAMAGED).map(([source, { code, column }]) => ({ source, code, column })),
    )
    for (const { source, detail } of faults) expect(detail).toMatch(new RegExp(`^${source}: `))
  })

  test('the sources that are not reported merge, and each that is reported does not', async () => {
    const sources = interleave(good(9), damaged)
    const bad = new Set((await findFaults(sources)).map(({ source }) => source))
    const report = await mergeParquet(
      sources.filter(({ name }) => !bad.has(name)),
      memorySink(),
      { pages: 'check' },
    )
    expect(report).toMatchObject({ files: 9, rowsOut: 27 })
    for (const source of damaged) {
      const merge = mergeParquet([good(1)[0]!, source], memorySink(), { pages: 'check' })
      await expect(merge).rejects.toMatchObject({ code: DAMAGED[source.name]!.code, source: source.name })
    }
  })

  test('the schema is that of the fingerprint, so that a first source with another one is the one reported', async () => {
    const { schemaFingerprint } = await inspectParquet(good(1)[0]!)
    const other = memorySource('other', DAMAGED['other-schema']!.bytes)
    const faults = await findFaults([other, ...good(3)], { schemaFingerprint })
    expect(faults).toMatchObject([{ source: 'other', code: 'schema_mismatch' }])
  })

  test('a source with another fault does not decide the schema of those behind it', async () => {
    const bad = memorySource('bad', handmade({ rows: 3, repetition: 1, pages: [{ values: 3, body: int32(1) }] }))
    const faults = await findFaults([bad, ...good(3)])
    expect(faults).toMatchObject([{ source: 'bad', code: 'corrupt_data' }])
  })

  test('under union only columns that cannot be united are reported', async () => {
    const files = await Promise.all(
      ['1::int as a', '2::bigint as a, 3 as b', "'x' as a", "'y' as b", '4::smallint as a'].map((columns) =>
        writeWithDuckDB(`select ${columns}`),
      ),
    )
    const sources = files.map((bytes, i) => memorySource(`file-${i}`, bytes))
    expect(await findFaults(sources, { schema: 'union' })).toMatchObject([
      { source: 'file-2', code: 'schema_mismatch', column: 'a' },
      { source: 'file-3', code: 'schema_mismatch', column: 'b' },
    ])
    expect((await findFaults(sources)).map(({ source }) => source)).toEqual(['file-1', 'file-2', 'file-3', 'file-4'])
  })

  test('a missing object is reported with what its read threw, if the caller takes that for a fault', async () => {
    const missing = new ObjectMissing('no such object')
    const options: FindFaultsOptions = { isReadFault: (cause) => cause instanceof ObjectMissing }
    const faults = await findFaults([throwing('gone', missing), ...damaged, throwing('gone-too', missing)], options)
    expect(faults).toHaveLength(9)
    expect(faults[0]).toMatchObject({ source: 'gone', code: 'read_failed', cause: missing })
    expect(faults.at(-1)).toMatchObject({ source: 'gone-too', code: 'read_failed', cause: missing })
  })

  test('a storage that fails otherwise says nothing of the bytes: that is thrown', async () => {
    const sources = [damaged[0]!, throwing('slow', new Error('timeout'))]
    const options: FindFaultsOptions = { isReadFault: (cause) => cause instanceof ObjectMissing }
    await expect(findFaults(sources, options)).rejects.toMatchObject({ code: 'read_failed', source: 'slow' })
    await expect(findFaults(sources)).rejects.toMatchObject({ code: 'read_failed', permanent: false })
  })

  test('a source may itself say that its bytes are at fault', async () => {
    const short = throwing('short', new ParquetError('truncated', 'the object has 20 bytes'))
    expect(await findFaults([short, ...good(2)])).toMatchObject([{ source: 'short', code: 'truncated' }])
  })

  test('an aborted pass throws', async () => {
    const signal = AbortSignal.abort()
    await expect(findFaults(good(2), { signal })).rejects.toMatchObject({ code: 'aborted' })
  })

  test('no sound file of any codec, page version or row group size is reported', async () => {
    const options = [
      '',
      'compression zstd',
      'compression gzip, row_group_size 2048',
      'compression uncompressed',
      'parquet_version v2, compression snappy',
      'compression lz4_raw, row_group_size 2048',
    ]
    const select =
      "i, 's' || i % 50 as s, i / 3.0 as d, [i, null, 3] as l, {'a': i, 'b': [{'c': 'x' || i}]} as g, " +
      'if(i % 3 = 0, null, i) as n from range(6000) t(i)'
    const files = await Promise.all(
      options.map((option) => writeWithDuckDB(`select ${select}`, option === '' ? undefined : option)),
    )
    expect(files).toHaveLength(6)
    const sources = files.map((bytes, i) => memorySource(options[i]!, bytes))
    for (const memoryBudgetBytes of [2 ** 21, 2 ** 26]) {
      expect(await findFaults(sources, { memoryBudgetBytes })).toEqual([] satisfies InputFault[])
    }
  })

  test('sources are read one behind another, no more ahead of time than maxReadsInFlight', async () => {
    let held = 0
    let mostHeld = 0
    const bytes = handmade(sound())
    const registry = Array.from({ length: 400 }, (_, i): Source => {
      return {
        name: `file-${i}`,
        byteLength: bytes.byteLength,
        read: async (offset, length) => {
          held++
          mostHeld = Math.max(mostHeld, held)
          await Promise.resolve()
          held--
          return bytes.slice(offset, offset + length)
        },
      }
    })
    expect(await findFaults(registry, { maxReadsInFlight: 3 })).toEqual([])
    expect(mostHeld).toBeLessThanOrEqual(3)
    expect(mostHeld).toBeGreaterThan(0)
  })
})
