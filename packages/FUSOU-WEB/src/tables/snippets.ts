/** Engines for which there are lines that read a table file. */
export const ENGINES = ['duckdb', 'polars', 'pandas', 'pyarrow', 'clickhouse', 'spark', 'hyparquet'] as const
/** ClickHouse asks for the length by a request for all, which of the newest version is sent elsewhere. */
export const ENGINES_OF_PINNED: readonly Engine[] = ['clickhouse']
export type Engine = (typeof ENGINES)[number]

/** Lines to be pasted, which count the rows of the table at an address. docs/reading.md says what each engine needs. */
export const SNIPPETS: Readonly<Record<Engine, (url: string) => string>> = {
  duckdb: (url) => `select count(*) from read_parquet('${url}');\n`,
  polars: (url) => `import polars as pl

table = pl.scan_parquet("${url}")
print(table.select(pl.len()).collect())
`,
  pandas: (url) => `import pandas as pd

table = pd.read_parquet("${url}")
print(len(table))
`,
  pyarrow: (url) => `import fsspec
import pyarrow.parquet as pq

with fsspec.open("${url}", cache_type="none") as file:
    table = pq.read_table(file)
print(table.num_rows)
`,
  clickhouse: (url) => `select count() from url('${url}', 'Parquet')\n`,
  spark: (url) => `from urllib.request import urlretrieve

path, _ = urlretrieve("${url}")
table = spark.read.parquet(path)
print(table.count())
`,
  hyparquet: (url) => `import { asyncBufferFromUrl, parquetMetadataAsync, parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'

const file = await asyncBufferFromUrl({ url: '${url}' })
const metadata = await parquetMetadataAsync(file)
const columns = metadata.schema.slice(1, 2).map(({ name }) => name)
console.log((await parquetReadObjects({ file, metadata, columns, compressors })).length)
`,
}
