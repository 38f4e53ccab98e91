"""Runs the benchmarks and, for the full set, writes docs/performance.md.

    python benchmarks/run.py --small              100,000 users, some minutes; prints
    python benchmarks/run.py --full               a million users and more, about an hour; writes the document
    python benchmarks/run.py --full --only NAME   one of them; the document keeps the others' last findings
    python benchmarks/run.py --document           writes the document again of the findings kept
    python benchmarks/run.py --clean              deletes the trees and programs kept, gigabytes

Trees and findings are kept in $BENCHMARKS_ROOM, else in headcount-benchmarks below $TMPDIR; trees in $BENCHMARKS_TREES,
if it is set (`in_inodes.sh`).
"""

import argparse
import shutil
import sys
import time
import traceback
from dataclasses import replace
from pathlib import Path

import cold_cache
import cold_scan
import first_logins
import following
import key_latency
import memory
import restart
import scaling
import screen_cost
import shapes
import start_up
from kit.document import DOCUMENT, written
from kit.machine import load
from kit.native import lacking, memory_room, room, trees_room
from kit.report import Section, save, to_text
from kit.report import load as kept
from kit.sizes import FULL, SMALL, Measure, Size

BENCHMARKS: dict[str, Measure] = {
    "cold_scan": cold_scan.measure,
    "shapes": shapes.measure,
    "cold_cache": cold_cache.measure,
    "restart": restart.measure,
    "following": following.measure,
    "first_logins": first_logins.measure,
    "memory": memory.measure,
    "screen_cost": screen_cost.measure,
    "key_latency": key_latency.measure,
    "start_up": start_up.measure,
    "scaling": scaling.measure,
}


def run(name: str, size: Size, findings: Path) -> bool:
    """Runs one benchmark, prints and keeps what it found; whether it came to its end."""
    print(f"\n{name} …", flush=True)
    before, begun = load(), time.monotonic()
    try:
        section = BENCHMARKS[name](size)
    except Exception:  # the others are run all the same
        traceback.print_exc()
        print(f"{name} FAILED; what was found of it before stays in the document.")
        return False
    section.load, section.seconds = before, time.monotonic() - begun
    save(section, findings)
    print(f"\n{to_text(section)}({section.seconds:.0f} s)", flush=True)
    return True


def write_document() -> None:
    """Writes the document of what the full set found last."""
    found: list[Section] = [section for name in BENCHMARKS if (section := kept(name, room() / FULL.name))]
    DOCUMENT.write_text(written(found), encoding="utf-8")
    print(f"wrote {DOCUMENT.name} of {len(found)} of {len(BENCHMARKS)} benchmarks")


def clean() -> None:
    """Deletes what is kept between runs, but for the findings."""
    for kept_there in {*room().iterdir(), *trees_room().iterdir(), *memory_room(0).iterdir()}:
        if kept_there.name in (SMALL.name, FULL.name):
            continue
        if kept_there.is_dir():
            shutil.rmtree(kept_there)
        else:
            kept_there.unlink()


def main() -> int:
    parser = argparse.ArgumentParser(description="Runs the benchmarks.")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--small", action="store_true", help="100,000 users; prints what it finds")
    which.add_argument("--full", action="store_true", help="a million users and more; writes docs/performance.md")
    which.add_argument("--document", action="store_true", help="only write docs/performance.md, of what was found last")
    which.add_argument("--clean", action="store_true", help="only delete the trees and the programs that are kept")
    parser.add_argument("--only", action="append", choices=BENCHMARKS, metavar="NAME", help="this one; may be repeated")
    parser.add_argument(
        "--skip", action="append", choices=BENCHMARKS, metavar="NAME", help="all but this; may be repeated"
    )
    parser.add_argument("--rounds", type=int, metavar="N", help="of each comparison (default: 2 small, 3 full)")
    asked = parser.parse_args()
    if asked.clean:
        clean()
        return 0
    if asked.document:
        write_document()
        return 0
    size = FULL if asked.full else SMALL
    size = replace(size, rounds=asked.rounds or size.rounds)
    for what in lacking():
        print(f"missing: {what}. Its rows are skipped.")
    names = [name for name in asked.only or BENCHMARKS if name not in (asked.skip or ())]
    failed = [name for name in names if not run(name, size, room() / size.name)]
    if asked.full:
        write_document()
    if failed:
        print(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
