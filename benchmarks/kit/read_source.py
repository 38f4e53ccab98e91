"""Reads a data directory from end to end and throws its records away: the bare source, without an engine.

python read_source.py DATA_DIR   prints the number of users.
"""

import sys
from contextlib import closing

from headcount.records import PlainUsers, Record, UserRecord
from headcount.sources.directory import DirectorySource


def users_in(record: Record) -> int:
    """The users that a record tells of."""
    return len(record.users) if isinstance(record, PlainUsers) else isinstance(record, UserRecord)


def main() -> None:
    with closing(DirectorySource(sys.argv[1], watching=False)) as source:
        print(sum(users_in(record) for batch in source.read() for record in batch))


if __name__ == "__main__":
    main()
