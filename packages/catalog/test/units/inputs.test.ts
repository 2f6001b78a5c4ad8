import { afterEach, describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { UnreadableRows, withListedRows } from '../../src/database/listed-rows.ts'
import { parseJson } from '../../src/database/parse-json.ts'
import { describe as describeError, log } from '../../src/log.ts'
import { DEFAULT_MERGE_POLICY, isMergeDue } from '../../src/policy/merge-policy.ts'
import { DatasetId, JobId, PeriodTag, TableName } from '../../src/records/names.ts'
import { describeUnknown, findUnknownFields } from '../../src/unknown-fields.ts'

afterEach(() => vi.restoreAllMocks())

/** Lines that are logged from now on. */
function logged(): [level: string, line: unknown][] {
  const lines: [level: string, line: unknown][] = []
  vi.spyOn(console, 'log').mockImplementation((line) => void lines.push(['info', JSON.parse(line)]))
  vi.spyOn(console, 'error').mockImplementation((line) => void lines.push(['error', JSON.parse(line)]))
  return lines
}

describe('a name', () => {
  const isName = (schema: z.ZodType, text: unknown) => schema.safeParse(text).success
  test.each(['a', 'A9._-', '0', 'a'.repeat(128)])('%s is one of a dataset, a table and a period', (text) => {
    expect([DatasetId, TableName, PeriodTag].map((schema) => isName(schema, text))).toEqual([true, true, true])
  })

  test.each(['', '.a', '-a', 'a/b', 'a b', 'ä', 'a\n', 'a'.repeat(129), 7, null])('%j is none', (text) => {
    expect([DatasetId, TableName, PeriodTag].map((schema) => isName(schema, text))).toEqual([false, false, false])
  })

  test('of a table or a period may begin with an underscore, that of a dataset may not', () => {
    expect([DatasetId, TableName, PeriodTag].map((schema) => isName(schema, '_a'))).toEqual([false, true, true])
    expect([isName(JobId, 'seven'), isName(JobId, crypto.randomUUID())]).toEqual([false, true])
  })
})

describe('fragments are worth a merge', () => {
  const policy = { mergeMinFiles: 3, mergeMinBytes: 100, mergeMaxAgeSeconds: 60 }
  const nothing = { files: 2, bytes: 99, ageSeconds: 59 }
  test.each([
    [nothing, false],
    [{ ...nothing, files: 3 }, true],
    [{ ...nothing, bytes: 100 }, true],
    [{ ...nothing, ageSeconds: 60 }, true],
    [{ files: 1, bytes: 1000, ageSeconds: 1000 }, false],
  ])('%j: %s', (fresh, isDue) => {
    expect(isMergeDue(policy, fresh)).toBe(isDue)
  })

  test('by default as the database has it', () => {
    expect(DEFAULT_MERGE_POLICY).toEqual({ mergeMinFiles: 32, mergeMinBytes: 33_554_432, mergeMaxAgeSeconds: 900 })
  })
})

describe('JSON', () => {
  const repeated = (text: string) => parseJson(text).repeated.map(({ path }) => path.join('.'))

  test.each([
    ['{"a":1,"b":2}', []],
    ['{"a":1,"a":2}', ['a']],
    ['{"a":{"b":1,"b":2}}', ['a.b']],
    ['{"a":1,"b":{"a":1}}', []],
    ['[{"a":1},{"a":1}]', []],
    ['[0,{"a":1,"a":1}]', ['1.a']],
    ['{"l":[[1],[{"x":0,"x":0}]]}', ['l.1.0.x']],
    ['{"a":"a","b":"b"}', []],
    ['{"a":["a","a"]}', []],
    ['{"a":1,"\\u0061":2}', ['a']],
    ['{"a\\"b":1,"a\\"b":2}', ['a"b']],
    ['{"a":",\\"a\\":"}', []],
    ['{"a":1,"a":2,"a":3}', ['a', 'a']],
    ['"a"', []],
  ])('%s gives the fields %j more than once', (text, fields) => {
    expect(repeated(text)).toEqual(fields)
    expect(parseJson(text).value).toEqual(JSON.parse(text))
  })

  test('names twenty repeated fields at the most, each with sixteen names of its path', () => {
    const many = (count: number) => `{${Array.from({ length: count + 1 }, () => '"a":1').join()}}`
    expect([repeated(many(20)).length, repeated(many(21)).length]).toEqual([20, 20])
    const deep = `${'{"d":'.repeat(20)}{"a":1,"a":2}${'}'.repeat(20)}`
    expect(parseJson(deep).repeated[0]?.path).toHaveLength(16)
    expect(parseJson(`${'['.repeat(1000)}${']'.repeat(1000)}`).repeated).toEqual([])
  })

  test('that is none is refused', () => {
    expect(() => parseJson('{')).toThrow(SyntaxError)
  })
})

describe('fields that nobody knows', () => {
  const schema = z.object({
    table: z.string().optional(),
    limit: z.number().default(1),
    inner: z.object({ periodTag: z.string() }).nullable(),
    list: z.array(z.object({ a: z.number() })),
    lenient: z.preprocess((value) => value, z.object({ b: z.number() })),
  })
  const found = (value: unknown) => findUnknownFields(schema, value).map(({ path }) => path.join('.'))

  test.each([
    [{ table: 't', limit: 1 }, []],
    [{ tables: 't' }, ['tables']],
    [{ inner: { periodtag: 1 } }, ['inner.periodtag']],
    [{ inner: null }, []],
    [{ list: [{ a: 1 }, { b: 1 }] }, ['list.1.b']],
    [{ lenient: { c: 1 } }, ['lenient.c']],
    [{ toString: 1 }, ['toString']],
    [[], []],
    ['text', []],
    [null, []],
  ])('of %j are %j', (value, fields) => {
    expect(found(value)).toEqual(fields)
  })

  test('are twenty of one object and of one list at the most, their names cut', () => {
    const many = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`x${i}`, 1]))
    expect(found(many)).toHaveLength(25)
    expect(found({ list: Array.from({ length: 50 }, () => ({ b: 1 })) })).toHaveLength(20)
    expect(found({ ['x'.repeat(100)]: 1 })[0]).toHaveLength(64)
  })

  test.each([
    ['tableId', ['datasetId', 'table'], 'is unknown; did you mean table?'],
    ['periodtag', ['periodTag'], 'is unknown; did you mean periodTag?'],
    ['period-tag', ['periodTag'], 'is unknown; did you mean periodTag?'],
    ['lmit', ['limit'], 'is unknown; did you mean limit?'],
    ['ix', ['id'], 'is unknown; did you mean id?'],
    ['xyz', ['a', 'b'], 'is unknown; known are a, b'],
    ['xyz', [], 'is unknown; none is taken here'],
    ['limxxx', ['limit'], 'is unknown; known are limit'],
    ['ta', ['tableName'], 'is unknown; known are tableName'],
    ['tab', ['tableName'], 'is unknown; did you mean tableName?'],
    ['idkeys', ['id'], 'is unknown; known are id'],
    ['tagnames', ['tag'], 'is unknown; did you mean tag?'],
    ['ametag', ['tag'], 'is unknown; known are tag'],
    ['stat', ['state', 'status'], 'is unknown; did you mean state?'],
  ])('%s among %j %s', (name, known, told) => {
    expect(describeUnknown(name, known)).toBe(told)
  })
})

describe('a list of rows', () => {
  const row = z.object({ id: z.string(), count: z.int() })
  const schema = withListedRows(
    { name: 'things', field: 'rows', row, keys: ['id', 'count', 'other'] },
    z.object({ rows: z.array(row), unreadable: UnreadableRows }),
  )

  test('is what it is where every row can be read', () => {
    const lines = logged()
    const value = { rows: [{ id: 'a', count: 1 }] }
    expect(schema.parse(value)).toEqual(value)
    expect(lines).toEqual([])
  })

  test('hides none of its rows behind an odd one, and names that', () => {
    const lines = logged()
    const odd = [{ id: 'b', count: 2 ** 60 }, { id: 7, count: null }, null]
    const parsed = schema.parse({ rows: [{ id: 'a', count: 1 }, ...odd, { id: 'z', count: 2 }] })
    expect(parsed).toEqual({
      rows: [
        { id: 'a', count: 1 },
        { id: 'z', count: 2 },
      ],
      unreadable: [
        { index: 1, row: { id: 'b', count: String(2 ** 60) } },
        { index: 2, row: { id: '7' } },
        { index: 3, row: {} },
      ],
    })
    expect(lines).toMatchObject([['error', { event: 'rows_unreadable', list: 'things', count: 3 }]])
    const [[, line]] = lines as [[string, { rows: { fields: string[] }[] }]]
    expect(line.rows.map(({ fields }) => fields)).toEqual([['count'], ['id', 'count'], ['']])
  })

  test('names five odd rows in the log, and cuts what identifies them', () => {
    const lines = logged()
    const rows = Array.from({ length: 8 }, () => ({ id: 'x'.repeat(300), count: 0.5 }))
    const { unreadable = [] } = schema.parse({ rows })
    expect(unreadable).toHaveLength(8)
    expect(unreadable[0]!.row.id).toHaveLength(256)
    const [[, line]] = lines as [[string, { rows: unknown[] }]]
    expect(line.rows).toHaveLength(5)
  })

  test('that is none is refused as ever', () => {
    for (const value of [{ rows: 7 }, {}, null]) expect(schema.safeParse(value).success).toBe(false)
  })
})

describe('a log line', () => {
  test('is JSON of its event and fields, texts cut behind 2,000 characters, errors on their own stream', () => {
    const lines = logged()
    log('info', 'a', { text: 'x'.repeat(2001), nested: { text: 'y'.repeat(2001) }, number: 7 })
    log('error', 'b', {})
    expect(lines).toEqual([
      ['info', { event: 'a', text: 'x'.repeat(2000), nested: { text: 'y'.repeat(2000) }, number: 7 }],
      ['error', { event: 'b' }],
    ])
  })

  test('tells an error with its cause', () => {
    expect(describeError(new Error('a'))).toEqual({ error: 'a' })
    expect(describeError(new Error('a', { cause: new Error('b') }))).toEqual({ error: 'a', cause: 'Error: b' })
    expect(describeError('text')).toEqual({ error: 'text' })
  })
})
