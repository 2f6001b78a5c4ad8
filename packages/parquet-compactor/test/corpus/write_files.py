"""Writes the corpus files of pyarrow and fastparquet into a folder, and a manifest of them to standard output.

Usage: write_files.py FOLDER whole|sample
"""

import datetime
import decimal
import itertools
import json
import pathlib
import sys

import fastparquet
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

# rows of the files of a case; one file has none, in others all values of a column are null
RANGES = [(0, 300), (300, 300), (300, 301), (301, 420)]
EPOCH = datetime.datetime(1970, 1, 1)


def arrow_table(first, last):
    rows = range(first, last)

    def column(value, kind):
        return pa.array([value(i) for i in rows], kind)

    def sparse(value):
        return lambda i: None if i % 4 == 1 else value(i)

    struct = pa.struct([("a", pa.int32()), ("b", pa.string()), ("c", pa.struct([("d", pa.float64())]))])
    columns = {
        "i": column(lambda i: i, pa.int64()),
        "flag": column(sparse(lambda i: i % 3 == 0), pa.bool_()),
        "tiny": column(lambda i: i % 200 - 100, pa.int8()),
        "unsigned_short": column(lambda i: i * 31 % 65536, pa.uint16()),
        "unsigned_int": column(sparse(lambda i: 4294967295 - i), pa.uint32()),
        "unsigned_long": column(lambda i: 18446744073709551615 - i, pa.uint64()),
        "half": pa.array(np.array([np.nan if i % 11 == 3 else i / 2 for i in rows], np.float16)),
        "single": column(sparse(lambda i: i / 3), pa.float32()),
        "number": column(lambda i: [float("nan"), -0.0, i / 7, None][i % 4], pa.float64()),
        "zero": column(lambda i: [0.0, -0.0][i % 2], pa.float64()),
        "text": column(sparse(lambda i: f"t{i % 9}"), pa.string()),
        "distinct": column(lambda i: f"{i * 7919 % 1013:05d} é", pa.large_string()),
        "view": column(sparse(lambda i: f"a view of {i % 30}"), pa.string_view()),
        "bytes": column(sparse(lambda i: bytes([i % 256, 0])), pa.binary()),
        "fixed": column(lambda i: bytes([1, i % 256, i // 256]), pa.binary(3)),
        "decimal": column(lambda i: decimal.Decimal(i - 150) / 4, pa.decimal128(9, 2)),
        "large_decimal": column(sparse(lambda i: decimal.Decimal(-i) * 10**20), pa.decimal128(38, 2)),
        "day": column(lambda i: datetime.date(1960, 1, 1) + datetime.timedelta(i), pa.date32()),
        "millis": column(sparse(lambda i: EPOCH + datetime.timedelta(milliseconds=i)), pa.timestamp("ms")),
        "instant": column(lambda i: EPOCH + datetime.timedelta(seconds=i), pa.timestamp("us", "Europe/Berlin")),
        "clock": column(sparse(lambda i: datetime.time(0, i // 60 % 60, i % 60)), pa.time64("us")),
        "level": column(lambda i: f"level {i % 3}", pa.string()).dictionary_encode(),
        "nothing": column(lambda i: None, pa.string()),
        "null": pa.nulls(len(rows)),
        "list": column(lambda i: [[], None, [i, None], [i]][i % 4], pa.list_(pa.int64())),
        "lists": column(lambda i: [[f"x{i % 3}", None], [], None], pa.large_list(pa.list_(pa.string()))),
        "pair": column(sparse(lambda i: [i, i + 1]), pa.list_(pa.int16(), 2)),
        "struct": column(sparse(lambda i: {"a": i, "b": f"{i % 5}", "c": {"d": i / 2}}), struct),
        "map": column(sparse(lambda i: [(f"k{i % 3}", i), ("z", None)]), pa.map_(pa.string(), pa.int32())),
    }
    required = [pa.field(name, array.type, nullable=name != "i") for name, array in columns.items()]
    return pa.table(columns, schema=pa.schema(required))


def arrow_cases():
    codecs = ["none", "snappy", "gzip", "brotli", "zstd", "lz4"]
    for codec, version, dictionary in itertools.product(codecs, ["1.0", "2.0"], [True, False]):
        # the other settings go round, so that each meets each codec
        turn = codecs.index(codec) + (version == "2.0")
        more = {
            "version": ["2.6", "1.0", "2.4"][turn % 3],
            "write_page_index": turn % 2 == 0,
            "write_page_checksum": turn % 4 < 2,
            "write_statistics": turn % 5 != 4,
            "store_schema": turn % 3 != 1,
            "data_page_size": [512, 2**20][turn % 2],
        }
        if more["version"] == "1.0":
            more["coerce_timestamps"] = "us"
        if not dictionary and turn % 2:
            more["column_encoding"] = {"i": "DELTA_BINARY_PACKED", "text": "DELTA_BYTE_ARRAY", "single": "BYTE_STREAM_SPLIT"}
        name = f"{codec}, pages of version {version}, {'dictionaries' if dictionary else 'plain'}"

        def write(path, rows, more=more, codec=codec, version=version, dictionary=dictionary):
            pq.write_table(
                arrow_table(*rows),
                path,
                compression=codec,
                data_page_version=version,
                use_dictionary=dictionary,
                row_group_size=200,
                **more,
            )

        yield "pyarrow", name, write


def frame(first, last):
    rows = np.arange(first, last)
    sparse = rows % 4 == 1
    return pd.DataFrame(
        {
            "i": rows.astype("int64"),
            "tiny": (rows % 200 - 100).astype("int8"),
            "unsigned": rows.astype("uint32"),
            "single": (rows / 3).astype("float32"),
            "number": np.where(sparse, np.nan, rows / 7),
            "flag": rows % 3 == 0,
            "text": pd.Series([f"t{i % 9}" for i in rows], dtype="object"),
            "sparse": pd.Series([None if i % 4 == 1 else f"s{i}" for i in rows], dtype="object"),
            "bytes": pd.Series([bytes([i % 256, 0]) for i in rows], dtype="object"),
            "at": pd.Series(pd.to_datetime(rows * 1_234_567_891, unit="ns")).astype("datetime64[ns]"),
            "instant": pd.Series(pd.to_datetime(rows, unit="s", utc=True)).astype("datetime64[us, UTC]"),
            "level": pd.Categorical([f"level {i % 3}" for i in rows], categories=["level 0", "level 1", "level 2"]),
        }
    )


def fastparquet_cases():
    encoding = {"text": "utf8", "sparse": "utf8", "bytes": "bytes", "level": "utf8"}
    for codec, has_nulls, stats in itertools.product(
        ["UNCOMPRESSED", "SNAPPY", "GZIP", "BROTLI", "ZSTD", "LZ4_RAW"], [True, False], [True, False]
    ):
        nulls = True if has_nulls else ["sparse"]
        name = f"{codec}, {'optional' if has_nulls else 'required'} columns, {'with' if stats else 'without'} bounds"

        def write(path, rows, codec=codec, nulls=nulls, stats=stats):
            fastparquet.write(
                str(path),
                frame(*rows),
                compression=codec,
                has_nulls=nulls,
                stats=stats,
                object_encoding=encoding,
                row_group_offsets=150,
                write_index=False,
            )

        yield "fastparquet", name, write


def main(folder, extent):
    manifest = []
    for cases in (list(arrow_cases()), list(fastparquet_cases())):
        chosen = cases if extent == "whole" else cases[len(cases) // 3 : len(cases) // 3 + 1]
        for number, (writer, settings, write) in enumerate(chosen):
            files = []
            # fastparquet writes no file without rows
            ranges = [rows for rows in RANGES if writer != "fastparquet" or rows[0] < rows[1]]
            for at, rows in enumerate(ranges):
                path = pathlib.Path(folder) / f"{writer}-{number}-{at}.parquet"
                write(path, rows)
                files.append(str(path))
            manifest.append({"writer": writer, "settings": settings, "files": files})
    json.dump(manifest, sys.stdout)


main(*sys.argv[1:])
