/** table of numbers, for FROM */
export const rows = (from: number, to: number) => `range(${from}, ${to}) t(i)`
/** a number that looks like chance */
const mixed = '(hash(i) % 1000)::int'

/** an expression of `i` for each type that rows are sorted by */
export const KEYS: [name: string, expression: string][] = [
  ['boolean', `${mixed} % 2 = 0`],
  ['tinyint', `(${mixed} % 256 - 128)::tinyint`],
  ['smallint', `(${mixed} - 500)::smallint`],
  ['integer', `(${mixed} - 500) * 4000000`],
  ['bigint', `(hash(i) % 1000)::bigint * 9223372036854 - 4611686018427387904`],
  ['utinyint', `(${mixed} % 256)::utinyint`],
  ['uinteger', `(hash(i) % 4294967296)::uinteger`],
  ['ubigint', `hash(i // 3)::ubigint`],
  ['hugeint as double', `(hash(i // 2) % 1000000)::hugeint - 500000`],
  [
    'float',
    `case hash(i) % 7 when 0 then 'nan'::float when 1 then '-inf'::float when 2 then -0.0::float when 3 then 0.0::float when 4 then 'inf'::float else ${mixed} / 7 - 60 end::float`,
  ],
  [
    'double',
    `case hash(i) % 7 when 0 then 'nan'::double when 1 then '-inf'::double when 2 then -0.0::double when 3 then 0.0::double when 4 then 'inf'::double else ${mixed} / 7 - 60 end::double`,
  ],
  ['decimal 9', `(${mixed} / 8 - 60)::decimal(9, 3)`],
  ['decimal 18', `(${mixed} * 1234567.0 - 500000000)::decimal(18, 6)`],
  ['decimal 38', `(${mixed} - 500)::decimal(38, 10) * 12345678901234`],
  ['varchar', `'ü' || ${mixed} || repeat('x', ${mixed} % 9)`],
  ['varchar, all distinct', 'md5(i::varchar)'],
  [
    'varchar with zeros and prefixes',
    `repeat('a', ${mixed} % 3) || repeat(chr(0), ${mixed} % 5) || repeat('b', ${mixed} % 2)`,
  ],
  ['blob', `unhex(printf('%04x', ${mixed} * 60)) || '\\xFF\\x00'::blob`],
  ['uuid', 'md5((hash(i) % 200)::varchar)::uuid'],
  ['date', `date '1960-01-01' + ${mixed} * 40`],
  ['time', `time '00:00:00' + to_microseconds(${mixed}::bigint * 79190)`],
  ['timestamp', `timestamp '1950-01-01' + to_seconds(${mixed}::bigint * 7654321)`],
  ['timestamp_ns', `make_timestamp_ns(1600000000123456789 + ${mixed})`],
  ['enum', `(['low', 'mid', 'high'])[1 + ${mixed} % 3]::enum('low', 'mid', 'high')`],
]

export const nullable = (expression: string) => `case when hash(i * 3) % 7 = 0 then null else ${expression} end`
/** other columns: the number of the row, texts, lists and structs */
export const REST = `i as id, 's' || i % 13 as s, case when i % 5 > 0 then [i, null, i % 3][:(i % 4)::int] end as l, {'a': case when i % 3 > 0 then i / 2 end, 'b': md5(i::varchar)} as o`
