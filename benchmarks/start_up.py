"""How soon `headcount --version` answers, against a Python that does nothing; and that it loads no screen for that.

python benchmarks/start_up.py
"""

import subprocess
import sys
from pathlib import Path

from kit.report import Section
from kit.runs import command, interleaved
from kit.sizes import Size, alone

ROUNDS = 15
BARE = "peer: python -c pass"
VERSION = "headcount --version"


def measure(_: Size) -> Section:
    script = Path(sys.executable).with_name("headcount")
    line = [str(script)] if script.exists() else [sys.executable, "-m", "headcount"]
    contenders = {
        BARE: lambda: command([sys.executable, "-c", "pass"]),
        VERSION: lambda: command([*line, "--version"]),
    }
    results = interleaved(contenders, ROUNDS)
    imported = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "headcount", "--version"], capture_output=True, text=True, check=True
    ).stderr
    loads_textual = "textual" in imported
    section = Section("start_up", "Starting up", 0)
    table = section.table("what", "ms", "times a bare Python")
    for name in (BARE, VERSION):
        seconds = results.seconds(name)
        ratio = results.ratio(name, BARE)
        assert ratio is not None
        table.add(
            name,
            f"{seconds.median * 1000:.0f} ({seconds.least * 1000:.0f}–{seconds.most * 1000:.0f})",
            ratio.told(".1f"),
        )
    section.words.append(f"Textual is {'imported: it should not be' if loads_textual else 'not imported'}.")
    median = results.seconds(VERSION).median * 1000
    section.goal(
        "9",
        "`headcount --version`",
        "≤ 150 ms, Textual not imported",
        f"{median:.0f} ms, Textual {'imported' if loads_textual else 'not imported'}",
        median <= 150 and not loads_textual,
    )
    return section


if __name__ == "__main__":
    alone(measure)
