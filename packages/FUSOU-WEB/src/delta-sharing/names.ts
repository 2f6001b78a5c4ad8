import { DatasetId, FusouError, TableName } from '@fusou/catalog'
import { z } from 'zod'

/** Every share has this schema, and no other. */
export const SCHEMA = 'default'

/**
 * Clients write `share.schema.table`, so that a name in lists has no dot: it is escaped as in an address. Some clients escape the
 * percent sign once more on the way.
 */
export const toShared = (name: string): string => name.replaceAll('.', '%2E')
const fromShared = (name: string): string => name.replaceAll(/%2e/gi, '.')

const shared = <Schema extends z.ZodType>(schema: Schema) =>
  z.preprocess((value) => (typeof value === 'string' ? fromShared(value) : value), schema)

export const ShareAddress = z.object({ share: shared(DatasetId) })
export const SchemaAddress = ShareAddress.extend({ schema: z.string().max(255) })
export const SharedTableAddress = SchemaAddress.extend({ table: shared(TableName) })

/** @throws FusouError `unknown_table` */
export function checkSchema(schema: string): void {
  if (schema !== SCHEMA) throw new FusouError('unknown_table', `no schema of this name; every share has ${SCHEMA}`)
}

export const noShare = (share: string) => new FusouError('unknown_dataset', `no share ${share} that you may see`)
