import { MERGE_LIMITS, MERGE_MEMORY_BYTES, type MergeInput, R2Source } from '@fusou/catalog'
import { explainMerge, ParquetError, type Source } from '@fusou/parquet-compactor'
import { workerCodecs } from './worker-codecs.ts'

/** A schema that cannot be united with those before it, and why. */
export interface SchemaApart {
  readonly fingerprint: string
  readonly reason: string
}

/**
 * Which schemas of the inputs cannot be united with those of the inputs before them; the first always can. One file of each
 * schema is looked at, and only its footer.
 */
export async function findApart(bucket: R2Bucket, inputs: readonly MergeInput[]): Promise<SchemaApart[]> {
  const united: Source[] = []
  const apart: SchemaApart[] = []
  for (const [fingerprint, [sample]] of Map.groupBy(inputs, (input) => input.fingerprint)) {
    const source = new R2Source(bucket, sample!)
    try {
      const options = { memoryBudgetBytes: MERGE_MEMORY_BYTES, limits: MERGE_LIMITS, codecs: workerCodecs }
      await explainMerge([...united, source], { ...options, schema: 'union' })
      united.push(source)
    } catch (error) {
      if (!(error instanceof ParquetError) || error.code !== 'schema_mismatch') throw error
      apart.push({ fingerprint, reason: error.message })
    }
  }
  return apart
}
