import { type Catalog, connectCatalog } from '@fusou/catalog'
import type { EmbeddedSupabase } from './servers/embedded-supabase.ts'

export interface Statement {
  readonly text: string
  readonly params?: readonly unknown[]
}

/** The embedded Supabase: the catalog as the Workers see it, and a look at the tables that the Workers do not have. */
export class EmbeddedDatabase {
  readonly catalog: Catalog
  readonly address: EmbeddedSupabase

  constructor(address: EmbeddedSupabase) {
    this.address = address
    this.catalog = connectCatalog(address)
  }

  /** Runs statements in one transaction, so that `now()` is the same in all of them. */
  async transaction<Row = Record<string, unknown>>(...statements: Statement[]): Promise<Row[][]> {
    const response = await fetch(this.address.sqlUrl, {
      method: 'POST',
      body: JSON.stringify(statements.map(({ text, params = [] }) => ({ text, params }))),
    })
    if (!response.ok) throw new Error(await response.text())
    return (await response.json()) as Row[][]
  }

  async query<Row = Record<string, unknown>>(text: string, ...params: unknown[]): Promise<Row[]> {
    return (await this.transaction<Row>({ text, params }))[0] ?? []
  }

  /**
   * PGlite's clock counts milliseconds, and now() is the start of a transaction: what was to end "at once" has ended
   * only for a transaction that starts on a later tick. Asks the database until there is one.
   */
  async nextTick(): Promise<void> {
    const clock = async () => (await this.catalog.ping()).now
    const before = await clock()
    while ((await clock()) === before);
  }
}
