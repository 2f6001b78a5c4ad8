/** The questions that every reader answers, in this order. readers.py has the same bounds. */
export const QUERIES = ['count', 'sum', 'filtered', 'found'] as const
export type Query = (typeof QUERIES)[number]
export type Answers = Readonly<Record<Query, number>>

export const ID_FROM = 40_000
export const ID_TO = 42_000
export const CODE = 'c777'

/** The questions in SQL, each with one number as its answer. */
export const sqlOf = (table: string): Readonly<Record<Query, string>> => ({
  count: `select count(*)::double from ${table}`,
  sum: `select sum(delay)::double from ${table}`,
  filtered: `select count(*)::double from ${table} where id between ${ID_FROM} and ${ID_TO}`,
  found: `select count(*)::double from ${table} where code = '${CODE}'`,
})

/** A table file that a reader has opened: most readers have its footer then. */
export interface OpenTable {
  /** @returns undefined where the reader is known to answer wrongly, whoever wrote the file */
  ask(query: Query): Promise<number | undefined>
  close(): Promise<void>
}

export type Reader = (url: string) => Promise<OpenTable>
