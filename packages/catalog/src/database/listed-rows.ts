import { z } from 'zod'
import { log } from '../log.ts'

/** How many unreadable rows of one list the log names. */
const MAX_LOGGED_ROWS = 5
const MAX_KEY_CHARACTERS = 256

/** A row of a list that its schema refuses: what identifies the row, where it has such texts, and its place in the list. */
export const UnreadableRow = z
  .object({
    index: z.int().nonnegative().meta({ description: 'place in the list, counted with the readable rows, from 0' }),
    row: z.record(z.string(), z.string()).meta({ description: 'the fields that identify the row' }),
  })
  .meta({ id: 'UnreadableRow', description: 'a row that could not be read; tell the operator what identifies it' })
export type UnreadableRow = z.infer<typeof UnreadableRow>

/** The field beside a list that names the rows left out of it; absent when every row could be read. */
export const UnreadableRows = z.array(UnreadableRow).optional()

/**
 * The schema of an answer with a list whose rows are parsed one by one: one odd row hides none of the others. It is taken
 * out of the list, named in the field `unreadable` of the answer, and logged.
 * @param list.field  of the answer, where the list is
 * @param list.row    schema of a row
 * @param list.keys   fields that identify a row and its place in the order
 * @param answer      has `unreadable: UnreadableRows`
 */
export function withListedRows<Answer extends z.ZodType>(
  list: { name: string; field: string; row: z.ZodType; keys: readonly string[] },
  answer: Answer,
): z.ZodType<z.infer<Answer>> {
  return z.preprocess((value) => {
    const rows = (value as Record<string, unknown> | null | undefined)?.[list.field]
    if (!Array.isArray(rows)) return value
    const faults: unknown[] = []
    const unreadable: UnreadableRow[] = []
    const readable = rows.filter((row, index) => {
      const parsed = list.row.safeParse(row)
      if (parsed.success) return true
      unreadable.push({ index, row: identify(row, list.keys) })
      faults.push({ ...unreadable.at(-1), fields: parsed.error.issues.slice(0, 3).map(({ path }) => path.join('.')) })
      return false
    })
    if (unreadable.length === 0) return value
    const { name } = list
    log('error', 'rows_unreadable', { list: name, count: unreadable.length, rows: faults.slice(0, MAX_LOGGED_ROWS) })
    return { ...(value as object), [list.field]: readable, unreadable }
  }, answer)
}

function identify(row: unknown, keys: readonly string[]): Record<string, string> {
  if (typeof row !== 'object' || row === null) return {}
  const fields = row as Record<string, unknown>
  const known = keys.filter((key) => ['string', 'number'].includes(typeof fields[key]))
  return Object.fromEntries(known.map((key) => [key, String(fields[key]).slice(0, MAX_KEY_CHARACTERS)]))
}
