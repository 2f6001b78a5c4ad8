/** The questions that every reader answers, in this order. readers.py has the same bounds. */
export const QUERIES = ['count', 'sum', 'filtered', 'found', 'point'] as const
export type Query = (typeof QUERIES)[number]
export type Answers = Readonly<Record<Query, number>>

export const ID_FROM = 40_000
export const ID_TO = 42_000
export const CODE = 'c777'
/** MD5 of 2500, in twenty rows of one upload: no bounds of a row group tell where, its Bloom filter does. */
export const BOOKING = 'f7696a9b362ac5a51c3dc8f098b73923'

/** The questions in SQL, each with one number as its answer. */
export const sqlOf = (table: string): Readonly<Record<Query, string>> => ({
  count: `select count(*)::double from ${table}`,
  sum: `select sum(delay)::double from ${table}`,
  filtered: `select count(*)::double from ${table} where id between ${ID_FROM} and ${ID_TO}`,
  found: `select count(*)::double from ${table} where code = '${CODE}'`,
  point: `select count(*)::double from ${table} where booking = '${BOOKING}'`,
})

/** A table file that a reader has opened: most readers have its footer then. */
export interface OpenTable {
  /** @returns undefined where the reader is known to answer wrongly, whoever wrote the file */
  ask(query: Query): Promise<number | undefined>
  close(): Promise<void>
}

export type Reader = (url: string) => Promise<OpenTable>
