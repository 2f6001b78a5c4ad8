"""Reads a table file as an analyst would: readers.py ENGINE URL [HTTPFS].

It says that the table is open, then answers each question that it reads from a line: the count of rows, a sum, a count
behind a filter that row groups can be left out by, the rows of one code, and those of one value of a column with Bloom
filters. A question that an engine is known to answer
wrongly is answered by null.
"""

import functools
import hashlib
import json
import sys

FROM, TO, CODE = 40_000, 42_000, "c777"
BOOKING = hashlib.md5(b"2500").hexdigest()
COLUMNS = ["id", "code", "delay", "booking"]


def duckdb_reader(url, httpfs):
    import duckdb

    connection = duckdb.connect()
    connection.execute(f"load '{httpfs}'")
    connection.execute(f"create view t as select * from read_parquet('{url}')")
    one = lambda query: lambda: connection.execute(query).fetchone()[0]
    return {
        "count": one("select count(*) from t"),
        "sum": one("select sum(delay)::bigint from t"),
        "filtered": one(f"select count(*) from t where id between {FROM} and {TO}"),
        "found": one(f"select count(*) from t where code = '{CODE}'"),
        "point": one(f"select count(*) from t where booking = '{BOOKING}'"),
    }


def polars_reader(url, _):
    import polars as pl

    table = pl.scan_parquet(url)
    one = lambda frame: lambda: int(frame.collect().item())
    return {
        "count": one(table.select(pl.len())),
        "sum": one(table.select(pl.col("delay").cast(pl.Int64).sum())),
        "filtered": one(table.filter(pl.col("id").is_between(FROM, TO)).select(pl.len())),
        "found": one(table.filter(pl.col("code") == CODE).select(pl.len())),
        "point": one(table.filter(pl.col("booking") == BOOKING).select(pl.len())),
    }


def frame_queries(read):
    """Queries of a frame, which is read by the first."""
    frame = functools.cache(read)
    return {
        "count": lambda: len(frame()),
        "sum": lambda: int(frame()["delay"].sum()),
        "filtered": lambda: int(frame()["id"].between(FROM, TO).sum()),
        "found": lambda: int((frame()["code"] == CODE).sum()),
        "point": lambda: int((frame()["booking"] == BOOKING).sum()),
    }


def pandas_reader(url, _):
    import pandas as pd

    return frame_queries(lambda: pd.read_parquet(url))


def pyarrow_reader(url, _):
    import fsspec
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    opened = pq.ParquetFile(fsspec.open(url, cache_type="none").open())
    column = lambda name: opened.read(columns=[name])[name]
    within = lambda ids: pc.and_(pc.greater_equal(ids, FROM), pc.less_equal(ids, TO))
    return {
        "count": lambda: opened.metadata.num_rows,
        "sum": lambda: pc.sum(column("delay")).as_py(),
        "filtered": lambda: pc.sum(within(column("id"))).as_py(),
        "found": lambda: pc.sum(pc.equal(column("code"), CODE)).as_py(),
        "point": lambda: pc.sum(pc.equal(column("booking"), BOOKING)).as_py(),
    }


def fastparquet_reader(url, _):
    import fastparquet
    import fsspec

    opened = fastparquet.ParquetFile(url, fs=fsspec.filesystem("http"))
    # It reads nulls where some row groups of a text column have a dictionary and others none, of DuckDB's own files too.
    return {
        **frame_queries(lambda: opened.to_pandas(columns=COLUMNS)),
        "count": opened.count,
        "found": lambda: None,
        "point": lambda: None,
    }


def clickhouse_reader(url, _):
    import chdb

    one = lambda answer, where="1": lambda: int(
        str(chdb.query(f"select {answer} from url('{url}', 'Parquet') where {where}", "CSV"))
    )
    return {
        "count": one("count()"),
        "sum": one("sum(delay)"),
        "filtered": one("count()", f"id between {FROM} and {TO}"),
        "found": one("count()", f"code = '{CODE}'"),
        "point": one("count()", f"booking = '{BOOKING}'"),
    }


def spark_reader(url, _):
    import atexit
    from urllib.request import urlcleanup, urlretrieve

    from pyspark.sql import SparkSession
    from pyspark.sql import functions as f

    builder = SparkSession.builder.master("local[1]").config("spark.driver.host", "127.0.0.1")
    spark = builder.config("spark.driver.bindAddress", "127.0.0.1").config("spark.ui.enabled", "false").getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    atexit.register(urlcleanup)
    path, _ = urlretrieve(url)
    table = spark.read.parquet(path)
    return {
        "count": table.count,
        "sum": lambda: table.agg(f.sum("delay")).first()[0],
        "filtered": lambda: table.where(f.col("id").between(FROM, TO)).count(),
        "found": lambda: table.where(f.col("code") == CODE).count(),
        "point": lambda: table.where(f.col("booking") == BOOKING).count(),
    }


READERS = {
    "duckdb": duckdb_reader,
    "polars": polars_reader,
    "pandas": pandas_reader,
    "pyarrow": pyarrow_reader,
    "fastparquet": fastparquet_reader,
    "clickhouse": clickhouse_reader,
    "spark": spark_reader,
}


if __name__ == "__main__":
    engine, url, *more = sys.argv[1:]
    queries = READERS[engine](url, more[0] if more else "")
    print("opened", flush=True)
    for line in sys.stdin:
        print(json.dumps(queries[line.strip()]()), flush=True)
