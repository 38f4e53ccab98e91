"""The tables of the SQLite state, as steps from each version to the next; a state of any older version takes those
that it lacks, in one transaction."""

import sqlite3

from headcount.state.check import begin_seals, note_rows, note_version
from headcount.state.imported import TABLE as _IMPORTED
from headcount.state.seals import TABLES

OURS = 0x48434E54
"""The application id (bytes 68 to 71 of the file) of a state of Headcount: "HCNT"."""

# Unknown parts of a place are '' and 0, since a primary key needs values. `counted.place` is where a user was
# counted while a login record may still tell it better, NULL once it is final, '' where mod_monthly_visitors did it.
_FIRST = f"""
PRAGMA application_id = {OURS};
CREATE TABLE hosts (
    host TEXT PRIMARY KEY, followed_since REAL NOT NULL, alive_at REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE months (
    host TEXT NOT NULL, month TEXT NOT NULL, quality TEXT NOT NULL, closed INTEGER NOT NULL, key BLOB,
    PRIMARY KEY (host, month)
) WITHOUT ROWID;
CREATE TABLE counts (
    host TEXT NOT NULL, month TEXT NOT NULL, country TEXT NOT NULL, subdivision TEXT NOT NULL,
    city INTEGER NOT NULL, client TEXT NOT NULL, users INTEGER NOT NULL,
    PRIMARY KEY (host, month, country, subdivision, city, client)
) WITHOUT ROWID;
CREATE TABLE counted (
    host TEXT NOT NULL, month TEXT NOT NULL, hash BLOB NOT NULL, place TEXT,
    PRIMARY KEY (host, month, hash)
) WITHOUT ROWID;
CREATE TABLE history (
    at INTEGER NOT NULL, host TEXT NOT NULL, counts TEXT NOT NULL, PRIMARY KEY (at, host)
) WITHOUT ROWID;
CREATE TABLE place_names (
    country TEXT NOT NULL, subdivision TEXT NOT NULL, city INTEGER NOT NULL,
    country_name TEXT NOT NULL, subdivision_name TEXT NOT NULL, city_name TEXT NOT NULL,
    PRIMARY KEY (country, subdivision, city)
) WITHOUT ROWID;
"""

# `kept.pruned_before` is the first month that was not pruned; `kept.zone` the time zone that months are reckoned in.
# `live` is what the engine shows at this moment, for those who look on: figures, and no name of a file.
_LOOKERS_ON = """
CREATE TABLE kept (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE live (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""

# `kept.geo` is the label of the GeoIP database that was in use last; a mark, when it became another one.
_MARKS = """
CREATE TABLE marks (at REAL NOT NULL, geo TEXT NOT NULL, PRIMARY KEY (at, geo)) WITHOUT ROWID;
"""

# NULL where it was not noted of all users of the month.
_ARRIVALS = """
ALTER TABLE months ADD COLUMN came_back INTEGER;
ALTER TABLE months ADD COLUMN untold INTEGER;
"""

# Who was counted, in parts as they came: hashes of 16 bytes side by side, and for each a line that tells how: where, if
# a login record may still tell it better, or `final`, or `marked` where mod_monthly_visitors did it. What a later part
# tells of a user holds. A row for each user would rewrite a page of the file for each who comes.
_COUNTED = """
ALTER TABLE counted RENAME TO counted_one_by_one;
CREATE TABLE counted (
    part INTEGER PRIMARY KEY, host TEXT NOT NULL, month TEXT NOT NULL, hashes BLOB NOT NULL, hows TEXT NOT NULL
);
INSERT INTO counted (host, month, hashes, hows)
    SELECT host, month, hash, CASE WHEN place IS NULL THEN 'final' WHEN place = '' THEN 'marked' ELSE place END
    FROM counted_one_by_one;
DROP TABLE counted_one_by_one;
CREATE INDEX counted_by_month ON counted (host, month);
"""

# What tells a damaged row, and that one is missing (`seals`).
_SEALS = f"""
ALTER TABLE months ADD COLUMN users INTEGER NOT NULL DEFAULT 0;
ALTER TABLE months ADD COLUMN taken INTEGER NOT NULL DEFAULT 0;
ALTER TABLE months ADD COLUMN chain INTEGER NOT NULL DEFAULT 0;
{"".join(f"ALTER TABLE {table} ADD COLUMN seal INTEGER;" for table in TABLES)}
"""

STEPS = (_FIRST, _LOOKERS_ON, _IMPORTED, _MARKS, _ARRIVALS, _COUNTED, _SEALS)
VERSION = len(STEPS)
SEALED_SINCE = STEPS.index(_SEALS) + 1
"""The first version whose rows are sealed."""


def version_of(connection: sqlite3.Connection) -> int:
    """The version of a state; 0 for a file that has no tables yet."""
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


def is_foreign(connection: sqlite3.Connection) -> bool:
    """Whether it is a database of somebody else's."""
    if connection.execute("PRAGMA application_id").fetchone()[0] == OURS:
        return False
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    return bool(tables) and not tables >= {"hosts", "months", "counts", "counted"}


def is_begun(connection: sqlite3.Connection) -> bool:
    """Whether it has any table."""
    tables: int = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    return tables > 0


def upgrade(connection: sqlite3.Connection) -> None:
    """Takes the steps that the state lacks, all of them or none. Where they are the first with seals, what was written
    before is sealed as it is."""
    version = version_of(connection)
    if version == VERSION:
        return
    try:
        connection.executescript(f"BEGIN;{''.join(STEPS[version:])}PRAGMA user_version = {VERSION};")
        if version < SEALED_SINCE:
            begin_seals(connection)
        note_version(connection, VERSION)
        note_rows(connection)
    except BaseException:
        connection.rollback()
        raise
    connection.commit()
    connection.execute("VACUUM")  # so that each table begins where `rescue` looks for it
