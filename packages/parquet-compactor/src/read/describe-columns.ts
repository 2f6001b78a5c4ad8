import { leafPaths, readTree } from '../schema/schema-tree.ts'
import { typeName } from '../schema/type-name.ts'
import { valueOrderOf } from '../schema/value-order.ts'
import type { FileLimits } from './file-limits.ts'
import { loadFooter } from './inspect.ts'
import type { Source } from './source.ts'

/** A leaf column of a file. */
export interface DescribedColumn {
  /** names from below the root, joined by dots, as `sortBy` and `dedupeBy` take them */
  name: string
  /** logical and physical type in words, such as `string BYTE_ARRAY` or `int64` */
  type: string
  /** whether a row may have no value */
  isNullable: boolean
  /** whether a row may have any number of values: columns of lists and maps */
  isRepeated: boolean
  /** whether `sortBy` takes it */
  isSortable: boolean
}

/**
 * The leaf columns of a file, in its order. Only the footer is read.
 *
 * @example
 * const columns = await describeColumns(memorySource(bytes))
 * columns.map(({ name, type }) => `${name}: ${type}`)
 *
 * @param limits what the footer may declare
 * @throws ParquetError `not_parquet`, `truncated`, `bad_footer`, `encrypted`, `over_limit`, `read_failed`
 */
export async function describeColumns(source: Source, limits: FileLimits = {}): Promise<DescribedColumn[]> {
  const { footer } = await loadFooter(source, { limits })
  const { schema } = footer.footer
  const paths = leafPaths(readTree(schema))
  return schema.leaves.map((leaf, index) => {
    const isRepeated = leaf.maxRepetition > 0
    return {
      name: leaf.name,
      type: typeName(paths[index]!.node),
      isNullable: leaf.maxDefinition > 0,
      isRepeated,
      isSortable: !isRepeated && valueOrderOf(leaf) !== undefined,
    }
  })
}
