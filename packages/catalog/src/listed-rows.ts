import { z } from 'zod'
import { log } from './log.ts'

/** How many odd rows of one answer are described in the log. */
const MAX_LOGGED_ROWS = 5

/**
 * A list of rows that are worked on one by one. A row that does not parse is left out and logged, so that it holds up
 * none of the others. Not for lists that must be whole, such as the inputs of a merge.
 * @param name what the log calls the list
 */
export function listedRows<Row extends z.ZodType>(name: string, row: Row) {
  return z.array(z.unknown()).transform((values) => {
    const rows: z.infer<Row>[] = []
    const faults: string[] = []
    for (const value of values) {
      const parsed = row.safeParse(value)
      if (parsed.success) rows.push(parsed.data)
      else faults.push(z.prettifyError(parsed.error))
    }
    if (faults.length > 0) {
      log('error', 'odd_rows', {
        list: name,
        rows: faults.length,
        of: values.length,
        faults: faults.slice(0, MAX_LOGGED_ROWS),
      })
    }
    return rows
  })
}
