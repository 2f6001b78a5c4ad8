import { z } from 'zod'
import { log } from '../log.ts'

/** How many unreadable rows of one answer are described in the log. */
const MAX_LOGGED_ROWS = 5

/**
 * A list of rows that are worked on one by one. A row that does not parse is left out and logged, so that it holds up
 * none of the others. Not for lists that must be whole, such as the inputs of a merge, nor for those that people read,
 * which name what was left out: see `withListedRows`.
 * @param list what the log calls it
 */
export function readableRows<Row extends z.ZodType>(list: string, row: Row) {
  return z.array(z.unknown()).transform((values) => {
    const rows: z.infer<Row>[] = []
    const faults: string[] = []
    for (const value of values) {
      const parsed = row.safeParse(value)
      if (parsed.success) rows.push(parsed.data)
      else faults.push(z.prettifyError(parsed.error))
    }
    if (faults.length > 0) {
      log('error', 'rows_unreadable', { list, count: faults.length, rows: faults.slice(0, MAX_LOGGED_ROWS) })
    }
    return rows
  })
}
