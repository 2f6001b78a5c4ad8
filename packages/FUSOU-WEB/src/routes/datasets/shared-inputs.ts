import { DatasetId, FusouError, PeriodTag, TableName } from '@fusou/catalog'
import { z } from 'zod'

export const DatasetAddress = z.object({ id: DatasetId })
export const TableAddress = z.object({ id: DatasetId, table: TableName })
export const PeriodAddress = z.object({ id: DatasetId, table: TableName, period: PeriodTag })

/** The same words wherever a dataset is not there or not the caller's to see. */
export const noDataset = (id: string) => new FusouError('unknown_dataset', `no dataset ${id} that you may see`)

/** Settings that were set, with the defaults of the others. */
export function withDefaults<Schema extends z.ZodObject>(
  schema: Schema,
  set: Record<string, unknown>,
): { settings: z.infer<Schema>; changed: string[] } {
  return { settings: schema.parse(set), changed: Object.keys(set).sort() }
}
