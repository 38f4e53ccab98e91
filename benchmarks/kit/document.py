"""The document of all findings: the machine, what was to reach, each benchmark's tables."""

import time
from collections.abc import Sequence
from pathlib import Path

from kit.machine import described
from kit.report import Section, Table, mark, markdown_table

DOCUMENT = Path(__file__).parents[2] / "docs" / "performance.md"
HEAD = """# How fast it is

Written by `make bench-full` (`benchmarks/run.py`); a change by hand is lost at the next run. Each figure stands beside
that of a peer which was measured in the same run, in turn with it: the machine is shared, so seconds vary with the
neighbours, and ratios are what counts. A median stands with its least and most in brackets.
"""


def written(sections: Sequence[Section]) -> str:
    """The whole document."""
    return "\n".join([HEAD, _machine(sections), _goals(sections), *map(_section, sections)])


def _machine(sections: Sequence[Section]) -> str:
    table = Table(["", "measured on"])
    for name, value in described():
        table.add(name, value)
    if sections:
        days = sorted({time.strftime("%Y-%m-%d", time.gmtime(section.when)) for section in sections})
        table.add("date", days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}")
        loads = [section.load for section in sections]
        table.add("load by others", f"{min(loads):.1f} to {max(loads):.1f} when a benchmark began")
    return f"## The machine\n\n{markdown_table(table)}\n"


def _goals(sections: Sequence[Section]) -> str:
    table = Table(["what", "to reach", "measured", "reached", "shown by"])
    goals = [(goal, section) for section in sections for goal in section.goals]
    for goal, section in sorted(goals, key=lambda pair: (int(pair[0].key.rstrip("ab")), pair[0].key)):
        state = {True: "yes", False: "**no**", None: mark(None)}[goal.is_reached]
        table.add(goal.what, goal.target, goal.measured, state, f"`{command(section)}`")
    return f"## What was to reach\n\n{markdown_table(table)}\n"


def command(section: Section) -> str:
    """The command that measures a section again."""
    if section.name in ("scaling", "cold_cache", "first_logins"):  # of other users than their section's
        return f"python benchmarks/run.py --full --only {section.name}"
    return f"python benchmarks/{section.name}.py{f' {section.users}' if section.users else ''}"


def _section(section: Section) -> str:
    users = f"{section.users:,} users, " if section.users else ""
    parts = [
        f"## {section.title}\n",
        f"{users}{section.seconds:.0f} s, load {section.load:.1f}. `{command(section)}`\n",
    ]
    parts += [f"{markdown_table(table)}\n" for table in section.tables]
    listed = [words for words in section.words if words.startswith("- ")]
    parts += [f"{words}\n" for words in section.words if words not in listed]
    if listed:
        parts.append("Were each figure to grow on in proportion:\n\n" + "\n".join(listed) + "\n")
    if section.skipped:
        parts.append("Not measured:\n\n" + "\n".join(f"- {reason}" for reason in section.skipped) + "\n")
    return "\n".join(parts)
