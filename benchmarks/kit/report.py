"""What a benchmark found, as values; shown on a terminal and written as Markdown, alike."""

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(slots=True)
class Table:
    """Rows under columns, all text."""

    columns: list[str]
    rows: list[list[str]] = field(default_factory=list)

    def add(self, *cells: object) -> None:
        self.rows.append([str(cell) for cell in cells])


@dataclass(slots=True)
class Goal:
    """What was to reach and what was measured; `is_reached` is None where it could not be. `key` orders goals."""

    key: str
    what: str
    target: str
    measured: str
    is_reached: bool | None


@dataclass(slots=True)
class Section:
    """One benchmark's findings. `users` is the size of its largest tree, `load` the machine's when it began."""

    name: str
    title: str
    users: int
    words: list[str] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    goals: list[Goal] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    when: float = field(default_factory=time.time)
    load: float = 0.0
    seconds: float = 0.0

    def table(self, *columns: str) -> Table:
        """A new table."""
        self.tables.append(Table(list(columns)))
        return self.tables[-1]

    def goal(self, key: str, what: str, target: str, measured: str, is_reached: bool | None) -> None:
        self.goals.append(Goal(key, what, target, measured, is_reached))

    def skip(self, reasons: dict[str, str]) -> None:
        """Notes which contenders did not run, and why."""
        self.skipped += [f"{name}: {why}" for name, why in reasons.items()]


def markdown_table(table: Table) -> str:
    """A table of Markdown, its columns padded so that it can be read as it stands."""
    return _lines([table.columns, ["---"] * len(table.columns), *table.rows], edge="|")


def to_text(section: Section) -> str:
    """For a terminal."""
    parts = [f"== {section.title} ({section.users:,} users) ==", *section.words]
    parts += [_lines([table.columns, *table.rows], edge="") for table in section.tables]
    for goal in section.goals:
        parts.append(f"{mark(goal.is_reached)}: {goal.what}: {goal.measured}; to reach: {goal.target}")
    parts += [f"skipped: {reason}" for reason in section.skipped]
    return "\n".join(parts) + "\n"


def mark(is_reached: bool | None) -> str:
    """How a goal stands, in words."""
    return "not measured" if is_reached is None else "reached" if is_reached else "NOT reached"


def save(section: Section, directory: Path) -> None:
    """Keeps findings for a document that is written later."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / f"{section.name}.json").write_text(json.dumps(asdict(section), indent=1))


def load(name: str, directory: Path) -> Section | None:
    """The findings kept last of that benchmark."""
    path = directory / f"{name}.json"
    if not path.exists():
        return None
    kept: dict[str, Any] = json.loads(path.read_text())
    tables = [Table(**table) for table in kept.pop("tables")]
    goals = [Goal(**goal) for goal in kept.pop("goals")]
    return Section(**kept, tables=tables, goals=goals)


def _lines(rows: Sequence[Sequence[str]], edge: str) -> str:
    widths = [max(len(row[index]) for row in rows) for index in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [cell.ljust(width, "-" if cell == "---" else " ") for cell, width in zip(row, widths, strict=True)]
        lines.append(f"| {' | '.join(cells)} |" if edge else "  " + "   ".join(cells).rstrip())
    return "\n".join(lines)
