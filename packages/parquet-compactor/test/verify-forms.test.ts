/** `--verify` passes over what a right merge may change, and over pages that some decoders refuse. */
import { parquetWriteBuffer } from 'hyparquet-writer'
import { describe, expect, test } from 'vitest'
import { verifyMerge } from '../src/command/verify-merge.ts'
import { CODEC, CONVERTED, PHYSICAL, REPETITION } from '../src/format/format.ts'
import { type MergeOptions, memorySink, memorySource, mergeParquet } from '../src/index.ts'
import { annotate, editSchema, nodeAt, rename } from './edit-schema.ts'
import { inputFiles, writeWithDuckDB } from './engines.ts'
import { handmade } from './handmade.ts'
import { writeWithParquetjs } from './parquetjs-file.ts'

/** @returns rows that were verified */
async function mergeAndVerify(inputs: Uint8Array[], options: MergeOptions = {}): Promise<number> {
  const sink = memorySink()
  await mergeParquet(
    inputs.map((bytes, i) => memorySource(`input-${i}`, bytes)),
    sink,
    options,
  )
  const [output] = inputFiles([sink.bytes()])
  return verifyMerge(inputFiles(inputs), output!, { isUnion: options.schema === 'union' })
}

describe('a struct that gains members under a union', () => {
  test.each([
    ['a struct', '{c: 3}'],
    ['a struct of structs', '{c: {d: [1]}}'],
    ['a list', '[3, null]'],
    ['a map', "map {'k': 3}"],
    ['a list of structs', '[{c: 3}, null]'],
  ])('%s', async (_, member) => {
    const inputs = [
      await writeWithDuckDB('select {a: 1} as u, [{a: 1}] as l'),
      await writeWithDuckDB(`select {a: 2, b: ${member}} as u, [{a: 2, b: ${member}}, null] as l`),
    ]
    expect(await mergeAndVerify(inputs, { schema: 'union' })).toBe(2)
    expect(await mergeAndVerify(inputs.toReversed(), { schema: 'union' })).toBe(2)
  })
})

test('a repeated field that a file lacks has no elements', async () => {
  const repeated = await writeWithParquetjs(
    {
      numbers: { type: 'INT32', repeated: true },
      structs: { repeated: true, fields: { a: { type: 'INT32' } } },
      inner: { fields: { structs: { repeated: true, fields: { a: { type: 'INT32' } } } } },
    },
    [{ numbers: [1, 2], structs: [{ a: 1 }], inner: { structs: [{ a: 2 }] } }],
  )
  const inputs = [repeated, await writeWithDuckDB('select 1 as i')]
  expect(await mergeAndVerify(inputs, { schema: 'union' })).toBe(2)
  expect(await mergeAndVerify(inputs.toReversed(), { schema: 'union' })).toBe(2)
})

test('unsigned integers annotated by the logical type alone widen without their sign', async () => {
  const wide = await writeWithDuckDB('select 5000000000::ubigint as n')
  const old = await writeWithDuckDB('select 4000000000::uinteger as n')
  const modern = editSchema(old, (root) => {
    const n = nodeAt(root, 'n')
    // LogicalType { 10: IntType { 1: i8 32, 2: false } }
    annotate(n, undefined, [0xac, 0x13, 32, 0x12, 0, 0])
  })
  expect(await mergeAndVerify([modern, wide], { schema: 'union' })).toBe(2)
})

test('another root is no other schema', async () => {
  const file = await writeWithDuckDB('select i from range(3) t(i)')
  const named = editSchema(file, (root) => rename(root, 'schema'))
  const bare = editSchema(file, (root) => {
    root.repetition = -1
  })
  const repeated = editSchema(file, (root) => {
    root.repetition = REPETITION.REPEATED
  })
  expect(await mergeAndVerify([file, named, bare, repeated])).toBe(12)
  expect(await mergeAndVerify([repeated, bare, named, file])).toBe(12)
})

test('shredded VARIANT is compared as it is stored', async () => {
  const data = [{ a: 1 }, { a: 2, b: 'x' }, { a: 'q' }]
  const write = (values: object[]) =>
    new Uint8Array(
      parquetWriteBuffer({ columnData: [{ name: 'v', data: values, type: 'VARIANT', shredding: true } as never] }),
    )
  const file = write(data)
  expect(await mergeAndVerify([file, file])).toBe(6)
  const sink = memorySink()
  await mergeParquet([memorySource('a', file)], sink)
  const [output] = inputFiles([sink.bytes()])
  await expect(verifyMerge(inputFiles([write([{ a: 1 }, { a: 3, b: 'x' }, { a: 'q' }])]), output!)).rejects.toThrow(
    /row 1 of the output is not row 1/,
  )
})

describe('a page without values is not decompressed', () => {
  // two nulls: a run of two levels 0
  const levels = Uint8Array.of(4, 0)
  test.each(['SNAPPY', 'GZIP', 'ZSTD', 'LZ4_RAW', 'BROTLI'] as const)(
    'of version 2, in a chunk of %s',
    async (codec) => {
      const file = handmade({
        codec: CODEC[codec],
        physical: PHYSICAL.INT32,
        repetition: REPETITION.OPTIONAL,
        rows: 2,
        pages: [{ kind: 3, values: 2, nulls: 2, body: levels, definitionBytes: levels.length, isCompressed: true }],
      })
      expect(await mergeAndVerify([file, file])).toBe(4)
    },
  )

  test('a dictionary page of nothing in a chunk of lz4', async () => {
    const file = await writeWithDuckDB('select null::varchar as v from range(9)', 'compression lz4_raw')
    expect(await mergeAndVerify([file, file])).toBe(18)
  })
})

test('maps of other inner names are read back by key and value', async () => {
  const file = await writeWithDuckDB("select map {'k': i} as m from range(3) t(i)")
  const named = editSchema(file, (root) => {
    rename(nodeAt(root, 'm.key_value.key'), 'keys')
    rename(nodeAt(root, 'm.key_value.value'), 'values')
    rename(nodeAt(root, 'm.key_value'), 'entries')
  })
  expect(await mergeAndVerify([named, named])).toBe(6)
  const old = editSchema(file, (root) => annotate(nodeAt(root, 'm'), CONVERTED.MAP_KEY_VALUE))
  expect(await mergeAndVerify([old, old])).toBe(6)
})
