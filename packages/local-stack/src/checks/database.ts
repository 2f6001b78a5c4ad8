/** The door for SQL of a stack; see `serveSql`. */
export class StackDatabase {
  readonly #sqlUrl: () => string

  /** @param sqlUrl the address now: it changes with each start of the stack */
  constructor(sqlUrl: () => string) {
    this.#sqlUrl = sqlUrl
  }

  async query<Row = Record<string, unknown>>(text: string, ...params: unknown[]): Promise<Row[]> {
    const response = await fetch(this.#sqlUrl(), { method: 'POST', body: JSON.stringify([{ text, params }]) })
    if (!response.ok) throw new Error(await response.text())
    return ((await response.json()) as [Row[]])[0]
  }

  /** Make the database believe that so much time has passed: every time it has noted lies further back. */
  async letTimePass(seconds: number): Promise<void> {
    await this.query(`do $$
      declare
        noted record;
      begin
        for noted in
          select c.table_name, string_agg(
            format('%1$I = %1$I - make_interval(secs => ${seconds})', c.column_name), ', '
          ) as earlier
          from information_schema.columns c join information_schema.tables t using (table_schema, table_name)
          where c.table_schema = 'public' and c.data_type = 'timestamp with time zone' and t.table_type = 'BASE TABLE'
          group by c.table_name
        loop
          execute format('update public.%I set %s', noted.table_name, noted.earlier);
        end loop;
      end $$`)
  }
}
