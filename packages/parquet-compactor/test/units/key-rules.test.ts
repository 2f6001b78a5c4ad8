import { describe, expect, test } from 'vitest'
import { KEY_GROUPS, KEY_RULES } from '../../src/key-values/key-rules.ts'

// A key with the wrong rule is wrong metadata in every merged file: each known one is named here with its rule.
test.each<[string, { isOfRows?: true; isOfSchema?: true; unites?: true; finishes?: true }]>([
  ['geo', { isOfRows: true, unites: true }],
  ['pandas', { isOfSchema: true, unites: true, finishes: true }],
  ['ARROW:schema', { isOfSchema: true, unites: true }],
  ['org.apache.spark.sql.parquet.row.metadata', { isOfSchema: true }],
  ['parquet.avro.schema', { isOfSchema: true }],
  ['avro.schema', { isOfSchema: true }],
  ['parquet.proto.descriptor', { isOfSchema: true }],
  ['iceberg.schema', { isOfSchema: true }],
  ['huggingface', { isOfSchema: true, unites: true }],
  ['hoodie_min_record_key', { isOfRows: true, unites: true }],
  ['hoodie_max_record_key', { isOfRows: true, unites: true }],
  ['org.apache.hudi.bloomfilter', { isOfRows: true }],
  ['com.uber.hoodie.bloomfilter', { isOfRows: true }],
  ['hoodie_bloom_filter_type_code', { isOfRows: true }],
])('the key %s has the rule %j', (key, rule) => {
  const { isOfRows, isOfSchema, unite, finish } = KEY_RULES.get(key)!
  const described = {
    ...(isOfRows && { isOfRows }),
    ...(isOfSchema && { isOfSchema }),
    ...(unite && { unites: true }),
    ...(finish && { finishes: true }),
  }
  expect(described).toEqual(rule)
  expect(KEY_RULES.size).toBe(14)
})

describe('keys that together say how values are read', () => {
  const same = (group: number, one: Record<string, string>, other: Record<string, string>) =>
    KEY_GROUPS[group]!.meaning(new Map(Object.entries(one))) ===
    KEY_GROUPS[group]!.meaning(new Map(Object.entries(other)))

  const spark = (version: string, more: Record<string, string> = {}) => ({
    'org.apache.spark.version': version,
    ...more,
  })
  const dates = { 'org.apache.spark.legacyDateTime': '' }
  const int96 = { 'org.apache.spark.legacyINT96': '' }
  test.each([
    [spark('3.1.0'), spark('3.5.9'), true],
    [spark('3.1'), spark('4.0.0'), true],
    [spark('4.0.0'), spark('4.1.0'), true],
    [spark('2.9.9'), spark('3.0.0'), false],
    [spark('3.0.9'), spark('3.1.0'), false],
    [spark('2.4.0'), spark('2.0.0'), true],
    [spark('2.4.0'), spark('3.0.0', dates), true],
    [spark('2.4.0'), spark('3.1.0', { ...dates, ...int96 }), true],
    [spark('3.0.0'), spark('3.1.0', int96), true],
    [spark('3.1.0'), spark('3.1.0', dates), false],
    [spark('3.1.0', dates), spark('3.1.0', int96), false],
    [spark('3.1.0'), spark('3.1.0', { 'org.apache.spark.timeZone': 'UTC' }), false],
    [spark(''), spark('2.0.0'), true],
    [spark('3'), spark('3.0.0'), true],
    [spark('3.1.0'), {}, false],
    [{}, dates, true],
  ])('of Spark: %j and %j mean the same: %s', (one, other, isSame) => {
    expect(same(0, one, other)).toBe(isSame)
  })

  test('of Spark and of Hive are these', () => {
    expect(KEY_GROUPS.map(({ keys }) => keys)).toEqual([
      [
        'org.apache.spark.version',
        'org.apache.spark.legacyDateTime',
        'org.apache.spark.legacyINT96',
        'org.apache.spark.timeZone',
      ],
      ['writer.date.proleptic', 'writer.zone.conversion.legacy', 'writer.time.zone'],
    ])
  })

  test.each(KEY_GROUPS[1]!.keys)('of Hive: %s may not differ, and is not the same as none', (key) => {
    expect(same(1, { [key]: 'true' }, { [key]: 'true' })).toBe(true)
    expect(same(1, { [key]: 'true' }, { [key]: 'false' })).toBe(false)
    expect(same(1, { [key]: 'true' }, {})).toBe(false)
  })
})
