import { describe, expect, test } from 'vitest'
import { checkOptions, chunkLimits, sortSettings } from '../../src/merge/settings.ts'

const MIB = 2 ** 20

describe('the memory of a merge', () => {
  // The parts that are held at one time must fit: whoever changes one looks at the others.
  const OF_64_MIB = {
    rowGroup: 16 * MIB,
    page: 16 * MIB,
    outputPage: MIB,
    footers: 8 * MIB,
    footer: 8 * MIB,
    footerAhead: MIB / 4,
    keyValues: 4 * MIB,
    schema: 32 * MIB,
    schemas: 16 * MIB,
    allFooters: 16 * MIB,
    sorting: 64 * MIB * 0.55,
    sortedKeys: 48 * MIB,
    heldFiles: 4 * MIB,
    filesAhead: 4 * MIB,
    outputIndexes: 4 * MIB,
    inputIndexes: 2 * MIB,
  }

  test('is shared out', () => {
    expect(checkOptions({}).shares).toEqual(OF_64_MIB)
    const halves = Object.fromEntries(Object.entries(OF_64_MIB).map(([name, bytes]) => [name, bytes / 2]))
    expect(checkOptions({ memoryBudgetBytes: 32 * MIB }).shares).toEqual(halves)
  })

  test('leaves less for sorting beside two parts for the sink that are larger than usual', () => {
    const sharesOf = (partBytes: number) => checkOptions({ partBytes }).shares
    expect(sharesOf(2 * MIB)).toEqual(OF_64_MIB)
    const beside = 64 * MIB - 2 * (8 * MIB) + 4 * MIB
    expect(sharesOf(8 * MIB)).toEqual({ ...OF_64_MIB, sorting: beside * 0.55, sortedKeys: beside * 0.75 })
    expect(sharesOf(2 * MIB + 1).sorting).toBe((64 * MIB - 2) * 0.55)
  })

  test('of a sort is whole bytes', () => {
    const settings = checkOptions({ memoryBudgetBytes: MIB + 1 })
    expect(sortSettings(settings)).toEqual({
      ...settings,
      memoryBudgetBytes: Math.floor(settings.shares.sorting),
      keyBytes: Math.floor(settings.shares.sortedKeys),
    })
  })

  test.each([
    [0, 8 * 1024, 1024, 16 * 1024],
    [8 * 1024 - 1, 8 * 1024, 1365, 16 * 1024],
    [8 * 1024 + 1.5, 8 * 1024 + 1, 1365, 16 * 1024],
    [16 * 1024 + 1, 16 * 1024 + 1, 2730, 16 * 1024 + 1],
    [MIB - 1, MIB - 1, 128 * 1024, MIB - 1],
    [MIB + 1, MIB, 128 * 1024, MIB],
    [6 * 128 * 1024 - 6, 6 * 128 * 1024 - 6, 128 * 1024 - 1, 6 * 128 * 1024 - 6],
  ])(
    'of %d bytes for a column gives pages of %d bytes and %d levels, and dictionaries of %d',
    (share, page, levels, dictionary) => {
      expect(chunkLimits(share)).toMatchObject({ pageBytes: page, pageLevels: levels, dictionaryBytes: dictionary })
    },
  )
})

describe('the options of a merge', () => {
  test('have these defaults', () => {
    const { codecs: _, shares: __, scratch: ___, limits, ...settings } = checkOptions({})
    expect(settings).toEqual({
      targetRowGroupBytes: 16 * MIB,
      targetRowGroupRows: 131_072,
      codec: 'keep',
      maxReadsInFlight: 6,
      partBytes: MIB,
      smallFileBytes: MIB,
      minPageBytes: 4096,
      pages: 'splice',
      schema: 'strict',
      memoryBudgetBytes: 64 * MIB,
      schemaFingerprint: undefined,
      signal: undefined,
    })
    expect(limits).toEqual({
      maxFooterBytes: 8 * MIB,
      maxColumns: Math.floor((32 * MIB) / 700),
      maxKeyValueBytes: Infinity,
      maxWorkBytes: Infinity,
    })
  })

  test('follow the memory where it is small', () => {
    expect(checkOptions({ memoryBudgetBytes: MIB })).toMatchObject({
      targetRowGroupBytes: MIB / 4,
      partBytes: MIB / 32,
      limits: { maxFooterBytes: MIB / 8, maxColumns: Math.floor(MIB / 2 / 700) },
    })
    expect(checkOptions({ memoryBudgetBytes: 31 * MIB }).partBytes).toBe((31 * MIB) / 32)
    expect(checkOptions({ memoryBudgetBytes: 33 * MIB }).partBytes).toBe(MIB)
    expect(checkOptions({ targetRowGroupBytes: 20 * MIB }).targetRowGroupBytes).toBe(16 * MIB)
    expect(checkOptions({ targetRowGroupBytes: MIB }).targetRowGroupBytes).toBe(MIB)
  })

  test('pass given limits on, each by itself', () => {
    const { limits } = checkOptions({ limits: { maxColumns: 3, maxWorkBytes: 5 } })
    expect(limits).toEqual({ maxFooterBytes: 8 * MIB, maxColumns: 3, maxKeyValueBytes: Infinity, maxWorkBytes: 5 })
    expect(checkOptions({ limits: { maxColumns: 0 } }).limits.maxColumns).toBe(0)
    for (const limit of [-1, Number.NaN])
      expect(() => checkOptions({ limits: { maxFooterBytes: limit } })).toThrow(
        'bad_option: limits.maxFooterBytes must be a number of at least 0',
      )
  })

  test.each([
    ['memoryBudgetBytes', MIB],
    ['partBytes', 1],
    ['targetRowGroupBytes', 1],
    ['targetRowGroupRows', 1],
    ['maxReadsInFlight', 1],
    ['smallFileBytes', 1],
    ['minPageBytes', 0],
  ])('have a least value: %s is %i or more', (name, least) => {
    expect(checkOptions({ [name]: least })).toMatchObject({ [name]: least })
    for (const value of [least - 1, least + 0.5, Number.NaN, `${least}`, 2 ** 53])
      expect(() => checkOptions({ [name]: value }), String(value)).toThrow(
        `bad_option: ${name} must be an integer of at least ${least}`,
      )
  })

  test('refuse parts of more than an eighth of the memory', () => {
    expect(checkOptions({ partBytes: 8 * MIB }).partBytes).toBe(8 * MIB)
    expect(() => checkOptions({ partBytes: 8 * MIB + 1 })).toThrow('bad_option: partBytes must be an eighth')
  })

  test.each([
    [{ schema: 'other' }, 'schema must be strict or union'],
    [{ codec: 'lzo' }, 'unknown codec lzo'],
    [{ codec: 'zstd' }, 'codec zstd cannot be written without a compress function'],
  ])('refuse %j', (options, message) => {
    expect(() => checkOptions(options as never)).toThrow(`bad_option: ${message}`)
  })
})
