import type { MergeOptions, MergeReport } from './merge-options.ts'
import { ParquetError } from './parquet-error.ts'
import type { Sink, Source } from './source.ts'

/** Merge files of one schema into one file: sources in the given order, rows in theirs. */
export async function mergeParquet(
  _sources: readonly Source[],
  _sink: Sink,
  _options: MergeOptions = {},
): Promise<MergeReport> {
  throw new ParquetError('bad_option', 'merging is not there yet')
}
