import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FIRST_ADDRESS, laySegments } from '../../src/tables/segments.ts'

const GUARD = 100
const thing = (address: number, length: number, name = String(address)) => ({
  address,
  length,
  guard: GUARD,
  r2Key: name,
  offset: 7,
})
const BASE = FIRST_ADDRESS + 1000
/** Two things with only a guard between, a third behind something that was vacuumed. */
const THINGS = [thing(BASE, 50), thing(BASE + 50 + GUARD, 30), thing(BASE + 1000, 20)]

describe('a range of the addresses of a table', () => {
  test('begins with the magic, and is empty up to the first address that could be given', () => {
    expect(laySegments([], 0, 4)).toEqual([{ kind: 'magic', offset: 0, length: 4 }])
    expect(laySegments([], 2, 10)).toEqual([
      { kind: 'magic', offset: 2, length: 2 },
      { kind: 'zeros', length: 6 },
    ])
  })

  test('has the bytes of things, cut at both ends', () => {
    expect(laySegments(THINGS, BASE + 10, BASE + 20)).toEqual([
      { kind: 'stored', r2Key: String(BASE), offset: 17, length: 10 },
    ])
  })

  test('has zeros where nothing ever was', () => {
    expect(laySegments(THINGS, BASE + 40, BASE + 50 + GUARD + 5)).toEqual([
      { kind: 'stored', r2Key: String(BASE), offset: 47, length: 10 },
      { kind: 'zeros', length: GUARD },
      { kind: 'stored', r2Key: String(BASE + 150), offset: 7, length: 5 },
    ])
    expect(laySegments(THINGS, BASE + 1000 - GUARD, BASE + 1000)).toEqual([{ kind: 'zeros', length: GUARD }])
  })

  test.each([
    ['between two things', BASE + 180, BASE + 1010],
    ['before the guard of the next', BASE + 1000 - GUARD - 1, BASE + 1000],
    ['behind the last', BASE + 1010, BASE + 1021],
    ['where there is nothing at all', BASE + 5000, BASE + 5001],
  ])('is refused where something may have been: %s', (_, from, to) => {
    expect(() => laySegments(THINGS, from, to)).toThrow('bytes_gone')
  })

  test('has at each address what it had before, whatever was vacuumed and came since, or is refused', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 300 }), fc.boolean()), { minLength: 1, maxLength: 12 }),
        fc.nat(3000),
        fc.integer({ min: 1, max: 600 }),
        (files, start, length) => {
          let next = FIRST_ADDRESS
          const placed = files.map(([bytes, isKept]) => {
            const address = next + GUARD
            next = address + bytes
            return { isKept, ...thing(address, bytes) }
          })
          const from = FIRST_ADDRESS + Math.min(start, next - FIRST_ADDRESS - 1)
          const to = Math.min(next, from + length)
          const all = bytesOf(placed, from, to)
          let now: string[]
          try {
            now = bytesOf(
              placed.filter(({ isKept }) => isKept),
              from,
              to,
            )
          } catch {
            const gone = placed.filter(({ isKept }) => !isKept)
            expect(gone.some(({ address, length }) => address - GUARD < to && address + length > from)).toBe(true)
            return
          }
          expect(now).toEqual(all)
        },
      ),
    )
  })
})

/** One text a byte: where it comes from. */
function bytesOf(things: ReturnType<typeof thing>[], from: number, to: number): string[] {
  return laySegments(things, from, to).flatMap((segment) =>
    Array.from({ length: segment.length }, (_, index) =>
      segment.kind === 'stored' ? `${segment.r2Key}:${segment.offset + index}` : segment.kind,
    ),
  )
}
