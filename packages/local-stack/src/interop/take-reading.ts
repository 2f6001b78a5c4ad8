import type { CountingProxy } from './counting-proxy.ts'
import { type Answers, type OpenTable, QUERIES, type Query, type Reader } from './open-table.ts'

/** What a reader asked for in one step. */
export interface Figures {
  readonly requests: number
  readonly bytes: number
}

/** A table read through its URL: what each step cost, and what was wrong. */
export interface Reading {
  readonly steps: ReadonlyMap<'open' | Query, Figures>
  readonly fault: string | undefined
}

/**
 * Opens a table and asks every question.
 * @param url     behind the proxy, whose figures are taken
 * @param between is called when the table is open, before the first question
 */
export async function takeReading(
  reader: Reader,
  url: string,
  proxy: CountingProxy,
  expected: Answers,
  between: () => Promise<void> = async () => {},
): Promise<Reading> {
  const steps = new Map<'open' | Query, Figures>()
  const wrong: string[] = []
  const figuresOf = async <T>(step: 'open' | Query, run: () => Promise<T>): Promise<T> => {
    proxy.take()
    const result = await run()
    const exchanges = proxy.take()
    steps.set(step, { requests: exchanges.length, bytes: exchanges.reduce((sum, { bytes }) => sum + bytes, 0) })
    return result
  }
  let table: OpenTable | undefined
  try {
    table = await figuresOf('open', () => reader(url))
    await between()
    for (const query of QUERIES) {
      const answer = await figuresOf(query, () => table!.ask(query))
      if (answer !== undefined && answer !== expected[query]) wrong.push(`${query} ${answer}, not ${expected[query]}`)
    }
  } catch (error) {
    return { steps, fault: `FAILED: ${error instanceof Error ? error.message.slice(0, 200) : error}` }
  } finally {
    await table?.close()
  }
  return { steps, fault: wrong.length === 0 ? undefined : `WRONG: ${wrong.join(', ')}` }
}

export function totalOf({ steps }: Reading): Figures {
  const all = [...steps.values()]
  return {
    requests: all.reduce((sum, { requests }) => sum + requests, 0),
    bytes: all.reduce((sum, { bytes }) => sum + bytes, 0),
  }
}
