import { z } from 'zod'

/** The composed footer of a table file. */
export const ComposedFooter = z.object({
  id: z.uuid(),
  version: z.int(),
  /** of its first byte, in bytes from the start of the table file */
  address: z.int(),
  /** pages of nulls and the footer: the table file ends with them */
  tailBytes: z.int(),
  /** of a pinned version, the length of the list of its files, which lies behind the tail in the object; else 0 */
  layoutBytes: z.int(),
  rows: z.int(),
  /** files in quarantine, which the table file leaves out */
  leftOut: z.int(),
  r2Key: z.string(),
})
export type ComposedFooter = z.infer<typeof ComposedFooter>

/** A file of a table file that is to be composed. */
export const FooterFile = z.object({
  id: z.uuid(),
  /** null: the addresses of the table are used up, and only pinned versions can be composed */
  address: z.int().nullable(),
  r2Key: z.string(),
  offset: z.int(),
  length: z.int(),
  periodTag: z.string(),
  createdVersion: z.int(),
})
export type FooterFile = z.infer<typeof FooterFile>

/** Bytes of an object, at addresses of a table. */
export const AddressedThing = z.object({
  address: z.int(),
  length: z.int(),
  /** how many addresses before it were never given to anything */
  guard: z.int(),
  r2Key: z.string(),
  offset: z.int(),
})
export type AddressedThing = z.infer<typeof AddressedThing>
