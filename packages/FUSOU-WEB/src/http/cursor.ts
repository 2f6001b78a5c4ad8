import type { UnreadableRow } from '@fusou/catalog'
import { z } from 'zod'

/**
 * A moment as the database writes it, and nothing that it could not read back: years 1970 to 9999, microseconds at the
 * most, offsets that exist.
 */
export const Instant = z.iso
  .datetime({ offset: true })
  .regex(/^(?:19[7-9]|[2-9]\d\d)\d-[^T]+T[\d:]{8}(?:\.\d{1,6})?(?:Z|[+-](?:0\d|1[0-4]):[0-5]\d)$/, 'not a moment')

const fromBase64Url = (text: string) => Uint8Array.fromBase64(text, { alphabet: 'base64url' })

/** A cursor of a list: opaque to clients, JSON of this schema to us. */
export function cursor<Schema extends z.ZodType>(schema: Schema) {
  const decoded = z
    .string()
    .max(4096)
    .transform((text, context) => {
      try {
        return JSON.parse(new TextDecoder().decode(fromBase64Url(text))) as unknown
      } catch {
        context.addIssue({ code: 'custom', message: 'not a cursor of this list' })
        return z.NEVER
      }
    })
    .refine((value) => schema.safeParse(value).success, 'not a cursor of this list')
    .pipe(schema)
  return {
    schema: decoded,
    encode: (position: z.input<Schema>): string =>
      new TextEncoder().encode(JSON.stringify(position)).toBase64({ alphabet: 'base64url', omitPadding: true }),
  }
}

/**
 * One page of a list that was asked for one row more than it shows.
 * @param unreadable rows that were left out of `items`; they count and can be the last of a page
 * @returns the items to show, the unreadable rows among them, and what identifies the last row if more follow
 */
export function page<Item extends object>(
  items: readonly Item[],
  unreadable: readonly UnreadableRow[],
  limit: number,
): { shown: readonly Item[]; unreadable: UnreadableRow[] | undefined; last: Item | undefined } {
  const total = items.length + unreadable.length
  const odd = unreadable.filter(({ index }) => index < limit)
  const shown = items.slice(0, Math.min(total, limit) - odd.length)
  const lastOdd = odd.find(({ index }) => index === limit - 1)
  const last = lastOdd === undefined ? shown.at(-1) : (lastOdd.row as Item)
  return { shown, unreadable: odd.length === 0 ? undefined : odd, last: total > limit ? last : undefined }
}
