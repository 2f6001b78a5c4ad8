import { z } from 'zod'

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
    encode: (position: z.infer<Schema>): string =>
      new TextEncoder().encode(JSON.stringify(position)).toBase64({ alphabet: 'base64url', omitPadding: true }),
  }
}

/**
 * One page of a list that was asked for one item more than it shows.
 * @returns the items to show, and the last of them if more follow
 */
export function page<Item>(items: readonly Item[], limit: number): { shown: readonly Item[]; last: Item | undefined } {
  const shown = items.slice(0, limit)
  return { shown, last: items.length > limit ? shown.at(-1) : undefined }
}
