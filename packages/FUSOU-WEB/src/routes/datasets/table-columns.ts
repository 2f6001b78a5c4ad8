import { FusouError, isObjectFault, R2Source, UPLOAD_LIMITS } from '@fusou/catalog'
import { type DescribedColumn, describeColumns, ParquetError } from '@fusou/parquet-compactor'
import { holdFooter } from '../../upload/upload-memory.ts'

interface Sample {
  readonly id: string
  readonly r2Key: string
  readonly offset: number
  readonly length: number
}

/**
 * The columns of a file, from its footer.
 * @returns undefined if its bytes are gone or damaged
 * @throws FusouError `storage_unavailable`, `overloaded`
 */
export async function readColumns(bucket: R2Bucket, sample: Sample): Promise<DescribedColumn[] | undefined> {
  using _ = await holdFooter(sample.length)
  try {
    return await describeColumns(new R2Source(bucket, sample), UPLOAD_LIMITS)
  } catch (error) {
    if (!(error instanceof ParquetError)) throw error
    if (error.code !== 'read_failed' || isObjectFault(error.cause)) return undefined
    throw new FusouError('storage_unavailable', 'the schema could not be read; try again', { cause: error })
  }
}
