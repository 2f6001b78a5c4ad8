"""Reads a table by Delta Sharing as an analyst would: delta_sharing_reader.py PROFILE SHARE.SCHEMA.TABLE [VERSION], answers as JSON.

Answers are those of readers.py. `between` is called after the files were listed and before they are read.
"""

import json
import sys

import delta_sharing
from delta_sharing.reader import DeltaSharingReader

FROM, TO, CODE = 40_000, 42_000, "c777"


def between_once():
    """Lets the caller change the table between the list of files and the first of them."""
    read = DeltaSharingReader._to_pandas

    def first(*inputs):
        DeltaSharingReader._to_pandas = staticmethod(read)
        print("opened", flush=True)
        sys.stdin.readline()
        return read(*inputs)

    DeltaSharingReader._to_pandas = staticmethod(first)


def main(profile, name, version):
    url = f"{profile}#{name}"
    share, schema, table = name.split(".")
    client = delta_sharing.SharingClient(profile)
    listed = [(found.share, found.schema, found.name) for found in client.list_all_tables()]
    assert (share, schema, table) in listed, listed
    between_once()
    frame = delta_sharing.load_as_pandas(url, version=version)
    hints = {
        "op": "greaterThanOrEqual",
        "children": [
            {"op": "column", "name": "id", "valueType": "int"},
            {"op": "literal", "value": str(FROM), "valueType": "int"},
        ],
    }
    pruned = delta_sharing.load_as_pandas(url, version=version, jsonPredicateHints=json.dumps(hints))
    # the newest version may be one file
    assert version is None or len(pruned) < len(frame), "no file was left out"
    assert len(delta_sharing.load_as_pandas(url, version=version, limit=1234)) == 1234
    assert delta_sharing.get_table_version(url) >= (version or 0)
    return {
        "count": len(frame),
        "sum": int(frame["delay"].sum()),
        "filtered": int(pruned["id"].between(FROM, TO).sum()),
        "found": int((frame["code"] == CODE).sum()),
    }


if __name__ == "__main__":
    profile, name, *version = sys.argv[1:]
    print(json.dumps(main(profile, name, int(version[0]) if version else None)))
