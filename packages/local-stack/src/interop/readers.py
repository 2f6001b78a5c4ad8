"""Reads a table file as an analyst would: readers.py ENGINE URL [HTTPFS], answers as one line of JSON.

Each answer has the count of rows, a sum, a count behind a filter that row groups can be left out by, and the rows of one code.
`between` is called after the table was opened and before it is read, where the engine lets one do so.
"""

import json
import sys

FROM, TO, CODE = 40_000, 42_000, "c777"


def duckdb_reader(url, httpfs, between):
    import duckdb

    connection = duckdb.connect()
    connection.execute(f"load '{httpfs}'")
    connection.execute(f"create view t as select * from read_parquet('{url}')")
    between()
    one = lambda query: connection.execute(query).fetchone()[0]
    return {
        "count": one("select count(*) from t"),
        "sum": one("select sum(delay)::bigint from t"),
        "filtered": one(f"select count(*) from t where id between {FROM} and {TO}"),
        "found": one(f"select count(*) from t where code = '{CODE}'"),
    }


def polars_reader(url, _, between):
    import polars as pl

    table = pl.scan_parquet(url)
    between()
    one = lambda frame: int(frame.collect().item())
    return {
        "count": one(table.select(pl.len())),
        "sum": one(table.select(pl.col("delay").cast(pl.Int64).sum())),
        "filtered": one(table.filter(pl.col("id").is_between(FROM, TO)).select(pl.len())),
        "found": one(table.filter(pl.col("code") == CODE).select(pl.len())),
    }


def frame_answers(table):
    return {
        "count": len(table),
        "sum": int(table["delay"].sum()),
        "filtered": int(table["id"].between(FROM, TO).sum()),
        "found": int((table["code"] == CODE).sum()),
    }


def pandas_reader(url, _, between):
    import pandas as pd

    between()
    return frame_answers(pd.read_parquet(url))


def pyarrow_reader(url, _, between):
    import fsspec
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    with fsspec.open(url, cache_type="none") as file:
        opened = pq.ParquetFile(file)
        between()
        table = opened.read(columns=["id", "code", "delay"])
    within = pc.and_(pc.greater_equal(table["id"], FROM), pc.less_equal(table["id"], TO))
    return {
        "count": opened.metadata.num_rows,
        "sum": pc.sum(table["delay"]).as_py(),
        "filtered": pc.sum(within).as_py(),
        "found": pc.sum(pc.equal(table["code"], CODE)).as_py(),
    }


def fastparquet_reader(url, _, between):
    import fastparquet
    import fsspec

    opened = fastparquet.ParquetFile(url, fs=fsspec.filesystem("http"))
    between()
    answers = frame_answers(opened.to_pandas(columns=["id", "code", "delay"]))
    # It reads nulls where some row groups of a text column have a dictionary and others none, of DuckDB's own files too.
    del answers["found"]
    return {**answers, "count": opened.count()}


def clickhouse_reader(url, _, between):
    import chdb

    between()
    query = f"""select count(), sum(delay), countIf(id between {FROM} and {TO}), countIf(code = '{CODE}')
        from url('{url}', 'Parquet')"""
    values = str(chdb.query(query, "CSV")).strip().split(",")
    return dict(zip(["count", "sum", "filtered", "found"], map(int, values)))


READERS = {
    "duckdb": duckdb_reader,
    "polars": polars_reader,
    "pandas": pandas_reader,
    "pyarrow": pyarrow_reader,
    "fastparquet": fastparquet_reader,
    "clickhouse": clickhouse_reader,
}


def between():
    """Tells the caller that the table is open, and waits until it lets the reader go on."""
    print("opened", flush=True)
    sys.stdin.readline()


if __name__ == "__main__":
    engine, url, *more = sys.argv[1:]
    print(json.dumps(READERS[engine](url, more[0] if more else "", between)))
