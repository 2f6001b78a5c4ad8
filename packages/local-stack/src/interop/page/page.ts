import { openByHyparquet } from '../hyparquet-reader.ts'
import type { OpenTable, Query } from '../open-table.ts'
import { openByDuckDb } from './duckdb-reader.ts'

const READERS = { 'duckdb-wasm': openByDuckDb, hyparquet: openByHyparquet }
export type PageReader = keyof typeof READERS

let opened: OpenTable

/** What the page lets the test do. */
export const readers = {
  async open(reader: PageReader, url: string): Promise<void> {
    opened = await READERS[reader](url)
  },
  ask: (query: Query) => opened.ask(query),
  close: () => opened.close(),
}
