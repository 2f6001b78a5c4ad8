"""Runs one query in a new DuckDB: duckdb_query.py HTTPFS QUERY, answers its one value."""

import sys

import duckdb

httpfs, query = sys.argv[1:]
connection = duckdb.connect()
connection.execute(f"load '{httpfs}'")
print(connection.execute(query).fetchone()[0])
