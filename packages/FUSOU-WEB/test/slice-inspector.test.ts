import { expect, test } from 'vitest'
import { SliceInspector } from '../src/upload/slice-inspector.ts'
import { sliceObject } from '../src/upload/table-offsets.ts'
import { CARRIERS, FLIGHTS, FLIGHTS_EMPTY, joinBytes, LONG_FOOTER } from './support/files.ts'

async function inspect(parts: Uint8Array[], chunkBytes: number) {
  let start = 0
  const offsets = parts.map((part, index) => {
    const entry = { table_name: `t${index}`, start_byte: start, byte_length: part.length, format: 'parquet' as const }
    start += part.length
    return entry
  })
  const object = joinBytes(...parts)
  const inspector = new SliceInspector(sliceObject(offsets, object.length))
  for (let at = 0; at < object.length; at += chunkBytes) await inspector.take(object.slice(at, at + chunkBytes))
  const reads: number[] = []
  const found = await inspector.finish(async (offset, length) => {
    reads.push(length)
    return object.slice(offset, offset + length)
  })
  return { ...found, reads }
}

test('what is found does not depend on how the bytes come in pieces', async () => {
  const parts = [FLIGHTS, FLIGHTS_EMPTY, CARRIERS]
  const whole = await inspect(parts, 1 << 20)
  expect(whole.slices.map(({ rows, rowGroups }) => [rows, rowGroups])).toEqual([
    [3, 1],
    [0, 0],
    [2, 1],
  ])
  expect(whole.slices[0]!.fingerprint).toBe(whole.slices[1]!.fingerprint)
  expect(whole.slices[0]!.fingerprint).not.toBe(whole.slices[2]!.fingerprint)
  for (let chunkBytes = 1; chunkBytes <= joinBytes(...parts).length; chunkBytes++)
    expect(await inspect(parts, chunkBytes)).toEqual(whole)
})

test('only a footer that is longer than the window is read again', async () => {
  const found = await inspect([FLIGHTS, LONG_FOOTER, CARRIERS], 100_000)
  expect(found.slices.map(({ rows }) => rows)).toEqual([3, 5, 2])
  expect(found.reads.reduce((sum, length) => sum + length, 0)).toBeLessThan(LONG_FOOTER.length + 100)
  expect((await inspect([FLIGHTS, CARRIERS], 100_000)).reads).toEqual([])
})
