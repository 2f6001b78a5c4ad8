import { describe, expect, test } from 'vitest'
import { mergeGeospatial, readGeospatial } from '../../src/footer/geospatial.ts'
import { readSizes, type SizeStatistics, sumSizes } from '../../src/footer/size-statistics.ts'
import { THRIFT, ThriftReader } from '../../src/format/thrift-reader.ts'
import { ThriftWriter } from '../../src/format/thrift-writer.ts'
import type { Kernel } from '../../src/kernel/kernel.ts'
import type { LeafColumn } from '../../src/schema/schema.ts'
import { DictionaryTrial, expectDistinct, TRIAL_VALUES } from '../../src/splice/dictionary-trial.ts'

type Box = Partial<Record<'xmin' | 'xmax' | 'ymin' | 'ymax' | 'zmin' | 'zmax' | 'mmin' | 'mmax', number>>
const FIELDS = ['xmin', 'xmax', 'ymin', 'ymax', 'zmin', 'zmax', 'mmin', 'mmax'] as const

function encodeGeo({ box, types }: { box?: Box; types?: number[] }): Uint8Array {
  const writer = new ThriftWriter()
  writer.open()
  if (box) {
    writer.open(1)
    for (const [i, field] of FIELDS.entries()) if (box[field] !== undefined) writer.double(i + 1, box[field])
    writer.close()
  }
  if (types) {
    writer.list(2, THRIFT.I32, types.length)
    for (const type of types) writer.elementI32(type)
  }
  writer.i32(9, 1)
  writer.close()
  return writer.out.take()
}

function joined(...all: { box?: Box; types?: number[] }[]): { box?: Box; types?: number[] } | undefined {
  const bytes = mergeGeospatial(all.map(encodeGeo))
  if (!bytes) return undefined
  const { box, types } = readGeospatial(new ThriftReader(bytes))
  return {
    ...(box && { box: Object.fromEntries([...box].map(([id, value]) => [FIELDS[id - 1], value])) }),
    ...(types && { types }),
  }
}

describe('geospatial statistics of several chunks', () => {
  const flat = (xmin: number, xmax: number, ymin: number, ymax: number): Box => ({ xmin, xmax, ymin, ymax })

  test('have the box around all, and the types of any', () => {
    expect(joined({ box: flat(0, 1, 10, 11), types: [3, 1] }, { box: flat(-1, 0.5, 12, 13), types: [1, 2] })).toEqual({
      box: flat(-1, 1, 10, 13),
      types: [1, 2, 3],
    })
    expect(joined({ box: flat(0, 1, 2, 3), types: [1] })).toEqual({ box: flat(0, 1, 2, 3), types: [1] })
  })

  test('have a third dimension only where all have it', () => {
    const deep = { ...flat(0, 1, 2, 3), zmin: 4, zmax: 5, mmin: 6, mmax: 7 }
    const { zmax: _, ...halfDeep } = deep
    expect(joined({ box: deep }, { box: { ...deep, zmin: 3, mmax: 9 } })).toEqual({
      box: { ...deep, zmin: 3, mmax: 9 },
    })
    expect(joined({ box: deep }, { box: flat(0, 1, 2, 3) })).toEqual({ box: flat(0, 1, 2, 3) })
    expect(joined({ box: halfDeep }, { box: deep })).toEqual({
      box: { ...flat(0, 1, 2, 3), mmin: 6, mmax: 7 },
    })
  })

  test('have no box where one has none, or none that can be joined', () => {
    const types = [1]
    for (const box of [
      undefined,
      flat(170, -170, 0, 1),
      flat(0, 1, 5, 4),
      flat(Number.NaN, 1, 2, 3),
      { xmin: 0, xmax: 1 },
    ]) {
      const other = box === undefined ? { types } : { box, types }
      expect(joined({ box: flat(0, 1, 2, 3), types }, other)).toEqual({ types })
      expect(joined(other, { box: flat(0, 1, 2, 3), types })).toEqual({ types })
    }
  })

  test('have no types where one does not say, and nothing is left of nothing', () => {
    const box = flat(0, 1, 2, 3)
    expect(joined({ box, types: [1] }, { box })).toEqual({ box })
    expect(joined({ box, types: [] }, { box, types: [1] })).toEqual({ box })
    expect(joined({ box }, { types: [1] })).toBeUndefined()
  })
})

describe('size statistics', () => {
  const leaf = { maxRepetition: 1, maxDefinition: 2 } as LeafColumn

  test('are read as they were written', () => {
    const writer = new ThriftWriter()
    writer.open()
    writer.i64(1, 5)
    for (const [id, counts] of [
      [2, [1, 2]],
      [3, [3, 4, 5]],
    ] as const) {
      writer.list(id, THRIFT.I64, counts.length)
      for (const count of counts) writer.elementI64(count)
    }
    writer.i32(9, 9)
    writer.close()
    expect(readSizes(new ThriftReader(writer.out.take()))).toEqual({
      unencodedBytes: 5,
      repetition: [1, 2],
      definition: [3, 4, 5],
    })
  })

  test.each([
    [
      [
        { unencodedBytes: 1, repetition: [1, 2], definition: [1, 2, 3] },
        { unencodedBytes: 10, repetition: [10, 20], definition: [10, 20, 30] },
      ],
      { unencodedBytes: 11, repetition: [11, 22], definition: [11, 22, 33] },
    ],
    [
      [{ unencodedBytes: 1 }, { unencodedBytes: 0 }],
      { unencodedBytes: 1, repetition: undefined, definition: undefined },
    ],
    [[{ repetition: [1, 2] }, { repetition: [1, 2, 3] }], undefined],
    [[{ definition: [1, 2, 3] }, {}], undefined],
    [[{ unencodedBytes: 1 }, undefined], undefined],
  ] as [(SizeStatistics | undefined)[], SizeStatistics | undefined][])('of %j together are %j', (all, sum) => {
    expect(sumSizes(leaf, all)).toEqual(sum)
  })
})

describe('a dictionary on trial', () => {
  const kernelOf = (valuesSeen: number, distinctValues: number, dictionaryBytes = distinctValues * 4) =>
    ({ valuesSeen, distinctValues, dictionaryBytes }) as Kernel
  const trialOf = ({ bytes = 1000, values = 1000, dictionaries = 0, most = 1e6 } = {}) =>
    new DictionaryTrial({ bytes, values, dictionaries } as ConstructorParameters<typeof DictionaryTrial>[0], most)

  test('is judged once, after enough values or at the end', () => {
    const trial = trialOf({ values: 1e6, bytes: 1e7 })
    expect(trial.judge(kernelOf(TRIAL_VALUES - 1, 5), false)).toBeUndefined()
    expect(trial.isDone).toBe(false)
    expect(trial.judge(kernelOf(TRIAL_VALUES, 5), false)).toBe(true)
    expect(trial.isDone).toBe(true)
    expect(trial.judge(kernelOf(TRIAL_VALUES, 5), true)).toBeUndefined()
    expect(trialOf().judge(kernelOf(10, 10), true)).toBeDefined()
    expect(trialOf().judge(kernelOf(0, 0), true)).toBe(true)
  })

  test('of chunks that had dictionaries is kept up to three in five distinct values, or sixteen', () => {
    const judge = (seen: number, distinct: number) => trialOf({ dictionaries: 1 }).judge(kernelOf(seen, distinct), true)
    expect([judge(1000, 600), judge(1000, 601), judge(10, 16), judge(10, 17)]).toEqual([true, false, true, false])
  })

  test('of plain chunks is kept where one value in ten is distinct, if it is not too large', () => {
    const judge = (distinct: number, most: number) =>
      trialOf({ values: 1000, bytes: 1, most }).judge(kernelOf(1000, distinct), true)
    // 99 among the first are 100 among all, as far as numbers tell
    expect([judge(99, 400), judge(99, 399), judge(101, 1e6)]).toEqual([true, false, false])
    // beyond that it must be smaller than what is there, which is one byte
    expect(judge(500, 1e6)).toBe(false)
  })

  test('or where dictionary and indices take less than nine tenths of what is there', () => {
    // entries of 4 bytes, and 1,000 indices of 9 bits
    const judge = (bytes: number) => trialOf({ values: 1000, bytes }).judge(kernelOf(1000, 500), true)
    const expected = expectDistinct(500, 1000, 1000)
    expect(expected).toBeLessThan(512)
    const taken = expected * 4 + (1000 * 9) / 8
    expect([judge(Math.floor(taken / 0.9)), judge(Math.ceil(taken / 0.9) + 1)]).toEqual([false, true])
  })

  test('expects as many distinct values as come if all come equally often', () => {
    expect(expectDistinct(1000, 1000, 5000)).toBe(5000)
    // 1,000 possible values: 632 of them among 1,000 draws, nearly all among 10,000
    expect(expectDistinct(632, 1000, 1000)).toBeGreaterThanOrEqual(632)
    expect(expectDistinct(632, 1000, 1000)).toBeLessThan(634)
    expect(expectDistinct(632, 1000, 10_000)).toBeGreaterThan(990)
    expect(expectDistinct(632, 1000, 10_000)).toBeLessThan(1010)
    expect(expectDistinct(1, 1000, 1_000_000)).toBeLessThan(20)
  })
})
