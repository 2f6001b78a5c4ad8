import { describe, expect, test } from 'vitest'
import { FooterComposer, type ParquetError } from '../../src/index.ts'

const MAX = Number.MAX_SAFE_INTEGER
const said = (work: () => unknown): string => {
  try {
    work()
    return 'nothing'
  } catch (error) {
    return (error as ParquetError).message
  }
}
const refusal = (name: string, value: number, least: number, most: number) =>
  `bad_option: ${name} is ${value}; it must be a whole number from ${least} to ${most}`

describe('a number that is given to a composer is whole, and within its bounds:', () => {
  test.each([
    ['maxFooterBytes', 1, 2 ** 31 - 1],
    ['maxRowGroups', 1, 32_767],
    ['maxColumns', 1, 2 ** 31 - 1],
  ])('%s', (name, least, most) => {
    for (const value of [least, most]) expect(said(() => new FooterComposer({ [name]: value }))).toBe('nothing')
    for (const value of [least - 1, most + 1, least + 0.5, Number.NaN])
      expect(said(() => new FooterComposer({ [name]: value }))).toBe(refusal(name, value, least, most))
  })

  test.each(['address', 'byteLength'])('%s', (name) => {
    const part = { address: 0, byteLength: 0, name: 'f', footer: new Uint8Array() }
    for (const value of [-1, 0.5, MAX + 1, Number.NaN])
      expect(said(() => new FooterComposer().add({ ...part, [name]: value } as never))).toBe(
        refusal(name, value, 0, MAX),
      )
    for (const value of [0, 1, MAX])
      expect(said(() => new FooterComposer().add({ ...part, [name]: value } as never))).not.toContain('whole number')
  })

  test('tailAddress', () => {
    for (const value of [-1, 0.5, MAX + 1])
      expect(said(() => new FooterComposer().finish(value))).toBe(refusal('tailAddress', value, 0, MAX))
    for (const value of [0, MAX])
      expect(said(() => new FooterComposer().finish(value))).toBe('bad_option: there is no file to compose')
  })
})
