"""Runs of several contenders in turn (A B A B …), and what their times are to one another.

Others use the machine too, so seconds alone tell little: a ratio is taken within each round, where both met the same
neighbours, and its median over all rounds counts.
"""

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from kit.native import MissingError


@dataclass(frozen=True, slots=True)
class Run:
    """One run: seconds by the clock, seconds of processor time (children too), and what it said."""

    seconds: float
    processor: float = 0.0
    said: str = ""


Contender = Callable[[], Run]


@dataclass(frozen=True, slots=True)
class Spread:
    """A median with the least and the most."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        return cls(statistics.median(values), min(values), max(values))

    def told(self, form: str = ".2f", unit: str = "") -> str:
        """`median (least–most)`."""
        if f"{self.least:{form}}" == f"{self.most:{form}}":
            return f"{self.median:{form}}{unit}"
        return f"{self.median:{form}}{unit} ({self.least:{form}}–{self.most:{form}})"


class Results:
    """The runs of each contender, round by round; `skipped` says why one did not run."""

    def __init__(self) -> None:
        self.runs: dict[str, list[Run]] = {}
        self.skipped: dict[str, str] = {}

    def seconds(self, name: str) -> Spread:
        return Spread.of([run.seconds for run in self.runs[name]])

    def processor(self, name: str) -> Spread:
        return Spread.of([run.processor for run in self.runs[name]])

    def ratio(self, of: str, to: str) -> Spread | None:
        """How many times longer `of` took than `to`; None where one of them did not run."""
        if of not in self.runs or to not in self.runs:
            return None
        return Spread.of([a.seconds / b.seconds for a, b in zip(self.runs[of], self.runs[to], strict=True)])


def interleaved(
    contenders: Mapping[str, Contender],
    rounds: int,
    *,
    before: Callable[[], None] | None = None,
    after: Callable[[], None] | None = None,
) -> Results:
    """Runs each contender once a round; `before` is called before each run, `after` after it."""
    results = Results()
    for number in range(rounds):
        for name, contender in contenders.items():
            if name in results.skipped:
                continue
            if before:
                before()
            try:
                run = contender()
            except MissingError as error:
                results.skipped[name] = str(error)
                continue
            if after:
                after()
            results.runs.setdefault(name, []).append(run)
            print(f"  {number + 1}/{rounds} {name}: {run.seconds:.2f} s", flush=True)
    return results


def command(line: Sequence[str], cores: int | None = None) -> Run:
    """Runs a command to its end, on the first `cores` cores alone where it is said."""
    begun = time.monotonic()
    with subprocess.Popen(line, stdout=subprocess.PIPE) as process:
        if cores:
            os.sched_setaffinity(process.pid, sorted(os.sched_getaffinity(0))[:cores])
        assert process.stdout is not None
        said = process.stdout.read().decode()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{line[0]} failed with {process.returncode}")
    return Run(time.monotonic() - begun, usage.ru_utime + usage.ru_stime, said.strip())
