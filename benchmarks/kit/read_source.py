"""Reads a data directory and throws its records away: the bare source, without an engine.

python read_source.py DATA_DIR          reads it from end to end; prints the number of users.
python read_source.py DATA_DIR active   reads until it knows who is active; prints how many in 1, 7, 30 days.
"""

import gc
import sys
import time
from bisect import bisect_right
from contextlib import closing

from headcount.counting.activity_rule import WINDOWS
from headcount.records import Record, Users
from headcount.sources.directory import DirectorySource


def active_in(record: Record, active: list[int], since: list[float]) -> None:
    """Counts those users of a record who were active since each of those moments."""
    whens = sorted(user.newest for user in record.users) if isinstance(record, Users) else []
    for window, start in enumerate(since):
        active[window] += len(whens) - bisect_right(whens, start)


def main() -> None:
    gc.disable()  # as the engine does while it reads
    active, users = [0, 0, 0], 0
    since = [time.time() - window for window in WINDOWS]
    with closing(DirectorySource(sys.argv[1], watching=False)) as source:
        for batch in source.read():
            if sys.argv[2:] == ["active"]:
                if source.progress is None or source.progress.active_done:
                    break
                for record in batch:
                    active_in(record, active, since)
            users += sum(len(record.users) for record in batch if isinstance(record, Users))
    print(*(active if sys.argv[2:] else [users]))


if __name__ == "__main__":
    main()
