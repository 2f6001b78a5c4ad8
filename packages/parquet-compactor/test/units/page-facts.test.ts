import { describe, expect, test } from 'vitest'
import { Statistics } from '../../src/footer/statistics.ts'
import { PHYSICAL } from '../../src/format/format.ts'
import type { Kernel } from '../../src/kernel/kernel.ts'
import type { LeafColumn } from '../../src/schema/schema.ts'
import { factsOfPage, sizesOfPage } from '../../src/splice/page-facts.ts'

const leafOf = (more: Partial<LeafColumn>) => ({ name: 'v', maxDefinition: 1, maxRepetition: 0, ...more }) as LeafColumn
const TEXT = leafOf({ physical: PHYSICAL.BYTE_ARRAY, width: 0, logicalType: 1 })
const NUMBER = leafOf({ physical: PHYSICAL.INT32, width: 4 })
const DOUBLE = leafOf({ physical: PHYSICAL.DOUBLE, width: 8 })
const text = (value: string) => new TextEncoder().encode(value)
const double = (value: number) => new Uint8Array(Float64Array.of(value).buffer)
const int32 = (value: number) => new Uint8Array(Int32Array.of(value).buffer)

/** A kernel whose memory has these bounds of its page, the high one first, behind bytes of others. */
function kernelWith(low: Uint8Array | undefined, high: Uint8Array | undefined, more: object = {}) {
  const calls: unknown[][] = []
  const memory = new Uint8Array(200).fill(99)
  if (high) memory.set(high, 10)
  if (low) memory.set(low, 100)
  const slots = {
    hasCheckedBounds: () => {
      calls.push(['hasCheckedBounds'])
      return low !== undefined
    },
    findPageBounds: (...given: unknown[]) => {
      calls.push(['findPageBounds', ...given])
      return low !== undefined
    },
    lowBoundAt: () => 100,
    highBoundAt: () => 10,
    lowBoundBytes: () => low!.length,
    highBoundBytes: () => high!.length,
    pageNans: () => 3,
    pageTextBytes: (ofIndices: number) => 50 + ofIndices,
    pageDefinitionAt: () => 0,
    ...more,
  }
  const slice = (at: number, length: number) => ({ view: () => memory.subarray(at, at + length) })
  return { kernel: { slots, slice } as unknown as Kernel, calls, memory }
}

describe('the facts of a page in the kernel', () => {
  test.each([
    ['texts', TEXT, text('a'), text('zebra')],
    ['texts', TEXT, text('aardvark'), text('z')],
    ['texts', TEXT, text(''), text('z')],
    ['numbers', NUMBER, int32(-7), int32(300)],
  ] as const)('have the bounds of %s, as those of its chunk', (_, leaf, low, high) => {
    const { kernel } = kernelWith(low, high)
    const chunk = new Statistics(leaf)
    const facts = factsOfPage(kernel, leaf, { what: 'values', levels: 9, values: 7 } as never, chunk)
    expect(facts).toMatchObject({ levels: 9, rows: 9, nulls: 2, nans: undefined, min: low, max: high })
    expect(chunk.bounds()).toMatchObject({ min: low, max: high })
  })

  test.each([
    ['checked', ['hasCheckedBounds']],
    ['indices', ['findPageBounds', expect.anything(), 1]],
    ['values', ['findPageBounds', expect.anything(), 0]],
  ])('of a page of %s are looked for where they are', (what, call) => {
    const { kernel, calls } = kernelWith(int32(1), int32(2))
    factsOfPage(kernel, NUMBER, { what, levels: 1, values: 1 } as never, new Statistics(NUMBER))
    expect(calls).toEqual([call])
  })

  test('count what is no number only where there are fractions, and have no bounds where there are none', () => {
    const chunk = new Statistics(DOUBLE)
    const page = { what: 'values', levels: 5, values: 5 } as never
    expect(factsOfPage(kernelWith(double(1), double(2)).kernel, DOUBLE, page, chunk)).toMatchObject({ nans: 3 })
    expect(factsOfPage(kernelWith(undefined, undefined).kernel, DOUBLE, page, chunk)).toMatchObject({
      nans: 3,
      nulls: 0,
    })
    expect(chunk.nans).toBe(6)
    const none = factsOfPage(kernelWith(undefined, undefined).kernel, TEXT, page, new Statistics(TEXT))
    expect([none.min, none.max, none.nans]).toEqual([undefined, undefined, undefined])
  })
})

describe('the sizes of a page in the kernel', () => {
  const sizes = (leaf: LeafColumn, what: string, more: object = {}) => {
    const { kernel, memory } = kernelWith(int32(1), int32(2), more)
    memory.set([0, 2, 2, 1, 2], 20)
    return sizesOfPage(kernel, leaf, { what, levels: 5 } as never)
  }

  test('are the bytes of texts, and no bytes of others', () => {
    expect(sizes(TEXT, 'indices')).toEqual({ unencodedBytes: 51, definition: undefined })
    expect(sizes(TEXT, 'values')).toEqual({ unencodedBytes: 50, definition: undefined })
    expect(sizes(NUMBER, 'values')).toEqual({ unencodedBytes: undefined, definition: undefined })
  })

  test('count levels where there are more than two, and all as the highest where none are kept', () => {
    const nested = leafOf({ ...NUMBER, maxDefinition: 2 })
    expect(sizes(nested, 'values', { pageDefinitionAt: () => 20 }).definition).toEqual([1, 1, 3])
    expect(sizes(nested, 'values').definition).toEqual([0, 0, 5])
  })
})
