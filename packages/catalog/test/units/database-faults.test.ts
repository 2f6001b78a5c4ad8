import { describe, expect, test } from 'vitest'
import { judgeFault } from '../../src/database/database-faults.ts'

const isTransient = (code: unknown, status: number) => judgeFault(code, status).transient

describe('a refusal of the database', () => {
  test('is permanent by its status for those that blame the request, and for no other', () => {
    const permanent = Array.from({ length: 200 }, (_, index) => 400 + index).filter(
      (status) => !isTransient('', status),
    )
    expect(permanent).toEqual([400, 405, 406, 411, 413, 414, 415, 416, 422, 431])
  })

  test('is permanent by the class of its SQLSTATE for those that blame the arguments, and for no other', () => {
    const letters = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ'
    const classes = [...letters].flatMap((first) => [...letters].map((second) => first + second))
    const permanent = classes.filter((name) => !isTransient(`${name}001`, 400))
    expect(permanent).toEqual(['0A', '20', '21', '22', '23', '27', '2F', '44', 'P0'])
  })

  test.each([
    ['PGRST100', false],
    ['PGRST102', false],
    ['PGRST000', true],
    ['PGRST202', true],
    ['PGRST203', true],
    ['PGRST301', true],
    ['PGRSTX00', true],
  ])('with the code %s of PostgREST is transient: %s', (code, transient) => {
    expect(judgeFault(code, 400)).toEqual({ origin: 'PostgREST', code, transient })
  })

  test('without an answer is transient, whatever code it has', () => {
    for (const code of ['', '22023', undefined, 7])
      expect(judgeFault(code, 0)).toEqual({ origin: 'network', code: '', transient: true })
  })

  test.each([
    ['22023', 'SQLSTATE'],
    ['2202', 'HTTP'],
    ['220233', 'HTTP'],
    ['2202a', 'HTTP'],
    ['PGRST10', 'HTTP'],
    ['PGRST1000', 'HTTP'],
    [null, 'HTTP'],
  ])('with the code %s is judged by its %s', (code, origin) => {
    expect(judgeFault(code, 400)).toMatchObject({ origin, code: origin === 'HTTP' ? '400' : code })
  })
})
