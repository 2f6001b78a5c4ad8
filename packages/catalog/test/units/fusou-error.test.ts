import { ERROR_CODES, type ErrorCode, FusouError, isErrorCode } from '@fusou/catalog'
import { describe, expect, test } from 'vitest'

const CODES = Object.keys(ERROR_CODES) as ErrorCode[]

describe('an error', () => {
  test.each(CODES)('%s is the same after it has crossed a step as text', (code) => {
    const error = new FusouError(code, 'what happened: and\nwhat to do')
    for (const text of [
      error.message,
      String(error),
      `Error: ${error.message}`,
      `NonRetryableError: ${error.message}`,
    ]) {
      for (const thrown of [text, new Error(text)]) {
        const back = FusouError.from(thrown)
        expect({ code: back.code, detail: back.detail, message: back.message, transient: back.transient }).toEqual({
          code,
          detail: error.detail,
          message: error.message,
          transient: ERROR_CODES[code].transient,
        })
      }
    }
  })

  test('that is one already comes back itself, cause and all', () => {
    const error = new FusouError('conflict', 'x', { cause: new Error('why') })
    expect(FusouError.from(error)).toBe(error)
  })

  test.each([
    ['an error without a code', new Error('socket hang up'), 'socket hang up'],
    ['a code that is not in the table', new Error('out_of_tea: no more'), 'out_of_tea: no more'],
    ['a name that every object has', new Error('constructor: x'), 'constructor: x'],
    ['a code without a colon', new Error('conflict'), 'conflict'],
    ['a code in the middle', new Error('it was a conflict: x'), 'it was a conflict: x'],
    ['text', 'no', 'no'],
    ['nothing', undefined, 'undefined'],
    ['null', null, 'null'],
  ])('from %s is internal and keeps the text and the cause', (_name, thrown, detail) => {
    const error = FusouError.from(thrown)
    expect(error).toMatchObject({ code: 'internal', detail, message: `internal: ${detail}` })
    expect(error.cause).toBe(thrown)
  })
})

describe('the table of codes', () => {
  test('is closed: a code is what stands in it and nothing else', () => {
    expect(CODES.length).toBeGreaterThan(0)
    expect(CODES.filter((code) => !isErrorCode(code))).toEqual([])
    for (const text of ['', 'toString', '__proto__', 'CONFLICT', 'conflict ']) expect(isErrorCode(text)).toBe(false)
  })

  test.each(CODES)('%s has a form that crosses a step, and a title', (code) => {
    const { title } = ERROR_CODES[code]
    expect(code).toMatch(/^[a-z_]+$/)
    expect(title).toMatch(/^\S.*[^.\s]$/)
  })
})
