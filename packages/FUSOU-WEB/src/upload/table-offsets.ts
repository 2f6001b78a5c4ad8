import { FusouError, type ParsedJson, parseJson, TableName } from '@fusou/catalog'
import { z } from 'zod'
import { check } from '../http/check.ts'
import { integer } from '../http/inputs.ts'

/** Slices of one object: clients in the wild send up to 33. */
export const MAX_SLICES = 256

/** Which table lies where in an object that holds several Parquet files end to end. */
export const TableOffsets = z
  .array(
    z.object({
      table_name: TableName,
      start_byte: integer(z.int().nonnegative()),
      byte_length: integer(z.int().positive()),
      format: z.literal('parquet').default('parquet'),
    }),
  )
  .min(1)
  .max(MAX_SLICES)
export type TableOffsets = z.infer<typeof TableOffsets>

/** One Parquet file inside an object; bytes from the start of the object. */
export interface Slice {
  readonly table: string
  readonly offset: number
  readonly length: number
}

/** @throws FusouError `invalid_request`, naming the entry and the field */
export function parseTableOffsets(text: string): TableOffsets {
  let json: ParsedJson
  try {
    json = parseJson(text)
  } catch {
    const schema = z.object({ tableOffsets: z.never('is not JSON') })
    return check(schema, { tableOffsets: text }, 'request').tableOffsets
  }
  const repeated = json.repeated.map(({ path, message }) => ({ path: ['tableOffsets', ...path], message }))
  const schema = z.object({ tableOffsets: TableOffsets })
  return check(schema, { tableOffsets: json.value }, 'request', repeated).tableOffsets
}

/**
 * Divide an object among its entries. A byte that no entry names would be rows lost in silence, one that two entries
 * name would be rows counted twice: both are refused.
 * @returns slices in order of their offsets
 * @throws FusouError `invalid_table_offsets`, saying where
 */
export function sliceObject(offsets: TableOffsets, objectBytes: number): Slice[] {
  const refuse = (detail: string) => new FusouError('invalid_table_offsets', detail)
  const slices = offsets
    .map(({ table_name, start_byte, byte_length }) => ({ table: table_name, offset: start_byte, length: byte_length }))
    .sort((a, b) => a.offset - b.offset)
  let end = 0
  for (const { table, offset, length } of slices) {
    if (offset + length > objectBytes)
      throw refuse(`${table} ends at byte ${offset + length} of an object of ${objectBytes} bytes`)
    if (offset < end) throw refuse(`${table} begins at byte ${offset}, the entry before it ends at ${end}`)
    if (offset > end) throw refuse(`no entry names the bytes from ${end} to ${offset}`)
    end = offset + length
  }
  if (end < objectBytes) throw refuse(`no entry names the bytes from ${end} to ${objectBytes}`)
  return slices
}
