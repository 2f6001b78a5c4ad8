import { isObject, isSameJson, type JsonObject, parseObject } from './json.ts'

/** names of the versions that wrote a file, which say nothing of its rows */
const WRITER_MEMBERS = ['creator', 'pandas_version']

/**
 * Unite the `pandas` metadata of two files (pandas.pydata.org, developer guide, "Storing pandas DataFrame objects in Apache Parquet
 * format"). Ranges of indices and, where they differ, metadata of columns as the number of categories are those of one file.
 * @returns undefined where columns or indices differ otherwise
 */
export function unitePandas(left: string, right: string): string | undefined {
  const [one, other] = [parseObject(left), parseObject(right)]
  if (!one || !other) return undefined
  if (!isSameJson(comparable(one), comparable(other))) return undefined
  return JSON.stringify({ ...one, columns: uniteColumns(one.columns, other.columns) })
}

function comparable({ columns, index_columns, ...rest }: JsonObject): JsonObject {
  const members = Object.entries(rest).filter(([name]) => !WRITER_MEMBERS.includes(name))
  return {
    ...Object.fromEntries(members),
    index_columns: mapItems(index_columns, (index) =>
      isRange(index) ? { ...index, start: 0, stop: 0, step: 1 } : index,
    ),
    columns: mapItems(columns, (column) => (isObject(column) ? { ...column, metadata: null } : column)),
  }
}

function uniteColumns(left: unknown, right: unknown): unknown {
  const others = Array.isArray(right) ? right : []
  return mapItems(left, (column, at) => {
    const other: unknown = others[at]
    const isSame = isObject(column) && isObject(other) && isSameJson(column.metadata, other.metadata)
    return isObject(column) && !isSame ? { ...column, metadata: null } : column
  })
}

/** The rows of the output are numbered again, as pandas does with `ignore_index`. */
export function numberRows(pandas: string, rows: number): string | undefined {
  const document = parseObject(pandas)
  if (!document) return undefined
  const index_columns = mapItems(document.index_columns, (index) =>
    isRange(index) ? { ...index, start: 0, stop: rows, step: 1 } : index,
  )
  return JSON.stringify({ ...document, index_columns })
}

const isRange = (index: unknown): index is JsonObject => isObject(index) && index.kind === 'range'

function mapItems(items: unknown, map: (item: unknown, at: number) => unknown): unknown {
  return Array.isArray(items) ? items.map(map) : items
}
