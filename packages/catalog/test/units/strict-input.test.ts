import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { parseJson } from '../../src/database/parse-json.ts'
import { findUnknownFields } from '../../src/unknown-fields.ts'

describe('parseJson', () => {
  const repeated = (text: string) => parseJson(text).repeated.map(({ path }) => path.join('.'))

  test('says what JSON.parse says', () => {
    for (const text of ['1', '"a"', '[]', '{}', '{"a":[1,{"b":null}],"c":"{\\"a\\":1,\\"a\\":2}"}'])
      expect(parseJson(text)).toEqual({ value: JSON.parse(text), repeated: [] })
    expect(() => parseJson('{"a":1,}')).toThrow(SyntaxError)
  })

  test('names each field that is given more than once, where it stands', () => {
    expect(repeated('{"a":1,"a":2}')).toEqual(['a'])
    expect(repeated('{"a":{"b":1,"b":2},"c":[{},{"d":1,"e":2,"d":3}]}')).toEqual(['a.b', 'c.1.d'])
    expect(repeated('{"a":1,"\\u0061":2}')).toEqual(['a'])
    expect(repeated('{"a\\"":1,"a\\\\":2,"a\\"":3}')).toEqual(['a"'])
    expect(repeated('{"":1,"":2}')).toEqual([''])
    expect(repeated('{"__proto__":1,"__proto__":2}')).toEqual(['__proto__'])
  })

  test('takes the same name in several objects, and as a value, for what it is', () => {
    expect(repeated('[{"a":"a"},{"a":"a"},{"b":{"a":1},"a":{"b":"b"}}]')).toEqual([])
  })

  test('needs no stack for depth', () => {
    const deep = `${'{"a":['.repeat(20_000)}1${']}'.repeat(20_000)}`
    expect(repeated(`{"x":1,"y":${deep},"x":2}`)).toEqual(['x'])
  })
})

describe('findUnknownFields', () => {
  const schema = z
    .object({
      datasetId: z.string(),
      tableId: z.string().optional(),
      slices: z.array(z.object({ start_byte: z.int() })).default([]),
      count: z.preprocess((value) => value, z.int().nullable()),
    })
    .refine(() => true)
    .optional()
  const unknown = (value: unknown) =>
    findUnknownFields(schema, value).map((fault) => [fault.path.join('.'), fault.message])

  test('finds nothing where all is known, or where there is no object', () => {
    for (const value of [{ datasetId: 1, slices: [{ start_byte: 0 }] }, undefined, null, 'text', [{ a: 1 }]])
      expect(unknown(value)).toEqual([])
  })

  test('names what is near', () => {
    expect(unknown({ datasetID: 1, table_id: 1, dataset: 1, Counts: 1, wholly: 1 })).toEqual([
      ['datasetID', 'is unknown; did you mean datasetId?'],
      ['table_id', 'is unknown; did you mean tableId?'],
      ['dataset', 'is unknown; did you mean datasetId?'],
      ['Counts', 'is unknown; did you mean count?'],
      ['wholly', 'is unknown; known are datasetId, tableId, slices, count'],
    ])
  })

  test('looks into lists and objects, and is bounded', () => {
    expect(unknown({ slices: [{ start_byte: 1 }, { startByte: 1 }] })).toEqual([
      ['slices.1.startByte', 'is unknown; did you mean start_byte?'],
    ])
    const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`x${index}`, 1]))
    expect(unknown(many).length).toBeLessThan(50)
    const [[path]] = unknown({ ['y'.repeat(10_000)]: 1 }) as [[string]]
    expect(path.length).toBeLessThan(100)
  })
})
