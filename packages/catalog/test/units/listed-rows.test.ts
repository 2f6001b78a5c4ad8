import { expect, test, vi } from 'vitest'
import { z } from 'zod'
import { UnreadableRows, withListedRows } from '../../src/database/listed-rows.ts'

const Row = z.object({ id: z.string(), rows: z.int() })
const List = withListedRows(
  { name: 'things', field: 'things', row: Row, keys: ['id', 'at'] },
  z.object({ things: z.array(Row), unreadable: UnreadableRows }),
)

test('a list without an odd row is what it was', () => {
  const things = [{ id: 'a', rows: 1 }]
  expect(List.parse({ things })).toEqual({ things })
  expect(List.safeParse({ things: 'none' }).success).toBe(false)
  expect(List.safeParse(null).success).toBe(false)
})

test('an odd row hides none of the others; it is named with its place, and logged once', () => {
  const lines: string[] = []
  const spy = vi.spyOn(console, 'error').mockImplementation((line: string) => void lines.push(line))
  const odd = { id: 'b', at: 'today', rows: 2 ** 60, secret: 'x' }
  const parsed = List.parse({ things: [{ id: 'a', rows: 1 }, odd, null, { id: 'c', rows: 3 }] })
  spy.mockRestore()
  expect(parsed).toEqual({
    things: [
      { id: 'a', rows: 1 },
      { id: 'c', rows: 3 },
    ],
    unreadable: [
      { index: 1, row: { id: 'b', at: 'today' } },
      { index: 2, row: {} },
    ],
  })
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { event: 'rows_unreadable', list: 'things', count: 2, rows: [{ row: { id: 'b' }, fields: ['rows'] }, {}] },
  ])
})
